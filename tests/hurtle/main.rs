//! The host as a process, the fake OpenStack, and hurtle's Service Manager replayed against
//! both: from its first look to destroyed, and when something breaks on the way. The same on a real
//! OpenStack is in `tests/openstack`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod projects;
mod sequence;
