//! Draws from the operating system's random source. Plugins draw from a fixed sequence instead, see
//! `plugin/deterministic_wasi.rs`.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A new UUID of version 4 (RFC 9562), which no other host has drawn.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where UUIDs are drawn"
)]
pub fn new_uuid() -> Uuid {
    Uuid::new_v4()
}

/// 256 bits that nobody can guess: what names a session.
pub fn random_256() -> [u8; 32] {
    let mut bytes = [0; 32];
    // Four UUIDs of version 4 have 488 bits from the system's random source; a digest spreads them
    // evenly, since six bits of each stand fixed.
    let drawn: Vec<u8> = (0..4).flat_map(|_| new_uuid().into_bytes()).collect();
    bytes.copy_from_slice(&Sha256::digest(drawn));
    bytes
}

/// A byte of which every value is as likely, such as a pause's jitter needs.
pub fn random_byte() -> u8 {
    // The first byte of a version 4 UUID holds neither its version nor its variant.
    new_uuid().as_bytes()[0]
}
