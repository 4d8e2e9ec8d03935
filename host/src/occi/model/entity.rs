//! Maps a cluster's view to an OCCI entity: path, next action, attributes and mixins. Every
//! rendering is made from the same entity, so that all of them show the same.
//!
//! What this service says of a cluster is said through [`super::super::terms::SHOWN_ATTRIBUTES`]
//! alone, and the entity knows which of its attributes clients have not given: what it shows can be
//! sent back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::terms::{
    CORE_ID, Category, DETAILS_TERM, FRAMEWORK_ATTRIBUTE, FRAMEWORK_SCHEME, LifecycleAction,
    SHOWN_SCHEME, STACK_ID, STACK_STATE, STATUS_TERM, ShownAttribute, entity_path, is_core,
    is_read_only,
};
use super::attribute_definition::{AttributeDefinition, ValueType};
use super::categories::CategoryModel;
use super::shown_texts::{describe_access, describe_service, join_progress};
use super::user_mixin::UserMixin;
use crate::cluster::framework::CLUSTER;
use crate::cluster::health::cluster_colour;
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
    /// This service's own mixins that define its attributes.
    pub built_in: Vec<Category>,
    /// Attributes that no mixin defines but `details`, which is attached then.
    pub details: Vec<AttributeDefinition>,
    /// The mixins of its project that it is a member of.
    pub mixins: Vec<UserMixin>,
    /// Types of the attributes that are not texts.
    types: BTreeMap<String, ValueType>,
    /// Names of the attributes that no client has given.
    own: BTreeSet<String>,
}

/// Collects an entity's attributes.
#[derive(Default)]
struct AttributeCollector {
    attributes: BTreeMap<String, Value>,
    own: BTreeSet<String>,
}

impl AttributeCollector {
    fn give(&mut self, name: String, value: Value) {
        self.attributes.insert(name, value);
    }

    /// An output of the stack.
    fn put_out(&mut self, name: String, value: Value) {
        self.own.insert(name.clone());
        self.attributes.insert(name, value);
    }

    /// What this service says; `rest` follows the name where one follows.
    fn show(&mut self, shown: &ShownAttribute, rest: &str, value: impl Into<Value>) {
        self.put_out(format!("{}{rest}", shown.name), value.into());
    }
}

impl OcciEntity {
    /// The entity of a cluster; `user_mixins` are those of its project.
    pub fn from_view(view: ClusterView, model: &CategoryModel, user_mixins: &[UserMixin]) -> Self {
        let mixins = user_mixins
            .iter()
            .filter(|mixin| mixin.has_member(&view.id))
            .cloned()
            .collect();
        let path = entity_path(&view.name);
        let action = LifecycleAction::next_after(view.phase);
        let AttributeCollector { attributes, own } = collect_attributes(view, &path);

        let mut built_in = vec![
            category(FRAMEWORK_SCHEME, CLUSTER),
            category(SHOWN_SCHEME, STATUS_TERM),
        ];
        let mut attach = |category: &Category| {
            if !built_in.contains(category) {
                built_in.push(category.clone());
            }
        };
        let frameworks = attributes.get(FRAMEWORK_ATTRIBUTE).and_then(Value::as_str);
        for name in frameworks.unwrap_or_default().split([',', ' ']) {
            let named = |mixin: &&super::categories::BuiltInMixin| mixin.framework() == Some(name);
            if let Some(mixin) = model.mixins().iter().find(named) {
                attach(&mixin.category);
            }
        }
        let (mut details, mut types) = (Vec::new(), BTreeMap::new());
        for (name, value) in &attributes {
            if is_core(name) {
                continue;
            }
            let value_type = match model.find_definition(name) {
                Some((mixin, definition)) => {
                    attach(&mixin.category);
                    definition.value_type
                }
                None => {
                    let value_type = ValueType::of(value);
                    details.push(AttributeDefinition {
                        mutable: !own.contains(name),
                        value_type,
                        ..AttributeDefinition::mutable(name, "")
                    });
                    value_type
                }
            };
            if value_type != ValueType::String {
                types.insert(name.clone(), value_type);
            }
        }
        if !details.is_empty() {
            attach(&category(SHOWN_SCHEME, DETAILS_TERM));
        }
        Self {
            path,
            action,
            attributes,
            built_in,
            details,
            mixins,
            types,
            own,
        }
    }

    /// Its attributes with the types that their definitions say.
    pub fn typed_attributes(&self) -> impl Iterator<Item = (&str, Value)> {
        self.attributes.iter().map(|(name, value)| {
            let value_type = self.types.get(name).copied().unwrap_or_default();
            (name.as_str(), value_type.read(value))
        })
    }

    /// Whether the kind, one of the core or a mixin of this identifier is its.
    pub fn has_mixin(&self, identifier: &str) -> bool {
        let user_mixins = self.mixins.iter().map(|mixin| &mixin.category);
        self.built_in
            .iter()
            .chain(user_mixins)
            .any(|category| category.identifier() == identifier)
    }

