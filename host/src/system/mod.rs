//! What differs from run to run, each behind the one function that reads it: the clocks,
//! randomness, environment variables and the HTTP client. `clippy.toml` disallows the functions
//! underneath everywhere else, so that what a piece of code depends on is seen in its imports.
//!
//! Layout
//! - [`clock`]: the time of day, and a clock that never goes back
//! - [`random`]: identifiers and jitter
//! - [`container`]: the memory of the container
//! - [`environment`]: variables of this process
//! - [`http_client`]: how every client of this host begins
//! - [`ending`]: the signals that end this process
//! - [`heavy_work`]: threads for what keeps a processor busy
//! - [`utc_time`]: points in time for people (pure)

pub mod clock;
pub mod container;
pub mod ending;
pub mod environment;
pub mod heavy_work;
pub mod http_client;
pub mod random;
pub mod utc_time;
