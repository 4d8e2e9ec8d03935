//! Who has signed in: by the digest of what their cookie says, in memory only. A session ends when it
//! was not used for a while, when its token does, at sign-out, and with the host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::cookie::SessionId;

/// How many sessions, and how long.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// All of the host: beyond it the one that was not used for longest ends.
    pub sessions: usize,
    /// Of one user in one project, likewise.
    pub of_one_user: usize,
    /// How long one lasts that is not used. Pages that renew themselves are no use.
    pub idle: Duration,
    /// How long one lasts at most, where its token lasts longer or does not say how long.
    pub life: Duration,
    /// Streams of one session. Browsers have six connections to a host that speaks HTTP/1.1: were all
    /// of them streams, no page would open any more, and none would say why.
    pub streams: usize,
    /// Bytes of what was typed into a form whose session had ended.
    pub kept_bytes: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            sessions: 4096,
            of_one_user: 32,
            idle: Duration::from_secs(30 * 60),
            life: Duration::from_secs(12 * 3600),
            streams: 4,
            kept_bytes: 16 * 1024,
        }
    }
}

/// One session: what its user's requests need.
#[derive(Clone)]
pub(super) struct PageSession {
    pub(super) token: SecretString,
    pub(super) project_id: String,
    pub(super) project_name: String,
    pub(super) user_id: String,
    pub(super) user_name: String,
    /// The one that was chosen; none where the catalog leaves no choice.
    pub(super) region: Option<String>,
    /// No trust can be made with its token.
    pub(super) only_looks: bool,
    /// When the token ends.
    pub(super) ends: Instant,
    /// The places of its streams.
    pub(super) streams: Arc<Semaphore>,
}

/// What was typed into a form whose session had ended, until its page is asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptForm {
    /// The form's page, below the prefix.
    pub(super) page: String,
    /// Its fields, encoded.
    pub(super) fields: String,
}

struct OpenSession {
    session: PageSession,
    used: Instant,
    kept: Option<KeptForm>,
}

/// All sessions.
pub(super) struct SessionTable {
    limits: SessionLimits,
    open: Mutex<HashMap<[u8; 32], OpenSession>>,
}

impl SessionTable {
    pub(super) fn new(limits: SessionLimits) -> Self {
        Self {
            limits,
            open: Mutex::default(),
        }
    }

    pub(super) fn limits(&self) -> &SessionLimits {
        &self.limits
    }

    /// Opens a session; those whose time is up end, and where there are too many the one that was not
    /// used for longest.
    pub(super) fn open(&self, id: SessionId, session: PageSession, now: Instant) {
        let mut open = self.lock();
        open.retain(|_, one| self.is_good(one, now));
        let is_same = |one: &OpenSession| {
            one.session.user_id == session.user_id && one.session.project_id == session.project_id
        };
        let mine = open.values().filter(|one| is_same(one)).count();
        if mine >= self.limits.of_one_user {
            end_oldest(&mut open, is_same);
        } else if open.len() >= self.limits.sessions {
            end_oldest(&mut open, |_| true);
        }
        let session = OpenSession {
            session,
            used: now,
            kept: None,
        };
        open.insert(digest(id), session);
    }

    /// Keeps what was typed into a form for the session that goes on with it; what is larger than may
    /// be is not kept.
    pub(super) fn keep_form(&self, id: SessionId, form: KeptForm) {
        if form.fields.len() <= self.limits.kept_bytes
            && let Some(one) = self.lock().get_mut(&digest(id))
        {
            one.kept = Some(form);
        }
    }

    /// What was typed into the form of this page, once.
    pub(super) fn take_form(&self, id: SessionId, page: &str) -> Option<String> {
        let mut open = self.lock();
        let one = open.get_mut(&digest(id))?;
        let kept = one.kept.take_if(|kept| kept.page == page)?;
        Some(kept.fields)
    }

    /// The session of this id, if it is still good; `is_use` where a person asks for it.
    pub(super) fn find(&self, id: SessionId, now: Instant, is_use: bool) -> Option<PageSession> {
        let mut open = self.lock();
        let key = digest(id);
        let one = open.get_mut(&key)?;
        if !self.is_good(one, now) {
            open.remove(&key);
            return None;
        }
        if is_use {
            one.used = now;
        }
        Some(one.session.clone())
    }

