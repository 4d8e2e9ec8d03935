//! The Service Manager's files in templates/hurtle, read as it reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::HostProcess;

use crate::stampede;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates/hurtle")
}

fn manifest() -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join("service_manifest.json")).unwrap())
        .unwrap()
}

/// As Python's ConfigParser does: sections, names in small letters, and a `%` that would begin an
/// interpolation is a mistake.
fn config() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in fs::read_to_string(folder().join("sm.cfg"))
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
    {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name.to_owned();
            sections.entry(section.clone()).or_default();
            continue;
        }
        let (name, value) = line
            .split_once(['=', ':'])
            .unwrap_or_else(|| panic!("neither section nor option: {line}"));
        assert!(
            !line.starts_with(' ') && !value.contains('%') && !value.contains(" ;"),
            "{line}"
        );
        let options = sections.get_mut(&section).unwrap();
        assert!(
            options
                .insert(name.trim().to_lowercase(), value.trim().to_owned())
                .is_none(),
            "twice: {line}"
        );
    }
    sections
}

#[test]
fn the_configuration_has_what_the_service_manager_does_not_start_without() {
    let config = config();
    for (section, option) in [
        ("general", "log_file"),
        ("service_manager", "manifest"),
        ("service_manager", "bundle_location"),
        ("service_manager", "design_uri"),
        ("service_manager_admin", "service_token"),
        ("service_manager_admin", "service_tenant_name"),
        ("cloud_controller", "nb_api"),
        ("cloud_controller", "user"),
        ("cloud_controller", "pwd"),
    ] {
        assert!(!config[section][option].is_empty(), "[{section}] {option}");
    }
    assert_eq!(config["service_manager_admin"]["register_service"], "False");
    assert_eq!(
        config["general"]["graylog_api"].is_empty(),
        config["general"]["graylog_port"].is_empty()
    );
    for number in ["wait_time", "max_attempts"] {
        assert!(
            config["cloud_controller"][number].parse::<u32>().unwrap() > 0,
            "{number}"
        );
    }
    assert!(Path::new(&config["service_manager"]["manifest"]).ends_with("service_manifest.json"));
}

#[test]
fn the_bundle_is_the_image_that_the_build_makes() {
    let location = &config()["service_manager"]["bundle_location"];
    // It stands between quotes in a header that is taken apart at commas and `=`.
    assert!(
        !location.starts_with('/') && !location.contains(['"', ',', '=', ' ']),
        "{location}"
    );
    let built = format!("stampede:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(location.rsplit('/').next(), Some(built.as_str()));
}

#[test]
fn the_manifest_makes_a_kind_and_a_name_for_the_container() {
    let manifest = manifest();
    let (scheme, term) = manifest["service_type"]
        .as_str()
        .unwrap()
        .split_once('#')
        .unwrap();
    assert!(scheme.starts_with("http://") && !term.contains('#'));
    assert!(
        term.len() >= 4 && term.chars().take(4).all(|c| c.is_ascii_lowercase()),
        "part of a host's name: {term}"
    );
    assert!(!manifest["service_description"].as_str().unwrap().is_empty());
    let endpoint: reqwest::Url = manifest["service_endpoint"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        endpoint.port().is_some(),
        "the Service Manager listens on the endpoint's port"
    );
    assert_eq!(endpoint.path(), format!("/{term}/"));
    assert_eq!(
        manifest["depends_on"],
        serde_json::json!([]),
        "Stampede brings its whole cluster itself"
    );
}

fn attributes(manifest: &Value, meaning: &str) -> BTreeSet<String> {
    let all = manifest["service_attributes"].as_object().unwrap();
    assert!(
        all.values()
            .all(|value| ["mutable", "immutable"].contains(&value.as_str().unwrap()))
    );
    all.iter()
        .filter(|(_, value)| *value == meaning)
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn clients_may_give_what_the_host_takes() {
    let out = stampede(&["plugins"]);
    let text = String::from_utf8(out.stdout).unwrap();
    let taken: BTreeSet<String> = text
        .lines()
        .filter_map(|line| Some(format!("stampede.{}", line.split_whitespace().next()?)))
        .collect();
    let given = attributes(&manifest(), "mutable");
    assert!(
        given.contains("stampede.workers") && given.is_subset(&taken),
        "{:?}",
        given.difference(&taken)
    );
}

#[tokio::test]
async fn clients_are_shown_what_the_manifest_says() {
    let (data, cloud) = (
        tempfile::tempdir().unwrap(),
        FakeOpenStack::start(FakeConfig::default()).await.unwrap(),
    );
    let host = HostProcess::start(data.path(), &cloud.url(), &[])
        .await
        .unwrap();
    let client = OcciClient::new(&host.url, &cloud.issue_token("demo"), "demo").unwrap();
    client.create("default", &[]).await.unwrap();
    cloud.finish();
    let mut shown = BTreeSet::new();
    stampede_tests::wait_until(20, "the cluster is complete", async || {
        let seen = client.fetch_cluster("default").await?.unwrap_or_default();
        shown = seen.attributes.keys().cloned().collect();
        Ok(seen.state() == "CREATE_COMPLETE")
    })
    .await
    .unwrap();
    // This one only where something failed.
    shown.insert("stampede.failure".to_owned());
    let said = attributes(&manifest(), "immutable");
    assert!(
        said.contains("stampede.state") && said.is_subset(&shown),
        "{:?}",
        said.difference(&shown)
    );
}
