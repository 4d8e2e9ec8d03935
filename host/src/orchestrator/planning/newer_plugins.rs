//! Whether plugins and frame are others by now than those that made a cluster. Pure.

use crate::{
    bundle::node_frame::host_version,
    cluster::{ClusterSpec, NewerPlugins, PluginContract},
    orchestrator::planning::planner::ClusterPlanner,
};

/// What is another by now; none where all is the same.
///
/// # Errors
/// Why that cannot be told.
pub fn newer_plugins(
    spec: &ClusterSpec,
    planner: &dyn ClusterPlanner,
) -> Result<Option<NewerPlugins>, String> {
    let Some(pins) = spec.pins.as_deref() else {
        return Err("what made the cluster is not known before its first change".to_owned());
    };
    if pins.contract != PluginContract::SPOKEN {
        return Err("its plugins speak a contract that is spoken no more".to_owned());
    }
    let mut newer = NewerPlugins {
        plugins: Vec::new(),
        frame: pins.host_version != host_version(),
    };
    for (name, pinned) in &pins.plugins {
        match planner.plugin_digest(name) {
            Some(digest) if digest == pinned.digest => {}
            Some(_) => newer.plugins.push(name.clone()),
            None => return Err(format!("there is no plugin `{name}` any more")),
        }
    }
    Ok((newer != NewerPlugins::default()).then_some(newer))
}
