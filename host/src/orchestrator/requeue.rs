//! What a step of a reconcile or a rollout leaves to do: kube's `Action`.

use std::time::Duration;

/// What is left to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requeue {
    /// Nothing.
    Done,
    /// Look again after this pause.
    Later(Duration),
    /// The owner's token must do the rest.
    Owner,
    /// Nothing is left of the cluster, its record among it.
    Gone,
}
