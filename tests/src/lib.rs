//! What several of the test programs share.

pub mod artifacts;
pub mod rig;
pub mod standin;
