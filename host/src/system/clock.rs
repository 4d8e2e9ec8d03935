//! Reads the two clocks. The monotonic one measures how long something took and when it is due; the
//! wall clock is for what leaves the process, such as records and the expiry of tokens, and may
//! jump.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock, now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this clock is read"
)]
pub fn monotonic_now() -> Instant {
    Instant::now()
}

/// The wall clock, now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this clock is read"
)]
pub fn wall_now() -> SystemTime {
    SystemTime::now()
}

/// The wall clock in seconds since 1970; 0 on a machine whose clock stands before that.
pub fn unix_now_s() -> u64 {
    wall_now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
