//! Whether plugins and frame are others by now than those that made a cluster. Pure.

use crate::{
    bundle::node_frame::host_version,
    cluster::{ClusterSpec, NewerPlugins, PluginContract},
    orchestrator::planning::planner::ClusterPlanner,
};

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
