//! Tests of [`super`]: what a plan does not depend on, whose fault is whose, and texts that come
//! through exactly. `tests/plugins` has plans of real plugins.

use std::future::ready;

use futures_util::future::BoxFuture;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::bundle::test_frameworks::{NODE_TYPES, bundle, cluster_template, file};
use crate::bundle::yaml::to_yaml;
use crate::cluster::component::{ComponentNeed, ComponentSpec};
use crate::cluster::framework::CLUSTER;
use crate::cluster::framework_request::FrameworkClaims;
use crate::cluster::problem::lines;
use crate::cluster::spec::FrameworkChoice;
use crate::cluster::test_plugins::plugin;
use crate::cluster::{CloudAccess, Flavor, attribute_schema::default_spec};
use crate::orchestrator::planning::ask_claims::claim_cluster;
use crate::orchestrator::planning::plugin_chain::order_plugins;

/// The plugin `cluster`, and `toy`, which writes a text of the user's wherever one can stand.
struct ToySource {
    frameworks: Vec<FrameworkDescriptor>,
    /// What `toy` adds to the template.
    resources: Value,
}

impl ToySource {
    fn new() -> Self {
        let component = |name: &str, group: &str| ComponentSpec {
            name: name.to_owned(),
            groups: vec![group.to_owned()],
            ..ComponentSpec::default()
        };
        let text = json!({"text": {"type": "string", "description": "Any.", "default": "x"}});
        let cluster = FrameworkDescriptor {
            components: vec![component("node", "*")],
            resource_types: NODE_TYPES.map(str::to_owned).into(),
            ..plugin("cluster", &[], json!({}))
        };
        let toy = FrameworkDescriptor {
            components: vec![component("server", "master")],
            resource_types: vec!["OS::Heat::Value".to_owned()],
            ..plugin("toy", &[], text)
        };
        Self {
            frameworks: vec![cluster, toy],
            resources: json!({}),
        }
    }

    fn answer(&self, plugin: &str, question: &GenerateQuestion) -> FrameworkBundle {
        if plugin == CLUSTER {
            let group = |name: &str, nodes: &[&str]| NodeGroup {
                role: name.to_owned(),
                flavor: flavor("m1.small", 2_048),
                image: "debian-12".to_owned(),
                nodes: nodes.iter().map(|node| node_named(node)).collect(),
            };
            let groups = [
                group("master", &["master"]),
                group("worker", &["worker-1", "worker-2"]),
            ];
            let classes = name_classes(&question.request.placements, &question.node_groups);
            return bundle(CLUSTER, cluster_template(&groups, &classes));
        }
        let text = question.request.settings["text"].as_str().unwrap_or("");
        let value = json!([text, {"data": {text: text}}]);
        let outputs = json!({"toy_text": {"value": value}});
        let template = json!({"resources": self.resources, "outputs": outputs});
        let mut written = file("/etc/toy", "server");
        written.content = text.to_owned();
        FrameworkBundle {
            files: vec![written],
            ..bundle("toy", template)
        }
    }
}

impl FrameworkSource for ToySource {
    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        self.frameworks.iter().collect()
    }

    fn claim<'a>(
        &'a self,
        plugin: &'a str,
        _: &'a FrameworkRequest,
        _: Option<&'a FrameworkRequest>,
    ) -> BoxFuture<'a, Result<FrameworkClaims, PlanError>> {
        let need = ComponentNeed {
            component: if plugin == CLUSTER { "node" } else { "server" }.to_owned(),
            ..ComponentNeed::default()
        };
        let claims = FrameworkClaims {
            needs: vec![need],
            ..FrameworkClaims::default()
        };
        Box::pin(ready(Ok(claims)))
    }

    fn add<'a>(
        &'a self,
        plugin: &'a str,
        question: &'a Arc<GenerateQuestion>,
    ) -> BoxFuture<'a, Result<FrameworkBundle, PlanError>> {
        Box::pin(ready(Ok(self.answer(plugin, question))))
    }
}

fn node_named(name: &str) -> crate::cluster::framework::ClusterNode {
    crate::cluster::framework::ClusterNode {
        id: 1,
        name: name.to_owned(),
        address: String::new(),
    }
}

fn flavor(name: &str, ram_mib: u32) -> Flavor {
    Flavor {
        name: name.to_owned(),
        vcpus: 2,
        ram_mib,
        disk_gib: 20,
    }
}

fn planned(
    source: &ToySource,
    text: Option<&str>,
    others: &[Flavor],
) -> Result<FrameworkPlan, PlanError> {
    let mut spec = ClusterSpec {
        name: "demo".to_owned(),
        frameworks: vec![FrameworkChoice {
            name: "toy".to_owned(),
            version: None,
        }],
        image: Some("debian-12".to_owned()),
        ..default_spec()
    }
    .with_flavors(Some("m1.small"), Some("m1.small"));
    if let Some(text) = text {
        let settings = BTreeMap::from([("text".to_owned(), text.to_owned())]);
        spec.settings.insert("toy".to_owned(), settings);
    }
    let chosen = ResolvedFlavors {
        flavors: others.to_vec(),
        groups: ["master", "worker"]
            .map(|group| (group.to_owned(), flavor("m1.small", 2_048)))
            .into(),
        signal_transport: "HEAT_SIGNAL".to_owned(),
        access: CloudAccess::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let chain = order_plugins(&spec.frameworks, &source.frameworks()).unwrap();
        let claimed = claim_cluster(&spec, &chain, source).await?;
        plan_frameworks(&claimed.spec, &chosen, &claimed, &chain, source).await
    })
}

#[test]
fn a_plan_is_the_same_whatever_other_flavors_the_cloud_has() {
    let source = ToySource::new();
    let plan = |others: &[Flavor]| planned(&source, None, others).unwrap();
    let many = [flavor("m1.tiny", 512), flavor("m1.large", 8_192)];
    assert_eq!(
        plan(&[]),
        plan(&many),
        "a record keeps only the flavors of its nodes"
    );
}

#[test]
fn what_plugins_do_wrong_is_not_put_on_the_user() {
    let mut source = ToySource::new();
    source.resources = json!({"toy_x": {"type": "OS::Heat::Stack"}});
    let error = planned(&source, None, &[]).unwrap_err();
    assert!(matches!(error, PlanError::Faults(_)), "{error}");
    let told = lines(&error.into_problems());
    assert!(
        told.contains("plugin `toy`: ") && told.contains("not a mistake of the request"),
        "{told}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// From an attribute to the template, its YAML, and the node's file: the same text.
    #[test]
    fn any_accepted_text_reaches_template_and_file_exactly(value in "\\PC{0,40}|[ -~]{0,20}|[-{}\\[\\]'\"$`#:&*!|>%\\\\]{0,8}") {
        prop_assume!(!value.contains("@{"));
        let made = planned(&ToySource::new(), Some(&value), &[]).unwrap().stack;
        prop_assert_eq!(&made.bundles[1].files[0].content, &value);
        let wanted = json!([&value, {"data": {value.as_str(): &value}}]);
        prop_assert_eq!(&made.template["outputs"]["toy_text"]["value"], &wanted);
        let again: Value = serde_saphyr::from_str(&to_yaml(&made.template).unwrap()).unwrap();
        prop_assert_eq!(&again["outputs"]["toy_text"]["value"], &wanted);
    }
}
