//! What a fake stack is made of: resources, and the events about them.

/// One resource.
#[derive(Clone, Debug)]
pub(super) struct FakeResource {
    pub(super) name: String,
    pub(super) kind: String,
    /// `CREATE_COMPLETE`.
    pub(super) status: String,
    pub(super) reason: String,
    /// Empty until it is made.
    pub(super) physical_id: String,
    pub(super) updated: String,
}

/// One event.
#[derive(Clone, Debug)]
pub(super) struct FakeEvent {
    pub(super) id: String,
    pub(super) time: String,
    pub(super) resource: String,
    pub(super) physical_id: String,
    pub(super) status: String,
    pub(super) reason: String,
}
