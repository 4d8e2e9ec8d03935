//! Counts durations in fixed buckets, as a Prometheus histogram does. The buckets are the same for
//! all kinds of work, from a cached answer's millisecond to the minutes of a rollout's step, so
//! that one query compares them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The upper bounds of the buckets: in microseconds, and in seconds as Prometheus shows them. What
/// is longer falls into one more, which has no bound.
pub const BUCKETS: [(u64, &str); 14] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
    (30_000_000, "30"),
    (120_000_000, "120"),
    (600_000_000, "600"),
];

/// Durations of one kind of work.
#[derive(Debug, Default)]
pub(super) struct DurationHistogram {
    /// Each duration in one bucket only; Prometheus' sums are made when they are read.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    total_us: AtomicU64,
}

/// What a histogram held when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramSnapshot {
    counts: [u64; BUCKETS.len() + 1],
    total_us: u64,
}

/// The histograms of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramFamily {
    /// As Prometheus knows it.
    pub name: &'static str,
    /// What it measures, for people.
    pub help: &'static str,
    /// One for each combination of labels.
    pub series: Vec<HistogramSeries>,
}

/// One histogram of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramSeries {
    /// Names and values.
    pub labels: Vec<(&'static str, &'static str)>,
    /// What it holds.
    pub durations: HistogramSnapshot,
}

impl DurationHistogram {
    /// Records one.
    pub(super) fn observe(&self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.partition_point(|(most_us, _)| *most_us < took_us);
        if let Some(counter) = self.buckets.get(bucket) {
            counter.fetch_add(1, Relaxed);
        }
        self.total_us.fetch_add(took_us, Relaxed);
    }

    /// What it holds now. What is recorded meanwhile may be in the total and not yet in a bucket.
    pub(super) fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            counts: self.buckets.each_ref().map(|counter| counter.load(Relaxed)),
            total_us: self.total_us.load(Relaxed),
        }
    }
}

impl HistogramSnapshot {
    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together, in microseconds.
    pub fn total_us(&self) -> u64 {
        self.total_us
    }

    /// For each bound, in seconds, how many took that long or less; the last bound is `+Inf`.
    pub fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let bounds = BUCKETS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        bounds.zip(self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_at_a_bound_is_within_it_and_one_past_it_is_not() {
        for (index, (most_us, _)) in BUCKETS.iter().enumerate() {
            let histogram = DurationHistogram::default();
            histogram.observe(Duration::from_micros(*most_us));
            histogram.observe(Duration::from_micros(most_us + 1));
            let found = histogram.snapshot();
            assert_eq!((found.counts[index], found.counts[index + 1]), (1, 1));
            assert_eq!((found.count(), found.total_us()), (2, 2 * most_us + 1));
        }
    }

    #[test]
    fn cumulative_counts_rise_to_all_of_them() {
        let histogram = DurationHistogram::default();
        for took in [0, 600, 700, 5_000_000, 10_000_000_000] {
            histogram.observe(Duration::from_micros(took));
        }
        let counts: Vec<u64> = histogram.snapshot().cumulative().map(|(_, n)| n).collect();
        assert_eq!(counts, [1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5]);
    }

    #[test]
    fn the_bounds_in_seconds_are_those_in_microseconds() {
        for (most_us, seconds) in BUCKETS {
            let read = seconds.parse::<f64>().unwrap() * 1e6;
            assert!((read - most_us as f64).abs() < 1e-3, "{seconds}");
        }
        assert!(BUCKETS.is_sorted());
    }
}
