//! Tests of [`super`] on plugins that stand for real ones.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    bundle::{PluginFile, test_cluster},
    cluster::{
        Flavor,
        attribute_names::AttributeNames,
        attributes,
        defaults::OperatorDefaults,
        framework::{FrameworkEndpoint, NodeResources, NodeRole, PortAudience, RoleCardinality},
    },
};

/// A plugin that answers with its settings in a file.
struct Fake {
    descriptor: PluginDescriptor,
    taken: Vec<ResourceClaim>,
}

struct Fakes(Vec<Fake>);

impl PluginSource for Fakes {
    fn descriptors(&self) -> Vec<&PluginDescriptor> {
        self.0.iter().map(|fake| &fake.descriptor).collect()
    }

    fn generate<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a PluginRequest,
    ) -> BoxFuture<'a, Result<PluginBundle, PlanError>> {
        let fake = self
            .0
            .iter()
            .find(|fake| fake.descriptor.name == plugin)
            .unwrap();
        Box::pin(async move { Ok(fake.part(request)) })
    }
}

impl Fake {
    fn part(&self, request: &PluginRequest) -> PluginBundle {
        let name = &self.descriptor.name;
        let mut part = PluginBundle {
            plugin: name.clone(),
            template: json!({}),
            files: vec![],
            scripts: vec![],
            endpoints: vec![],
            services: vec![],
            taken: self.taken.clone(),
        };
        for service in &self.descriptor.provides {
            let attributes = vec![(
                "seen".to_owned(),
                request
                    .services
                    .iter()
                    .map(|s| s.name.as_str())
                    .collect::<Vec<_>>()
                    .join(","),
            )];
            part.services.push(ProvidedService {
                name: service.clone(),
                plugin: name.clone(),
                node: "master".to_owned(),
                attributes,
            });
        }
        if name == "cluster" {
            part.template = test_cluster::nodes_template(request);
            return part;
        }
        let text = request
            .settings
            .get("text")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let roles = vec!["master".to_owned(), "worker".to_owned()];
        part.files.push(PluginFile {
            roles,
            path: format!("/etc/{name}.conf"),
            mode: 0o644,
            content: text.to_owned(),
        });
        let output = format!("{}_text", name.replace('-', "_"));
        part.template = json!({"outputs": {output: {"value": [text, {"data": {text: text}}]}}});
        part.endpoints.push(FrameworkEndpoint {
            name: format!("{}_web", name.replace('-', "_")),
            description: String::new(),
            role: "master".to_owned(),
            scheme: "http".to_owned(),
            port: 80,
            path: "/".to_owned(),
            audience: PortAudience::Admin,
        });
        part
    }
}

fn fake(name: &str, requires: &[&str], provides: &[&str]) -> Fake {
    let texts = |all: &[&str]| {
        all.iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let role = |name: &str, ram_mib| NodeRole {
        name: name.to_owned(),
        cardinality: RoleCardinality::OneOrMore,
        smallest: NodeResources {
            vcpus: 1,
            ram_mib,
            disk_gib: 10,
        },
    };
    let parameters = json!({"type": "object", "additionalProperties": false, "properties": {
        "replication": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3, "description": "Copies of each block."},
        "ratio": {"type": "number", "description": "A share"}, "on": {"type": "boolean", "description": "Or off"},
        "text": {"type": "string", "description": "Any"}, "site": {"type": "object", "additionalProperties": {"type": "string"}, "description": "More"},
        "list": {"type": "array", "items": {"type": "integer"}, "description": "Numbers"}, "size": {"type": ["integer", "null"], "description": "Or none"},
    }});
    let descriptor = PluginDescriptor {
        name: name.to_owned(),
        title: format!("The {name}"),
        description: String::new(),
        versions: texts(&["2", "1"]),
        default_version: "2".to_owned(),
        requires: texts(requires),
        provides: texts(provides),
        roles: vec![role("master", 2048), role("worker", 1024)],
        parameters: parameters.into(),
        ports: vec![],
        resource_types: texts(&test_cluster::NODE_TYPES),
    };
    Fake {
        descriptor,
        taken: vec![],
    }
}

