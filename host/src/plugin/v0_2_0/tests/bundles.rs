//! What a bundle may not hold.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::{limits, read_bundle, wit};
use super::{question, read, said, text};
use crate::cluster::framework_bundle::{CheckProbe, SoftwareSource};
use crate::cluster::framework_descriptor::FrameworkDescriptor;

pub(super) type Spoil = fn(&mut wit::Bundle);

pub(super) fn file(path: &str, content: &str) -> wit::File {
    wit::File {
        components: Vec::new(),
        groups: Vec::new(),
        path: path.into(),
        owner: "root".into(),
        mode: 0o640,
        effect: wit::Effect::Restart,
        content: content.into(),
    }
}

pub(super) fn software(kind: &str, names: &[&str], to: &str) -> wit::Software {
    wit::Software {
        components: Vec::new(),
        kind: kind.into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        to: to.into(),
    }
}

pub(super) fn check(probe: &str) -> wit::Check {
    wit::Check {
        component: "server".into(),
        probe: probe.into(),
    }
}

pub(super) fn script(component: &str, stage: wit::Stage) -> wit::Script {
    wit::Script {
        component: component.into(),
        stage,
        body: "true\n".into(),
    }
}

/// One of each, of the server.
pub(super) fn bundle() -> wit::Bundle {
    wit::Bundle {
        template: r#"{"outputs": {"echo_x": {"description": "x", "value": "y"}}}"#.into(),
        software: vec![
            software("java", &["17", "21"], ""),
            software("apt", &["python3"], ""),
            software("pip", &["ray[default]==2.60.0"], "/opt/echo/python"),
        ],
        artifacts: vec![wit::Artifact {
            components: vec!["server".into()],
            path: "echo/echo-1.0.tar.gz".into(),
            bases: vec!["https://example.org/dist".into()],
            sha512: "a1".repeat(64),
            machine: "x86_64".into(),
            to: "/opt/echo/server".into(),
        }],
        secrets: vec![wit::Secret {
            name: "auth".into(),
            shared: true,
        }],
        files: vec![file(
            "/etc/echo/echo.conf",
            "@{node} @{address} @{index.server} @{java} @{secret.auth}",
        )],
        units: vec![wit::Unit {
            component: "server".into(),
            groups: Vec::new(),
            name: "echo-x-server".into(),
            owner: "echo:echo".into(),
            member_of: vec!["adm".into()],
            exec: "@{java}/bin/java -jar /opt/echo/server/echo.jar @{node}".into(),
            data: vec!["/var/lib/echo".into()],
            directives: vec![
                ("KillMode".into(), "process".into()),
                ("Environment".into(), "A=@{address}".into()),
            ],
        }],
        checks: vec![
            check("tcp://:8000"),
            check("http://:8000/health"),
            check("exec:echo it works"),
        ],
        scripts: vec![
            script("server", wit::Stage::Setup),
            script("server", wit::Stage::Smoke),
        ],
        endpoints: vec![wit::Endpoint {
            name: "echo_x".into(),
            description: "Says it again.".into(),
            component: "server".into(),
            scheme: "http".into(),
            port: 8_000,
            path: "/say".into(),
            reach: wit::Reach::Outside,
            secret: "auth".into(),
        }],
        services: vec![wit::Service {
            name: "echo".into(),
            attributes: vec![("url".into(), "http://a-1:8000".into())],
        }],
    }
}

