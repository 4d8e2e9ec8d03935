//! Cache of token validations with single flight: concurrent requests with one token ask Keystone
//! once. Results are kept for `token_ttl`, refusals for the shorter `token_error_ttl`, at most
//! `tokens` of them, the least recently used going first. Each new validation lets go of all
//! results whose time is up, and so does who looks now and then ([`TokenCache::let_go`]). Keys are SHA-256 digests, so that no token stands in a map.
//!
//! Keystone can revoke a token at any time and tells nobody. So a result ends in four ways: its
//! time is up, the token's own expiry has come, room is needed, or a service answered 401 to the
//! token ([`TokenCache::forget`]).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{ClientLimits, CloudError, ServiceName, keystone_wire::TokenIdentity};
use crate::system::clock;

/// SHA-256 of token and project: on Keystone v2.0 one token can be exchanged for several projects'.
pub(super) type TokenKey = [u8; 32];

/// The key of a token that is used for a project.
pub(super) fn token_key(token: &SecretString, project: &str) -> TokenKey {
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(token.expose_secret()));
    hash.update(project);
    hash.finalize().into()
}

type ValidationResult = Result<Arc<TokenIdentity>, CloudError>;

/// The result of the last validation of each token.
#[derive(Debug, Default)]
pub(super) struct TokenCache {
    slots: Mutex<HashMap<TokenKey, TokenSlot>>,
}

/// A result that is still good is read without waiting. Requests that find none queue at
/// `validating`; the first of them asks Keystone, the others find its result.
#[derive(Debug)]
struct TokenSlot {
    last_used: Instant,
    /// When it came, and what it was.
    result: Option<(Instant, ValidationResult)>,
    validating: Arc<tokio::sync::Mutex<()>>,
}

impl TokenSlot {
    /// Whether its result is still good, or somebody waits for one.
    fn is_needed(&self, now: Instant, limits: &ClientLimits) -> bool {
        // One reference is the slot's own.
        let is_awaited = Arc::strong_count(&self.validating) > 1;
        is_awaited
            || self
                .result
                .as_ref()
                .is_some_and(|(at, result)| is_fresh(*at, result, now, limits))
    }
}

fn is_fresh(at: Instant, result: &ValidationResult, now: Instant, limits: &ClientLimits) -> bool {
    let (ttl, is_expired) = match result {
        Ok(identity) => (
            limits.token_ttl,
            identity.expires.is_some_and(|at| at <= clock::wall_now()),
        ),
        Err(_) => (limits.token_error_ttl, false),
    };
    now.duration_since(at) < ttl && !is_expired
}

impl TokenCache {
    /// The result that is still good, if there is one.
    pub(super) fn get(&self, key: &TokenKey, limits: &ClientLimits) -> Option<ValidationResult> {
        Some(self.fresh_result(key, limits)?.and_then(refuse_expired))
    }

    /// The result that is still good, or the one of `validate`, which is run at most once at a time
    /// for each key.
    pub(super) async fn get_or_validate(
        &self,
        key: TokenKey,
        limits: &ClientLimits,
        validate: impl Future<Output = Result<TokenIdentity, CloudError>>,
    ) -> ValidationResult {
        if let Some(result) = self.get(&key, limits) {
            return result;
        }
        let validating = self.validation_lock(key, limits);
        let _guard = validating.lock().await;
        // Another request may have validated it while this one waited for the lock.
        if let Some(result) = self.fresh_result(&key, limits) {
            return result.and_then(refuse_expired);
        }
        let result = validate.await.map(Arc::new);
        // A service may have answered 401 meanwhile, which dropped the slot: then what Keystone
        // said is older than that, and is not kept.
        if let Some(slot) = self
            .lock()
            .get_mut(&key)
            .filter(|slot| Arc::ptr_eq(&slot.validating, &validating))
        {
            slot.result = Some((clock::monotonic_now(), result.clone()));
        }
        result.and_then(refuse_expired)
    }

    /// Drops the result, since a service refused the token: the next request asks Keystone.
    pub(super) fn forget(&self, key: &TokenKey) {
        self.lock().remove(key);
    }

    /// The result, if its time is not up; whether the token has expired is not looked at.
    fn fresh_result(&self, key: &TokenKey, limits: &ClientLimits) -> Option<ValidationResult> {
        let mut slots = self.lock();
        let slot = slots.get_mut(key)?;
        let (at, result) = slot.result.as_ref()?;
        let ttl = if result.is_ok() {
            limits.token_ttl
        } else {
            limits.token_error_ttl
        };
        let now = clock::monotonic_now();
        if now.duration_since(*at) >= ttl {
            return None;
        }
        slot.last_used = now;
        Some(result.clone())
    }

    /// The lock that serializes validations of this key; lets go of all results whose time is up,
    /// and makes room for a new key.
    fn validation_lock(&self, key: TokenKey, limits: &ClientLimits) -> Arc<tokio::sync::Mutex<()>> {
        let mut slots = self.lock();
        let now = clock::monotonic_now();
        slots.retain(|_, slot| slot.is_needed(now, limits));
        if let Some(slot) = slots.get_mut(&key) {
            slot.last_used = now;
            return Arc::clone(&slot.validating);
        }
        if slots.len() >= limits.tokens
            && let Some(oldest) = slots
                .iter()
                .min_by_key(|(_, slot)| slot.last_used)
                .map(|(key, _)| *key)
        {
            slots.remove(&oldest);
        }
        let validating = Arc::default();
        slots.insert(
            key,
            TokenSlot {
                last_used: now,
                result: None,
                validating: Arc::clone(&validating),
            },
        );
        validating
    }