fn share(plugin: &str, role: &str, memory_mib: u32, ports: &[u16]) -> ResourceClaim {
    ResourceClaim {
        role: role.to_owned(),
        plugin: plugin.to_owned(),
        memory_mib,
        ports: ports.to_vec(),
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

fn chosen() -> ResolvedFlavors {
    let flavors = vec![flavor("small", 2048), flavor("large", 4096)];
    ResolvedFlavors {
        groups: BTreeMap::from([
            ("master".to_owned(), flavor("large", 4096)),
            ("worker".to_owned(), flavor("small", 2048)),
        ]),
        flavors,
        signal_transport: "CFN_SIGNAL".to_owned(),
        access: crate::cluster::CloudAccess::default(),
    }
}

fn with_master(flavor: Flavor) -> ResolvedFlavors {
    let mut chosen = chosen();
    chosen.groups.insert("master".to_owned(), flavor);
    chosen
}

fn fakes() -> Fakes {
    Fakes(vec![
        fake("cluster", &[], &["cluster"]),
        fake("hadoop", &["cluster"], &["hdfs", "yarn"]),
        fake("spark", &["cluster"], &["spark"]),
        fake("hive", &["hdfs", "spark"], &["hive"]),
    ])
}

fn spec(plugins: &Fakes, given: &[(&str, &str)]) -> ClusterSpec {
    let given: Vec<(String, String)> = given
        .iter()
        .map(|(n, v)| (format!("stampede.{n}"), (*v).to_owned()))
        .collect();
    attributes::parse(
        "demo",
        &given,
        &OperatorDefaults::default(),
        &AttributeNames::from_descriptors(plugins.descriptors()),
    )
    .unwrap()
}

async fn order_and_plan(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    plugins: &Fakes,
) -> Result<ClusterPlan, PlanError> {
    let there = plugins.descriptors();
    let chain =
        plugin_chain::order_plugins(&spec.frameworks, &there).map_err(PlanError::Problems)?;
    plan_cluster(spec, chosen, &chain, plugins).await
}

fn planned(
    plugins: &Fakes,
    chosen: &ResolvedFlavors,
    given: &[(&str, &str)],
) -> Result<ClusterPlan, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(order_and_plan(&spec(plugins, given), chosen, plugins))
        .map_err(|error| error.to_string())
}

fn refusal(given: &[(&str, &str)]) -> String {
    planned(&fakes(), &chosen(), given).unwrap_err()
}

#[test]
fn the_chain_follows_requirements_whatever_the_order_asked_for() {
    for asked in [
        "hive,hadoop,spark",
        "hadoop,hive,spark",
        "hadoop,spark,hive",
    ] {
        let made = planned(&fakes(), &chosen(), &[("framework", asked)]).unwrap();
        let names: Vec<&str> = made
            .bundle
            .parts
            .iter()
            .map(|part| part.plugin.as_str())
            .collect();
        assert_eq!(names, ["cluster", "hadoop", "spark", "hive"], "{asked}");
        let seen: Vec<&str> = made
            .bundle
            .parts
            .iter()
            .map(|part| part.services[0].attributes[0].1.as_str())
            .collect();
        assert_eq!(
            seen,
            [
                "",
                "cluster",
                "cluster,hdfs,yarn",
                "cluster,hdfs,yarn,spark"
            ]
        );
    }
    assert_eq!(
        planned(&fakes(), &chosen(), &[("framework", "cluster")])
            .unwrap()
            .bundle
            .parts
            .len(),
        1
    );
}

#[test]
fn missing_circular_and_double_requirements_name_both() {
    assert_eq!(
        refusal(&[("framework", "hive")]),
        "framework: `hive` requires `hdfs`, which nothing asked for provides (ask for `hadoop` too)\n\
         framework: `hive` requires `spark`, which nothing asked for provides (ask for `spark` too)"
    );
    let with = |more: Vec<Fake>, asked: &str| {
        let mut all = fakes();
        all.0.extend(more);
        planned(&all, &chosen(), &[("framework", asked)]).unwrap_err()
    };
    let circle = with(
        vec![fake("a", &["y"], &["x"]), fake("b", &["x"], &["y"])],
        "a,b",
    );
    assert_eq!(
        circle,
        "framework: none can come first: `a` requires `y` of `b`, `b` requires `x` of `a` (leave one of them out, or have their plugins mended)"
    );
    let double = with(vec![fake("ozone", &["cluster"], &["hdfs"])], "hadoop,ozone");
    assert_eq!(
        double,
        "framework: `hadoop` and `ozone` both provide `hdfs` (ask for one of them)"
    );
    let alone = with(vec![fake("self", &["z"], &["z"])], "self");
    assert!(
        alone.contains("`self` requires `z`, which nothing asked for provides"),
        "{alone}"
    );
}

#[test]
fn settings_are_typed_by_the_schema_and_defaults_filled_in() {
    let given = [
        ("hadoop.ratio", "0.5"),
        ("hadoop.on", "true"),
        ("hadoop.text", "1"),
        ("hadoop.site", r#"{"a": "b"}"#),
        ("hadoop.list", "[1, 2]"),
        ("hadoop.size", ""),
        ("framework", "hadoop"),
        ("hadoop.version", "1"),
    ];
    let made = planned(&fakes(), &chosen(), &given).unwrap();
    let wanted = json!({"replication": 3, "ratio": 0.5, "on": true, "text": "1", "site": {"a": "b"}, "list": [1, 2], "size": null});
    assert_eq!(Value::Object(made.requests[1].settings.clone()), wanted);
    assert_eq!(
        (
            made.requests[1].version.as_str(),
            made.requests[0].settings["replication"].as_i64()
        ),
        ("1", Some(3))
    );
}

#[test]
fn settings_that_the_schema_refuses_are_all_told_with_their_description() {
    let given = [
        ("hadoop.replication", "11"),
        ("hadoop.ratio", "half"),
        ("hadoop.on", "yes"),
        ("hadoop.site", r#"{"a": 1}"#),
        ("hadoop.list", "1,2"),
        ("hadoop.size", "1e3"),
    ];
    let told = refusal(&given);
    let wanted = "hadoop.ratio: must be a number, got `half` (A share)\n\
        hadoop.on: must be true or false, got `yes` (Or off)\n\
        hadoop.list: must be a JSON list, got `1,2` (Numbers)\n\
        hadoop.size: must be a whole number or empty, got `1e3` (Or none)\n\
        hadoop.replication: 11 is greater than the maximum of 10 (Copies of each block)\n\
        hadoop.site.a: 1 is not of type \"string\" (More)";
    assert_eq!(told, wanted);
    let mut spec = spec(&fakes(), &[]);
    spec.settings.insert(
        "hadoop".to_owned(),
        BTreeMap::from([("replicaton".to_owned(), "1".to_owned())]),
    );
    let fakes = fakes();
    let problems = prepare(&spec, &chosen(), &fakes.descriptors()[..2]).unwrap_err();
    assert_eq!(
        lines(&problems),
        "hadoop.replicaton: hadoop has no such parameter (did you mean `hadoop.replication`?)"
    );
}

#[test]
fn a_flavor_that_is_too_small_is_refused_with_one_that_fits() {
    let small = with_master(flavor("small", 2047));
    let told = planned(&fakes(), &small, &[]).unwrap_err();
    let wanted = "master.flavor: `small` has 2047 MiB of memory, 2 vCPUs and 20 GiB of disk; a master needs 2048 MiB, 1 vCPUs and 10 GiB \
        (the smallest that fits is `small`)";
    assert_eq!(told, wanted);
    assert!(planned(&fakes(), &with_master(flavor("small", 2048)), &[]).is_ok());
}

#[test]
fn a_flavor_that_boots_from_a_volume_fits_whatever_the_disk() {
    let with_volume = |ram_mib| {
        with_master(Flavor {
            disk_gib: 0,
            ..flavor("volume", ram_mib)
        })
    };
    assert!(planned(&fakes(), &with_volume(2048), &[]).is_ok());
    let told = planned(&fakes(), &with_volume(2047), &[]).unwrap_err();
    let wanted = "master.flavor: `volume` has 2047 MiB of memory, 2 vCPUs and 0 GiB of disk; a \
        master needs 2048 MiB, 1 vCPUs and 10 GiB (the smallest that fits is `small`)";
    assert_eq!(told, wanted);
}

#[test]
fn ports_and_memory_that_two_take_are_told_by_both_names() {
    let with = |hadoop: ResourceClaim, spark: ResourceClaim| {
        let mut all = fakes();
        all.0[1].taken = vec![hadoop];
        all.0[2].taken = vec![spark];
        planned(&all, &chosen(), &[("framework", "hadoop,spark")])
    };
    let port = with(
        share("hadoop", "worker", 0, &[1, 8081]),
        share("spark", "worker", 0, &[8081]),
    )
    .unwrap_err();
    assert_eq!(
        port,
        "framework: `hadoop` and `spark` both listen on port 8081 of each worker (ask for one of them, or give one another port by its parameters)"
    );
    let memory = with(
        share("hadoop", "worker", 1024, &[]),
        share("spark", "worker", 1025, &[]),
    )
    .unwrap_err();
    assert_eq!(
        memory,
        "worker.flavor: `hadoop` 1024 MiB and `spark` 1025 MiB together take more than 2048 MiB, all that `small` has (the smallest that fits is `large`)"
    );
    assert!(
        with(
            share("hadoop", "worker", 1024, &[8081]),
            share("spark", "worker", 1024, &[8080])
        )
        .is_ok()
    );
    assert!(
        with(
            share("hadoop", "worker", 0, &[8080]),
            share("spark", "master", 0, &[8080])
        )
        .is_ok()
    );
}

#[test]
fn nodes_have_addresses_by_their_ids_and_the_largest_cluster_is_planned() {
    let made = planned(&fakes(), &chosen(), &[("workers", "250")]).unwrap();
    let workers = &made.requests[0].groups[1].nodes;
    assert_eq!(
        (workers[0].name.as_str(), workers[0].address.as_str()),
        ("worker-1", "10.77.0.11")
    );
    assert_eq!(
        (workers[249].name.as_str(), workers[249].address.as_str()),
        ("worker-250", "10.77.1.4")
    );
    assert_eq!(made.requests[0].groups[0].nodes[0].address, "10.77.0.10");
    let external = |given: &[(&str, &str)]| {
        planned(&fakes(), &chosen(), given).unwrap().requests[0]
            .network
            .external
            .clone()
    };
    assert_eq!(
        external(&[("network.external", "public")]).as_deref(),
        Some("public")
    );
    assert_eq!(external(&[("network.external", "none")]), None);
}

#[path = "tests_independence.rs"]
mod independence;
