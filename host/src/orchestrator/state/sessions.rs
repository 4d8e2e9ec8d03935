//! The last good token of each user in each project, in memory only, for work that goes on after
//! the request. Never written anywhere.
//!
//! What is created or deleted in the background is done with the token of who asked for it; what is
//! only looked at, with any of the project.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
    time::SystemTime,
};

use crate::orchestrator::{locks::lock_mutex, state::cluster_handle::ClusterHandle};
use crate::{openstack::CloudSession, store::ClusterRecord};

/// The last good session of each user in each project, and whose the work is that waits for one.
#[derive(Debug, Default)]
pub(crate) struct SessionRegistry {
    /// By project, then by user.
    last: Mutex<SessionTable>,
    /// How many background workers need a user's session in a project: it is not thrown out.
    pinned: Mutex<HashMap<(String, String), usize>>,
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

    /// Takes out whichever comes first that nobody works with: its user's next request brings
    /// another. Whether there was any.
    fn make_room(&mut self, pinned: &HashMap<(String, String), usize>) -> bool {
        let all = self.sessions.iter().flat_map(|(project, users)| {
            let pairs = users.keys().map(|user| (project.clone(), user.clone()));
            pairs.collect::<Vec<_>>()
        });
        let mut free = all.filter(|pair| !pinned.contains_key(pair));
        let Some((project, user)) = free.next() else {
            return false;
        };
        self.remove(&project, &user);
        true
    }
}

/// Work that waits for a token: a project, and the user whose token it must be, where anyone else's
/// would not do.
pub(crate) type TokenWait = (String, Option<String>);

/// What waits while there is no token at all: somebody must look, and the owner must act, or who
/// wants the cluster gone.
pub(crate) fn any_and_owner(record: &ClusterRecord) -> Vec<TokenWait> {
    let project = &record.project_id;
    let wishes = record.deletion_wishes.iter().cloned().map(Some);
    let users = [None, record.owner.clone()].into_iter().chain(wishes);
    users.map(|user| (project.clone(), user)).collect()
}

/// What waits while only a token of those would do who may act.
pub(crate) fn actor_waits(handle: &ClusterHandle) -> Vec<TokenWait> {
    let project = handle.record().project_id.clone();
    let actors = handle.actors();
    if actors.is_empty() {
        return vec![(project, None)];
    }
    let waits = actors.into_iter().map(|user| (project.clone(), Some(user)));
    waits.collect()
}

/// Keeps the sessions that a background worker needs from being thrown out, until it is dropped.
pub(crate) struct SessionPin<'a> {
    registry: &'a SessionRegistry,
    users: Vec<(String, String)>,
}

impl Drop for SessionPin<'_> {
    fn drop(&mut self) {
        let mut pinned = lock_mutex(&self.registry.pinned);
        for user in &self.users {
            if let Some(number) = pinned.get_mut(user) {
                *number -= 1;
                if *number == 0 {
                    pinned.remove(user);
                }
            }
        }
    }
}

impl SessionRegistry {
    pub(crate) fn new(most: usize, waiting: impl IntoIterator<Item = TokenWait>) -> Self {
        Self {
            last: Mutex::default(),
            pinned: Mutex::default(),
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
        // Where every one is worked with, the newcomer's next request finds room.
        if is_known || last.number < self.most || last.make_room(&lock_mutex(&self.pinned)) {
            last.insert(session);
        }
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

    /// The session of who may act for the cluster; where there is none, anyone's of the project,
    /// which is good for looking. One that a service has forbidden it only where there is no other.
    pub(crate) fn session_for(&self, handle: &ClusterHandle) -> Option<CloudSession> {
        self.session_in_turn(handle, 0)
    }

    /// The same; of those who may act for different ends, another one first in each turn.
    pub(crate) fn session_in_turn(
        &self,
        handle: &ClusterHandle,
        turn: usize,
    ) -> Option<CloudSession> {
        let last = lock_mutex(&self.last);
        let users = last.sessions.get(&handle.record().project_id)?;
        let mut actors = handle.actors();
        if handle.record().has_wish_to_decide() && !actors.is_empty() {
            let first = turn % actors.len();
            actors.rotate_left(first);
        }
        let acting = actors.iter().filter_map(|user| users.get(user));
        let mut allowed = acting
            .chain(users.values())
            .filter(|session| !handle.is_forbidden(session));
        allowed.next().or_else(|| users.values().next()).cloned()
    }

    /// Whether there is a session that may act for the cluster and was not forbidden to.
    pub(crate) fn has_actor(&self, handle: &ClusterHandle) -> bool {
        let session = self.session_for(handle);
        session.is_some_and(|session| handle.may_act(&session) && !handle.is_forbidden(&session))
    }

    /// Whether somebody else who may change the cluster is there and was not forbidden to.
    pub(crate) fn has_other_actor(&self, handle: &ClusterHandle, session: &CloudSession) -> bool {
        let project = handle.record().project_id.clone();
        let known = lock_mutex(&self.last);
        let mut others = handle.actors().into_iter();
        others.any(|user| {
            let other = known.get(&project, &user);
            user != session.user().id
                && other
                    .is_some_and(|other| handle.may_change(other) && !handle.is_forbidden(other))
        })
    }

    /// Keeps the sessions that may act for the cluster.
    pub(crate) fn pin_actors(&self, handle: &ClusterHandle) -> SessionPin<'_> {
        let project = handle.record().project_id.clone();
        let actors = handle.actors().into_iter();
        let users: Vec<_> = actors.map(|user| (project.clone(), user)).collect();
        let mut pinned = lock_mutex(&self.pinned);
        for user in &users {
            *pinned.entry(user.clone()).or_default() += 1;
        }
        SessionPin {
            registry: self,
            users,
        }
    }

    /// Whether this session, or a newer one with its token, is what is remembered of its user.
    pub(crate) fn knows(&self, session: &CloudSession) -> bool {
        lock_mutex(&self.last)
            .get(&session.project().id, &session.user().id)
            .is_some_and(|known| known.is_same_token(session))
    }

    /// Forgets the sessions whose token has expired and that nobody works with; how many stay. A
    /// clock that was set wrong costs no more than its user's next request brings back.
    pub(crate) fn let_go(&self, now: SystemTime) -> usize {
        let mut last = lock_mutex(&self.last);
        let pinned = lock_mutex(&self.pinned);
        let is_over = |session: &CloudSession| session.expires_at().is_some_and(|at| at <= now);
        let all = last.sessions.iter().flat_map(|(project, users)| {
            let over = users.iter().filter(|(_, session)| is_over(session));
            over.map(|(user, _)| (project.clone(), user.clone()))
        });
        let over: Vec<_> = all.filter(|pair| !pinned.contains_key(pair)).collect();
        drop(pinned);
        for (project, user) in over {
            last.remove(&project, &user);
        }
        last.number
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
