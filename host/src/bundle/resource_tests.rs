//! Tests of [`super::resource_types`] and [`super::resource_check`]: what a hostile plugin might
//! say in a resource, one thing changed at a time in a template that is taken.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::framework_build::FrameworkStack;
use super::test_frameworks::{NODE_TYPES, ToyCluster};
use super::*;

/// A cluster whose plugin `cluster` uses much of what it may have.
fn asked() -> ToyCluster {
    let mut asked = ToyCluster::new(1);
    asked.surroundings.external_network = Some("public".to_owned());
    asked.surroundings.key = Some("operator".to_owned());
    let settings =
        json!({"kind": "fast", "shipped": "theirs", "spelt": "default", "volumes": ["adopted"]});
    asked.question.request.settings = settings.as_object().cloned().unwrap();
    // `shipped` is what the plugin has computed, or its default of another day.
    asked.given[0] = BTreeSet::from(["kind", "spelt", "volumes"].map(str::to_owned));
    let types = [
        "OS::Neutron::Subnet",
        "OS::Neutron::Router",
        "OS::Neutron::RouterInterface",
        "OS::Neutron::FloatingIP",
        "OS::Cinder::Volume",
        "OS::Cinder::VolumeAttachment",
        "OS::Heat::Value",
    ];
    let types = NODE_TYPES.into_iter().chain(types);
    asked.chain[0].resource_types = types.map(str::to_owned).collect();
    let more = json!({
        "subnet": {"type": "OS::Neutron::Subnet", "properties": {"network": {"get_resource": "network"}, "cidr": "10.77.0.0/22"}},
        "router": {"type": "OS::Neutron::Router", "properties": {"external_gateway_info": {"network": "public"}}},
        "join": {"type": "OS::Neutron::RouterInterface", "properties": {"router": {"get_resource": "router"}, "subnet": {"get_resource": "subnet"}}},
        "address": {"type": "OS::Neutron::FloatingIP", "properties": {"floating_network": "public", "port_id": {"get_resource": "master_port"}}},
        "volume": {"type": "OS::Cinder::Volume", "properties": {"size": 1, "name": "demo-x"}},
        "attachment": {"type": "OS::Cinder::VolumeAttachment", "properties": {
            "instance_uuid": {"get_resource": "worker_1_server"}, "volume_id": {"get_resource": "volume"},
        }},
        "value": {"type": "OS::Heat::Value", "properties": {"value": "x"}},
    });
    let cluster = &mut asked.bundles[0].template;
    cluster["parameters"] = json!({"open": {"type": "string", "default": "prod"}});
    cluster["outputs"]["text"] = json!({"value": {"get_attr": ["value", "value"]}});
    if let (Some(all), Some(more)) = (cluster["resources"].as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    asked.bundles[1].template = json!({
        "resources": {"toy_value": {"type": "OS::Heat::Value", "properties": {"value": "x"}}},
        "outputs": {"toy_text": {"value": {"get_attr": ["toy_value", "value"]}}},
    });
    asked
}

/// What comes of the plugins `cluster` and `toy`, whose templates `change` has spoilt.
fn built(change: impl FnOnce(&mut Value, &mut Value)) -> Result<FrameworkStack, String> {
    let mut asked = asked();
    let [cluster, toy] = asked.bundles.as_mut_slice() else {
        panic!("two plugins");
    };
    change(&mut cluster.template, &mut toy.template);
    asked.built().map_err(|error| error.to_string())
}

/// What comes of the template of the plugin `cluster` with a value at that place; `null` takes away.
fn with(pointer: &str, value: &Value) -> Result<FrameworkStack, String> {
    built(|cluster, _| put(cluster, pointer, value))
}

fn put(template: &mut Value, pointer: &str, value: &Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = template.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(map), Value::Null) => drop(map.remove(name)),
        (parent, value) => parent[name] = value.clone(),
    }
}

/// Asserts that each case of that section of `hostile_resources.txt` is refused as it says, in the
/// name of the plugin `cluster`, which may add most.
fn assert_refused(section: &str, below: &str) {
    for (line, pointer, value, wanted) in hostile_cases(section, below) {
        let refusal = with(&pointer, &value).expect_err(&line);
        assert!(refusal.contains(&wanted), "{line}: {refusal}");
        let whole = wanted.starts_with("has a condition: ");
        assert!(
            whole || refusal.starts_with("plugin `cluster`: "),
            "{line}: {refusal}"
        );
    }
}

/// A line of the file, the place, the value there, and what the refusal holds.
type HostileCase = (String, String, Value, String);

fn hostile_cases(section: &str, below: &str) -> Vec<HostileCase> {
    let cases = include_str!("hostile_resources.txt");
    let start = format!("\n[{section}]");
    let (_, rest) = cases.split_once(&start).unwrap();
    let lines = rest.lines().skip(1).take_while(|line| !line.is_empty());
    let cases: Vec<HostileCase> = lines
        .map(|line| {
            let [place, value, wanted] = line.split(" | ").collect::<Vec<_>>().try_into().unwrap();
            let value = serde_json::from_str(value).unwrap();
            let pointer = format!("{below}{place}");
            (line.to_owned(), pointer, value, wanted.to_owned())
        })
        .collect();
    assert!(cases.len() > 1, "{section}");
    cases
}

