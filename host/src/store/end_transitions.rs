//! The transitions of a cluster's end, which is no part of what the cloud is asked for: it changes in
//! every situation, and nothing else changes with it. Pure, as all
//! [`transitions`](super::transitions).

use super::{ClusterRecord, transitions::TransitionResult};
use crate::cluster::{ClusterEnd, EndStage, attribute_names::PREFIX, end_time::EXPIRES};

impl ClusterRecord {
    /// The cluster ends at this moment, or never. What was told of the same end stays told.
    ///
    /// # Errors
    /// When it is being deleted.
    pub fn set_end(&mut self, at_s: Option<u64>) -> TransitionResult {
        if !self.is_live() {
            return Err(self.refused("set_end"));
        }
        if self.end.map(|end| end.at_s) != at_s {
            self.0.end = at_s.map(ClusterEnd::new);
        }
        Ok(())
    }

    /// The same of a cluster that is asked for, with the text that said so: a client that repeats it
    /// with an update may not mean it.
    ///
    /// # Errors
    /// As there.
    pub fn set_first_end(&mut self, at_s: Option<u64>, text: Option<&str>) -> TransitionResult {
        self.set_end(at_s)?;
        if let Some(text) = text {
            let name = format!("{PREFIX}{EXPIRES}");
            self.0.initial_attributes.insert(name, text.to_owned());
        }
        Ok(())
    }

    /// It was told how near the end is.
    ///
    /// # Errors
    /// When it has none, or another one by now.
    pub fn tell_end(&mut self, at_s: u64, stage: EndStage) -> TransitionResult {
        let is_same = self.end.is_some_and(|end| end.at_s == at_s);
        if !self.is_live() || !is_same {
            return Err(self.refused("tell_end"));
        }
        self.0.end = Some(ClusterEnd { at_s, stage });
        Ok(())
    }
}
