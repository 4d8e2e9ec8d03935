//! Tests of [`super::resource_types`] and [`super::resource_check`]: what a hostile plugin might
//! say in a resource, one thing changed at a time in a template that is taken.

use serde_json::{Value, json};

use super::tests::{descriptor, nodes, part, request};
use super::*;
use crate::cluster::framework::{FrameworkPort, PortAudience};

const EVIL_TYPES: [&str; 4] = [
    "OS::Neutron::SecurityGroupRule",
    "OS::Cinder::Volume",
    "OS::Cinder::VolumeAttachment",
    "OS::Heat::Value",
];

fn asked() -> PluginRequest {
    let mut asked = request(1);
    asked.network.external = Some("public".to_owned());
    asked.network.access = vec!["192.0.2.0/24".to_owned()];
    asked.key = Some("operator".to_owned());
    asked
}

/// What comes of the plugins `cluster` and `evil`, whose templates `change` has spoilt.
fn built(change: impl Fn(&mut Value, &mut Value)) -> Result<ClusterBundle, String> {
    let asked = asked();
    let mut theirs = asked.clone();
    theirs.settings =
        json!({"kind": "fast", "shipped": "theirs", "spelt": "default", "volumes": ["adopted"]})
            .as_object()
            .cloned()
            .unwrap();
    // `shipped` is what the plugin has computed, or its default of another day.
    theirs.given = ["kind", "spelt", "volumes"].map(str::to_owned).into();
    let mut cluster = nodes(&asked);
    let mut evil = json!({"resources": {
        "evil_rule": {"type": "OS::Neutron::SecurityGroupRule", "properties": {
            "security_group": {"get_resource": "security_group"}, "protocol": "tcp",
            "port_range_min": 9870, "port_range_max": 9870, "remote_ip_prefix": "192.0.2.0/24",
        }},
        "evil_volume": {"type": "OS::Cinder::Volume", "properties": {"size": 1, "name": "demo-x"}},
        "evil_attachment": {"type": "OS::Cinder::VolumeAttachment", "properties": {
            "instance_uuid": {"get_resource": "worker_1_server"}, "volume_id": {"get_resource": "evil_volume"},
        }},
        "evil_value": {"type": "OS::Heat::Value", "properties": {"value": "x"}},
    }, "outputs": {"evil_text": {"value": {"get_attr": ["evil_value", "value"]}}}});
    let more = json!({
        "subnet": {"type": "OS::Neutron::Subnet", "properties": {"network": {"get_resource": "network"}, "cidr": "10.77.0.0/22"}},
        "router": {"type": "OS::Neutron::Router", "properties": {"external_gateway_info": {"network": "public"}}},
        "join": {"type": "OS::Neutron::RouterInterface", "properties": {"router": {"get_resource": "router"}, "subnet": {"get_resource": "subnet"}}},
        "address": {"type": "OS::Neutron::FloatingIP", "properties": {"floating_network": "public", "port_id": {"get_resource": "master_port"}}},
        "ssh": {"type": "OS::Neutron::SecurityGroupRule", "properties": {
            "security_group": {"get_resource": "security_group"}, "protocol": "tcp", "port_range_min": 22, "port_range_max": 22,
            "remote_ip_prefix": "192.0.2.0/24",
        }},
    });
    cluster.template["parameters"] = json!({"open": {"type": "string", "default": "prod"}});
    if let (Some(all), Some(more)) = (
        cluster.template["resources"].as_object_mut(),
        more.as_object(),
    ) {
        all.extend(more.clone());
    }
    let mut all_types = test_cluster::NODE_TYPES.to_vec();
    all_types.extend([
        "OS::Neutron::SecurityGroupRule",
        "OS::Neutron::Subnet",
        "OS::Neutron::Router",
        "OS::Neutron::RouterInterface",
        "OS::Neutron::FloatingIP",
    ]);
    change(&mut cluster.template, &mut evil);
    let mut framework = descriptor("evil", &EVIL_TYPES);
    framework.parameters = json!({"properties": {"spelt": {"default": "default"}}}).into();
    framework.ports = [(9870, PortAudience::Admin), (8020, PortAudience::Cluster)]
        .map(|(number, audience)| FrameworkPort {
            number,
            role: "master".to_owned(),
            purpose: String::new(),
            audience,
        })
        .to_vec();
    let descriptors = [descriptor("cluster", &all_types), framework];
    build_bundle(
        &[asked, theirs],
        &crate::cluster::CloudAccess::default(),
        "",
        &descriptors.iter().collect::<Vec<_>>(),
        vec![cluster, part("evil", evil)],
    )
    .map_err(|error| error.to_string())
}

