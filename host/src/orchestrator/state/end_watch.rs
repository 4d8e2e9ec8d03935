//! When the ends of clusters are looked at next: the store is read then, and not before.

use std::sync::Mutex;

use crate::cluster::ClusterEnd;
use crate::orchestrator::locks::lock_mutex;

/// How long after the last look the store is read again, which other processes write, too; and
/// how long what could not be done waits.
pub(crate) const REREAD_S: u64 = 300;

/// The next look, in seconds since 1970; 0 at first.
#[derive(Debug, Default)]
pub(crate) struct EndWatch(Mutex<u64>);

impl EndWatch {
    /// Whether it is time; where the clock was set back, too.
    pub(crate) fn is_due(&self, now_s: u64) -> bool {
        let next_s = *lock_mutex(&self.0);
        next_s <= now_s || next_s > now_s.saturating_add(REREAD_S)
    }

    /// The ends were looked at; what is next of these.
    pub(crate) fn set_next(&self, now_s: u64, ends: impl IntoIterator<Item = ClusterEnd>) {
        let next = ends.into_iter().filter_map(|end| end.next_s(now_s));
        let reread_s = now_s.saturating_add(REREAD_S);
        *lock_mutex(&self.0) = next.min().unwrap_or(reread_s).min(reread_s);
    }

    /// A cluster has another end: the next look is no later than it says.
    pub(crate) fn look_at(&self, at_s: Option<u64>) {
        if at_s.is_some() {
            *lock_mutex(&self.0) = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::end_time::NOTICE_S;

    #[test]
    fn the_next_look_is_at_the_nearest_moment_and_not_too_far() {
        let watch = EndWatch::default();
        assert!(watch.is_due(0), "the first is at once");
        let now_s = 1_000_000;
        let soon = ClusterEnd::new(now_s + NOTICE_S + 60);
        watch.set_next(now_s, [soon, ClusterEnd::new(now_s + NOTICE_S + 100)]);
        assert!(!watch.is_due(now_s + 59));
        assert!(watch.is_due(now_s + 60), "it is to be announced");
        watch.set_next(now_s, [ClusterEnd::new(now_s)]);
        assert!(!watch.is_due(now_s + REREAD_S - 1));
        assert!(
            watch.is_due(now_s + REREAD_S),
            "others may have written some"
        );
        watch.set_next(now_s, []);
        assert!(!watch.is_due(now_s));
        assert!(watch.is_due(now_s - 1), "the clock was set back");
        watch.set_next(now_s, []);
        watch.look_at(Some(now_s + 600));
        assert!(watch.is_due(now_s));
    }
}
