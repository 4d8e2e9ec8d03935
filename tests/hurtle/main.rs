//! Replays hurtle's Service Manager against the host as a process and a fake OpenStack: its whole
//! sequence from the first request to the deletion, and with failures on the way. `tests/openstack`
//! has the same on a real OpenStack.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod projects;
mod sent_back;
mod sequence;
