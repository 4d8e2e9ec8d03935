//! What is told of plugins, that every field arrives as it left, and that the same question gives
//! the same answer.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use stampede::cluster::component::{ComponentMember, ComponentPlacement};
use stampede::cluster::framework_bundle::{
    CheckProbe, ComponentStage, EndpointReach, FileEffect, FrameworkBundle, SoftwareSource,
};
use stampede::cluster::framework_request::{
    ComponentGrant, ConfigExtension, FrameworkRequest, FrameworkService, GenerateQuestion,
};
use stampede::plugin::{CompiledSources, GenerateError, LoadedFramework, PluginRegistry};
use stampede_tests::artifacts;

use super::{LIMITS, folder, load};

/// A cluster of one master and two workers, with all that a request can hold.
pub(super) fn request(settings: Value) -> FrameworkRequest {
    let placement = |component: &str, nodes: &[&str]| ComponentPlacement {
        component: component.to_owned(),
        members: (1..)
            .zip(nodes)
            .map(|(index, node)| ComponentMember {
                node: (*node).to_owned(),
                index,
            })
            .collect(),
    };
    let Value::Object(settings) = settings else {
        panic!("settings are an object")
    };
    FrameworkRequest {
        cluster: "demo".into(),
        version: "2.0".into(),
        settings,
        placements: vec![
            placement("node", &["master", "worker-1", "worker-2"]),
            placement("echo_server", &["worker-1"]),
            placement("echo_client", &["master", "worker-1", "worker-2"]),
            placement("wicked_0", &["worker-1"]),
        ],
        services: vec![FrameworkService {
            name: "yarn".into(),
            attributes: vec![
                ("web".into(), "http://master:8088".into()),
                ("a".into(), String::new()),
            ],
        }],
    }
}

/// What the host asks of a plugin that has claimed this.
pub(super) async fn question(
    plugin: &LoadedFramework,
    asked: FrameworkRequest,
) -> Arc<GenerateQuestion> {
    let claims = plugin.claim(&asked, None).await.unwrap();
    let group = |node: &str, group: &str| (node.to_owned(), group.to_owned());
    let grant = |component: &str, group: &str, memory_mib: u32| ComponentGrant {
        component: component.to_owned(),
        group: group.to_owned(),
        vcpus: 4,
        memory_mib,
        disk_gib: 40,
        volume_gib: if group == "worker" { 100 } else { 0 },
    };
    Arc::new(GenerateQuestion {
        request: asked,
        grants: vec![
            grant("echo_server", "worker", 640),
            grant("echo_client", "master", 0),
        ],
        extensions: vec![ConfigExtension {
            service: "echo".into(),
            key: "a key".into(),
            value: "a value".into(),
        }],
        needs: claims.needs,
        node_groups: BTreeMap::from([
            group("master", "master"),
            group("worker-1", "worker"),
            group("worker-2", "worker"),
        ]),
    })
}

fn echo() -> PluginRegistry {
    load(folder(&["echo"]).path())
}

async fn added(registry: &PluginRegistry, text: &str) -> FrameworkBundle {
    let plugin = registry.framework("echo").unwrap();
    let asked = question(plugin, request(json!({"text": text, "heap_mib": 256}))).await;
    plugin.generate(&asked).await.unwrap()
}

