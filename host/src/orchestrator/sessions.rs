//! The last good token of each user in each project, in memory only, for work that goes on after the request. Never written anywhere.
//!
//! What is created or deleted in the background is done with the token of who wished it; what is only looked at, with any of the project.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use super::book::lock;
use crate::{openstack::Session, store::Record};

/// The last good session of each user in each project, and whose the work is that waits for one.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// By project and user.
    last: Mutex<HashMap<(String, String), Session>>,
    waiting: Mutex<HashSet<Waiting>>,
    most: usize,
}

/// Work that waits for a token: a project, and the user whose token it must be, where anyone else's would not do.
pub(super) type Waiting = (String, Option<String>);

/// What waits while there is no token at all: somebody must look, and the owner must act.
pub(super) fn both(record: &Record) -> [Waiting; 2] {
    [(record.project_id.clone(), None), owners(record)]
}

/// What waits while the owner's token is the only one that would do.
pub(super) fn owners(record: &Record) -> Waiting {
    (record.project_id.clone(), record.owner.clone())
}

/// Whether this session may create and delete what the record wishes. Records of former versions do not say whose wish it is.
pub(super) fn may_act(session: &Session, record: &Record) -> bool {
    record.owner.as_ref().is_none_or(|owner| *owner == session.user().id)
}

fn key(session: &Session) -> (String, String) {
    (session.project().id.clone(), session.user().id.clone())
}

impl Sessions {
    pub(super) fn new(most: usize, waiting: impl IntoIterator<Item = Waiting>) -> Self {
        Self { last: Mutex::default(), waiting: Mutex::new(waiting.into_iter().collect()), most }
    }

    /// Remembers a session that Keystone has just approved. True when work has waited for it: the same token again wakes nobody, since
    /// what it was refused once it would be refused with every request.
    pub(super) fn put(&self, session: &Session) -> bool {
        let key = key(session);
        let mut last = lock(&self.last);
        if last.len() >= self.most && !last.contains_key(&key) {
            // Whichever: its user's next request brings another.
            if let Some(other) = last.keys().next().cloned() {
                last.remove(&other);
            }
        }
        let before = last.insert(key.clone(), session.clone());
        drop(last);
        if before.is_some_and(|before| before.is_same_token(session)) {
            return false;
        }
        let mut waiting = lock(&self.waiting);
        let (project, user) = key;
        let anyone = waiting.remove(&(project.clone(), None));
        waiting.remove(&(project, Some(user))) || anyone
    }

    /// This work waits for the next good token that does.
    pub(super) fn wait(&self, work: impl IntoIterator<Item = Waiting>) {
        lock(&self.waiting).extend(work);
    }

    /// The session of who wished what the record says; where there is none, anyone's of the project, which is good for looking.
    pub(super) fn of(&self, record: &Record) -> Option<Session> {
        let last = lock(&self.last);
        let owners = record.owner.as_ref().and_then(|owner| last.get(&(record.project_id.clone(), owner.clone())));
        let anyones = || last.iter().find(|((project, _), _)| *project == record.project_id).map(|(_, session)| session);
        owners.or_else(anyones).cloned()
    }

    /// Forgets the session, whose token is no longer good; a newer one of the same user stays.
    pub(super) fn forget(&self, session: &Session) {
        let (mut last, key) = (lock(&self.last), key(session));
        if last.get(&key).is_some_and(|known| known.is_same_token(session)) {
            last.remove(&key);
        }
    }
}