#[test]
fn what_is_spoilt_below_is_taken_as_it_is() {
    built(|_, _| {}).unwrap();
    for (pointer, value) in [
        ("/resources/volume/properties/volume_type", json!("fast")),
        ("/resources/volume/properties/volume_type", json!("default")),
        ("/resources/volume/deletion_policy", json!("Retain")),
        (
            "/resources/attachment/properties/volume_id",
            json!("adopted"),
        ),
        (
            "/resources/volume/properties/description",
            json!({"list_join": [" ", [{"get_attr": ["master_server", "name"]}, {"get_param": "OS::stack_name"}]]}),
        ),
        (
            "/resources/value/properties/value",
            json!({"get_attr": ["ready_handle", "signal"]}),
        ),
    ] {
        let outcome = built(|cluster, _| {
            put(cluster, pointer, &value);
            if pointer.contains("/value/") {
                put(cluster, "/outputs/text", &Value::Null);
            }
        });
        outcome.unwrap_or_else(|error| panic!("{pointer}: {error}"));
    }
}

/// What comes of a value of the plugin `toy` that is of this type instead.
fn built_with_type(kind: &str) -> Result<FrameworkStack, String> {
    built(|_, toy| put(toy, "/resources/toy_value/type", &json!(kind)))
}

#[test]
fn types_that_no_plugin_may_add_are_all_that_are_not_in_the_table() {
    for kind in [
        "AWS::EC2::Instance",
        "OS::Heat::Stack",
        "OS::Heat::ResourceGroup",
        "OS::Heat::AutoScalingGroup",
        "OS::Heat::SoftwareDeployment",
        "OS::Heat::RandomString",
        "OS::Heat::SwiftSignalHandle",
        "OS::Heat::UpdateWaitConditionHandle",
        "OS::Nova::KeyPair",
        "OS::Nova::Quota",
        "OS::Octavia::Quota",
        "OS::Octavia::PoolMember",
        "OS::Octavia::FlavorProfile",
        "OS::Octavia::AvailabilityZone",
        "OS::Neutron::Segment",
        "OS::Neutron::ExtraRoute",
        "OS::Neutron::TaaS::TapFlow",
        "OS::Neutron::RBACPolicy",
        "OS::Neutron::FloatingIPPortForward",
        "OS::Designate::RecordSet",
        "OS::Zaqar::Queue",
        "OS::Trove::Instance",
        "OS::Barbican::Secret",
        "OS::Swift::Container",
        "https://example.org/x.yaml",
        "x.yaml",
        "Evil",
    ] {
        let outcome = built_with_type(kind);
        let refusal = outcome.expect_err(kind);
        assert!(refusal.contains("which no plugin may add"), "{refusal}");
    }
    for rule in resource_types::TYPES
        .iter()
        .filter(|rule| rule.cluster_alone)
    {
        let outcome = built_with_type(rule.name);
        let refusal = outcome.expect_err(rule.name);
        assert!(refusal.contains("is not for it to add"), "{refusal}");
    }
}

#[test]
fn volumes_are_new_ones_of_this_cluster() {
    assert_refused("volume", "/resources/");
}

#[test]
fn what_only_nodes_may_read_stays_with_them() {
    assert_refused("secret", "");
    // Whoever is not the plugin `cluster` may not even name it.
    for (line, pointer, value, _) in hostile_cases("secret", "") {
        let pointer = pointer
            .replace("/text/", "/toy_text/")
            .replace("/value/properties", "/toy_value/properties");
        if !pointer.contains("toy_") {
            continue;
        }
        let outcome = built(|_, toy| put(toy, &pointer, &value));
        let refusal = outcome.expect_err(&line);
        assert!(refusal.starts_with("plugin `toy`: "), "{line}: {refusal}");
    }
}

#[test]
fn parameters_say_what_they_are_worth_and_leave_the_hosts_names_alone() {
    assert_refused("parameter", "");
}

#[test]
fn the_plugin_cluster_is_held_to_the_same_table() {
    assert_refused("cluster", "/resources/");
}

#[test]
fn who_has_many_faults_is_told_of_some_and_shortly() {
    let many = built(|_, toy| {
        let properties: serde_json::Map<String, Value> = (0..20_000)
            .map(|number| (format!("a{number}"), json!(0)))
            .collect();
        toy["resources"]["toy_value"]["properties"] = properties.into();
    });
    let told = many.expect_err("nobody may have these");
    assert_eq!(told.lines().count(), MAX_VIOLATIONS, "{}", &told[..200]);
    let long = built(|_, toy| {
        toy["outputs"]["toy_text"]["value"] = json!({"get_file": "x".repeat(100_000)});
    });
    let told = long.expect_err("there is no such file");
    let most = MAX_MESSAGE_CHARS + "plugin `toy`: ...".len();
    assert!(
        told.lines().all(|line| line.chars().count() <= most),
        "{}",
        &told[..200]
    );
}
