//! Cases by hand about files: where they are found, and what odd things may stand in them.

use crate::{
    by_hand::{AUTH, files, lab, rc, shows},
    case::CredentialCase,
};

pub(crate) fn cases() -> Vec<CredentialCase> {
    let mut all = places();
    all.extend(odd_values());
    all
}

fn places() -> Vec<CredentialCase> {
    let text = format!("clouds: {{lab: {{{AUTH}}}}}\n");
    let other = text.replace("username: u", "username: other");
    let secure = "clouds: {lab: {auth: {password: from-secure}, region_name: Two}}\n";
    let json = r#"{"clouds": {"lab": {"region_name": "One", "auth": {"auth_url": "KEYSTONE/v3", "username": "u", "password": "p", "project_id": "p7", "user_domain_id": "a"}}}}"#;
    let public = "public-clouds: {ours: {auth: {auth_url: KEYSTONE/v3, user_domain_name: A}, regions: [Two, One], interface: internal}}";
    let profiled =
        "clouds: {lab: {profile: ours, auth: {username: u, password: p, project_id: p7}}}";
    vec![
        files(
            "the user's folder",
            &[("home/.config/openstack/clouds.yaml", &text)],
            &[],
        ),
        files(
            "XDG_CONFIG_HOME",
            &[("x/openstack/clouds.yml", &text)],
            &[("XDG_CONFIG_HOME", "FOLDER/x")],
        ),
        files(
            "XDG_CONFIG_DIRS",
            &[("x/openstack/clouds.yaml", &text)],
            &[("XDG_CONFIG_DIRS", "FOLDER/x")],
        ),
        files(
            "the working folder first",
            &[
                ("home/.config/openstack/clouds.yaml", &other),
                ("work/clouds.yaml", &text),
            ],
            &[],
        ),
        files(
            "a named file before all",
            &[("named.yaml", &other), ("work/clouds.yaml", &text)],
            &[("OS_CLIENT_CONFIG_FILE", "FOLDER/named.yaml")],
        ),
        files(
            "a named file that is not there",
            &[("work/clouds.yaml", &text)],
            &[("OS_CLIENT_CONFIG_FILE", "FOLDER/named.yaml")],
        ),
        files(
            "a file that is no YAML is passed over",
            &[
                ("work/clouds.yaml", "clouds: ["),
                ("home/.config/openstack/clouds.yaml", &text),
            ],
            &[],
        ),
        files(
            "a file of two documents is passed over",
            &[
                ("work/clouds.yaml", "---\na: 1\n---\nb: 1\n"),
                ("home/.config/openstack/clouds.yaml", &text),
            ],
            &[],
        ),
        files(
            "an empty file",
            &[
                ("work/clouds.yaml", ""),
                ("home/.config/openstack/clouds.yaml", &text),
            ],
            &[],
        ),
        files(
            "a file of another kind",
            &[("work/clouds.yaml", "hello")],
            &[],
        ),
        files("JSON", &[("work/clouds.json", json)], &[]),
        files(
            "secure.yaml",
            &[("work/clouds.yaml", &text), ("work/secure.yaml", secure)],
            &[],
        ),
        files(
            "secure.yaml elsewhere",
            &[("work/clouds.yaml", &text), ("s.yaml", secure)],
            &[("OS_CLIENT_SECURE_FILE", "FOLDER/s.yaml")],
        ),
        files(
            "clouds-public.yaml",
            &[
                ("work/clouds.yaml", profiled),
                ("work/clouds-public.yaml", public),
            ],
            &[],
        ),
        files(
            "another region of a profile",
            &[
                ("work/clouds.yaml", profiled),
                ("work/clouds-public.yaml", public),
            ],
            &[("OS_REGION_NAME", "One")],
        ),
        files(
            "no region of a profile",
            &[
                ("work/clouds.yaml", profiled),
                ("work/clouds-public.yaml", public),
            ],
            &[("OS_REGION_NAME", "Three")],
        ),
        files(
            "a profile that is gone",
            &[("work/clouds.yaml", &profiled.replace("ours", "internap"))],
            &[],
        ),
        files(
            "a profile that nobody knows",
            &[(
                "work/clouds.yaml",
                &text.replace("lab: {", "lab: {profile: nobody, "),
            )],
            &[],
        ),
        files(
            "a known profile at another address",
            &[(
                "work/clouds.yaml",
                &text.replace("lab: {", "lab: {profile: switchengines, "),
            )],
            &[("OS_AUTH_URL", "KEYSTONE/v3")],
        ),
        files(
            "a cloud that is not there",
            &[("work/clouds.yaml", &text)],
            &[("OS_CLOUD", "other")],
        ),
        files(
            "the only cloud",
            &[("work/clouds.yaml", &text)],
            &[("OS_CLOUD", "")],
        ),
        rc("an empty OS_CLOUD", &[("OS_CLOUD", "")]),
        shows(
            "only cloud",
            files(
                "variables without an address beside the only cloud",
                &[("work/clouds.yaml", &text)],
                &[("OS_CLOUD", ""), ("OS_USERNAME", "v")],
            ),
        ),
        rc(
            "old names of variables",
            &[
                ("OS_USERNAME", ""),
                ("OS_USER_NAME", "u"),
                ("OS_ENDPOINT_TYPE", "adminURL"),
            ],
        ),
        lab("no auth_url", "auth: {username: u, password: p}", &[]),
    ]
}

