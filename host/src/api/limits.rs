//! Upper bounds on what one request may carry and one answer may hold. What a cluster may be is the
//! orchestrator's to bound, and what a connection may cost the server's.

use std::time::Duration;

/// Clusters in one page of a list, where the request says nothing.
pub const PAGE_DEFAULT: usize = 100;
/// The most clusters in one page.
pub const PAGE_MAX: usize = 500;
/// Things of one kind that the cloud has and that are listed; beyond them an answer says that it was
/// cut.
pub const CLOUD_ITEMS: usize = 1_000;
/// Bytes of the id of a request.
pub const REQUEST_ID_BYTES: usize = 128;
/// How often a stream looks for news of its cluster in this host's memory.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many such looks pass before a stream has the cloud asked, of a cluster that moves.
pub const LOOKS_MOVING: u32 = 2;
/// The same of one that rests.
pub const LOOKS_AT_REST: u32 = 15;