/// What comes of the template of the plugin `evil` with a value at that place; `null` takes away.
fn with(pointer: &str, value: &Value) -> Result<ClusterBundle, String> {
    built(|_, evil| put(evil, pointer, value))
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
/// plugin's name.
fn assert_refused(section: &str, plugin: &str, below: &str) {
    let cases = include_str!("hostile_resources.txt");
    let start = format!("\n[{section}]");
    let (_, rest) = cases.split_once(&start).unwrap();
    let lines = rest.lines().skip(1).take_while(|line| !line.is_empty());
    let mut count = 0;
    for line in lines {
        let [place, value, wanted] = line.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let (pointer, value) = (
            format!("{below}{place}"),
            serde_json::from_str(value).unwrap(),
        );
        let outcome = built(|cluster, evil| {
            let template = if plugin == "cluster" { cluster } else { evil };
            put(template, &pointer, &value);
        });
        let refusal = outcome.expect_err(line);
        assert!(refusal.contains(wanted), "{line}: {refusal}");
        let whole = wanted.starts_with("has a condition: ");
        assert!(
            whole || refusal.starts_with(&format!("plugin `{plugin}`: ")),
            "{line}: {refusal}"
        );
        count += 1;
    }
    assert!(count > 1, "{section}");
}

#[test]
fn what_is_spoilt_below_is_taken_as_it_is() {
    built(|_, _| {}).unwrap();
    for (pointer, value) in [
        (
            "/resources/evil_rule/properties/remote_ip_prefix",
            json!("192.0.2.128/25"),
        ),
        (
            "/resources/evil_volume/properties/volume_type",
            json!("fast"),
        ),
        (
            "/resources/evil_volume/properties/volume_type",
            json!("default"),
        ),
        ("/resources/evil_volume/deletion_policy", json!("Retain")),
        (
            "/resources/evil_attachment/properties/volume_id",
            json!("adopted"),
        ),
        (
            "/resources/evil_volume/properties/description",
            json!({"list_join": [" ", [{"get_attr": ["master_server", "name"]}, {"get_param": "OS::stack_name"}]]}),
        ),
        (
            "/resources/evil_value/properties/value",
            json!({"get_attr": ["ready_handle", "signal"]}),
        ),
    ] {
        let outcome = if pointer.contains("evil_value") {
            built(|_, evil| {
                put(evil, pointer, &value);
                put(evil, "/outputs", &Value::Null);
            })
        } else {
            with(pointer, &value)
        };
        outcome.unwrap_or_else(|error| panic!("{pointer}: {error}"));
    }
    // The plugin's descriptor declares the port for its own nodes: they may be let in by their group.
    built(|_, evil| {
        let rule = json!({
            "security_group": {"get_resource": "security_group"}, "protocol": "tcp", "port_range_min": 8020,
            "port_range_max": 8020, "remote_group": {"get_resource": "security_group"},
        });
        put(evil, "/resources/evil_rule/properties", &rule);
    })
    .unwrap();
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
        let outcome = with("/resources/evil_value/type", &json!(kind));
        let refusal = outcome.expect_err(kind);
        assert!(refusal.contains("which no plugin may add"), "{refusal}");
    }
    for rule in resource_types::TYPES
        .iter()
        .filter(|rule| rule.cluster_alone)
    {
        let outcome = with("/resources/evil_value/type", &json!(rule.name));
        let refusal = outcome.expect_err(rule.name);
        assert!(refusal.contains("is not for it to add"), "{refusal}");
    }
}

#[test]
fn a_rule_lets_in_whom_the_operator_lets_in_to_a_declared_port_of_this_clusters_group() {
    assert_refused("rule", "evil", "/resources/evil_rule/properties/");
    for port in [22, 8020] {
        let outcome = built(|_, evil| {
            for name in ["port_range_min", "port_range_max"] {
                put(
                    evil,
                    &format!("/resources/evil_rule/properties/{name}"),
                    &json!(port),
                );
            }
        });
        let refusal = outcome.expect_err("22 is another plugin's, 8020 the cluster's own");
        assert!(refusal.contains("must open one port"), "{refusal}");
    }
}

#[test]
fn volumes_are_new_ones_of_this_cluster() {
    assert_refused("volume", "evil", "/resources/");
}

#[test]
fn what_only_nodes_may_read_stays_with_them() {
    assert_refused("secret", "evil", "");
}

#[test]
fn parameters_say_what_they_are_worth_and_leave_the_hosts_names_alone() {
    assert_refused("parameter", "evil", "");
    let refusal = built(|cluster, _| {
        cluster["parameters"]["stampede_request"] = json!({"type": "string", "default": ""})
    });
    assert!(
        refusal
            .expect_err("no prefix is asked of `cluster`")
            .contains("must be of a-z")
    );
}

#[test]
fn the_plugin_cluster_is_held_to_the_same_table() {
    assert_refused("cluster", "cluster", "/resources/");
}

#[test]
fn who_has_many_faults_is_told_of_some_and_shortly() {
    let many = built(|_, evil| {
        let properties: serde_json::Map<String, Value> = (0..20_000)
            .map(|number| (format!("a{number}"), json!(0)))
            .collect();
        evil["resources"]["evil_volume"]["properties"] = properties.into();
    });
    let told = many.expect_err("nobody may have these");
    assert_eq!(told.lines().count(), MAX_VIOLATIONS, "{}", &told[..200]);
    let long = built(|_, evil| {
        evil["outputs"]["evil_text"]["value"] = json!({"get_file": "x".repeat(100_000)});
    });
    let told = long.expect_err("there is no such file");
    let most = MAX_MESSAGE_CHARS + "plugin `evil`: ...".len();
    assert!(
        told.lines().all(|line| line.chars().count() <= most),
        "{}",
        &told[..200]
    );
}
