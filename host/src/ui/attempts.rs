//! Slows down whoever guesses passwords: after [`AttemptLimits::free`] failures in a row of one
//! account, or [`AttemptLimits::free_of_address`] from one address, the next attempt has to wait, and
//! twice as long after each further one, up to [`AttemptLimits::longest`]. Nobody is locked out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When attempts have to wait, and how long.
#[derive(Clone, Copy, Debug)]
pub struct AttemptLimits {
    /// Failures in a row of one account that cost nothing.
    pub free: u32,
    /// From one address.
    pub free_of_address: u32,
    /// The pause after the next one; doubled each time.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// After which failures are forgotten.
    pub memory: Duration,
    /// How many accounts and addresses are remembered: beyond it what failed first is forgotten.
    pub remembered: usize,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self {
            free: 5,
            free_of_address: 50,
            pause: Duration::from_secs(2),
            longest: Duration::from_secs(60),
            memory: Duration::from_secs(15 * 60),
            remembered: 10_000,
        }
    }
}

/// Whose failures are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum AttemptKey {
    /// User and domain, as they were typed.
    Account(String, String),
    /// Where attempts come from.
    Address(IpAddr),
}

#[derive(Clone, Copy)]
struct FailureCount {
    failures: u32,
    last: Instant,
}

/// The failures of late.
pub(super) struct AttemptTable {
    limits: AttemptLimits,
    counts: Mutex<HashMap<AttemptKey, FailureCount>>,
}

impl AttemptTable {
    pub(super) fn new(limits: AttemptLimits) -> Self {
        Self {
            limits,
            counts: Mutex::default(),
        }
    }

    /// Begins an attempt, which counts as failed until it succeeds: many at once are not cheaper
    /// than one after the other.
    ///
    /// # Errors
    /// How long to wait before the next one.
    pub(super) fn begin(&self, keys: &[AttemptKey], now: Instant) -> Result<(), Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, count| self.is_remembered(count, now));
        let waits = keys.iter().filter_map(|key| {
            let count = counts.get(key)?;
            let since = now.saturating_duration_since(count.last);
            self.pause(key, count.failures).checked_sub(since)
        });
        if let Some(wait) = waits.filter(|wait| !wait.is_zero()).max() {
            return Err(wait);
        }
        for key in keys {
            if counts.len() >= self.limits.remembered && !counts.contains_key(key) {
                let first = counts.iter().min_by_key(|(_, count)| count.last);
                if let Some(first) = first.map(|(key, _)| key.clone()) {
                    counts.remove(&first);
                }
            }
            let count = counts.entry(key.clone()).or_insert(FailureCount {
                failures: 0,
                last: now,
            });
            count.failures = count.failures.saturating_add(1);
            count.last = now;
        }
        Ok(())
    }

    /// The attempt that was begun has succeeded, or did not fail by what was typed.
    pub(super) fn forgive(&self, keys: &[AttemptKey], has_succeeded: bool) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            match (key, has_succeeded) {
                (AttemptKey::Account(..), true) => drop(counts.remove(key)),
                // Who knows one password does not guess others for free.
                _ => {
                    if let Some(count) = counts.get_mut(key) {
                        count.failures = count.failures.saturating_sub(1);
                    }
                }
            }
        }
    }

    fn is_remembered(&self, count: &FailureCount, now: Instant) -> bool {
        now.saturating_duration_since(count.last) < self.limits.memory
    }

    /// What is to pass after the last of so many failures.
    fn pause(&self, key: &AttemptKey, failures: u32) -> Duration {
        let free = match key {
            AttemptKey::Account(..) => self.limits.free,
            AttemptKey::Address(_) => self.limits.free_of_address,
        };
        match failures.checked_sub(free) {
            None => Duration::ZERO,
            Some(more) => {
                let times = 1_u32.checked_shl(more).unwrap_or(u32::MAX);
                self.limits
                    .pause
                    .saturating_mul(times)
                    .min(self.limits.longest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::monotonic_now;

    fn account(name: &str) -> [AttemptKey; 1] {
        [AttemptKey::Account(name.into(), String::new())]
    }

    #[test]
    fn after_five_failures_the_pauses_double_up_to_a_minute() {
        let table = AttemptTable::new(AttemptLimits::default());
        let mut now = monotonic_now();
        for _ in 0..5 {
            assert_eq!(table.begin(&account("a"), now), Ok(()));
        }
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            let pause = Duration::from_secs(pause);
            assert_eq!(table.begin(&account("a"), now), Err(pause));
            assert_eq!(table.begin(&account("b"), now), Ok(()), "another account");
            table.forgive(&account("b"), true);
            let short = Duration::from_millis(1);
            assert_eq!(table.begin(&account("a"), now + pause - short), Err(short));
            now += pause;
            assert_eq!(table.begin(&account("a"), now), Ok(()));
        }
        table.forgive(&account("a"), true);
        assert_eq!(table.begin(&account("a"), now), Ok(()));
    }

    #[test]
    fn addresses_have_more_and_success_takes_back_one_of_theirs() {
        let table = AttemptTable::new(AttemptLimits::default());
        let (now, key) = (
            monotonic_now(),
            [AttemptKey::Address([192, 0, 2, 1].into())],
        );
        for _ in 0..49 {
            assert_eq!(table.begin(&key, now), Ok(()));
        }
        assert_eq!(table.begin(&key, now), Ok(()));
        table.forgive(&key, true);
        assert_eq!(table.begin(&key, now), Ok(()));
        assert!(table.begin(&key, now).is_err());
        let later = now + AttemptLimits::default().memory;
        assert_eq!(table.begin(&key, later), Ok(()), "forgotten");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let table = AttemptTable::new(AttemptLimits {
            remembered: 2,
            free: 1,
            ..AttemptLimits::default()
        });
        let now = monotonic_now();
        for (n, name) in ["a", "b", "c"].into_iter().enumerate() {
            let at = now + Duration::from_millis(n as u64);
            assert_eq!(table.begin(&account(name), at), Ok(()));
        }
        let at = now + Duration::from_millis(3);
        assert!(table.begin(&account("c"), at).is_err());
        assert_eq!(table.begin(&account("a"), at), Ok(()), "forgotten for c");
    }
}
