//! Remembers answers to reads of flavors, images, networks and quotas for a few seconds, by token and
//! URL: a form asks the same at each pause of who types. A least-recently-used cache that is bounded
//! in bytes; nothing of Heat or Keystone is kept, and what creates or changes something never looks
//! here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;
use lru::LruCache;

use super::api_request::ApiResponse;
use super::service_name::ServiceName;
use super::token_cache::TokenKey;

/// How long an answer is good for a form: what is new in the cloud shows after that, and a preview
/// asks anew.
pub const ANSWER_AGE: Duration = Duration::from_secs(10);
/// Bytes of all answers that are remembered.
pub const ANSWERS_BYTES: usize = 4 << 20;
/// What an answer takes beside its body and its URL.
const ENTRY_BYTES: usize = 512;

/// Whose answer, and to which URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AnswerKey {
    owner: TokenKey,
    url: String,
}

impl AnswerKey {
    /// The key of a read; none of what is never remembered.
    pub(super) fn new(owner: TokenKey, service: ServiceName, url: &str) -> Option<Self> {
        let is_kept = match service {
            ServiceName::Nova
            | ServiceName::Glance
            | ServiceName::Neutron
            | ServiceName::Cinder => true,
            ServiceName::Keystone | ServiceName::Heat => false,
        };
        is_kept.then(|| Self {
            owner,
            url: url.to_owned(),
        })
    }
}

struct KeptAnswer {
    came: Instant,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    service: ServiceName,
    action: String,
}

/// The answers of all sessions.
pub(super) struct AnswerMemory {
    bytes: usize,
    kept: Mutex<KeptAnswers>,
}

struct KeptAnswers {
    answers: LruCache<AnswerKey, KeptAnswer>,
    bytes: usize,
}

impl std::fmt::Debug for AnswerMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answers", self.lock().answers.len())
    }
}

impl Default for AnswerMemory {
    fn default() -> Self {
        Self::new(ANSWERS_BYTES)
    }
}

impl AnswerMemory {
    fn new(bytes: usize) -> Self {
        let kept = KeptAnswers {
            answers: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            bytes,
            kept: Mutex::new(kept),
        }
    }

    /// The answer, where it is young enough.
    pub(super) fn find(&self, key: &AnswerKey, now: Instant) -> Option<ApiResponse> {
        let mut kept = self.lock();
        let found = kept.answers.get(key)?;
        if now.saturating_duration_since(found.came) >= ANSWER_AGE {
            kept.forget(key);
            return None;
        }
        Some(ApiResponse {
            status: found.status,
            headers: found.headers.clone(),
            body: found.body.clone(),
            service: found.service,
            action: found.action.clone(),
        })
    }

    /// Remembers an answer, and forgets those that were not asked for the longest where there is no
    /// room.
    pub(super) fn keep(&self, key: AnswerKey, answer: &ApiResponse, now: Instant) {
        let size = entry_bytes(&key, &answer.body);
        let mut kept = self.lock();
        kept.forget(&key);
        if size > self.bytes {
            return;
        }
        while kept.bytes + size > self.bytes && kept.forget_oldest() {}
        kept.bytes += size;
        let entry = KeptAnswer {
            came: now,
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            service: answer.service,
            action: answer.action.clone(),
        };
        kept.answers.put(key, entry);
    }

    fn lock(&self) -> MutexGuard<'_, KeptAnswers> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptAnswers {
    fn forget(&mut self, key: &AnswerKey) {
        if let Some(gone) = self.answers.pop(key) {
            self.bytes -= entry_bytes(key, &gone.body);
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((key, gone)) = self.answers.pop_lru() else {
            return false;
        };
        self.bytes -= entry_bytes(&key, &gone.body);
        true
    }
}

fn entry_bytes(key: &AnswerKey, body: &Bytes) -> usize {
    key.url.len() + body.len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::monotonic_now;

    fn key(owner: u8, url: &str) -> AnswerKey {
        AnswerKey::new([owner; 32], ServiceName::Nova, url).unwrap()
    }

    fn answer(body: &'static str) -> ApiResponse {
        ApiResponse {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            service: ServiceName::Nova,
            action: "list flavors".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_its_tokens_for_a_few_seconds_and_of_some_services() {
        let (memory, now) = (AnswerMemory::default(), monotonic_now());
        memory.keep(key(1, "http://nova/flavors"), &answer("{}"), now);
        let found = |owner, after| {
            let key = key(owner, "http://nova/flavors");
            memory.find(&key, now + after).map(|answer| answer.body)
        };
        let before = ANSWER_AGE - Duration::from_millis(1);
        assert_eq!(found(1, before).unwrap(), "{}");
        assert!(found(2, before).is_none(), "another's");
        assert!(found(1, ANSWER_AGE).is_none());
        assert_eq!(memory.lock().bytes, 0, "what is old is let go");
        for service in [ServiceName::Keystone, ServiceName::Heat] {
            assert_eq!(AnswerKey::new([1; 32], service, "http://x/"), None);
        }
    }

    #[test]
    fn so_many_bytes_are_remembered_and_those_asked_for_last() {
        let size = entry_bytes(&key(1, "a"), &Bytes::from_static(b"12345"));
        let (memory, now) = (AnswerMemory::new(2 * size), monotonic_now());
        let has = |url| memory.find(&key(1, url), now).is_some();
        memory.keep(key(1, "a"), &answer("12345"), now);
        memory.keep(key(1, "b"), &answer("12345"), now);
        assert!(has("b") && has("a"), "two fit");
        memory.keep(key(1, "c"), &answer("12345"), now);
        assert!(has("a") && has("c") && !has("b"));
        memory.keep(key(1, "c"), &answer("1234"), now);
        assert!(has("a") && has("c"), "one in its own place");
        memory.keep(key(1, "d"), &answer("123456"), now);
        assert!(has("d") && has("c") && !has("a"), "a byte too many");
        let large: &'static str = "x".repeat(2 * size).leak();
        memory.keep(key(1, "e"), &answer(large), now);
        assert!(!has("e") && has("d"), "too large for all of it");
    }
}
