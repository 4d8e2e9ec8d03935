//! The last good token of each user in each project, in memory only, for work that goes on after
//! the request. Never written anywhere.
//!
//! What is created or deleted in the background is done with the token of who asked for it; what is
//! only looked at, with any of the project.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use crate::orchestrator::locks::lock_mutex;
use crate::{openstack::CloudSession, store::ClusterRecord};

/// The last good session of each user in each project, and whose the work is that waits for one.
#[derive(Debug, Default)]
pub(crate) struct SessionRegistry {
    /// By project, then by user.
    last: Mutex<SessionTable>,
    waiting: Mutex<HashSet<TokenWait>>,
    most: usize,
}

#[derive(Debug, Default)]
struct SessionTable {
    sessions: HashMap<String, HashMap<String, CloudSession>>,
    number: usize,
}

impl SessionTable {
    fn get(&self, project: &str, user: &str) -> Option<&CloudSession> {
        self.sessions.get(project)?.get(user)
    }

    fn insert(&mut self, session: &CloudSession) {
        let users = self
            .sessions
            .entry(session.project().id.clone())
            .or_default();
        self.number += usize::from(
            users
                .insert(session.user().id.clone(), session.clone())
                .is_none(),
        );
    }

    fn remove(&mut self, project: &str, user: &str) {
        let Some(users) = self.sessions.get_mut(project) else {
            return;
        };
        self.number -= usize::from(users.remove(user).is_some());
        if users.is_empty() {
            self.sessions.remove(project);
        }
    }

    /// Takes out whichever comes first: its user's next request brings another.
    fn make_room(&mut self) {
        let first = self
            .sessions
            .iter()
            .find_map(|(project, users)| Some((project.clone(), users.keys().next()?.clone())));
        if let Some((project, user)) = first {
            self.remove(&project, &user);
        }
    }
}

/// Work that waits for a token: a project, and the user whose token it must be, where anyone else's
/// would not do.
pub(crate) type TokenWait = (String, Option<String>);

/// What waits while there is no token at all: somebody must look, and the owner must act.
pub(crate) fn any_and_owner(record: &ClusterRecord) -> [TokenWait; 2] {
    [(record.project_id.clone(), None), owner_wait(record)]
}

/// What waits while the owner's token is the only one that would do.
pub(crate) fn owner_wait(record: &ClusterRecord) -> TokenWait {
    (record.project_id.clone(), record.owner.clone())
}

/// Whether this session may create and delete what the record wants. Records of former versions do
/// not say who asked for it.
pub(crate) fn may_act(session: &CloudSession, record: &ClusterRecord) -> bool {
    record
        .owner
        .as_ref()
        .is_none_or(|owner| *owner == session.user().id)
}

impl SessionRegistry {
    pub(crate) fn new(most: usize, waiting: impl IntoIterator<Item = TokenWait>) -> Self {
        Self {
            last: Mutex::default(),
            waiting: Mutex::new(waiting.into_iter().collect()),
            most,
        }
    }

    /// Remembers a session that Keystone has just approved. True when work has waited for it: the
    /// same token again wakes nobody, since what it was refused once it would be refused with every
    /// request.
    pub(crate) fn remember_session(&self, session: &CloudSession) -> bool {
        let (project, user) = (&session.project().id, &session.user().id);
        let mut last = lock_mutex(&self.last);
        let before = last.get(project, user);
        if before.is_some_and(|before| before.is_same(session)) {
            return false;
        }
        let (is_known, is_same_token) = (
            before.is_some(),
            before.is_some_and(|before| before.is_same_token(session)),
        );
        if !is_known && last.number >= self.most {
            last.make_room();
        }
        last.insert(session);
        drop(last);
        if is_same_token {
            return false;
        }
        let mut waiting = lock_mutex(&self.waiting);
        let anyone = waiting.remove(&(project.clone(), None));
        waiting.remove(&(project.clone(), Some(user.clone()))) || anyone
    }

    /// This work waits for the next good token that does.
    pub(crate) fn add_waits(&self, work: impl IntoIterator<Item = TokenWait>) {
        lock_mutex(&self.waiting).extend(work);
    }

    /// The session of who asked for what the record wants; where there is none, anyone's of the
    /// project, which is good for looking.
    pub(crate) fn session_for(&self, record: &ClusterRecord) -> Option<CloudSession> {
        let last = lock_mutex(&self.last);
        let owners = record
            .owner
            .as_ref()
            .and_then(|owner| last.get(&record.project_id, owner));
        let anyones = || last.sessions.get(&record.project_id)?.values().next();
        owners.or_else(anyones).cloned()
    }

    /// Forgets the session, whose token is no longer good; a newer one of the same user stays.
    pub(crate) fn forget_session(&self, session: &CloudSession) {
        let (project, user) = (&session.project().id, &session.user().id);
        let mut last = lock_mutex(&self.last);
        if last
            .get(project, user)
            .is_some_and(|known| known.is_same_token(session))
        {
            last.remove(project, user);
        }
    }
}
