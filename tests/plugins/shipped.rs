//! The plugins as they are shipped: pure functions, the same in the sandbox as natively.

use serde_json::Value;
use stampede::bundle::PluginBundle;
use stampede::cluster::Flavor;
use stampede::cluster::framework::{ProvidedService, ResourceClaim};
use stampede::plugin::{PluginLimits, PluginRegistry};
use stampede_plugin::Guest;
use stampede_tests::artifacts;

use super::{evil, request};

fn shipped() -> PluginRegistry {
    let registry = PluginRegistry::load(
        &artifacts::plugins_folder().unwrap(),
        None,
        PluginLimits::default(),
    )
    .unwrap();
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    registry
}

async fn cluster(registry: &PluginRegistry, workers: u32) -> PluginBundle {
    registry
        .get("cluster")
        .unwrap()
        .generate(&request(workers))
        .await
        .unwrap()
}

/// Every plugin's part with the defaults of its schema, as text.
async fn all(registry: &PluginRegistry, workers: u32) -> String {
    let mut parts = Vec::new();
    for plugin in registry.iter() {
        let descriptor = plugin.descriptor();
        let mut request = request(workers);
        request.version.clone_from(&descriptor.default_version);
        for (name, parameter) in descriptor.parameters["properties"].as_object().unwrap() {
            request.settings.extend(
                parameter
                    .get("default")
                    .map(|default| (name.clone(), default.clone())),
            );
        }
        parts.push(plugin.generate(&request).await.unwrap());
    }
    assert!(parts.len() > 1);
    serde_json::to_string(&parts).unwrap()
}

#[tokio::test]
async fn the_same_request_gives_the_same_bytes_in_every_call_and_every_engine() {
    let (one, other) = (shipped(), shipped());
    for workers in [1, 3, 250] {
        let first = all(&one, workers).await;
        assert!(
            all(&one, workers).await == first,
            "{workers} workers, another call"
        );
        assert!(
            all(&other, workers).await == first,
            "{workers} workers, another engine"
        );
    }
}

#[tokio::test]
async fn every_field_of_the_contract_arrives_as_it_left() {
    let mut asked = request(2);
    asked.version = "a version".into();
    asked.groups[1].image = "another image".into();
    asked.groups[1].flavor = Flavor {
        name: "m1.small".into(),
        vcpus: 3,
        ram_mib: 4,
        disk_gib: 5,
    };
    asked.network.access.push("203.0.113.0/24".into());
    asked.mirror = Some("a mirror".into());
    asked.proxy = Some("a proxy".into());
    asked.key = Some("a key".into());
    asked.settings.insert("deed".into(), "echo".into());
    asked.settings.insert("amount".into(), 7.into());
    asked.services = vec![ProvidedService {
        name: "a service".into(),
        plugin: "a plugin".into(),
        node: "a node".into(),
        attributes: vec![
            ("a name".into(), "a value".into()),
            ("b".into(), "c".into()),
        ],
    }];
    asked.taken = vec![ResourceClaim {
        role: "a role".into(),
        plugin: "another plugin".into(),
        memory_mib: 8,
        ports: vec![9, 10],
    }];
    // The host's own type, field by field, is what the guest must have seen.
    let mut wanted = serde_json::to_value(&asked).unwrap();
    wanted["settings"] = Value::Object(asked.settings.clone()).to_string().into();
    let part = evil().get("evil").unwrap().generate(&asked).await.unwrap();
    let arrived = &part.template["outputs"]["evil"]["value"];
    assert_eq!(*arrived, wanted);
    asked.mirror = None;
    asked.network.external = None;
    let part = evil().get("evil").unwrap().generate(&asked).await.unwrap();
    let arrived = &part.template["outputs"]["evil"]["value"];
    assert_eq!(arrived["mirror"], Value::Null);
    assert_eq!(arrived["network"]["external"], Value::Null);
}

#[tokio::test]
async fn a_plugin_answers_in_the_sandbox_as_it_does_natively() {
    use stampede_plugin as sdk;
    let host = request(3);
    let native = sdk::Request {
        cluster: host.cluster.clone(),
        version: host.version.clone(),
        groups: host
            .groups
            .iter()
            .map(|group| sdk::NodeGroup {
                role: group.role.clone(),
                flavor: sdk::Flavor {
                    name: group.flavor.name.clone(),
                    vcpus: group.flavor.vcpus,
                    ram_mib: group.flavor.ram_mib,
                    disk_gib: group.flavor.disk_gib,
                },
                image: group.image.clone(),
                nodes: group
                    .nodes
                    .iter()
                    .map(|n| sdk::Node {
                        id: n.id,
                        name: n.name.clone(),
                        address: n.address.clone(),
                    })
                    .collect(),
            })
            .collect(),
        settings: "{}".into(),
        network: sdk::Network {
            cidr: host.network.cidr.clone(),
            external: host.network.external.clone(),
            access: host.network.access.clone(),
        },
        mirror: None,
        proxy: None,
        key: None,
        signal_transport: host.signal_transport.clone(),
        timeout_s: host.timeout_s,
        services: vec![],
        taken: vec![],
    };
    let theirs = stampede_cluster::ClusterPlugin::generate(native).unwrap();
    let ours = cluster(&shipped(), 3).await;
    assert_eq!(
        ours.template,
        serde_json::from_str::<Value>(&theirs.template).unwrap()
    );
    assert_eq!(ours.services[0].attributes, theirs.services[0].attributes);
    assert_eq!(ours.services[0].node, "master");
    assert_eq!(
        ours.taken
            .iter()
            .map(|share| share.role.as_str())
            .collect::<Vec<_>>(),
        ["master", "worker"]
    );
}

#[test]
fn the_host_and_the_sdk_call_the_contracts_keywords_the_same() {
    use stampede::cluster::framework::{FIXED_KEYWORD, JAVA_KEYWORD, KEPT_SETTING_PREFIX};
    assert_eq!(
        (FIXED_KEYWORD, JAVA_KEYWORD, KEPT_SETTING_PREFIX),
        (
            stampede_plugin::settings::FIXED_KEYWORD,
            stampede_plugin::settings::JAVA_KEYWORD,
            stampede_plugin::settings::KEPT_SETTING_PREFIX
        )
    );
}
