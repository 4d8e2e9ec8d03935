//! Credentials from variables and files: which of several wins, and what is refused in words.

use secrecy::ExposeSecret;

use super::*;

const RC: &[(&str, &str)] = &[
    ("OS_AUTH_URL", "http://k/v3"),
    ("OS_USERNAME", "demo"),
    ("OS_PASSWORD", "hunter2"),
    ("OS_PROJECT_NAME", "demo"),
];

/// A folder with a clouds.yaml of this text, and the variables that lead to it alone.
struct CloudsFolder(tempfile::TempDir);

impl CloudsFolder {
    fn new(clouds_yaml: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("clouds.yaml"), clouds_yaml).expect("write");
        Self(dir)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("write");
    }

    fn read(
        &self,
        name: Option<&str>,
        env: &[&[(&str, &str)]],
    ) -> Result<CloudCredentials, CloudError> {
        read_in(self.0.path(), name, env)
    }

    fn message(&self, name: Option<&str>, env: &[&[(&str, &str)]]) -> String {
        self.read(name, env).expect_err("refused").to_string()
    }
}

fn read_in(
    dir: &std::path::Path,
    name: Option<&str>,
    env: &[&[(&str, &str)]],
) -> Result<CloudCredentials, CloudError> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables = env.iter().copied().flatten().map(own);
    CloudCredentials::from_environment(name, &ClientEnvironment::new(variables, dir))
}

fn find(env: &[&[(&str, &str)]]) -> Result<CloudCredentials, CloudError> {
    read_in(std::path::Path::new("/nowhere"), None, env)
}

fn message(env: &[&[(&str, &str)]]) -> String {
    find(env).expect_err("refused").to_string()
}

fn password_of(credentials: &CloudCredentials) -> (UserRef, String) {
    let AuthMethod::Password { user, password } = credentials.auth() else {
        panic!("a password")
    };
    (user.clone(), password.expose_secret().to_owned())
}

fn project(name: &str, domain: DomainRef) -> LoginScope {
    LoginScope::Project(ProjectRef::Name(name.to_owned(), domain))
}

fn id(text: &str) -> DomainRef {
    DomainRef::Id(text.to_owned())
}

fn name(text: &str) -> DomainRef {
    DomainRef::Name(text.to_owned())
}

