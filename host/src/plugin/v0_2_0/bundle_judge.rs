//! What a bundle is judged by, and whose its things are: of components that the plugin has, and of
//! those that it has claimed.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::check_component;
use super::forms::check_each;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::GenerateQuestion;
use crate::plugin::fault_list::FaultList;

/// What a bundle is judged by.
pub(super) struct BundleJudge<'a> {
    pub(super) descriptor: &'a FrameworkDescriptor,
    pub(super) question: &'a GenerateQuestion,
    /// The components that are on any node, of all plugins.
    pub(super) placed: BTreeSet<&'a str>,
    /// The plugin's secrets, and whether each is shared.
    pub(super) secrets: BTreeMap<String, bool>,
    pub(super) has_java: bool,
}

impl BundleJudge<'_> {
    /// Those of the components that were claimed; all of the plugin's where none is named. Nothing
    /// where none of them was.
    pub(super) fn read_components(
        &self,
        faults: &mut FaultList,
        place: &str,
        names: Vec<String>,
    ) -> Option<Vec<String>> {
        let is_any = |_: &str| true;
        check_each(faults, &format!("{place}.components"), &names, is_any, "");
        for (at, name) in names.iter().enumerate() {
            check_component(
                faults,
                &format!("{place}.components[{at}]"),
                self.descriptor,
                name,
            );
        }
        let all = || {
            self.question
                .needs
                .iter()
                .map(|need| need.component.clone())
        };
        let claimed: Vec<String> = if names.is_empty() {
            all().collect()
        } else {
            names
                .into_iter()
                .filter(|name| self.question.is_claimed(name))
                .collect()
        };
        (!claimed.is_empty()).then_some(claimed)
    }

    /// Whether the component was claimed; one that the plugin does not have is a fault.
    pub(super) fn read_component(&self, faults: &mut FaultList, place: &str, name: &str) -> bool {
        check_component(faults, &format!("{place}.component"), self.descriptor, name);
        self.question.is_claimed(name)
    }
}
