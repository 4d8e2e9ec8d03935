//! The transitions of a deletion: wished for by somebody whose cluster it is not, asked for, taken
//! by Heat or withdrawn. Pure, as all [`transitions`](super::transitions).

use super::{ClusterRecord, transitions::TransitionResult};
use crate::cluster::{
    Lifecycle,
    lifecycle::{DeleteTarget, DeletionOrigin},
};

/// Users whose wish to delete one cluster is remembered at once.
pub const MAX_DELETION_WISHES: usize = 16;

impl ClusterRecord {
    /// Whether this user would delete what another one has asked for: Heat has to say first whether
    /// they may.
    pub fn is_anothers(&self, user: &str) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner != user)
    }

    /// Somebody else wants the cluster gone. It stays what it is, and whose it is, until Heat has
    /// taken the delete from them.
    ///
    /// # Errors
    /// When it is being deleted, or [`MAX_DELETION_WISHES`] others have the same wish.
    pub fn wish_deletion(&mut self, user: &str) -> TransitionResult {
        let is_known = self.deletion_wishes.contains(user);
        if !self.is_live() || (!is_known && self.deletion_wishes.len() >= MAX_DELETION_WISHES) {
            return Err(self.refused("wish_deletion"));
        }
        self.0.deletion_wishes.insert(user.to_owned());
        Ok(())
    }

    /// This user may not delete it, in Heat's words: nobody else's wish goes with theirs.
    ///
    /// # Errors
    /// Never; as all transitions have it.
    pub fn drop_deletion_wish(&mut self, user: &str) -> TransitionResult {
        self.0.deletion_wishes.remove(user);
        Ok(())
    }

    /// Heat has taken from this user the delete of the stack of this id, or of none: the cluster is
    /// theirs to be deleted, and there is no way back.
    ///
    /// # Errors
    /// Never; as all transitions have it.
    pub fn fulfil_deletion_wish(&mut self, user: &str, stack_id: Option<&str>) -> TransitionResult {
        self.request_deletion(user)?;
        if let Some(id) = stack_id {
            self.count_delete(id, false)?;
        }
        self.accept_deletion(Some(user))
    }

    /// The cluster is to be deleted, from whatever situation. A change that was under way ends with
    /// it.
    ///
    /// # Errors
    /// Never; as all transitions have it.
    pub fn request_deletion(&mut self, owner: &str) -> TransitionResult {
        let target = match &self.lifecycle {
            Lifecycle::Requested => DeleteTarget::Name {
                create_sent_s: None,
            },
            Lifecycle::Deploying { create_sent_s, .. } => DeleteTarget::Name {
                create_sent_s: *create_sent_s,
            },
            Lifecycle::Running { stack_id, .. } => DeleteTarget::Id {
                stack_id: stack_id.clone(),
            },
            Lifecycle::Deleting { target, .. } => target.clone(),
        };
        let origin = match &self.lifecycle {
            Lifecycle::Deleting { origin, .. } => origin.clone(),
            lifecycle => Some(Box::new(DeletionOrigin {
                lifecycle: lifecycle.clone(),
                owner: self.owner.clone(),
            })),
        };
        self.0.lifecycle = Lifecycle::Deleting {
            target,
            deletes: self.lifecycle.deletes(),
            blocked_reason: None,
            origin,
        };
        self.0.owner = Some(owner.to_owned());
        Ok(())
    }

    /// Heat has taken the delete that this user has sent, or somebody's before: there is no way
    /// back.
    ///
    /// # Errors
    /// When it is not to be deleted.
    pub fn accept_deletion(&mut self, owner: Option<&str>) -> TransitionResult {
        let Lifecycle::Deleting { origin, .. } = &mut self.0.lifecycle else {
            return Err(self.refused("accept_deletion"));
        };
        *origin = None;
        self.0.deletion_wishes.clear();
        if let Some(owner) = owner {
            self.0.owner = Some(owner.to_owned());
        }
        Ok(())
    }

    /// Heat has refused to delete it: the cluster is what it was, and whose it was.
    ///
    /// # Errors
    /// When Heat has taken the delete.
    pub fn withdraw_deletion(&mut self) -> TransitionResult {
        let Lifecycle::Deleting {
            origin: Some(origin),
            ..
        } = &self.lifecycle
        else {
            return Err(self.refused("withdraw_deletion"));
        };
        let origin = DeletionOrigin::clone(origin);
        self.0.lifecycle = origin.lifecycle;
        self.0.owner = origin.owner;
        Ok(())
    }

    /// Heat is about to be asked to delete the stack. Only tries after a failure count: the first
    /// may be sent again when its answer was lost.
    ///
    /// # Errors
    /// When it is not to be deleted.
    pub fn count_delete(&mut self, stack_id: &str, has_failed: bool) -> TransitionResult {
        let Lifecycle::Deleting {
            target, deletes, ..
        } = &mut self.0.lifecycle
        else {
            return Err(self.refused("count_delete"));
        };
        *target = DeleteTarget::Id {
            stack_id: stack_id.to_owned(),
        };
        *deletes = if has_failed {
            *deletes + 1
        } else {
            (*deletes).max(1)
        };
        Ok(())
    }

    /// A delete that was given up is tried again from the beginning.
    ///
    /// # Errors
    /// When none was given up.
    pub fn retry_deletion(&mut self) -> TransitionResult {
        let Lifecycle::Deleting {
            deletes,
            blocked_reason: blocked_reason @ Some(_),
            ..
        } = &mut self.0.lifecycle
        else {
            return Err(self.refused("retry_deletion"));
        };
        (*deletes, *blocked_reason) = (0, None);
        Ok(())
    }
}