#[test]
fn a_good_one_is_read_and_what_was_not_claimed_is_dropped() {
    let mut theirs = bundle();
    theirs.scripts.push(script("spare", wit::Stage::Setup));
    theirs.checks.push(wit::Check {
        component: "spare".into(),
        probe: "tcp://:1".into(),
    });
    theirs.files.push(wit::File {
        components: vec!["spare".into()],
        ..file("/etc/spare", "")
    });
    theirs.files.push(wit::File {
        components: vec!["spare".into(), "client".into()],
        ..file("/etc/client", "@{index.client}")
    });
    theirs.endpoints.push(wit::Endpoint {
        name: "echo_x_spare".into(),
        component: "spare".into(),
        port: 1,
        ..theirs.endpoints[0].clone()
    });
    let ours = read_bundle(&read(), &question(), theirs).unwrap();
    assert_eq!(ours.plugin, "echo-x");
    assert_eq!(
        ours.software[0].source,
        SoftwareSource::Java {
            oldest: 17,
            newest: 21
        }
    );
    let files: Vec<(&str, &[String])> = ours
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.components.as_slice()))
        .collect();
    let (all, client) = (
        ["server".to_owned(), "client".to_owned()],
        ["client".to_owned()],
    );
    assert_eq!(
        files,
        [
            ("/etc/echo/echo.conf", &all[..]),
            ("/etc/client", &client[..])
        ]
    );
    assert_eq!(
        (ours.scripts.len(), ours.checks.len(), ours.endpoints.len()),
        (2, 3, 1)
    );
    let page = CheckProbe::Http {
        tls: false,
        port: 8_000,
        path: "/health".into(),
    };
    assert_eq!(ours.checks[1].probe, page);
    assert_eq!(ours.endpoints[0].secret.as_deref(), Some("auth"));
}

#[test]
fn nothing_at_all_is_a_bundle() {
    let mut none = bundle();
    none = wit::Bundle {
        template: String::new(),
        software: Vec::new(),
        artifacts: Vec::new(),
        secrets: Vec::new(),
        files: Vec::new(),
        units: Vec::new(),
        checks: Vec::new(),
        scripts: Vec::new(),
        endpoints: Vec::new(),
        services: none.services,
    };
    assert_eq!(
        read_bundle(&read(), &question(), none).unwrap().template,
        serde_json::json!({})
    );
}

pub(super) fn assert_told(spoilt: &[(Spoil, &str)]) {
    let mut seen = BTreeSet::new();
    for (spoil, wanted) in spoilt {
        let mut one = bundle();
        spoil(&mut one);
        let told = said(read_bundle(&read(), &question(), one));
        assert!(
            told.starts_with(wanted) && (wanted.contains('\n') || !told.contains('\n')),
            "{told}\nwanted {wanted}"
        );
        assert!(seen.insert(*wanted), "{wanted}");
    }
}

const PARTS: &[(Spoil, &str)] = &[
    (
        |b| b.template = "[]".into(),
        "template: it is not a JSON object",
    ),
    (|b| b.template = "{".into(), "template: it is not JSON: EOF"),
    (
        |b| b.template = r#"{"heat_template_version": {}}"#.into(),
        "template: a template has no \"heat_template_version\"",
    ),
    (
        |b| b.template = r#"{"outputs": []}"#.into(),
        "template: \"outputs\" is not a JSON object",
    ),
    (
        |b| b.template = text(limits::TEMPLATE_BYTES + 1),
        "template: it is 524289 bytes long",
    ),
    (
        |b| b.endpoints[0].name = "echo".into(),
        "endpoints[0].name: \"echo\" is not `echo_x`, alone or with `_` and more",
    ),
    (
        |b| b.endpoints.push(b.endpoints[0].clone()),
        "endpoints[1]: \"echo_x\" is named twice",
    ),
    (
        |b| b.endpoints[0].description.clear(),
        "endpoints[0].description: it is empty",
    ),
    (
        |b| b.endpoints[0].component = "nobody".into(),
        "endpoints[0].component: the plugin has no component",
    ),
    (
        |b| b.endpoints[0].scheme = "HTTP".into(),
        "endpoints[0].scheme: \"HTTP\" is no scheme",
    ),
    (
        |b| b.endpoints[0].port = 8_001,
        "endpoints[0].port: 8001 is none that \"server\" claims",
    ),
    (
        |b| b.endpoints[0].path = "say".into(),
        "endpoints[0].path: \"say\" does not begin with /",
    ),
    (
        |b| b.endpoints[0].path = "/\" onclick".into(),
        "endpoints[0].path: \"/\\\" onclick\" does not begin with /",
    ),
    (
        |b| b.endpoints[0].secret = "other".into(),
        "endpoints[0].secret: the plugin has no secret \"other\"",
    ),
    (
        |b| b.secrets[0].shared = false,
        "endpoints[0].secret: \"auth\" is each node's own, and nobody could be shown it: share it",
    ),
    (
        |b| b.services.clear(),
        "services: \"echo\" is provided, and is not there",
    ),
    (
        |b| {
            b.services.push(wit::Service {
                name: "hdfs".into(),
                attributes: Vec::new(),
            })
        },
        "services[1]: the plugin does not provide \"hdfs\"",
    ),
    (
        |b| b.services.push(b.services[0].clone()),
        "services[1]: \"echo\" is named twice",
    ),
    (
        |b| b.services[0].attributes[0].0 = "the url".into(),
        "services[0].attributes[0]: \"the url\" is not of the form",
    ),
    (
        |b| b.services[0].attributes[0].1 = "@{secret.auth}".into(),
        "services[0].attributes[0]: `@{` stands in files and units alone",
    ),
    (
        |b| b.services[0].attributes[0].1 = text(limits::TEXT_BYTES + 1),
        "services[0].attributes[0]: it is 1025 bytes long",
    ),
];

