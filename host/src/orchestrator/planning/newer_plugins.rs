//! Whether plugins and frame are others by now than those that made a cluster. Pure.

use crate::{
    bundle::node_frame::host_version,
    cluster::{ClusterSpec, PluginContract},
    orchestrator::planning::planner::ClusterPlanner,
};

/// What made a cluster and is another by now, so that an upgrade changes something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewerPlugins {
    /// The plugins, by name.
    pub plugins: Vec<String>,
    /// Whether the frame of its nodes is.
    pub frame: bool,
}

/// What is another by now; none where all is the same, or where nothing can be said: before the
/// cluster is deployed, and where a plugin is there no more.
pub fn newer_plugins(spec: &ClusterSpec, planner: &dyn ClusterPlanner) -> Option<NewerPlugins> {
    let pins = spec.pins.as_deref()?;
    if pins.contract != PluginContract::SPOKEN {
        return None;
    }
    let mut newer = NewerPlugins {
        plugins: Vec::new(),
        frame: pins.host_version != host_version(),
    };
    for (name, pinned) in &pins.plugins {
        if planner.plugin_digest(name)? != pinned.digest {
            newer.plugins.push(name.clone());
        }
    }
    (newer != NewerPlugins::default()).then_some(newer)
}

impl NewerPlugins {
    /// In words.
    pub fn sentence(&self) -> String {
        let (words, are) = match (self.plugins.as_slice(), self.frame) {
            ([], _) => ("the frame of its nodes".to_owned(), "is"),
            ([one], false) => (format!("the plugin {one}"), "is"),
            (several, false) => (format!("the plugins {}", several.join(", ")), "are"),
            (several, true) => {
                let plugins = several.join(", ");
                (format!("the frame of its nodes and {plugins}"), "are")
            }
        };
        let another = if are == "is" { "another" } else { "others" };
        format!("{words} {are} {another} by now than when it was made")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_is_another_by_now() {
        let said = |plugins: &[&str], frame| {
            let plugins = plugins.iter().map(|name| (*name).to_owned()).collect();
            NewerPlugins { plugins, frame }.sentence()
        };
        let end = "by now than when it was made";
        assert_eq!(
            said(&["hadoop"], false),
            format!("the plugin hadoop is another {end}")
        );
        assert_eq!(
            said(&[], true),
            format!("the frame of its nodes is another {end}")
        );
        assert_eq!(
            said(&["hadoop", "spark"], true),
            format!("the frame of its nodes and hadoop, spark are others {end}")
        );
    }
}
