//! `-f json`: one document on standard output, whatever becomes of the command.

use stampede_tests::fake_openstack::CreateFails;

use super::{DEPLOY, Terminal};

/// The fields of a cluster that every command has.
const FIELDS: [&str; 23] = [
    "name",
    "id",
    "state",
    "failure",
    "change",
    "time_left",
    "upgrade",
    "frameworks",
    "workers",
    "created_at",
    "age_s",
    "expires",
    "end_notice",
    "idle",
    "region",
    "stack_id",
    "stack_status",
    "stack_status_reason",
    "cloud_error",
    "attributes",
    "endpoints",
    "endpoint_access",
    "health",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_one_document_with_the_documented_fields() {
    let terminal = Terminal::new().await;
    let deployed = terminal.json(&[&DEPLOY[..], &["--wait"]].concat()).await;
    assert_eq!(deployed["outcome"], "active");
    let listed = terminal.json(&["list"]).await;
    let shown = terminal.json(&["show", "demo"]).await;
    let manual = include_str!("../../host/docs/operating.md");
    for cluster in [&deployed["cluster"], &listed[0], &shown] {
        for field in FIELDS {
            assert!(cluster.get(field).is_some(), "{field}: {cluster}");
            assert!(manual.contains(&format!("`{field}`")), "{field}");
        }
        assert_eq!(cluster["frameworks"], serde_json::json!(["hadoop"]));
        assert_eq!(cluster["workers"], 1);
        assert_eq!(cluster["state"], "active");
    }
    assert!(shown["progress"][0]["node"].is_string(), "{shown}");
    let preview = terminal
        .json(&["update", "demo", "--workers", "2", "--dry-run"])
        .await;
    assert_eq!(preview["added"], serde_json::json!(["worker-2"]));
    let updated = terminal.json(&["update", "demo", "--workers", "2"]).await;
    assert_eq!(updated["outcome"], "active");
    assert_eq!(updated["cluster"]["workers"], 2);
    let updated = terminal.json(&["update", "demo", "--workers", "2"]).await;
    assert_eq!(updated["outcome"], "unchanged");
    let deleted = terminal.json(&["delete", "demo", "--wait"]).await;
    assert_eq!(deleted["outcome"], "deleted");
    let absent = terminal.json(&["delete", "demo", "--if-exists"]).await;
    assert_eq!(absent["outcome"], "absent");
    let plugins = terminal.json(&["plugins"]).await;
    assert!(plugins["plugins"].as_array().unwrap().len() >= 2);
    let ranges = |name: &str| {
        let mut attributes = plugins["attributes"].as_array().unwrap().iter();
        let found = attributes.find(|attribute| attribute["name"] == name);
        found.unwrap_or_else(|| panic!("{name}"))["range"].clone()
    };
    for (name, range) in [
        ("workers", "1 to 250"),
        ("<group>.count", "1 to 250"),
        ("<group>.remove", "names of nodes of <group>, in an update"),
        ("<group>.flavor", "up to 255 characters"),
        ("<group>.image", "up to 255 characters"),
        ("<group>.availability_zone", "up to 255 characters"),
        ("<group>.root_volume_gib", "0 to 16384"),
        ("worker.root_volume_gib", "0 to 16384"),
    ] {
        assert_eq!(ranges(name), range, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_a_document_too_and_an_error_is_none() {
    let terminal = Terminal::new().await;
    terminal.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".to_owned(),
        text: "hadoop setup line 42: curl: 404".to_owned(),
    });
    let ended = terminal
        .run(&[&DEPLOY[..], &["--wait", "--output", "json"]].concat())
        .await;
    assert_eq!(ended.code, Some(6), "{ended:?}");
    let document: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document["outcome"], "failed");
    assert!(document["message"].as_str().unwrap().contains("line 42"));
    let ended = terminal.run(&["show", "other", "-f", "json"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""));
}