#[test]
fn a_password_from_the_environment() {
    let more = [
        ("OS_USER_DOMAIN_NAME", "Users"),
        ("OS_PROJECT_DOMAIN_ID", "p"),
        ("OS_REGION_NAME", "One"),
    ];
    let found = find(&[RC, &more]).expect("good");
    let user = UserRef::Name("demo".to_owned(), name("Users"));
    assert_eq!(password_of(&found), (user, "hunter2".to_owned()));
    assert_eq!(found.scope(), &project("demo", id("p")));
    assert_eq!(found.config().auth_url, "http://k/v3");
    assert_eq!(found.config().region.as_deref(), Some("One"));
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn the_kind_of_credentials_is_guessed_from_what_is_there() {
    let of = |env| {
        let found = find(&[&[("OS_AUTH_URL", "http://k")], env]).expect("good");
        found.auth().clone()
    };
    assert!(matches!(of(&[("OS_TOKEN", "t")]), AuthMethod::Token { .. }));
    let by_id = of(&[
        ("OS_APPLICATION_CREDENTIAL_ID", "i"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
    ]);
    assert!(matches!(
        by_id,
        AuthMethod::ApplicationCredential {
            credential: CredentialRef::Id(_),
            ..
        }
    ));
}

#[test]
fn what_is_missing_is_named_as_the_user_writes_it() {
    assert!(message(&[RC, &[("OS_PASSWORD", "")]]).contains("OS_PASSWORD is missing"));
    assert!(message(&[RC, &[("OS_USERNAME", "")]]).contains("OS_USERNAME is missing"));
    let credential = [
        ("OS_AUTH_TYPE", "v3applicationcredential"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
    ];
    assert!(message(&[RC, &credential]).contains("OS_APPLICATION_CREDENTIAL_ID"));
    assert!(message(&[RC, &[("OS_INTERFACE", "private")]]).contains("`private`"));
    let nowhere = [
        ("HOME", "/nowhere"),
        ("OS_CLIENT_CONFIG_FILE", "/nowhere/clouds.yaml"),
    ];
    assert!(message(&[&nowhere]).contains("/nowhere/clouds.yaml"));
}

#[test]
fn what_is_not_spoken_is_refused_by_name() {
    for kind in [
        "v3kerberos",
        "none",
        "admin_token",
        "v2password",
        "v3oidcpassword",
        "v3multifactor",
        "v3totp",
    ] {
        let text = message(&[RC, &[("OS_AUTH_TYPE", kind)]]);
        assert!(
            text.contains(&format!("OS_AUTH_TYPE is `{kind}`")),
            "{text}"
        );
    }
    let one_address = [("OS_TOKEN", "t"), ("OS_ENDPOINT", "http://heat:8004/v1/p")];
    for kind in ["none", "admin_token", "token_endpoint", "http_basic"] {
        let text = message(&[&one_address, &[("OS_AUTH_TYPE", kind)]]);
        assert!(
            text.contains(kind) && text.contains("catalog") && text.contains("OS_AUTH_URL"),
            "{text}"
        );
    }
    let text = message(&[&one_address]);
    assert!(text.starts_with("OS_ENDPOINT names one address"), "{text}");
    // Beside Keystone's address it says nothing, as to the client.
    let keystone = [("OS_AUTH_URL", "http://k/v3"), ("OS_PROJECT_ID", "p")];
    find(&[&one_address, &keystone]).expect("a token, and where it is from");
    let no_project = ("OS_PROJECT_NAME", "");
    for (variable, value) in [("OS_SYSTEM_SCOPE", "all"), ("OS_DOMAIN_NAME", "Users")] {
        let text = message(&[RC, &[no_project, (variable, value)]]);
        assert!(
            text.contains(variable) && text.contains("project"),
            "{text}"
        );
    }
    assert!(message(&[RC, &[("OS_TRUST_ID", "t")]]).contains("OS_TRUST_ID"));
    assert!(message(&[RC, &[("OS_SERVICE_PROVIDER", "x")]]).contains("OS_SERVICE_PROVIDER"));
}

#[test]
fn certificates_are_checked_unless_the_user_switches_that_off() {
    let folder = CloudsFolder::new(
        "clouds:\n  no: {verify: no, cacert: /ca.pem, auth: &a {auth_url: 'https://k', username: u, password: p}}\n  insecure: {insecure: True, auth: *a}\n  quoted: {verify: 'false', auth: *a}\n  path: {verify: /other.pem, auth: *a}\n  home: {cacert: ~/ca.pem, cert: ~/c.pem, key: ~/k.pem, auth: *a}\n  pem: {cacert: '-----BEGIN CERTIFICATE-----', auth: *a}\n",
    );
    let home = [("HOME", "/h")];
    let config = |name| {
        folder
            .read(Some(name), &[&home])
            .expect("good")
            .config()
            .clone()
    };
    assert!(!config("no").verify_certificates && !config("insecure").verify_certificates);
    assert!(config("no").ca_file.is_none());
    assert!(
        folder
            .message(Some("quoted"), &[])
            .contains("`verify` of cloud `quoted`")
    );
    assert_eq!(config("path").ca_file, Some("/other.pem".into()));
    assert!(config("path").verify_certificates);
    assert_eq!(config("home").ca_file, Some("/h/ca.pem".into()));
    let certificate = config("home").client_certificate.expect("named");
    assert_eq!(certificate.certificate, PathBuf::from("/h/c.pem"));
    assert_eq!(certificate.key, Some("/h/k.pem".into()));
    let text = folder.message(Some("pem"), &[]);
    assert!(
        text.contains("`cacert`") && !text.contains("BEGIN"),
        "{text}"
    );
    let found = find(&[RC, &[("OS_CACERT", "/ca.pem")]]).expect("good");
    assert!(found.config().verify_certificates);
    assert_eq!(found.config().ca_file, Some("/ca.pem".into()));
    let found = find(&[RC, &[("OS_INSECURE", "true")]]).expect("good");
    assert!(!found.config().verify_certificates, "as the client has it");
}

#[test]
fn variables_win_over_the_named_cloud() {
    let folder = CloudsFolder::new(
        "clouds:\n  one:\n    region_name: R\n    verify: true\n    cacert: /file.pem\n    auth:\n      auth_url: http://one:5000\n      username: u\n      project_id: 007\n      password: 0123\n  two:\n    auth: {auth_url: 'http://two'}\n",
    );
    let one = folder.read(Some("one"), &[]).expect("good");
    assert_eq!(one.config().auth_url, "http://one:5000");
    assert_eq!(
        one.scope(),
        &LoginScope::Project(ProjectRef::Id("007".to_owned()))
    );
    let user = UserRef::Name("u".to_owned(), id("default"));
    let as_written = "0123".to_owned();
    assert_eq!(
        password_of(&one),
        (user, as_written),
        "though YAML would have it a number"
    );
    let over = [("OS_CLOUD", "one"), ("OS_CACERT", "/variable.pem")];
    let over = folder.read(None, &[RC, &over]).expect("good");
    assert_eq!(over.config().auth_url, "http://k/v3");
    assert_eq!(over.config().ca_file, Some("/variable.pem".into()));
    assert_eq!(password_of(&over).1, "hunter2");
    let text = folder.message(Some("three"), &[]);
    assert!(
        text.contains("`three`") && text.contains("one, two"),
        "{text}"
    );
    assert!(
        folder.message(None, &[]).contains("OS_CLOUD"),
        "two clouds, none named"
    );
    let variables = folder
        .read(Some(""), &[RC, &[("OS_CLOUD", "")]])
        .expect("none is named");
    assert_eq!(variables.config().auth_url, "http://k/v3");
}

#[test]
fn secure_yaml_adds_the_password() {
    let folder = CloudsFolder::new(
        "clouds:\n  one:\n    auth:\n      auth_url: http://one\n      username: u\n      project_name: p\n",
    );
    let text = folder.message(None, &[]);
    assert!(text.contains("`auth.password` of cloud `one`"), "{text}");
    folder.write(
        "secure.yaml",
        "clouds:\n  one:\n    auth:\n      password: hunter2\n",
    );
    let found = folder.read(None, &[]).expect("the only cloud");
    assert_eq!(password_of(&found).1, "hunter2");
}

#[test]
fn the_region_is_the_first_one_listed_unless_a_variable_says_another() {
    let folder = CloudsFolder::new(
        "clouds:\n  list: {regions: [Beta, Alpha], auth: &a {auth_url: 'http://k/v3', username: u, password: p}}\n  names: {region_name: [Beta, Alpha], auth: *a}\n  values: {regions: [{name: Beta, values: {auth: {auth_url: 'http://beta/v3'}}}, Alpha], auth: *a}\n  odd: {regions: [{nam: Beta}], auth: *a}\n",
    );
    let at = |name, env: &[&[(&str, &str)]]| {
        let found = folder.read(Some(name), env).expect("good");
        let config = found.config();
        (
            config.region.clone().unwrap_or_default(),
            config.auth_url.clone(),
        )
    };
    let alpha: &[(&str, &str)] = &[("OS_REGION_NAME", "Alpha")];
    for name in ["list", "names"] {
        assert_eq!(at(name, &[]).0, "Beta");
        assert_eq!(at(name, &[alpha]).0, "Alpha");
        let text = folder.message(Some(name), &[&[("OS_REGION_NAME", "Gamma")]]);
        assert!(
            text.contains("`Gamma`") && text.contains("Beta, Alpha"),
            "{text}"
        );
    }
    assert_eq!(at("values", &[]).1, "http://beta/v3");
    assert_eq!(at("values", &[alpha]).1, "http://k/v3");
    assert!(
        folder
            .message(Some("odd"), &[])
            .contains("`regions` of cloud `odd`")
    );
}

#[test]
fn domains_and_project_may_stand_beside_auth_and_win_there() {
    let folder = CloudsFolder::new(
        "clouds:\n  one: {user_domain_name: Users, project_domain_name: Users, project_name: demo, auth: &a {auth_url: 'http://k/v3', username: u, password: p, project_name: other}}\n  both: {domain_name: Users, auth: *a}\n",
    );
    for cloud in ["one", "both"] {
        let found = folder.read(Some(cloud), &[]).expect("good");
        let users = || name("Users");
        assert_eq!(
            password_of(&found).0,
            UserRef::Name("u".to_owned(), users())
        );
        let wanted = if cloud == "one" { "demo" } else { "other" };
        assert_eq!(found.scope(), &project(wanted, users()));
    }
}

#[test]
fn odd_entries_that_are_not_asked_for_do_no_harm() {
    let folder = CloudsFolder::new(
        "clouds:\n  lab: {auth: {auth_url: 'http://k/v3', username: u, password: p}}\n  old:\n  older: {auth: , region_name: [A, B]}\n  number: 5\n  list: [1]\n  deep: {auth: {password: {a: b}, auth_url: 'http://k', username: u}}\n",
    );
    folder.read(Some("lab"), &[]).expect("good");
    for odd in ["old", "number", "list"] {
        assert!(folder.message(Some(odd), &[]).contains(&format!("`{odd}`")));
    }
    assert!(folder.message(Some("older"), &[]).contains("is missing"));
    assert!(
        folder
            .message(Some("deep"), &[])
            .contains("`auth.password` of cloud `deep`")
    );
}

#[test]
fn files_that_cannot_be_read_are_passed_over_and_named() {
    let folder = CloudsFolder::new(
        "clouds: {here: {auth: {auth_url: 'http://k', username: u, password: p}}}",
    );
    folder.write("broken.yaml", "clouds: [");
    let broken = folder.0.path().join("broken.yaml");
    let broken = [("OS_CLIENT_CONFIG_FILE", broken.to_str().expect("a path"))];
    folder
        .read(Some("here"), &[&broken])
        .expect("of the next file");
    let text = folder.message(Some("there"), &[&broken]);
    assert!(
        text.contains("passed over") && text.contains("broken.yaml"),
        "{text}"
    );
    for (text, wanted) in [
        ("clouds: 5", "`clouds` is no map"),
        ("hello", "no key `clouds`"),
    ] {
        let folder = CloudsFolder::new(text);
        assert!(folder.message(Some("one"), &[]).contains(wanted), "{text}");
    }
}

#[test]
fn public_clouds_are_known_by_their_profile() {
    let folder = CloudsFolder::new(
        "clouds:\n  otc: {profile: otc, auth: &a {username: u, password: p}}\n  ours: {profile: ours, auth: *a}\n  remote: {profile: 'https://cloud.example', auth: *a}\n  ovh: {cloud: ovh, auth: *a}\n  gone: {profile: internap, auth: *a}\n  braces: {auth: {auth_url: 'https://{nothing}.k', username: u, password: p}}\n",
    );
    folder.write(
        "clouds-public.yaml",
        "public-clouds: {ours: {auth: {auth_url: 'http://ours/v3'}, interface: internal}}",
    );
    let config = |name, env: &[&[(&str, &str)]]| {
        folder.read(Some(name), env).expect("good").config().clone()
    };
    assert_eq!(
        config("otc", &[]).auth_url,
        "https://iam.eu-de.otc.t-systems.com/v3"
    );
    let nl: &[(&str, &str)] = &[("OS_REGION_NAME", "eu-nl")];
    assert_eq!(
        config("otc", &[nl]).auth_url,
        "https://iam.eu-nl.otc.t-systems.com/v3"
    );
    assert_eq!(config("ours", &[]).auth_url, "http://ours/v3");
    assert_eq!(config("ours", &[]).interface, EndpointInterface::Internal);
    // Which domain is meant without a name follows from the version that the profile asks for.
    folder.write(
        "clouds.yaml",
        "clouds:\n  engines: {profile: switchengines, auth: &a {username: u, password: p, default_domain_id: d}}\n  conoha: {profile: conoha, auth: *a}\n  rackspace: {profile: rackspace, auth: *a}\n  bluebox: {profile: bluebox, auth: *a}\n",
    );
    let engines = folder.read(Some("engines"), &[]).expect("good");
    assert!(
        matches!(password_of(&engines).0, UserRef::Name(_, DomainRef::Id(id)) if id == "default")
    );
    let conoha = config("conoha", &[]);
    assert_eq!(conoha.auth_url, "https://identity.sin1.conoha.io");
    assert_eq!(conoha.region.as_deref(), Some("sin1"));
    let rackspace = config("rackspace", &[]);
    let of = |service| &rackspace.services[&service];
    assert_eq!(
        of(ServiceName::Nova).service_name.as_deref(),
        Some("cloudServersOpenStack")
    );
    assert_eq!(
        of(ServiceName::Cinder).endpoint.as_deref(),
        Some("https://DFW.blockstorage.api.rackspacecloud.com/v2/")
    );
    let missing = folder.message(Some("bluebox"), &[]);
    assert!(
        missing.contains("auth_url") && missing.contains("missing"),
        "{missing}"
    );
}

#[test]
fn profiles_without_their_settings_are_told_by_why() {
    let folder = CloudsFolder::new(
        "clouds:\n  remote: {profile: 'https://cloud.example', auth: &a {username: u, password: p}}\n  ovh: {cloud: ovh, auth: *a}\n  gone: {profile: internap, auth: *a}\n  braces: {auth: {auth_url: 'https://{nothing}.k', username: u, password: p}}\n",
    );
    for (name, wanted) in [
        ("remote", "https://cloud.example"),
        ("ovh", "ovhcloud.com"),
        ("gone", "no longer exists"),
        ("braces", "{nothing}"),
    ] {
        let text = folder.message(Some(name), &[]);
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn the_variables_are_a_cloud_by_their_own_name() {
    let named: &[(&str, &str)] = &[("OS_CLOUD", "envvars")];
    assert_eq!(
        find(&[RC, named]).expect("good").config().auth_url,
        "http://k/v3"
    );
    let own: &[(&str, &str)] = &[("OS_CLOUD", "mine"), ("OS_CLOUD_NAME", "mine")];
    find(&[RC, own]).expect("good");
    let other: &[(&str, &str)] = &[("OS_CLOUD", "lab")];
    let text = message(&[RC, other]);
    assert!(
        text.contains("the cloud `lab`") && !text.contains("neither OS_AUTH_URL"),
        "{text}"
    );
    let both = CloudsFolder::new("clouds: {envvars: {auth: {auth_url: 'http://k'}}}");
    let text = both.message(None, &[RC, named]);
    assert!(text.contains("OS_CLOUD_NAME"), "{text}");
}

#[test]
fn endpoints_and_interfaces_are_set_for_all_services_or_for_one() {
    let folder = CloudsFolder::new(
        "clouds:\n  one:\n    interface: [internal, public]\n    compute_endpoint_type: adminURL\n    orchestration_endpoint_override: http://heat/{region_name}\n    volume_endpoint: http://cinder\n    image_region_name: Two\n    region_name: One\n    auth: {auth_url: 'http://k/v3', username: u, password: p}\n",
    );
    let found = folder.read(None, &[]).expect("good");
    let config = found.config();
    assert_eq!(config.interface, EndpointInterface::Internal);
    assert_eq!(config.other_interfaces, [EndpointInterface::Public]);
    let of = |service| &config.services[&service];
    assert_eq!(of(ServiceName::Nova).interfaces, [EndpointInterface::Admin]);
    assert_eq!(
        of(ServiceName::Heat).endpoint.as_deref(),
        Some("http://heat/One")
    );
    assert_eq!(
        of(ServiceName::Cinder).endpoint.as_deref(),
        Some("http://cinder")
    );
    assert_eq!(of(ServiceName::Glance).region.as_deref(), Some("Two"));
    assert!(!config.services.contains_key(&ServiceName::Neutron));
}