    /// Ends a session; what it was.
    pub(super) fn end(&self, id: SessionId) -> Option<PageSession> {
        Some(self.lock().remove(&digest(id))?.session)
    }

    fn is_good(&self, one: &OpenSession, now: Instant) -> bool {
        now.saturating_duration_since(one.used) < self.limits.idle && now < one.session.ends
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], OpenSession>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A digest, so that neither the table nor how long a comparison takes tells an id.
fn digest(id: SessionId) -> [u8; 32] {
    Sha256::digest(id.0).into()
}

fn end_oldest(open: &mut HashMap<[u8; 32], OpenSession>, is_meant: impl Fn(&OpenSession) -> bool) {
    let meant = open.iter().filter(|(_, one)| is_meant(one));
    let oldest = meant.min_by_key(|(_, one)| one.used).map(|(key, _)| *key);
    if let Some(key) = oldest {
        open.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::monotonic_now;

    const LIMITS: SessionLimits = SessionLimits {
        sessions: 3,
        of_one_user: 2,
        idle: Duration::from_secs(60),
        life: Duration::from_secs(1000),
        streams: 4,
        kept_bytes: 10,
    };

    fn session(user: &str, ends: Instant) -> PageSession {
        PageSession {
            token: "t".into(),
            project_id: "p".into(),
            project_name: "p".into(),
            user_id: user.into(),
            user_name: user.into(),
            region: None,
            only_looks: false,
            ends,
            streams: Arc::new(Semaphore::new(LIMITS.streams)),
        }
    }

    #[test]
    fn a_session_ends_when_idle_when_its_token_does_and_when_told_to() {
        let (table, start) = (SessionTable::new(LIMITS), monotonic_now());
        let at = |s: u64| start + Duration::from_secs(s);
        let id = SessionId([1; 32]);
        table.open(id, session("a", at(100)), start);
        assert!(table.find(id, at(59), true).is_some());
        assert!(table.find(id, at(99), false).is_some(), "used at 59");
        assert!(
            table.find(id, at(100), true).is_none(),
            "its token has ended"
        );
        table.open(id, session("a", at(1000)), start);
        assert!(table.find(id, at(59), false).is_some());
        assert!(
            table.find(id, at(60), true).is_none(),
            "looking on is no use"
        );
        table.open(id, session("a", at(1000)), start);
        assert!(table.end(id).is_some() && table.find(id, at(1), true).is_none());
        assert!(table.find(SessionId([2; 32]), start, true).is_none());
    }

    #[test]
    fn what_was_typed_is_kept_for_its_own_page_once_and_is_bounded() {
        let (table, start) = (SessionTable::new(LIMITS), monotonic_now());
        let id = SessionId([1; 32]);
        let keep = |fields: &str| {
            let page = "/ui/new".to_owned();
            let fields = fields.to_owned();
            table.keep_form(id, KeptForm { page, fields });
        };
        keep("a=1");
        assert_eq!(table.take_form(id, "/ui/new"), None, "no such session");
        table.open(id, session("a", start + LIMITS.life), start);
        keep("name=12345");
        assert_eq!(table.take_form(id, "/ui/other"), None);
        let kept = table.take_form(id, "/ui/new");
        assert_eq!(kept.as_deref(), Some("name=12345"));
        assert_eq!(table.take_form(id, "/ui/new"), None, "once");
        keep("name=123456");
        assert_eq!(table.take_form(id, "/ui/new"), None, "a byte too many");
    }

    #[test]
    fn who_signs_in_too_often_ends_their_own_sessions_and_then_the_oldest() {
        let (table, start) = (SessionTable::new(LIMITS), monotonic_now());
        let ends = start + Duration::from_secs(1000);
        let id = |n: u8| SessionId([n; 32]);
        let is_open = |n: u8, now| table.find(id(n), now, false).is_some();
        for (n, user) in [(1, "a"), (2, "b"), (3, "b"), (4, "b")] {
            let now = start + Duration::from_millis(n.into());
            table.open(id(n), session(user, ends), now);
        }
        let now = start + Duration::from_secs(1);
        assert!(is_open(1, now) && !is_open(2, now) && is_open(3, now) && is_open(4, now));
        table.open(id(5), session("c", ends), now);
        assert!(!is_open(1, now) && is_open(5, now));
    }
}