#[test]
fn each_rule_of_templates_endpoints_and_services_is_told_with_its_place() {
    assert_told(PARTS);
}

#[test]
fn the_plugin_that_makes_all_nodes_may_have_twice_as_large_a_template() {
    let cluster = FrameworkDescriptor {
        name: "cluster".to_owned(),
        ..read()
    };
    let told = |of: &FrameworkDescriptor, template: String| {
        let answer = wit::Bundle {
            template,
            ..bundle()
        };
        said(read_bundle(of, &question(), answer))
    };
    let entries = |count: usize| {
        let all: Map<String, Value> = (0..count).map(|n| (format!("r{n}"), json!({}))).collect();
        json!({ "resources": all }).to_string()
    };
    let (is_long, is_many) = ("bytes long", "template.resources: there are");
    let bytes = 2 * limits::TEMPLATE_BYTES;
    assert!(!told(&cluster, text(bytes)).contains(is_long));
    assert!(told(&cluster, text(bytes + 1)).contains("at most 1048576 are taken"));
    assert!(told(&read(), text(bytes)).contains("at most 524288 are taken"));
    assert!(!told(&cluster, entries(2_000)).contains(is_many));
    assert!(told(&cluster, entries(2_001)).contains("there are 2001, at most 2000 are taken"));
    assert!(told(&read(), entries(2_000)).contains("there are 2000, at most 1000 are taken"));
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_what_is_too_much_alone() {
    let mut one = bundle();
    one.files[0].mode = 0o644;
    one.software[1].kind = "snap".into();
    drop(one.software.remove(0));
    one.endpoints[0].port = 1;
    let told = said(read_bundle(&read(), &question(), one));
    assert!(told.starts_with("5 things are not as it says:\n"), "{told}");
    for place in [
        "software[0].kind",
        "files[0].content",
        "files[0].mode",
        "units[0].exec",
        "endpoints[0].port",
    ] {
        assert!(told.contains(&format!("\n  {place}: ")), "{place}: {told}");
    }
    let mut many = bundle();
    many.files[0].mode = 0o644;
    many.checks = vec![check("udp"); limits::LIST + 1];
    many.scripts = vec![script("server", wit::Stage::Setup); limits::LIST + 2];
    let told = said(read_bundle(&read(), &question(), many));
    assert_eq!(
        told,
        "2 things are not as it says:\n  checks: there are 65, at most 64 are taken\n  scripts: there are 66, at most 64 are taken"
    );
}