#[tokio::test]
async fn a_descriptor_arrives_as_it_left_and_from_the_cache_as_well() {
    let (plugins, cache) = (folder(&["echo"]), tempfile::tempdir().unwrap());
    let program = artifacts::stampede_binary().unwrap();
    for compiler in [None, Some(program.as_path())] {
        let compiled = CompiledSources {
            cache: Some(cache.path()),
            compiler,
            shipped: None,
        };
        let registry = PluginRegistry::load_compiled(plugins.path(), compiled, LIMITS).unwrap();
        let echo = registry.framework("echo").unwrap().descriptor();
        assert_eq!(
            (echo.title.as_str(), echo.description.as_str()),
            ("Echo", "Says again whatever it was asked.")
        );
        assert_eq!(
            (&echo.versions[..], &echo.uses[..], &echo.provides[..]),
            (
                &["2.0".to_owned(), "1.0".to_owned()][..],
                &["yarn".to_owned()][..],
                &["echo".to_owned()][..]
            )
        );
        let server = &echo.components[0];
        assert_eq!(
            (server.name.as_str(), server.nodes, server.most, server.odd),
            ("echo_server", 3, 5, true)
        );
        assert_eq!(
            (
                server.groups.as_slice(),
                echo.components[1].groups.as_slice()
            ),
            (
                &["master".to_owned(), "worker".to_owned()][..],
                &["*".to_owned()][..]
            )
        );
        let copies = echo.parameter("copies").unwrap();
        assert_eq!(
            (&copies["x-level"], &copies["x-fixed"]),
            (&json!("basic"), &json!(true))
        );
        // The second time, what a process of the program compiles and says.
        std::fs::remove_dir_all(cache.path()).unwrap();
    }
}

#[tokio::test]
async fn what_is_asked_of_claim_arrives_as_it_left_and_so_do_the_claims() {
    let registry = echo();
    let plugin = registry.framework("echo").unwrap();
    let asked = request(json!({"text": "hello", "heap_mib": 256}));
    let mut running = asked.clone();
    running.version = "1.0".into();
    running.placements[1].members[0].index = 7;
    let claims = plugin.claim(&asked, Some(&running)).await.unwrap();
    let server = &claims.needs[0];
    assert_eq!(
        (
            server.component.as_str(),
            server.least_mib,
            server.most_mib,
            server.weight
        ),
        ("echo_server", 384, 1_024, 3)
    );
    assert_eq!(
        (server.disk_gib, server.ports.as_slice()),
        (2, &[7_007, 7_008][..])
    );
    assert_eq!(claims.computed, [("copies".to_owned(), "1".to_owned())]);
    assert_eq!(
        (
            claims.extensions[0].service.as_str(),
            claims.extensions[0].key.as_str()
        ),
        ("yarn", "echo/asked")
    );
    let arrived: Value = serde_json::from_str(&claims.extensions[0].value).unwrap();
    assert_eq!(
        arrived,
        json!({"request": as_told(&asked), "running": as_told(&running)})
    );
    let alone = plugin.claim(&asked, None).await.unwrap();
    let arrived: Value = serde_json::from_str(&alone.extensions[0].value).unwrap();
    assert_eq!(arrived["running"], Value::Null);
}

/// The host's own type, field by field, is what a guest must see; settings as a text.
fn as_told(request: &FrameworkRequest) -> Value {
    let mut told = serde_json::to_value(request).unwrap();
    told["settings"] = Value::Object(request.settings.clone()).to_string().into();
    told
}

#[tokio::test]
async fn what_is_asked_of_generate_arrives_as_it_left_and_so_does_the_bundle() {
    let registry = echo();
    let plugin = registry.framework("echo").unwrap();
    let asked = question(plugin, request(json!({"text": "hello", "heap_mib": 256}))).await;
    let bundle = plugin.generate(&asked).await.unwrap();
    let arrived: Value = serde_json::from_str(&bundle.files[0].content).unwrap();
    assert_eq!(
        arrived,
        json!({
            "request": as_told(&asked.request),
            "grants": serde_json::to_value(&asked.grants).unwrap(),
            "extensions": serde_json::to_value(&asked.extensions).unwrap(),
        })
    );
    assert_fetched(&bundle);
    assert_run(&bundle);
}

