//! Cases that people have had, one by one.

use crate::{
    by_hand_files,
    case::CredentialCase,
    keystone::StandInKind::{Below, DeadRoot, Good, OtherRoot, Silent},
};

/// Password, user and address of every entry that is about something else.
pub(crate) const AUTH: &str = "auth: {auth_url: KEYSTONE/v3, username: u, password: p, project_name: demo, user_domain_name: Users, project_domain_name: Projects}";

pub(crate) fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// `entry` as the cloud `lab` in clouds.yaml of the working folder, with these variables.
pub(crate) fn lab(name: &str, entry: &str, variables: &[(&str, &str)]) -> CredentialCase {
    let text = format!("clouds:\n  lab: {{{entry}}}\n");
    files(name, &[("work/clouds.yaml", &text)], variables)
}

pub(crate) fn files(
    name: &str,
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> CredentialCase {
    let mut variables = texts(variables);
    if !variables.iter().any(|(name, _)| name == "OS_CLOUD") {
        variables.push(("OS_CLOUD".to_owned(), "lab".to_owned()));
    }
    CredentialCase {
        name: name.to_owned(),
        files: texts(files),
        variables,
        ..CredentialCase::default()
    }
}

/// Variables alone, with a user of a named domain.
pub(crate) fn rc(name: &str, more: &[(&str, &str)]) -> CredentialCase {
    let mut variables = texts(&[
        ("OS_AUTH_URL", "KEYSTONE/v3"),
        ("OS_USERNAME", "u"),
        ("OS_PASSWORD", "p"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_USER_DOMAIN_NAME", "Users"),
        ("OS_PROJECT_DOMAIN_ID", "projects"),
    ]);
    for (name, value) in texts(more) {
        variables.retain(|(old, _)| *old != name);
        variables.push((name, value));
    }
    CredentialCase {
        name: name.to_owned(),
        variables,
        ..CredentialCase::default()
    }
}

pub(crate) fn shows(deviation: &'static str, case: CredentialCase) -> CredentialCase {
    CredentialCase {
        deviation: Some(deviation),
        ..case
    }
}

pub(crate) fn cases() -> Vec<CredentialCase> {
    let mut all = regions();
    all.extend(domains_and_projects());
    all.extend(by_hand_files::cases());
    all.extend(kinds());
    all.extend(endpoints());
    all.extend(certificates());
    all.extend(discoveries());
    all
}

fn regions() -> Vec<CredentialCase> {
    let list = format!("regions: [Two, One], {AUTH}");
    let values = format!(
        "regions: [{{name: Two, values: {{auth: {{auth_url: KEYSTONE, username: two}}, interface: internal}}}}, One], {AUTH}"
    );
    let one = &[("OS_REGION_NAME", "One")];
    let missing = &[("OS_REGION_NAME", "Three")];
    vec![
        lab("the first region of a list", &list, &[]),
        lab("another region of a list", &list, one),
        lab("a region that the list has not", &list, missing),
        lab(
            "a list in region_name",
            &format!("region_name: [Two, One], {AUTH}"),
            one,
        ),
        lab(
            "commas in region_name",
            &format!("region_name: 'Two,One', {AUTH}"),
            &[],
        ),
        lab("values of the first region", &values, &[]),
        lab("no values of the other region", &values, one),
        lab(
            "an empty list of regions",
            &format!("regions: [], {AUTH}"),
            one,
        ),
        lab(
            "a region that is no name",
            &format!("regions: [{{nam: One}}], {AUTH}"),
            &[],
        ),
        lab(
            "another region than the cloud's",
            &format!("region_name: Two, {AUTH}"),
            one,
        ),
        rc("a region by variable", &[("OS_REGION_NAME", "Two")]),
        lab("dashes in names", &format!("region-name: Two, {AUTH}"), &[]),
    ]
}

fn domains_and_projects() -> Vec<CredentialCase> {
    let bare = "auth: {auth_url: KEYSTONE/v3, username: u, password: p}";
    vec![
        lab(
            "all beside auth",
            "auth_url: KEYSTONE/v3, username: u, password: p, project_name: demo, user_domain_name: A, project_domain_name: B, auth: {}",
            &[],
        ),
        lab(
            "beside auth and in it",
            &format!("user_domain_name: A, project_name: other, project_domain_name: B, {AUTH}"),
            &[],
        ),
        lab(
            "one domain for both",
            &format!("domain_name: A, project_name: demo, {bare}"),
            &[],
        ),
        lab(
            "the domain of a domain",
            &format!("domain_id: a, {bare}"),
            &[("OS_USER_DOMAIN_NAME", "A")],
        ),
        lab(
            "tenant names",
            "auth: {auth_url: KEYSTONE/v3, user_name: u, password: p, tenant_name: demo, user-domain-id: a, project_domain_id: b}",
            &[],
        ),
        lab(
            "an id and a name",
            &format!("project_id: p7, user_id: u7, {AUTH}"),
            &[],
        ),
        lab(
            "variables over the file",
            AUTH,
            &[
                ("OS_USERNAME", "v"),
                ("OS_PROJECT_NAME", "w"),
                ("OS_PASSWORD", "x"),
                ("OS_USER_DOMAIN_ID", "y"),
            ],
        ),
        lab(
            "a project of a variable",
            bare,
            &[
                ("OS_TENANT_NAME", "demo"),
                ("OS_DEFAULT_DOMAIN", "d"),
                ("OS_IDENTITY_API_VERSION", "3"),
            ],
        ),
        lab(
            "the client's own default domain",
            &format!("default_domain: d, identity_api_version: 3, project_name: demo, {bare}"),
            &[],
        ),
        lab(
            "default_domain_id",
            "auth: {auth_url: KEYSTONE, username: u, password: p, project_name: demo, default_domain_id: d, user_domain_name: A}",
            &[],
        ),
        shows(
            "default domain",
            lab("no domain", &format!("project_name: demo, {bare}"), &[]),
        ),
        lab("no project", bare, &[("OS_USER_DOMAIN_NAME", "A")]),
        shows(
            "no project",
            rc(
                "the system",
                &[("OS_SYSTEM_SCOPE", "all"), ("OS_PROJECT_NAME", "")],
            ),
        ),
        shows(
            "version 2",
            rc("domains and version 2", &[("OS_IDENTITY_API_VERSION", "2")]),
        ),
        lab(
            "version 3 and default_domain_id",
            "identity_api_version: 3, auth: {auth_url: KEYSTONE, username: u, password: p, project_name: demo, default_domain_id: d}",
            &[],
        ),
        rc("a trust", &[("OS_TRUST_ID", "t1"), ("OS_PROJECT_NAME", "")]),
        rc("a trust and a project", &[("OS_TRUST_ID", "t1")]),
    ]
}

fn kinds() -> Vec<CredentialCase> {
    let credential = [
        ("OS_AUTH_URL", "KEYSTONE/v3"),
        ("OS_AUTH_TYPE", "v3applicationcredential"),
        ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s1"),
    ];
    let variables = |name: &str, pairs: &[(&str, &str)]| CredentialCase {
        name: name.to_owned(),
        variables: texts(pairs),
        ..CredentialCase::default()
    };
    let token = [
        ("OS_AUTH_URL", "KEYSTONE/v3"),
        ("OS_TOKEN", "t1"),
        ("OS_PROJECT_ID", "p7"),
    ];
    vec![
        variables("an application credential", &credential),
        variables("no secret", &credential[..3]),
        shows(
            "scope of an application credential",
            rc("an application credential beside a project", &credential),
        ),
        lab(
            "an application credential by name",
            "auth_type: v3applicationcredential, auth: {auth_url: KEYSTONE/v3, application_credential_name: c, application_credential_secret: s, username: u, user_domain_name: A}",
            &[],
        ),
        lab(
            "an application credential of a user's id",
            "auth_type: v3applicationcredential, auth: {auth_url: KEYSTONE/v3, application_credential_name: c, application_credential_secret: s, user_id: u7}",
            &[],
        ),
        shows("kind by what is there", variables("a token alone", &token)),
        shows(
            "kind by what is there",
            variables(
                "an application credential without its kind",
                &[credential[0], credential[2], credential[3]],
            ),
        ),
        variables(
            "a token",
            &[token[0], token[1], token[2], ("OS_AUTH_TYPE", "token")],
        ),
        lab(
            "a token of v3",
            "auth_type: v3token, auth: {auth_url: KEYSTONE, token: t1, project_name: demo, project_domain_id: b}",
            &[],
        ),
        lab(
            "auth-token",
            "auth_type: token, auth-token: t1, auth: {auth_url: KEYSTONE, project_id: p7}",
            &[],
        ),
        rc("a password of v3", &[("OS_AUTH_TYPE", "v3password")]),
        rc(
            "a password of v2",
            &[
                ("OS_AUTH_TYPE", "v2password"),
                ("OS_USER_DOMAIN_NAME", ""),
                ("OS_PROJECT_DOMAIN_ID", ""),
            ],
        ),
        rc("no login", &[("OS_AUTH_TYPE", "none")]),
        shows(
            "no catalog",
            variables(
                "one address for all",
                &[
                    ("OS_AUTH_TYPE", "admin_token"),
                    ("OS_TOKEN", "t1"),
                    ("OS_ENDPOINT", "KEYSTONE/heat/v1/p7"),
                ],
            ),
        ),
        variables(
            "one address for all, and no kind of login",
            &[("OS_TOKEN", "t1"), ("OS_ENDPOINT", "KEYSTONE/heat/v1/p7")],
        ),
        rc("a kind that nobody knows", &[("OS_AUTH_TYPE", "v9magic")]),
        rc("no password", &[("OS_PASSWORD", "")]),
        rc("no user", &[("OS_USERNAME", "")]),
    ]
}

fn endpoints() -> Vec<CredentialCase> {
    vec![
        rc("an empty interface", &[("OS_INTERFACE", "")]),
        rc("an interface by variable", &[("OS_INTERFACE", "internal")]),
        rc(
            "an old form of an interface",
            &[("OS_INTERFACE", "adminURL")],
        ),
        lab(
            "an interface of the cloud",
            &format!("interface: internal, {AUTH}"),
            &[("OS_INTERFACE", "admin")],
        ),
        lab(
            "endpoint_type after interface",
            &format!("interface: internal, endpoint_type: adminURL, {AUTH}"),
            &[],
        ),
        lab(
            "interfaces in their order",
            &format!("interface: [admin, public], {AUTH}"),
            &[],
        ),
        lab(
            "an interface of one service",
            &format!("orchestration_interface: admin, compute_endpoint_type: internalURL, {AUTH}"),
            &[],
        ),
        lab(
            "a region of one service",
            &format!("region_name: One, orchestration_region_name: Two, {AUTH}"),
            &[],
        ),
        lab(
            "an interface that is none",
            &format!("interface: private, {AUTH}"),
            &[],
        ),
        lab(
            "an address of one service",
            &format!("orchestration_endpoint_override: KEYSTONE/here/v1/p1, {AUTH}"),
            &[],
        ),
        lab(
            "an address with the region in it",
            &format!("region_name: Two, compute_endpoint: 'KEYSTONE/{{region_name}}/v2.1', {AUTH}"),
            &[],
        ),
    ]
}

fn certificates() -> Vec<CredentialCase> {
    let with = |name: &str, what: &str| lab(name, &format!("{what}, {AUTH}"), &[]);
    vec![
        with("an authority below the home", "cacert: ~/ca.pem"),
        with(
            "an authority by its path",
            "cacert: /etc/ca.pem, verify: true",
        ),
        with("checks switched off", "verify: false, cacert: /etc/ca.pem"),
        with("checks switched off by no", "verify: no"),
        with("insecure", "insecure: true"),
        with("insecure as a text", "insecure: 'True'"),
        with("insecure says yes as a text", "insecure: 'yes'"),
        with("verify names the authority", "verify: /etc/other.pem"),
        shows("quoted switch", with("verify is quoted", "verify: 'false'")),
        with(
            "a certificate and its key",
            "cert: ~/c.pem, key: FOLDER/k.pem",
        ),
        with("a certificate alone", "cert: FOLDER/c.pem"),
        rc(
            "certificates by variables",
            &[
                ("OS_CACERT", "~/ca.pem"),
                ("OS_CERT", "FOLDER/c.pem"),
                ("OS_KEY", "FOLDER/k.pem"),
            ],
        ),
        rc(
            "OS_INSECURE is no variable of the client",
            &[("OS_INSECURE", "true")],
        ),
    ]
}

fn discoveries() -> Vec<CredentialCase> {
    let at = |name: &str, keystone, url: &str| CredentialCase {
        keystone,
        ..rc(name, &[("OS_AUTH_URL", url)])
    };
    vec![
        at("no version in the address", Good, "KEYSTONE"),
        at("a slash behind the version", Good, "KEYSTONE/v3/"),
        at("below a folder", Below, "KEYSTONE/identity"),
        at("a version below a folder", Below, "KEYSTONE/identity/v3"),
        at("no version document", Silent, "KEYSTONE/v3"),
        at("no version document and no version", Silent, "KEYSTONE"),
        at("another page at the root", OtherRoot, "KEYSTONE/v3"),
        at("nobody at the root", DeadRoot, "KEYSTONE/v3"),
    ]
}
