//! Draws from the operating system's random source. Plugins draw from a fixed sequence instead, see
//! `plugin/deterministic_wasi.rs`.

use uuid::Uuid;

/// A new UUID of version 4 (RFC 9562), which no other host has drawn.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where UUIDs are drawn"
)]
pub fn new_uuid() -> Uuid {
    Uuid::new_v4()
}

/// A byte of which every value is as likely, such as a pause's jitter needs.
pub fn random_byte() -> u8 {
    // The first byte of a version 4 UUID holds neither its version nor its variant.
    new_uuid().as_bytes()[0]
}
