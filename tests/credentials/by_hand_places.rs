//! Cases by hand: where clouds, services and certificates are, as profiles, catalogs, documents and
//! the system say it.

use std::path::Path;

use serde_json::Value;

use crate::{
    by_hand::{AUTH, files, lab, rc, shows},
    case::CredentialCase,
    keystone::StandInKind::{self, Elsewhere, Moved, MovedByPath, Several},
};

pub(crate) fn cases() -> Vec<CredentialCase> {
    let mut all = services();
    all.extend(documents());
    all.extend(names_of_clouds());
    all.extend(authorities());
    all.extend(profiles());
    all
}

fn at(keystone: StandInKind, case: CredentialCase) -> CredentialCase {
    CredentialCase { keystone, ..case }
}

fn services() -> Vec<CredentialCase> {
    let several = |name: &str, what: &str| at(Several, lab(name, &format!("{what}, {AUTH}"), &[]));
    let address = |name: &str, address: &str| {
        let entry = format!("orchestration_endpoint_override: '{address}', {AUTH}");
        lab(name, &entry, &[])
    };
    vec![
        several("the first of several services", "region_name: One"),
        several(
            "services by their names",
            "orchestration_service_name: heat-two, compute_service_name: nova-two",
        ),
        several(
            "a service of another type",
            "orchestration_service_type: own-orchestration",
        ),
        several(
            "another type, by its name",
            "orchestration_service_type: own-orchestration, orchestration_service_name: heat-three",
        ),
        several(
            "a name that no service has",
            "orchestration_service_name: nosuch",
        ),
        several(
            "a type that no service has",
            "orchestration_service_type: nosuch",
        ),
        address(
            "an address with the project in it",
            "KEYSTONE/v1/%(project_id)s",
        ),
        address(
            "an address with the user in it",
            "KEYSTONE/%(user_id)s/v1/%(project_id)s",
        ),
        shows(
            "traceback",
            address(
                "an address with something else in it",
                "KEYSTONE/v1/%(tenant_id)s",
            ),
        ),
    ]
}

fn documents() -> Vec<CredentialCase> {
    let of = |name: &str, keystone| at(keystone, rc(name, &[("OS_AUTH_URL", "KEYSTONE")]));
    vec![
        of("the document leads below a folder", Moved),
        of("the document leads there by a path", MovedByPath),
        of("the document leads to another host", Elsewhere),
    ]
}

fn names_of_clouds() -> Vec<CredentialCase> {
    let text = format!("clouds: {{lab: {{{AUTH}}}, envvars: {{{AUTH}}}}}");
    let other = format!("clouds: {{lab: {{{AUTH}}}}}");
    let with = |name: &str, text: &str, variables: &[(&str, &str)]| CredentialCase {
        files: vec![("work/clouds.yaml".to_owned(), text.to_owned())],
        ..rc(name, variables)
    };
    let site = |name: &str, dirs: &str| {
        let variables = [("XDG_CONFIG_DIRS", dirs)];
        files(name, &[("a/openstack/clouds.yaml", &other)], &variables)
    };
    vec![
        rc("the cloud of the variables", &[("OS_CLOUD", "envvars")]),
        rc(
            "the cloud of the variables by its own name",
            &[("OS_CLOUD", "mine"), ("OS_CLOUD_NAME", "mine")],
        ),
        with(
            "the cloud of the variables beside a file",
            &other,
            &[("OS_CLOUD", "envvars")],
        ),
        with(
            "a cloud that is called as the variables are",
            &text,
            &[("OS_CLOUD", "envvars")],
        ),
        rc("a cloud and no file", &[("OS_CLOUD", "lab")]),
        site("one folder of the system", "FOLDER/a"),
        site("several folders of the system", "FOLDER/b:FOLDER/a"),
    ]
}

fn authorities() -> Vec<CredentialCase> {
    let bundle = ("REQUESTS_CA_BUNDLE", "/etc/bundle.pem");
    let curl = ("CURL_CA_BUNDLE", "/etc/curl.pem");
    let entry = |what: &str| format!("{what}, {AUTH}");
    vec![
        rc(
            "an authority of another's home",
            &[("OS_CACERT", "~root/ca.pem")],
        ),
        rc(
            "an authority of nobody's home",
            &[("OS_CACERT", "~nobody-has-this-name/ca.pem")],
        ),
        rc("a folder of authorities", &[("OS_CACERT", "FOLDER/home")]),
        rc("authorities of the HTTP library", &[bundle]),
        rc("authorities of curl", &[curl]),
        rc("authorities of both", &[curl, bundle]),
        rc(
            "authorities of the HTTP library below the home",
            &[("REQUESTS_CA_BUNDLE", "~/ca.pem")],
        ),
        rc(
            "an authority before the library's",
            &[bundle, ("OS_CACERT", "/etc/ca.pem")],
        ),
        lab(
            "checks before the library's",
            &entry("verify: false"),
            &[bundle],
        ),
        lab(
            "verify before the library's",
            &entry("verify: /etc/other.pem"),
            &[bundle],
        ),
        lab(
            "verify and the library's",
            &entry("verify: true"),
            &[bundle],
        ),
    ]
}

/// Every profile that the client brings along and that needs no network.
fn profiles() -> Vec<CredentialCase> {
    let python = std::env::var("STAMPEDE_OPENSTACK_CLIENT").expect("the client's Python");
    let lib = Path::new(&python)
        .ancestors()
        .nth(2)
        .expect("a folder")
        .join("lib");
    let lib = std::fs::read_dir(lib).expect("its libraries");
    let vendors = lib
        .filter_map(|python| {
            let path = python.ok()?.path();
            std::fs::read_dir(path.join("site-packages/openstack/config/vendors")).ok()
        })
        .flatten();
    let mut profiles: Vec<(String, Value)> = Vec::new();
    for file in vendors {
        let file = file.expect("a file").path();
        if file.extension().is_some_and(|ending| ending == "json") {
            let text = std::fs::read_to_string(file).expect("a profile");
            let value: Value = serde_json::from_str(&text).expect("JSON");
            let name = value["name"].as_str().expect("a name");
            profiles.push((name.to_owned(), value["profile"].clone()));
        }
    }
    profiles.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(profiles.len() > 20, "{} profiles", profiles.len());
    let login = "auth: {username: u, password: p, project_name: demo, default_domain_id: d}";
    profiles
        .into_iter()
        .filter(|(_, profile)| profile.is_object())
        .map(|(name, _)| {
            lab(
                &format!("the profile {name}"),
                &format!("profile: {name}, region_name: One, {login}"),
                &[("OS_AUTH_URL", "KEYSTONE/v3")],
            )
        })
        .collect()
}
