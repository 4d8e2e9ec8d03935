//! Computes medians, and prints them.

use std::time::Duration;

/// Sorted samples in milliseconds.
pub struct SampleFigures(Vec<f64>);

impl SampleFigures {
    pub fn new(samples: &[Duration]) -> Self {
        let mut ms: Vec<f64> = samples.iter().map(|d| d.as_secs_f64() * 1e3).collect();
        ms.sort_by(f64::total_cmp);
        Self(ms)
    }

    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl std::fmt::Display for SampleFigures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) = (
            self.0.first().unwrap_or(&f64::NAN),
            self.0.last().unwrap_or(&f64::NAN),
        );
        write!(
            f,
            "median {:.2} ms, min {first:.2}, max {last:.2}, n {}",
            self.median(),
            self.0.len()
        )
    }
}
