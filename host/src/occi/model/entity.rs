//! Maps a cluster's view to an OCCI entity: path, next action, attributes and mixins. Every
//! rendering is made from the same entity, so that all of them show the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::terms::{CORE_ID, LifecycleAction, STACK_ID, STACK_STATE, entity_path};
use super::user_mixin::UserMixin;
use crate::orchestrator::ClusterView;

/// What renderings show of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct OcciEntity {
    /// `/orchestrator/default`.
    pub path: String,
    /// What may be done next.
    pub action: Option<LifecycleAction>,
    /// By name. The stack's outputs replace what clients gave, and this service's own attributes
    /// replace both, so that no client can forge a state.
    pub attributes: BTreeMap<String, Value>,
    /// The mixins of its project that it is a member of.
    pub mixins: Vec<UserMixin>,
}

impl OcciEntity {
    /// The entity of a cluster; `user_mixins` are those of its project.
    pub fn from_view(view: ClusterView, user_mixins: &[UserMixin]) -> Self {
        let mixins = user_mixins
            .iter()
            .filter(|mixin| mixin.has_member(&view.id))
            .cloned()
            .collect();
        let path = entity_path(&view.name);
        let action = LifecycleAction::next_after(view.phase);
        let mut attributes: BTreeMap<String, Value> = view
            .attributes
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        let mut set = |name: String, value: Value| drop(attributes.insert(name, value));

        let region = view
            .stack_id
            .as_ref()
            .map_or(view.region.as_str(), |(region, _)| region.as_str());
        let region: String = region.split_whitespace().collect();
        for (name, value) in view
            .outputs
            .into_iter()
            .filter(|(_, value)| !value.is_null())
        {
            set(format!("{name}.{region}"), value);
        }
        for (name, url) in view.endpoints {
            // Also as any other output, since that is where hurtle's clients look.
            set(format!("{name}.{region}"), url.clone().into());
            set(format!("stampede.endpoint.{name}"), url.into());
        }
        for (node, text) in join_progress(&view.progress) {
            set(format!("stampede.progress.{node}"), text.into());
        }
        if let Some(failure) = view
            .failure
            .as_deref()
            .or(view.state.reason())
            .filter(|text| !text.is_empty())
        {
            set("stampede.failure".to_owned(), failure.into());
        }
        if let Some(change) = view.change {
            set("stampede.update".to_owned(), change.into());
        }
        if !view.stack_status_reason.is_empty() {
            set(
                "stampede.stack.reason".to_owned(),
                view.stack_status_reason.into(),
            );
        }
        if let Some(error) = view.cloud_error {
            set("stampede.cloud.error".to_owned(), error.into());
        }
        set("stampede.state".to_owned(), view.state.as_str().into());
        set(
            STACK_STATE.to_owned(),
            view.stack_status
                .unwrap_or_else(|| "uninitialized".to_owned())
                .into(),
        );
        let id = view
            .stack_id
            .map_or_else(|| "N/A".to_owned(), |(region, id)| format!("{region}:{id}"));
        set(STACK_ID.to_owned(), id.into());
        set(CORE_ID.to_owned(), path.clone().into());
        Self {
            path,
            action,
            attributes,
            mixins,
        }
    }
}

