//! Combinations of all that may be said, drawn from a seed.

use crate::{case::CredentialCase, keystone::StandInKind};

/// A sequence of numbers that is the same for each seed (SplitMix64).
struct Draw(u64);

impl Draw {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).expect("small")
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Settings of an entry, by name: in `auth`, or beside it.
#[derive(Default)]
struct Entry {
    auth: Vec<(String, String)>,
    beside: Vec<(String, String)>,
}

impl Entry {
    /// Mostly in `auth`, now and then beside it or in both, and with a dash now and then.
    fn put(&mut self, draw: &mut Draw, key: &str, value: &str) {
        let key = if draw.one_in(8) && key != "auth_type" {
            key.replace('_', "-")
        } else {
            key.to_owned()
        };
        let value = value.to_owned();
        match draw.below(8) {
            0 => self.beside.push((key, value)),
            1 => {
                self.beside.push((key.clone(), value.clone()));
                self.auth.push((key, format!("'in-auth'")));
            }
            _ => self.auth.push((key, value)),
        }
    }

    fn yaml(&self) -> String {
        let pairs = |list: &[(String, String)]| {
            let pairs = list.iter().map(|(key, value)| format!("{key}: {value}"));
            pairs.collect::<Vec<_>>().join(", ")
        };
        let mut all = vec![format!("auth: {{{}}}", pairs(&self.auth))];
        if !self.beside.is_empty() {
            all.push(pairs(&self.beside));
        }
        format!("{{{}}}", all.join(", "))
    }
}

pub(crate) fn cases(seed: u64, count: usize) -> Vec<CredentialCase> {
    let draws = (0..count).map(|at| {
        let mut draw = Draw(seed.wrapping_mul(1_000_003).wrapping_add(at as u64));
        let mut case = draw_case(&mut draw);
        case.name = format!("generated {at}");
        case
    });
    draws.collect()
}

fn draw_case(draw: &mut Draw) -> CredentialCase {
    let mut case = CredentialCase::default();
    if draw.one_in(6) {
        case.keystone = [
            StandInKind::Below,
            StandInKind::Silent,
            StandInKind::OtherRoot,
            StandInKind::DeadRoot,
        ][draw.below(4)];
    }
    let url = match case.keystone {
        StandInKind::Below => draw.of(&[
            "KEYSTONE/identity",
            "KEYSTONE/identity/v3",
            "KEYSTONE/identity/v3/",
        ]),
        StandInKind::Good => draw.of(&["KEYSTONE", "KEYSTONE/", "KEYSTONE/v3", "KEYSTONE/v3/"]),
        _ => draw.of(&["KEYSTONE/v3", "KEYSTONE/v3/"]),
    };
    if draw.one_in(4) {
        draw_variables(draw, &mut case, url, 8);
    } else {
        draw_cloud(draw, &mut case, url);
        if draw.one_in(2) {
            draw_variables(draw, &mut case, url, 2);
        }
    }
    case
}

/// Who logs in and for what, as names and values.
fn draw_login(draw: &mut Draw, url: &str) -> Vec<(&'static str, String)> {
    let mut login = vec![("auth_url", url.to_owned())];
    let mut put = |key, value: &str| login.push((key, value.to_owned()));
    match draw.below(8) {
        0 => {
            put("application_credential_secret", "s1");
            match draw.below(3) {
                0 => put("application_credential_id", "c1"),
                1 => put("application_credential_name", "c"),
                _ => {
                    put("application_credential_name", "c");
                    put("username", "u");
                    put("user_domain_id", "a");
                }
            }
            return login;
        }
        1 => put("token", "t1"),
        _ => {
            if !draw.one_in(12) {
                put("password", draw.of(&["p", "'pass word'", "1234", "'0123'"]));
            }
            match draw.below(6) {
                0 => put("user_id", "u7"),
                1 => put("user_name", "u"),
                _ => put("username", "u"),
            }
        }
    }
    match draw.below(7) {
        0 => put("project_id", "p7"),
        1 => put("tenant_name", "demo"),
        2 => put("tenant_id", "p7"),
        3 if draw.one_in(2) => {}
        _ => put("project_name", "demo"),
    }
    match draw.below(7) {
        0 => {}
        1 => put("domain_id", "d"),
        2 => put("domain_name", "D"),
        3 => {
            put("user_domain_id", "a");
            put("project_domain_id", "b");
        }
        4 => put("default_domain_id", "d"),
        _ => {
            put("user_domain_name", "A");
            put("project_domain_name", "B");
        }
    }
    if draw.one_in(20) {
        put("trust_id", "t7");
    }
    login
}

fn auth_type(draw: &mut Draw, login: &[(&str, String)]) -> Option<&'static str> {
    let has = |key: &str| login.iter().any(|(name, _)| *name == key);
    let fitting: &[&str] = if has("application_credential_secret") {
        &["v3applicationcredential"]
    } else if has("token") {
        &["token", "v3token"]
    } else {
        &["password", "v3password"]
    };
    match draw.below(12) {
        0 => Some(draw.of(&[
            "password",
            "token",
            "v3applicationcredential",
            "v2password",
            "none",
            "v3totp",
            "v9magic",
        ])),
        1 | 2 => None,
        3..=6 if fitting[0] == "password" => None,
        _ => Some(draw.of(fitting)),
    }
}