/// What is fetched for it, and what is secret.
fn assert_fetched(bundle: &FrameworkBundle) {
    assert_eq!(
        bundle.template["outputs"]["echo_first"]["value"],
        "worker-1"
    );
    let sources: Vec<&SoftwareSource> = bundle.software.iter().map(|one| &one.source).collect();
    assert_eq!(
        *sources[0],
        SoftwareSource::Java {
            oldest: 17,
            newest: 21
        }
    );
    assert_eq!(
        *sources[1],
        SoftwareSource::Apt {
            packages: vec!["netcat-openbsd".into()]
        }
    );
    assert_eq!(
        *sources[2],
        SoftwareSource::Pip {
            to: "/opt/echo-python".into(),
            lines: vec!["rich==14.0.0".into()]
        }
    );
    assert_eq!(
        (
            &bundle.software[0].components[..],
            &bundle.software[1].components[..]
        ),
        (
            &["echo_server".to_owned(), "echo_client".to_owned()][..],
            &["echo_client".to_owned()][..]
        )
    );
    let artifact = &bundle.artifacts[0];
    assert_eq!(
        (
            artifact.path.as_str(),
            artifact.machine.as_str(),
            artifact.to.as_str()
        ),
        ("echo/echo-2.0.tar.gz", "x86_64", "/opt/echo")
    );
    assert_eq!((artifact.bases.len(), artifact.sha512.len()), (2, 128));
    assert_eq!(
        (bundle.secrets[0].name.as_str(), bundle.secrets[0].shared),
        ("token", true)
    );
    let effects: Vec<FileEffect> = bundle.files.iter().map(|file| file.effect).collect();
    assert_eq!(
        effects,
        [FileEffect::Nothing, FileEffect::Reload, FileEffect::Restart]
    );
}

/// Files, units and what else runs.
fn assert_run(bundle: &FrameworkBundle) {
    let token = &bundle.files[2];
    assert_eq!(
        (token.owner.as_str(), token.mode, &token.groups[..]),
        ("root:echo", 0o440, &["worker".to_owned()][..])
    );
    // The page was not claimed, and with it its unit is dropped.
    let [unit] = &bundle.units[..] else {
        panic!("{:?}", bundle.units)
    };
    assert_eq!(
        unit.exec,
        "@{java}/bin/java -Xmx512m -jar /opt/echo/echo.jar"
    );
    assert_eq!(unit.member_of, ["adm"]);
    assert_eq!(
        (&unit.data[..], &unit.directives[..]),
        (
            &["/var/lib/echo".to_owned()][..],
            &[("KillMode".to_owned(), "process".to_owned())][..]
        )
    );
    let probes: Vec<&CheckProbe> = bundle.checks.iter().map(|check| &check.probe).collect();
    assert_eq!(*probes[0], CheckProbe::Tcp { port: 7_007 });
    assert_eq!(
        *probes[1],
        CheckProbe::Http {
            tls: true,
            port: 7_007,
            path: "/health?full=1".into()
        }
    );
    assert_eq!(
        *probes[2],
        CheckProbe::Exec {
            command: "echo hello".into()
        }
    );
    let stages: Vec<ComponentStage> = bundle.scripts.iter().map(|script| script.stage).collect();
    use ComponentStage::{Drain, Members, Ready, Setup, Smoke};
    assert_eq!(stages, [Setup, Ready, Smoke, Drain, Members]);
    let reach: Vec<(EndpointReach, Option<&str>)> = bundle
        .endpoints
        .iter()
        .map(|one| (one.reach, one.secret.as_deref()))
        .collect();
    assert_eq!(
        reach,
        [
            (EndpointReach::Outside, Some("token")),
            (EndpointReach::Cluster, None)
        ]
    );
    assert_eq!(
        bundle.services[0].attributes,
        [("url".to_owned(), "http://worker-1:7007".to_owned())]
    );
}

