//! A plugin that reaches outside its cluster: its template goes the way of every plan, beside the
//! shipped plugin `cluster`, and is refused before Heat is asked anything.

use serde_json::{Value, json};
use stampede::cluster::Flavor;
use stampede::cluster::attribute_names::AttributeNames;
use stampede::cluster::{attributes, defaults::OperatorDefaults};
use stampede::orchestrator::ClusterPlanner as _;
use stampede::orchestrator::planning::planner::{ResolvedFlavors, StackPlan};
use stampede::orchestrator::planning::plugin_planner::PluginPlanner;
use stampede::plugin::PluginRegistry;
use stampede_tests::artifacts;

use super::{folder, load};

/// The plugins `cluster` and `evil`.
fn planner() -> PluginPlanner<PluginRegistry> {
    let dir = folder(&["evil"]);
    let cluster = artifacts::plugins_folder().unwrap().join("cluster.wasm");
    std::fs::copy(cluster, dir.path().join("cluster.wasm")).unwrap();
    PluginPlanner(load(dir.path()))
}

/// The plan of a cluster for which `evil` says this template.
async fn plan(
    planner: &PluginPlanner<PluginRegistry>,
    template: &Value,
) -> Result<StackPlan, String> {
    let told = |problems: Vec<stampede::cluster::Problem>| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let text = template.to_string();
    let given = [
        ("framework", "evil"),
        ("workers", "1"),
        ("image", "debian-12"),
        ("network.external", "public"),
        ("network.access", "192.0.2.0/24"),
        ("evil.deed", "say"),
        ("evil.text", &text),
    ]
    .map(|(name, value)| (format!("stampede.{name}"), value.to_owned()));
    let names = AttributeNames::from_descriptors(planner.descriptors());
    let spec = attributes::parse("demo", &given, &OperatorDefaults::default(), &names).unwrap();
    let flavor = Flavor {
        name: "m1.large".into(),
        vcpus: 2,
        ram_mib: 4_096,
        disk_gib: 20,
    };
    let flavors = ResolvedFlavors {
        access: stampede::cluster::CloudAccess::default(),
        flavors: vec![flavor.clone()],
        groups: ["master", "worker"]
            .map(|group| (group.to_owned(), flavor.clone()))
            .into(),
        signal_transport: "HEAT_SIGNAL".into(),
    };
    let chain = planner.order_plugins(&spec).unwrap();
    let claimed = planner.claim(&spec, &chain).await.map_err(told)?;
    planner
        .plan(&spec, &chain, &claimed, &flavors)
        .await
        .map_err(told)
}

fn one(kind: &str, properties: Value) -> Value {
    json!({"resources": {"evil_x": {"type": kind, "properties": properties}}})
}

/// What a plugin may have: a value that names the cluster's own.
fn kept() -> Value {
    let server = json!({"get_resource": "worker_1_server"});
    one("OS::Heat::Value", json!({"value": server}))
}

/// A rule as the host itself would make it.
fn rule() -> Value {
    let properties = json!({
        "security_group": {"get_resource": "security_group"}, "protocol": "tcp",
        "port_range_min": 6_666, "port_range_max": 6_666, "remote_ip_prefix": "192.0.2.0/24",
    });
    one("OS::Neutron::SecurityGroupRule", properties)
}

/// Resources and outputs that name or show what is not the cluster's.
fn foreign_resources() -> Vec<(Value, &'static str)> {
    let hidden = json!({"map_merge": [{"name": "evil", "save_private_key": true}]});
    let signal = json!({"get_attr": ["ready_handle", "signal"]});
    vec![
        (
            one(
                "OS::Neutron::RouterInterface",
                json!({"router": "prod", "subnet": {"get_resource": "subnet"}}),
            ),
            "`OS::Neutron::RouterInterface` is the plugin `cluster`'s",
        ),
        (
            one("OS::Neutron::Port", json!({"network": "prod"})),
            "`OS::Neutron::Port` is the plugin `cluster`'s",
        ),
        (
            one(
                "OS::Octavia::PoolMember",
                json!({"pool": "prod", "address": "10.77.0.10", "protocol_port": 80}),
            ),
            "which no plugin may add",
        ),
        (
            one(
                "OS::Designate::RecordSet",
                json!({"zone": "corp.", "type": "A", "records": ["10.77.0.10"]}),
            ),
            "which no plugin may add",
        ),
        (
            one("OS::Octavia::Quota", json!({"project": "prod"})),
            "which no plugin may add",
        ),
        (
            one("OS::Nova::KeyPair", hidden.clone()),
            "which no plugin may add",
        ),
        (
            one("OS::Heat::Value", hidden),
            "`properties` has `map_merge`",
        ),
        (
            one(
                "OS::Cinder::Volume",
                json!({"size": 1, "snapshot_id": "prod"}),
            ),
            "`OS::Cinder::Volume` is the plugin `cluster`'s",
        ),
        (
            one(
                "OS::Cinder::VolumeAttachment",
                json!({"instance_uuid": "prod", "volume_id": "prod"}),
            ),
            "`OS::Cinder::VolumeAttachment` is the plugin `cluster`'s",
        ),
        (rule(), "rules are the host's"),
        (
            json!({"outputs": {"evil_x": {"value": signal}}}),
            "only the cluster's own nodes may read",
        ),
        (
            json!({"outputs": {"evil_x": {"value": {"get_attr": ["signals", "value"]}}}}),
            "get_attr names `signals`",
        ),
    ]
}

#[tokio::test]
async fn a_plugin_that_keeps_to_its_cluster_is_planned_and_one_that_reaches_out_is_refused() {
    let planner = planner();
    let made = plan(&planner, &kept()).await.unwrap();
    assert_eq!(
        made.template["resources"]["evil_x"]["properties"]["value"]["get_resource"],
        "worker_1_server"
    );
    for (template, wanted) in foreign_resources() {
        let refusal = plan(&planner, &template).await.expect_err(wanted);
        assert!(
            refusal.contains("plugin `evil`: ") && refusal.contains(wanted),
            "{template}: {refusal}"
        );
    }
}
