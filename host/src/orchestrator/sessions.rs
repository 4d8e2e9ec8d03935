//! The last good token of each project, in memory only, for work that goes on after the request. Never written anywhere.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use super::book::lock;
use crate::openstack::{Error, Session};

/// The last good session of each project, and the projects whose work waits for one.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    last: Mutex<HashMap<String, Session>>,
    waiting: Mutex<HashSet<String>>,
    most: usize,
}

impl Sessions {
    pub(super) fn new(most: usize, waiting: impl IntoIterator<Item = String>) -> Self {
        Self { last: Mutex::default(), waiting: Mutex::new(waiting.into_iter().collect()), most }
    }

    /// Remembers a session that Keystone has just approved. True when work of this project has waited for it.
    pub(super) fn put(&self, session: &Session) -> bool {
        let project = session.project().id.clone();
        let mut last = lock(&self.last);
        if last.len() >= self.most && !last.contains_key(&project) {
            // Whichever: its project's next request brings another.
            if let Some(other) = last.keys().next().cloned() {
                last.remove(&other);
            }
        }
        last.insert(project.clone(), session.clone());
        drop(last);
        lock(&self.waiting).remove(&project)
    }

    /// Work of this project waits for its next request.
    pub(super) fn wait(&self, project: &str) {
        lock(&self.waiting).insert(project.to_owned());
    }

    /// The project's last good session; where there is none, its work waits for the next request.
    pub(super) fn get(&self, project: &str) -> Option<Session> {
        let session = lock(&self.last).get(project).cloned();
        if session.is_none() {
            self.wait(project);
        }
        session
    }

    /// Forgets the session when this error says that its token is no longer good.
    pub(super) fn fail(&self, project: &str, error: &Error) {
        if error.is_token() {
            lock(&self.last).remove(project);
        }
    }

    /// Forgets the session: a service said that its token is no longer good.
    pub(super) fn drop_project(&self, project: &str) {
        lock(&self.last).remove(project);
    }
}