#[tokio::test]
async fn the_same_question_gives_the_same_bytes_in_every_call_and_every_engine() {
    let (one, other) = (echo(), echo());
    let first = serde_json::to_string(&added(&one, "hello").await).unwrap();
    assert_eq!(
        serde_json::to_string(&added(&one, "hello").await).unwrap(),
        first
    );
    assert_eq!(
        serde_json::to_string(&added(&other, "hello").await).unwrap(),
        first
    );
    assert_ne!(
        serde_json::to_string(&added(&other, "bye").await).unwrap(),
        first
    );
}

#[tokio::test]
async fn a_refusal_is_the_users_to_mend() {
    let registry = echo();
    let mut asked = request(json!({}));
    asked.placements.clear();
    let refused = registry
        .framework("echo")
        .unwrap()
        .claim(&asked, None)
        .await;
    let Err(GenerateError::Problems(problems)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        problems[0].to_string(),
        "framework: echo has no server (give it a node)"
    );
}

#[tokio::test]
async fn a_setting_that_nodes_would_replace_reaches_no_plugin() {
    let registry = echo();
    let plugin = registry.framework("echo").unwrap();
    let bad = request(json!({"text": "my @{secret.token}", "heap_mib": 256}));
    let refused = plugin.claim(&bad, None).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "echo.text: holds `@{`, which nodes take for something of their own (write it in another way)"
    );
    let mut asked = (*question(plugin, request(json!({"text": "@ {x}"}))).await).clone();
    asked.request = bad;
    assert_eq!(
        plugin
            .generate(&Arc::new(asked))
            .await
            .unwrap_err()
            .to_string(),
        refused
    );
}

#[test]
fn a_descriptor_that_breaks_the_contract_is_told_in_full_and_the_others_work() {
    let registry = load(folder(&["echo", "braggart", "impostor"]).path());
    assert!(registry.framework("echo").is_some());
    let reasons: Vec<String> = registry
        .disabled()
        .iter()
        .map(|one| one.reason.to_string())
        .collect();
    let [braggart, impostor] = &reasons[..] else {
        panic!("{reasons:?}")
    };
    assert!(braggart.starts_with("cannot describe itself: plugin `braggart` broke the contract: 10 things are not as it says:"), "{braggart}");
    for said in [
        "\n  description: \"\\u{1b}[2JThe greatest of all.\" holds control characters",
        "\n  versions[1]: \"1.0\" is named twice",
        "\n  provides[0]: \"glory\" stands in requires too",
        "\n  components[1]: \"throne\" is named twice",
        "\n  components[0].groups: `*` stands alone",
        "\n  components[0].nodes: 2 is even, and it votes",
        "\n  components[1].groups: there is none",
        "\n  parameters.version: that name is the host's own",
        "\n  parameters.size: this host does not know the keyword \"x-secret\"",
        "\n  parameters.size: its default is refused by its own schema",
    ] {
        assert!(braggart.contains(said), "{said:?} is not in {braggart}");
    }
    assert!(impostor.starts_with("cannot be linked: "), "{impostor}");
}

#[test]
fn the_program_lists_plugins() {
    let dir = folder(&["echo", "evil"]);
    let list = |format: &[&str]| {
        let output = Command::new(artifacts::stampede_binary().unwrap())
            .args(["plugins", "--plugins"])
            .arg(dir.path())
            .arg("--cache")
            .arg(dir.path().join("cache"))
            .args(format)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let text = list(&[]);
    let row = text
        .lines()
        .find(|line| line.starts_with("echo "))
        .unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("0.2.0") && row.contains("2.0, 1.0"), "{row}");
    for said in [
        "Does what it should not.",
        "echo.copies ",
        "echo.memory_share ",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let document: Value = serde_json::from_str(&list(&["-f", "json"])).unwrap();
    let plugins = [&document["plugins"][0], &document["plugins"][1]];
    assert_eq!(plugins.map(|one| &one["name"]), ["echo", "evil"]);
    assert_eq!(plugins.map(|one| &one["contract"]), ["0.2.0", "0.2.0"]);
    assert_eq!(plugins[0]["components"][0], "echo_server");
}
