//! From the parts that plugins return to what Heat is given. Pure: no I/O, no async.
//!
//! Layout
//! - [`part`]: what one plugin adds

pub mod part;

pub use part::{File, Part, Script, Stage};
