//! The transitions of how long a cluster may be without jobs, which is no part of what the cloud is
//! asked for, as its end is not. Pure, as all [`transitions`](super::transitions).

use super::{ClusterRecord, transitions::TransitionResult};
use crate::cluster::{ClusterIdle, attribute_names::PREFIX, idle_limit::IDLE};

impl ClusterRecord {
    /// It may be without jobs for so long, or for ever. The time counts anew.
    ///
    /// # Errors
    /// When it is being deleted.
    pub fn set_idle(&mut self, after_s: Option<u64>) -> TransitionResult {
        if !self.is_live() {
            return Err(self.refused("set_idle"));
        }
        if self.idle.map(|idle| idle.after_s) != after_s {
            self.0.idle = after_s.map(ClusterIdle::new);
        }
        Ok(())
    }

    /// The same of a cluster that is deployed now, with the text that said so: a client that repeats
    /// it with an update may not mean it.
    ///
    /// # Errors
    /// As there.
    pub fn set_first_idle(&mut self, after_s: Option<u64>, text: Option<&str>) -> TransitionResult {
        self.set_idle(after_s)?;
        if let Some(text) = text {
            let name = format!("{PREFIX}{IDLE}");
            self.0.initial_attributes.insert(name, text.to_owned());
        }
        Ok(())
    }

    /// It was looked at, and what is kept of that is this now.
    ///
    /// # Errors
    /// When another limit holds by now.
    pub fn follow_idle(&mut self, now: ClusterIdle) -> TransitionResult {
        let is_same = self.idle.is_some_and(|idle| idle.after_s == now.after_s);
        if !self.is_live() || !is_same {
            return Err(self.refused("follow_idle"));
        }
        self.0.idle = Some(now);
        Ok(())
    }
}