/// One text for each node: its stages' lines, the newest last, with `; ` between them.
fn join_progress(reports: &[crate::cluster::progress::StageReport]) -> Vec<(&str, String)> {
    let mut nodes: Vec<(&str, String)> = Vec::new();
    for report in reports {
        let node = if report.node.is_empty() {
            "cluster"
        } else {
            &report.node
        };
        match nodes.iter_mut().find(|(name, _)| *name == node) {
            Some((_, text)) => {
                text.push_str("; ");
                text.push_str(&report.text);
            }
            None => nodes.push((node, report.text.clone())),
        }
    }
    nodes
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cluster::ClusterState;
    use crate::cluster::progress::{StageOutcome, StageReport};
    use crate::orchestrator::LifecyclePhase;

    /// A cluster that was created and not deployed.
    pub(crate) fn view(name: &str) -> ClusterView {
        ClusterView {
            name: name.to_owned(),
            id: "4f4bb9f3-9cf9-4b1e-8a55-1b8a9c2c0c1d".to_owned(),
            created_s: 0,
            frameworks: Vec::new(),
            workers: None,
            phase: LifecyclePhase::Initialised,
            state: ClusterState::Requested,
            stack_status: None,
            stack_id: None,
            attributes: BTreeMap::new(),
            brought: BTreeMap::new(),
            outputs: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            region: "Region One".to_owned(),
            progress: Vec::new(),
            change: None,
            failure: None,
            cloud_error: None,
            stack_status_reason: String::new(),
        }
    }

    fn report(node: &str, plugin: &str, text: &str) -> StageReport {
        let (plugin, stage) = (plugin.to_owned(), "setup".to_owned());
        StageReport {
            node: node.to_owned(),
            plugin,
            stage,
            outcome: StageOutcome::Done,
            seconds: Some(34),
            text: text.to_owned(),
        }
    }

    fn shown(view: ClusterView) -> BTreeMap<String, String> {
        let text = |value: Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        OcciEntity::from_view(view, &[])
            .attributes
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect()
    }

    #[test]
    fn before_deploy_the_recorded_attributes_are_there() {
        let entity = OcciEntity::from_view(view("default"), &[]);
        assert_eq!(
            (entity.path.as_str(), entity.action),
            ("/orchestrator/default", Some(LifecycleAction::Deploy))
        );
        let shown = shown(view("default"));
        assert_eq!(shown["occi.mcn.stack.state"], "uninitialized");
        assert_eq!(shown["occi.mcn.stack.id"], "N/A");
        assert_eq!(shown["occi.core.id"], "/orchestrator/default");
        assert_eq!(shown["stampede.state"], "requested");
    }

    #[test]
    fn a_deployed_cluster_shows_outputs_endpoints_progress_and_failure() {
        let mut view = view("default");
        view.phase = LifecyclePhase::Deployed;
        view.state = ClusterState::Failed("worker-1: hadoop setup line 42: no space".to_owned());
        view.stack_status = Some("CREATE_FAILED".to_owned());
        view.stack_id = Some(("Region One".to_owned(), "9445a2fc".to_owned()));
        view.outputs = [
            ("address".to_owned(), "10.0.0.1".into()),
            ("later".to_owned(), Value::Null),
        ]
        .into();
        view.endpoints = [("namenode_ui".to_owned(), "http://10.0.0.1:9870/".to_owned())].into();
        view.progress = vec![
            report("master", "hadoop", "a"),
            report("worker-1", "hadoop", "b"),
            report("master", "spark", "c"),
        ];
        let shown = shown(view);
        for (name, value) in [
            ("occi.mcn.stack.state", "CREATE_FAILED"),
            ("occi.mcn.stack.id", "Region One:9445a2fc"),
            ("address.RegionOne", "10.0.0.1"),
            ("namenode_ui.RegionOne", "http://10.0.0.1:9870/"),
            ("stampede.endpoint.namenode_ui", "http://10.0.0.1:9870/"),
            ("stampede.progress.master", "a; c"),
            ("stampede.progress.worker-1", "b"),
            ("stampede.state", "failed"),
            (
                "stampede.failure",
                "worker-1: hadoop setup line 42: no space",
            ),
        ] {
            assert_eq!(shown.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!shown.contains_key("later.RegionOne"));
    }

    #[test]
    fn a_client_cannot_speak_for_the_service() {
        let mut view = view("default");
        view.attributes = [
            (STACK_STATE.to_owned(), "HACKED".to_owned()),
            ("my.own".to_owned(), "kept".to_owned()),
        ]
        .into();
        let shown = shown(view);
        assert_eq!(
            (shown[STACK_STATE].as_str(), shown["my.own"].as_str()),
            ("uninitialized", "kept")
        );
    }
}