    /// Lets go of all results whose time is up; how many stay.
    pub(super) fn let_go(&self, limits: &ClientLimits) -> usize {
        let mut slots = self.lock();
        let now = clock::monotonic_now();
        slots.retain(|_, slot| slot.is_needed(now, limits));
        slots.len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenKey, TokenSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse_expired(identity: Arc<TokenIdentity>) -> ValidationResult {
    match identity.expires {
        Some(expires) if expires <= clock::wall_now() => Err(CloudError::InvalidToken {
            service: ServiceName::Keystone.as_str(),
        }),
        _ => Ok(identity),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use super::*;
    use crate::openstack::{User, service_catalog::ServiceCatalog};

    fn identity(expires: Option<std::time::SystemTime>) -> TokenIdentity {
        let user = User {
            id: "u".to_owned(),
            name: "u".to_owned(),
        };
        let (token, roles, catalog) = (
            SecretString::from("t"),
            Vec::new(),
            ServiceCatalog::default(),
        );
        TokenIdentity {
            token,
            project: None,
            user,
            roles,
            expires,
            application_credential: false,
            catalog,
        }
    }

    async fn ask(
        tokens: &TokenCache,
        name: &str,
        limits: &ClientLimits,
        asked: &AtomicU32,
        says: Result<TokenIdentity, CloudError>,
    ) -> ValidationResult {
        let ask = async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            says
        };
        tokens
            .get_or_validate(token_key(&SecretString::from(name), "p"), limits, ask)
            .await
    }

    #[tokio::test]
    async fn keystone_is_asked_once_by_many_at_the_same_time() {
        let (tokens, limits, asked) = (
            TokenCache::default(),
            ClientLimits::default(),
            AtomicU32::new(0),
        );
        let many = (0..50).map(|_| ask(&tokens, "a", &limits, &asked, Ok(identity(None))));
        assert!(
            futures_util::future::join_all(many)
                .await
                .iter()
                .all(Result::is_ok)
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn no_more_tokens_are_remembered_than_the_limit() {
        let (tokens, asked) = (TokenCache::default(), AtomicU32::new(0));
        let limits = ClientLimits {
            tokens: 2,
            ..ClientLimits::default()
        };
        for name in ["a", "b", "a", "b", "c"] {
            ask(&tokens, name, &limits, &asked, Ok(identity(None)))
                .await
                .expect("good");
        }
        assert_eq!(
            (
                asked.load(Ordering::Relaxed),
                tokens.slots.lock().expect("lock").len()
            ),
            (3, 2)
        );
        ask(&tokens, "a", &limits, &asked, Ok(identity(None)))
            .await
            .expect("good");
        assert_eq!(
            asked.load(Ordering::Relaxed),
            4,
            "the one used longest ago made room"
        );
    }

    #[tokio::test]
    async fn what_is_no_longer_good_leaves_memory() {
        let (tokens, asked) = (TokenCache::default(), AtomicU32::new(0));
        let limits = ClientLimits::default();
        let expired = Some(clock::wall_now() - Duration::from_secs(1));
        for name in ["expired", "also expired"] {
            let _ = ask(&tokens, name, &limits, &asked, Ok(identity(expired))).await;
        }
        let brief = ClientLimits {
            token_ttl: Duration::ZERO,
            ..ClientLimits::default()
        };
        let old = ask(&tokens, "old", &brief, &asked, Ok(identity(None))).await;
        let old = Arc::downgrade(&old.expect("good"));
        ask(&tokens, "new", &brief, &asked, Ok(identity(None)))
            .await
            .expect("good");
        assert_eq!(
            tokens.slots.lock().expect("lock").len(),
            1,
            "the new one alone"
        );
        assert!(old.upgrade().is_none(), "its catalog is gone with it");
    }

    #[tokio::test]
    async fn in_a_host_that_nobody_calls_results_leave_memory_too() {
        let (tokens, asked) = (TokenCache::default(), AtomicU32::new(0));
        let limits = ClientLimits::default();
        let result = ask(&tokens, "a", &limits, &asked, Ok(identity(None))).await;
        let held = Arc::downgrade(&result.expect("good"));
        assert_eq!(tokens.let_go(&limits), 1, "it is still good");
        let over = ClientLimits {
            token_ttl: Duration::ZERO,
            ..limits
        };
        assert_eq!(tokens.let_go(&over), 0);
        assert!(held.upgrade().is_none(), "its catalog is gone with it");
    }

    #[tokio::test]
    async fn what_was_said_ends_with_its_time_and_with_the_token() {
        let (tokens, asked) = (TokenCache::default(), AtomicU32::new(0));
        let brief = ClientLimits {
            token_ttl: Duration::ZERO,
            token_error_ttl: Duration::ZERO,
            ..ClientLimits::default()
        };
        for _ in 0..2 {
            ask(&tokens, "a", &brief, &asked, Ok(identity(None)))
                .await
                .expect("good");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        let expired = Some(clock::wall_now() - Duration::from_secs(1));
        let outcome = ask(
            &tokens,
            "b",
            &ClientLimits::default(),
            &asked,
            Ok(identity(expired)),
        )
        .await;
        assert!(outcome.is_err_and(|error| error.is_token()));
    }

    #[tokio::test]
    async fn a_bad_token_is_not_asked_about_again_at_once() {
        let (tokens, limits, asked) = (
            TokenCache::default(),
            ClientLimits::default(),
            AtomicU32::new(0),
        );
        for _ in 0..5 {
            let outcome = ask(
                &tokens,
                "bad",
                &limits,
                &asked,
                Err(CloudError::InvalidToken {
                    service: "keystone",
                }),
            )
            .await;
            assert!(outcome.is_err_and(|error| error.is_token()));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokens.forget(&token_key(&SecretString::from("bad"), "p"));
        ask(&tokens, "bad", &limits, &asked, Ok(identity(None)))
            .await
            .expect("good now");
    }
}
