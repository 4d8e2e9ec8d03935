//! Validated tokens, remembered for a short time by their SHA-256, so that a token is never a key
//! of a map. Concurrent requests with one token ask Keystone once; so do many with a bad one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{ClientLimits, CloudError, keystone::TokenIdentity};
use crate::system::clock;

/// SHA-256 of token and project.
pub(super) type TokenKey = [u8; 32];

/// The key of a token that is used for a project.
pub(super) fn key(token: &SecretString, project: &str) -> TokenKey {
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(token.expose_secret()));
    hash.update(project);
    hash.finalize().into()
}

type TokenOutcome = Result<Arc<TokenIdentity>, CloudError>;

/// What Keystone said of each token.
#[derive(Debug, Default)]
pub(super) struct TokenCache {
    slots: Mutex<HashMap<TokenKey, TokenSlot>>,
}

/// What was said is read without waiting for anybody; only those who must ask queue, and the first
/// of them asks for all.
#[derive(Debug)]
struct TokenSlot {
    used: Instant,
    said: Option<(Instant, TokenOutcome)>,
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl TokenCache {
    /// What was said within the limits' time.
    pub(super) fn known(&self, key: &TokenKey, limits: &ClientLimits) -> Option<TokenOutcome> {
        Some(self.said(key, limits)?.and_then(unexpired))
    }

    /// What was said within the limits' time, or what `ask` says now.
    pub(super) async fn get(
        &self,
        key: TokenKey,
        limits: &ClientLimits,
        ask: impl Future<Output = Result<TokenIdentity, CloudError>>,
    ) -> TokenOutcome {
        if let Some(known) = self.known(&key, limits) {
            return known;
        }
        let asking = self.asking(key, limits.tokens);
        let _turn = asking.lock().await;
        if let Some(outcome) = self.said(&key, limits) {
            return outcome.and_then(unexpired);
        }
        let outcome = ask.await.map(Arc::new);
        // It may have been forgotten meanwhile: then this answer is not to be remembered.
        if let Some(slot) = self
            .lock()
            .get_mut(&key)
            .filter(|slot| Arc::ptr_eq(&slot.asking, &asking))
        {
            slot.said = Some((clock::monotonic_now(), outcome.clone()));
        }
        outcome.and_then(unexpired)
    }

    /// The cloud did not accept the token: ask Keystone the next time.
    pub(super) fn forget(&self, key: &TokenKey) {
        self.lock().remove(key);
    }

    fn said(&self, key: &TokenKey, limits: &ClientLimits) -> Option<TokenOutcome> {
        let mut slots = self.lock();
        let slot = slots.get_mut(key)?;
        let (at, outcome) = slot.said.as_ref()?;
        let ttl = if outcome.is_ok() {
            limits.token_ttl
        } else {
            limits.token_error_ttl
        };
        let now = clock::monotonic_now();
        if now.duration_since(*at) >= ttl {
            return None;
        }
        slot.used = now;
        Some(outcome.clone())
    }

    fn asking(&self, key: TokenKey, limit: usize) -> Arc<tokio::sync::Mutex<()>> {
        let mut slots = self.lock();
        let now = clock::monotonic_now();
        if let Some(slot) = slots.get_mut(&key) {
            slot.used = now;
            return Arc::clone(&slot.asking);
        }
        if slots.len() >= limit
            && let Some(oldest) = slots
                .iter()
                .min_by_key(|(_, slot)| slot.used)
                .map(|(key, _)| *key)
        {
            slots.remove(&oldest);
        }
        let asking = Arc::default();
        slots.insert(
            key,
            TokenSlot {
                used: now,
                said: None,
                asking: Arc::clone(&asking),
            },
        );
        asking
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenKey, TokenSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unexpired(identity: Arc<TokenIdentity>) -> TokenOutcome {
    match identity.expires {
        Some(expires) if expires <= clock::wall_now() => Err(CloudError::InvalidToken {
            service: super::keystone::KEYSTONE,
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
    use crate::openstack::{User, catalog::ServiceCatalog};

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
    ) -> TokenOutcome {
        let ask = async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            says
        };
        tokens
            .get(key(&SecretString::from(name), "p"), limits, ask)
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
        tokens.forget(&key(&SecretString::from("bad"), "p"));
        ask(&tokens, "bad", &limits, &asked, Ok(identity(None)))
            .await
            .expect("good now");
    }
}
