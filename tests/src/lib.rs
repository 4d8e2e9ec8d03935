//! What several of the test programs share.
//!
//! Layout
//! - [`rig`]: the real OpenStack
//! - [`standin`]: a stand-in for it in this process
//! - [`client`], [`host`]: a client of the host, and the host as a process
//! - [`artifacts`]: where the build puts things
//! - [`until`]: waiting

pub mod artifacts;
pub mod client;
pub mod host;
pub mod rig;
pub mod standin;
mod wait;

pub use wait::until;