fn odd_values() -> Vec<CredentialCase> {
    let odd = format!(
        "clouds:\n  lab: {{{AUTH}}}\n  old:\n  older: {{auth: , region_name: [A, B]}}\n  number: 5\n  list: [a]\n"
    );
    let merged = "x: &x {region_name: Two, interface: internal}\nauth: &a {auth_url: KEYSTONE/v3, username: u, password: p, project_id: p7, user_domain_id: a}\nclouds:\n  lab:\n    <<: *x\n    interface: admin\n    auth: {<<: *a, username: v}\n";
    let password = |text: &str| AUTH.replace("password: p,", &format!("password: {text},"));
    vec![
        files(
            "odd entries that are not asked for",
            &[("work/clouds.yaml", &odd)],
            &[],
        ),
        files(
            "an entry with nothing behind it",
            &[("work/clouds.yaml", &odd)],
            &[("OS_CLOUD", "old")],
        ),
        files(
            "an entry that is a number",
            &[("work/clouds.yaml", &odd)],
            &[("OS_CLOUD", "number")],
        ),
        files(
            "merge keys and anchors",
            &[("work/clouds.yaml", merged)],
            &[],
        ),
        files(
            "clouds that are none",
            &[("work/clouds.yaml", "clouds: [lab]")],
            &[],
        ),
        shows(
            "as written",
            lab("a password with a zero in front", &password("0123"), &[]),
        ),
        shows(
            "as written",
            lab("a password that is a switch", &password("yes"), &[]),
        ),
        shows(
            "as written",
            lab("a password of two decimals", &password("1.50"), &[]),
        ),
        lab("a password that is a number", &password("1234"), &[]),
        lab("a quoted password", &password("'0123'"), &[]),
        lab("a password with braces", &password("'a{b}c'"), &[]),
        shows(
            "null",
            lab(
                "a project that is null",
                "project_name: , auth: {auth_url: KEYSTONE/v3, username: u, password: p, user_domain_id: a}",
                &[],
            ),
        ),
        lab(
            "an empty project",
            "project_name: '', auth: {auth_url: KEYSTONE/v3, username: u, password: p, user_domain_id: a}",
            &[],
        ),
        lab(
            "null beside what is meant",
            &format!("cacert: , region_name: One, interface: public, {AUTH}"),
            &[],
        ),
        lab(
            "the last of two keys",
            &format!("region_name: One, region_name: Two, {AUTH}"),
            &[],
        ),
        lab(
            "a region in the address",
            "region_name: Two, auth: {auth_url: 'KEYSTONE/{region_name}/../v3', username: u, password: p, project_id: p7, user_domain_id: a}",
            &[],
        ),
        lab(
            "braces without a setting",
            "auth: {auth_url: 'KEYSTONE/{nothing}/v3', username: u, password: p, project_id: p7}",
            &[],
        ),
        shows("traceback", lab("auth that is null", "auth: ", &[])),
    ]
}