    /// What a client asks for that sends these attributes: without those that it was only shown, and
    /// with values as they were before renderings escaped them by one of `escapes`.
    ///
    /// A request that holds what only this service says is the entity as it was received, in which a
    /// client has changed something: what has the value that is shown is no wish then.
    pub fn requested_of(
        &self,
        given: Vec<(String, String)>,
        escapes: &[&dyn Fn(&str) -> String],
        text: impl Fn(&Value) -> String,
        escape_name: impl Fn(&str) -> String,
    ) -> Vec<(String, String)> {
        let known = |name: String| {
            if self.attributes.contains_key(&name) || !name.contains('%') {
                return name;
            }
            let shown = self
                .attributes
                .keys()
                .find(|known| escape_name(known) == name);
            shown.cloned().unwrap_or(name)
        };
        let given: Vec<_> = given
            .into_iter()
            .map(|(name, value)| (known(name), value))
            .collect();
        let is_own = |name: &str| self.own.contains(name) || is_read_only(name);
        let sent_back = given.iter().any(|(name, _)| is_own(name));
        let mut requested = Vec::new();
        for (name, value) in given {
            if is_own(&name) {
                continue;
            }
            let now = self.attributes.get(&name).map(&text);
            let is_shown = now.as_ref().is_some_and(|now| {
                *now == value || escapes.iter().any(|escape| escape(now) == value)
            });
            match now {
                Some(_) if is_shown && sent_back => {}
                Some(now) if is_shown => requested.push((name, now)),
                _ => requested.push((name, value)),
            }
        }
        requested
    }
}

fn category(scheme: &str, term: &str) -> Category {
    Category {
        term: term.to_owned(),
        scheme: scheme.to_owned(),
    }
}

fn collect_attributes(view: ClusterView, path: &str) -> AttributeCollector {
    let mut all = AttributeCollector::default();
    for (name, value) in view.attributes {
        all.give(name, value.into());
    }
    let region = view
        .stack_id
        .as_ref()
        .map_or(view.region.as_str(), |(region, _)| region.as_str());
    let region: String = region.split_whitespace().collect();
    let outputs = view.outputs.into_iter();
    for (name, value) in outputs.filter(|(_, value)| !value.is_null()) {
        all.put_out(format!("{name}.{region}"), value);
    }
    for (name, access) in &view.endpoint_access {
        if let Some(text) = describe_access(&view.name, name, access) {
            all.show(&ShownAttribute::ACCESS, name, text);
        }
    }
    for (name, url) in view.endpoints {
        // Also as any other output, since that is where hurtle's clients look.
        all.put_out(format!("{name}.{region}"), url.clone().into());
        all.show(&ShownAttribute::ENDPOINT, &name, url);
    }
    for (node, text) in join_progress(&view.progress) {
        all.show(&ShownAttribute::PROGRESS, node, text);
    }
    if let Some(colour) = cluster_colour(&view.health) {
        all.show(&ShownAttribute::HEALTH, "", colour.as_str());
    }
    for service in &view.health {
        let text = describe_service(service);
        all.show(&ShownAttribute::SERVICE_HEALTH, &service.component, text);
    }
    let failure = view.failure.as_deref().or(view.state.reason());
    if let Some(failure) = failure.filter(|text| !text.is_empty()) {
        all.show(&ShownAttribute::FAILURE, "", failure);
    }
    if let Some(change) = view.change {
        all.show(&ShownAttribute::UPDATE, "", change);
    }
    if !view.stack_status_reason.is_empty() {
        all.show(&ShownAttribute::STACK_REASON, "", view.stack_status_reason);
    }
    if let Some(error) = view.cloud_error {
        all.show(&ShownAttribute::CLOUD_ERROR, "", error);
    }
    if let Some(notice) = view.end_notice {
        all.show(&ShownAttribute::END, "", notice);
    }
    all.show(&ShownAttribute::STATE, "", view.state.as_str());
    let status = view.stack_status.as_deref().unwrap_or("uninitialized");
    all.put_out(STACK_STATE.to_owned(), status.into());
    let id = view
        .stack_id
        .map_or_else(|| "N/A".to_owned(), |(region, id)| format!("{region}:{id}"));
    all.put_out(STACK_ID.to_owned(), id.into());
    all.put_out(CORE_ID.to_owned(), path.into());
    all
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
            owner: None,
            frameworks: Vec::new(),
            node_counts: BTreeMap::new(),
            phase: LifecyclePhase::Initialised,
            state: ClusterState::Requested,
            stack_status: None,
            stack_id: None,
            attributes: BTreeMap::new(),
            brought: BTreeMap::new(),
            outputs: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            endpoint_access: BTreeMap::new(),
            health: Vec::new(),
            region: "Region One".to_owned(),
            progress: Vec::new(),
            change: None,
            failure: None,
            deletion: crate::orchestrator::DeletionStage::NotWanted,
            cloud_error: None,
            ends_s: None,
            end_notice: None,
            time_left: None,
            upgrade: None,
            idle: None,
            silent_since_s: None,
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
            began_s: None,
            told_s: None,
        }
    }

    fn from_view(view: ClusterView) -> OcciEntity {
        OcciEntity::from_view(view, &CategoryModel::from_frameworks(&[]), &[])
    }

    pub(crate) fn shown(view: ClusterView) -> BTreeMap<String, String> {
        let text = |value: Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        from_view(view)
            .attributes
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect()
    }

    #[test]
    fn before_deploy_the_recorded_attributes_are_there() {
        let entity = from_view(view("default"));
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