/// Variables of a login; each is there in `most` minus one of `most` cases.
fn draw_variables(draw: &mut Draw, case: &mut CredentialCase, url: &str, most: usize) {
    let login = draw_login(draw, url);
    let mut variables: Vec<(String, String)> = Vec::new();
    let kind = auth_type(draw, &login).map(|kind| ("auth_type", kind.to_owned()));
    let only_some = most < 4;
    for (key, value) in login.into_iter().chain(kind) {
        if only_some && !draw.one_in(4) || !only_some && draw.one_in(20 * most) {
            continue;
        }
        variables.push((
            format!("OS_{}", key.to_uppercase()),
            value.trim_matches('\'').to_owned(),
        ));
    }
    for (name, values) in [
        ("OS_REGION_NAME", &["One", "Two", "Three"][..]),
        ("OS_INTERFACE", &["internal", "admin", "publicURL"]),
        ("OS_IDENTITY_API_VERSION", &["3"]),
        ("OS_CACERT", &["~/ca.pem", "/ca.pem"]),
        ("OS_CERT", &["FOLDER/c.pem"]),
        ("OS_KEY", &["FOLDER/k.pem"]),
        ("OS_INSECURE", &["true"]),
        ("OS_DEFAULT_DOMAIN", &["d9"]),
        ("OS_ENDPOINT_TYPE", &["internal"]),
    ] {
        if draw.one_in(5) {
            variables.push((name.to_owned(), draw.of(values).to_owned()));
        }
    }
    case.variables.extend(variables);
}

fn draw_cloud(draw: &mut Draw, case: &mut CredentialCase, url: &str) {
    let mut entry = Entry::default();
    let login = draw_login(draw, url);
    let kind = auth_type(draw, &login);
    let mut secure = String::new();
    for (key, value) in &login {
        if *key == "password" && draw.one_in(4) {
            secure = format!("clouds: {{lab: {{auth: {{password: {value}}}}}}}\n");
        } else if draw.one_in(40) {
            entry.put(draw, key, "''");
        } else {
            entry.put(draw, key, value);
        }
    }
    if let Some(kind) = kind {
        entry.beside.push(("auth_type".to_owned(), kind.to_owned()));
    }
    draw_beside(draw, &mut entry);
    let mut text = String::new();
    if draw.one_in(6) {
        text.push_str("base: &base {interface: internal, region_name: Two}\n");
        entry
            .beside
            .insert(0, ("<<".to_owned(), "*base".to_owned()));
    }
    text.push_str("clouds:\n");
    if draw.one_in(3) {
        text.push_str("  old:\n  number: 5\n  older: {auth: , region_name: [A]}\n");
    }
    text.push_str(&format!("  lab: {}\n", entry.yaml()));
    let place = draw.of(&[
        "work/clouds.yaml",
        "work/clouds.yml",
        "home/.config/openstack/clouds.yaml",
        "xdg/openstack/clouds.yaml",
        "named.yaml",
    ]);
    let mut variable =
        |name: &str, value: &str| case.variables.push((name.to_owned(), value.to_owned()));
    match place {
        "xdg/openstack/clouds.yaml" => variable("XDG_CONFIG_HOME", "FOLDER/xdg"),
        "named.yaml" => variable("OS_CLIENT_CONFIG_FILE", "FOLDER/named.yaml"),
        _ => {}
    }
    if !draw.one_in(20) {
        variable(
            "OS_CLOUD",
            draw.of(&["lab", "lab", "lab", "lab", "lab", "other"]),
        );
    }
    case.files.push((place.to_owned(), text));
    if !secure.is_empty() {
        case.files
            .push(("home/.config/openstack/secure.yaml".to_owned(), secure));
    }
}

/// What stands beside `auth`: regions, interfaces, certificates, addresses.
fn draw_beside(draw: &mut Draw, entry: &mut Entry) {
    for (key, values) in [
        (
            "region_name",
            &["One", "Two", "[Two, One]", "'Two,One'", "Three"][..],
        ),
        (
            "regions",
            &[
                "[One, Two]",
                "[{name: Two, values: {interface: admin}}, One]",
                "[{name: One, values: {auth: {username: one}}}]",
                "[]",
            ],
        ),
        (
            "interface",
            &[
                "internal",
                "admin",
                "public",
                "publicURL",
                "[admin, public]",
            ],
        ),
        ("endpoint_type", &["internalURL", "adminURL"]),
        ("orchestration_interface", &["internal", "admin"]),
        ("compute_endpoint_type", &["internalURL"]),
        ("orchestration_region_name", &["Two"]),
        (
            "orchestration_endpoint_override",
            &["KEYSTONE/here/v1/p1", "'KEYSTONE/{region_name}/v1/p1'"],
        ),
        ("compute_endpoint", &["KEYSTONE/there/v2.1"]),
        ("identity_api_version", &["3", "'3'"]),
        ("verify", &["true", "false", "no", "True", "/ca.pem"]),
        ("insecure", &["true", "false", "'True'"]),
        ("cacert", &["~/ca.pem", "/ca.pem", "FOLDER/ca.pem"]),
        ("cert", &["~/c.pem"]),
        ("key", &["FOLDER/k.pem"]),
        ("default_domain", &["d5"]),
        ("floating_ip_source", &["neutron"]),
    ] {
        if draw.one_in(5) {
            let key = if draw.one_in(8) {
                key.replace('_', "-")
            } else {
                key.to_owned()
            };
            entry.beside.push((key, draw.of(values).to_owned()));
        }
    }
}
