//! Reads the two clocks. The monotonic one measures how long something took and when it is due; the
//! wall clock is for what leaves the process, such as records and the expiry of tokens, and may
//! jump.

use std::{
    fmt::Debug,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The clocks by which a host decides what is due. They are the machine's, unless somebody drives
/// them.
#[derive(Clone, Debug, Default)]
pub struct HostClock {
    driver: Option<Arc<dyn ClockDriver>>,
}

/// Another time than the machine's, to show in a moment what takes hours, and in any order.
pub trait ClockDriver: Debug + Send + Sync {
    /// As [`monotonic_now`].
    fn monotonic_now(&self) -> Instant;
    /// As [`unix_now_s`].
    fn unix_now_s(&self) -> u64;
    /// Ends once that much time has gone by.
    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl HostClock {
    /// A clock that goes as this says.
    pub fn driven_by(driver: Arc<dyn ClockDriver>) -> Self {
        Self {
            driver: Some(driver),
        }
    }

    /// As [`monotonic_now`].
    pub fn monotonic_now(&self) -> Instant {
        match &self.driver {
            None => monotonic_now(),
            Some(driver) => driver.monotonic_now(),
        }
    }

    /// As [`unix_now_s`].
    pub fn unix_now_s(&self) -> u64 {
        match &self.driver {
            None => unix_now_s(),
            Some(driver) => driver.unix_now_s(),
        }
    }

    /// Waits until that much time has gone by.
    pub async fn sleep(&self, pause: Duration) {
        match &self.driver {
            None => tokio::time::sleep(pause).await,
            Some(driver) => driver.sleep(pause).await,
        }
    }
}

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
