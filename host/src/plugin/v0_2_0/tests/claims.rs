//! What claims may not say.

use serde_json::{Map, Value, json};

use super::super::{limits, read_claims, wit};
use super::{read, said, text};

type Spoil = fn(&mut wit::Claims);

fn need(component: &str) -> wit::Need {
    wit::Need {
        component: component.into(),
        least_mib: 128,
        most_mib: 1_024,
        weight: 1,
        disk_gib: 2,
        ports: vec![8_000, 8_001],
    }
}

fn extension(key: &str) -> wit::Extension {
    wit::Extension {
        service: "yarn".into(),
        key: key.into(),
        value: "spark_shuffle".into(),
    }
}

fn claims() -> wit::Claims {
    wit::Claims {
        needs: vec![need("server"), need("client")],
        extensions: vec![extension("yarn-site/aux-services"), extension("other")],
        computed: vec![("copies".into(), "3".into())],
    }
}

fn settings() -> Map<String, Value> {
    json!({"motto": "hi"}).as_object().unwrap().clone()
}

#[test]
fn good_ones_are_read_field_by_field() {
    let ours = read_claims(&read(), &settings(), claims()).unwrap();
    let server = &ours.needs[0];
    assert_eq!(
        (server.component.as_str(), server.least_mib, server.most_mib),
        ("server", 128, 1_024)
    );
    assert_eq!(
        (server.weight, server.disk_gib, server.ports.as_slice()),
        (1, 2, &[8_000, 8_001][..])
    );
    assert_eq!(
        (
            ours.extensions[0].service.as_str(),
            ours.extensions[0].value.as_str()
        ),
        ("yarn", "spark_shuffle")
    );
    assert_eq!(ours.computed, [("copies".to_owned(), "3".to_owned())]);
}

const SPOILT: &[(Spoil, &str)] = &[
    (
        |c| c.needs[1].component = "nobody".into(),
        "needs[1].component: the plugin has no component \"nobody\"",
    ),
    (
        |c| c.needs[1].component = "server".into(),
        "needs[1].component: \"server\" is claimed twice",
    ),
    (
        |c| c.needs[0].least_mib = 1_025,
        "needs[0].most-mib: 1024 is less than its least, 1025",
    ),
    (
        |c| (c.needs[0].least_mib, c.needs[0].most_mib) = (limits::AMOUNT + 1, 0),
        "needs[0].least-mib: 16777217 is more than 16777216",
    ),
    (
        |c| c.needs[0].most_mib = u32::MAX,
        "needs[0].most-mib: 4294967295 is more than",
    ),
    (
        |c| c.needs[0].disk_gib = u32::MAX,
        "needs[0].disk-gib: 4294967295 is more than",
    ),
    (
        |c| c.needs[0].weight = limits::WEIGHT + 1,
        "needs[0].weight: 1001 is more than 1000",
    ),
    (
        |c| c.needs[0].ports[1] = 0,
        "needs[0].ports[1]: 0 is no port",
    ),
    (
        |c| c.needs[0].ports[1] = 22,
        "needs[0].ports[1]: 22 is SSH's, on every node",
    ),
    (
        |c| c.needs[0].ports[1] = 8_000,
        "needs[0].ports[1]: 8000 is claimed twice",
    ),
    (
        |c| c.extensions[0].service = "Y".into(),
        "extensions[0].service: \"Y\" is not of the form",
    ),
    (
        |c| c.extensions[0].key.clear(),
        "extensions[0].key: it is empty",
    ),
    (
        |c| c.extensions[0].key = text(limits::KEY_BYTES + 1),
        "extensions[0].key: it is 257 bytes long, at most 256 are taken",
    ),
    (
        |c| c.extensions[0].value = text(limits::LONG_TEXT_BYTES + 1),
        "extensions[0].value: it is 4097 bytes long",
    ),
    (
        |c| c.extensions[0].value = "@{secret.auth}".into(),
        "extensions[0].value: `@{` stands in files and units alone",
    ),
    (
        |c| c.extensions[1] = extension("yarn-site/aux-services"),
        "extensions[1]: \"yarn-site/aux-services\" of \"yarn\" stands there twice",
    ),
    (
        |c| c.computed[0].0 = "size".into(),
        "computed[0]: there is no parameter \"size\"",
    ),
    (
        |c| c.computed[0] = ("motto".into(), "x".into()),
        "computed[0]: `motto` is set already, and is not to be computed",
    ),
    (
        |c| c.computed[0].1 = "three".into(),
        "computed[0]: `copies` cannot be \"three\": must be a whole number, got `three`",
    ),
    (
        |c| c.computed[0].1 = "0".into(),
        "computed[0]: `copies` cannot be \"0\": 0 is less than the minimum of 1",
    ),
    (
        |c| c.computed.push(("copies".into(), "2".into())),
        "computed[1]: \"copies\" is computed twice",
    ),
    (
        |c| c.extensions[0].key = "a\nb".into(),
        "extensions[0].key: \"a\\nb\" holds control characters",
    ),
    (
        |c| c.needs[1].component = "\u{1b}".into(),
        "needs[1].component: the plugin has no component \"\\u{1b}\"",
    ),
];

#[test]
fn each_rule_is_told_with_its_place() {
    for (spoil, wanted) in SPOILT {
        let mut one = claims();
        spoil(&mut one);
        let told = said(read_claims(&read(), &settings(), one));
        assert!(
            told.starts_with(wanted) && !told.contains('\n'),
            "{told}\nwanted {wanted}"
        );
    }
    let mut open = claims();
    open.needs[0].most_mib = 0;
    open.needs[0].least_mib = limits::AMOUNT;
    (open.needs[0].weight, open.needs[0].disk_gib) = (limits::WEIGHT, limits::AMOUNT);
    open.extensions[0].key = text(limits::KEY_BYTES);
    open.extensions[0].value = text(limits::LONG_TEXT_BYTES);
    read_claims(&read(), &settings(), open).unwrap();
}

#[test]
fn a_computed_text_is_no_setting_with_a_placeholder() {
    let mut one = claims();
    one.computed = vec![("motto".into(), "on @{node}".into())];
    let told = said(read_claims(&read(), &Map::new(), one));
    assert_eq!(told, "computed[0]: `@{` stands in files and units alone");
}
