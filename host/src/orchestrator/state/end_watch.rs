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
    /// Whether it is time; where the clock was set back, too. Whoever is told so looks, and what
    /// changes from then on is looked at once more.
    pub(crate) fn begin(&self, now_s: u64) -> bool {
        let mut next_s = lock_mutex(&self.0);
        let reread_s = now_s.saturating_add(REREAD_S);
        let is_due = *next_s <= now_s || *next_s > reread_s;
        if is_due {
            *next_s = reread_s;
        }
        is_due
    }

    /// These are the ends that there are: the next look is no later than the nearest says.
    pub(crate) fn take_in(&self, now_s: u64, ends: impl IntoIterator<Item = ClusterEnd>) {
        let next = ends.into_iter().filter_map(|end| end.next_s(now_s));
        if let Some(nearest_s) = next.min() {
            let mut next_s = lock_mutex(&self.0);
            *next_s = nearest_s.min(*next_s);
        }
    }

    /// The next look is no later than this.
    pub(crate) fn look_before(&self, at_s: u64) {
        let mut next_s = lock_mutex(&self.0);
        *next_s = at_s.min(*next_s);
    }

    /// A cluster has another end, which is recorded: the next look is at once.
    pub(crate) fn look_at(&self, at_s: Option<u64>) {
        if at_s.is_some() {
            self.look_now();
        }
    }

    /// The next look is at once.
    pub(crate) fn look_now(&self) {
        *lock_mutex(&self.0) = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::end_time::NOTICE_S;

    const NOW_S: u64 = 1_000_000;

    /// One that was looked at now, and has these ends.
    fn looked_at(ends: &[u64]) -> EndWatch {
        let watch = EndWatch::default();
        assert!(watch.begin(NOW_S), "the first look is at once");
        watch.take_in(NOW_S, ends.iter().map(|at_s| ClusterEnd::new(*at_s)));
        watch
    }

    #[test]
    fn the_next_look_is_at_the_nearest_moment_and_not_too_far() {
        let soon = [NOW_S + NOTICE_S + 60, NOW_S + NOTICE_S + 100];
        assert!(!looked_at(&soon).begin(NOW_S + 59));
        assert!(looked_at(&soon).begin(NOW_S + 60), "it is to be announced");
        for ends in [&[NOW_S][..], &[], &[NOW_S + NOTICE_S + 2 * REREAD_S]] {
            assert!(!looked_at(ends).begin(NOW_S + REREAD_S - 1));
            let later = looked_at(ends).begin(NOW_S + REREAD_S);
            assert!(later, "others may have written some");
        }
        assert!(looked_at(&[]).begin(NOW_S - 1), "the clock was set back");
    }

    #[test]
    fn what_changes_during_a_look_is_looked_at_once_more() {
        let watch = looked_at(&[]);
        watch.look_at(Some(NOW_S + 600));
        assert!(watch.begin(NOW_S));
        watch.look_at(Some(NOW_S + 600));
        watch.take_in(NOW_S, [ClusterEnd::new(NOW_S + 2 * NOTICE_S)]);
        assert!(watch.begin(NOW_S));
        assert!(!watch.begin(NOW_S));
    }
}
