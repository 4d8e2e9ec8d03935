//! Compares the two readings of a case. Where Stampede deviates on purpose stands here, with the
//! reason.

use serde_json::{Value, json};

use crate::case::CredentialCase;

/// The deviations, and why they are none to mend.
pub(crate) const DEVIATIONS: [(&str, &str); 13] = [
    (
        "default domain",
        "where no domain is named the client sends none, unless identity_api_version is 3, and Keystone refuses that; \
         Stampede always means the default domain",
    ),
    (
        "traceback",
        "the client ends with a traceback; Stampede reads on, or refuses in words",
    ),
    (
        "scope of an application credential",
        "an application credential bears its project, and Keystone refuses a login that names one besides",
    ),
    (
        "kind by what is there",
        "without auth_type the client asks for a password though there is a token or an application credential",
    ),
    (
        "only cloud",
        "without OS_CLOUD any other variable keeps the client from reading clouds.yaml; Stampede takes its only cloud where there is no OS_AUTH_URL",
    ),
    (
        "no catalog",
        "one address for all services is enough for a command of the client; a cluster needs several services, and Stampede says so",
    ),
    (
        "no project",
        "a token of the system or a domain holds no cluster; Stampede says so instead of failing at Heat",
    ),
    (
        "version 2",
        "asked for version 2, the client leaves domains out, also where Keystone speaks version 3 and refuses that",
    ),
    (
        "nobody's credential",
        "an application credential by its name without a user: the client sends it and Keystone refuses, Stampede says what is missing",
    ),
    (
        "one region",
        "where no region is named the client takes the first of the catalog for each service; Stampede takes Heat's for all, or asks",
    ),
    (
        "as written",
        "where YAML 1.1 makes a number, a date or a switch of a name or password, the client sends that; Stampede sends what is written",
    ),
    (
        "null",
        "the client sends a null of clouds.yaml as the text `None`; to Stampede nothing is given",
    ),
    (
        "quoted switch",
        "the client takes a quoted `false` in verify for the path of a file; Stampede refuses it",
    ),
];

/// What one side made of a case.
#[derive(Debug)]
pub(crate) enum CredentialReading {
    LoggedIn {
        /// Path and body.
        logins: Vec<(String, Value)>,
        verify: String,
        /// The client's certificate and key.
        certificate: Vec<String>,
        /// The path of the endpoint, or its address where it is another server's.
        heat: String,
        nova: String,
        region: String,
    },
    Refused(String),
    /// Only the client: an error that is a mistake of its code.
    #[expect(dead_code, reason = "shown where readings differ")]
    Crashed(String),
}

pub(crate) enum ReadingComparison {
    Same,
    BothRefuse,
    Deviations(Vec<&'static str>),
    Different(String),
}

pub(crate) fn compare(
    case: &CredentialCase,
    theirs: &CredentialReading,
    ours: &CredentialReading,
) -> ReadingComparison {
    let comparison = compare_readings(case, theirs, ours);
    match (case.deviation, comparison) {
        (Some(wanted), ReadingComparison::Deviations(found)) if found.contains(&wanted) => {
            ReadingComparison::Deviations(found)
        }
        (
            Some(wanted @ ("as written" | "null" | "quoted switch" | "version 2")),
            ReadingComparison::Different(_),
        ) => ReadingComparison::Deviations(vec![wanted]),
        (Some(wanted), _) => ReadingComparison::Different(format!("it does not show `{wanted}`")),
        (None, comparison) => comparison,
    }
}

fn compare_readings(
    case: &CredentialCase,
    theirs: &CredentialReading,
    ours: &CredentialReading,
) -> ReadingComparison {
    let one = |name| ReadingComparison::Deviations(vec![name]);
    match (theirs, ours) {
        (CredentialReading::Crashed(_), _) => one("traceback"),
        (CredentialReading::Refused(_), CredentialReading::Refused(_)) => {
            ReadingComparison::BothRefuse
        }
        (CredentialReading::Refused(why), CredentialReading::LoggedIn { .. })
            if why.contains("user_domain_id") =>
        {
            one("default domain")
        }
        (CredentialReading::Refused(_), CredentialReading::LoggedIn { logins, .. }) => {
            let method = &logins[0].1["auth"]["identity"]["methods"][0];
            if !case.sets("OS_CLOUD") && !case.sets("OS_AUTH_URL") {
                one("only cloud")
            } else if method != "password" && !has_auth_type(case) {
                one("kind by what is there")
            } else {
                ReadingComparison::Different("the client refuses".to_owned())
            }
        }
        (CredentialReading::LoggedIn { logins, .. }, CredentialReading::Refused(why))
            if logins.is_empty() && why.contains("catalog") =>
        {
            one("no catalog")
        }
        (CredentialReading::LoggedIn { logins, region, .. }, CredentialReading::Refused(why)) => {
            let scope = &logins[0].1["auth"]["scope"];
            if (!scope["system"].is_null() || !scope["domain"].is_null()) && why.contains("project")
            {
                one("no project")
            } else if logins[0].1["auth"]["identity"]["application_credential"]["user"] == json!({})
            {
                one("nobody's credential")
            } else if region.is_empty() && why.contains("region") {
                one("one region")
            } else {
                ReadingComparison::Different("Stampede refuses".to_owned())
            }
        }
        (
            CredentialReading::LoggedIn {
                logins: their_logins,
                ..
            },
            CredentialReading::LoggedIn { logins, .. },
        ) => {
            let mut found = Vec::new();
            if facts(theirs) != facts(ours) {
                if !differ_by_region_alone(theirs, ours) {
                    return ReadingComparison::Different(
                        "certificates or endpoints differ".to_owned(),
                    );
                }
                found.push("one region");
            }
            match (their_logins.as_slice(), logins.as_slice()) {
                ([(their_path, their_body)], [(path, body)]) if their_path == path => {
                    compare_bodies(their_body, body, found)
                }
                _ => ReadingComparison::Different("they log in elsewhere".to_owned()),
            }
        }
        (_, CredentialReading::Crashed(_)) => {
            ReadingComparison::Different("Stampede crashed".to_owned())
        }
    }
}

/// `auth-type` is not read by the client, whose default stands under the other name.
fn has_auth_type(case: &CredentialCase) -> bool {
    let files = case
        .files
        .iter()
        .any(|(_, text)| text.contains("auth_type"));
    files
        || case
            .variables
            .iter()
            .any(|(name, _)| name == "OS_AUTH_TYPE")
}

/// Whether no region is named, and the addresses lead to other regions of the same services.
fn differ_by_region_alone(theirs: &CredentialReading, ours: &CredentialReading) -> bool {
    let (Some(theirs), Some(ours)) = (facts(theirs), facts(ours)) else {
        return false;
    };
    let anywhere = |path: &str| path.replace("/One/", "/").replace("/Two/", "/");
    theirs.4.is_empty()
        && (theirs.0, theirs.1, theirs.4) == (ours.0, ours.1, ours.4)
        && anywhere(theirs.2) == anywhere(ours.2)
        && anywhere(theirs.3) == anywhere(ours.3)
}

/// All but the login.
fn facts(
    reading: &CredentialReading,
) -> Option<(&String, &Vec<String>, &String, &String, &String)> {
    match reading {
        CredentialReading::LoggedIn {
            verify,
            certificate,
            heat,
            nova,
            region,
            ..
        } => Some((verify, certificate, heat, nova, region)),
        _ => None,
    }
}

fn compare_bodies(theirs: &Value, ours: &Value, mut found: Vec<&'static str>) -> ReadingComparison {
    let mut adjusted = ours.clone();
    for place in [
        "/auth/identity/password/user",
        "/auth/identity/application_credential/user",
        "/auth/scope/project",
    ] {
        let is_unnamed =
            |body: &Value| body.pointer(place).is_some_and(|at| at["domain"].is_null());
        let at = adjusted.pointer_mut(place).and_then(Value::as_object_mut);
        if let Some(at) = at
            && is_unnamed(theirs)
            && at
                .get("domain")
                .is_some_and(|domain| domain["id"].is_string())
        {
            at.remove("domain");
            found.push("default domain");
        }
    }
    let is_credential = ours["auth"]["identity"]["methods"][0] == "application_credential";
    let mut their_body = theirs.clone();
    if is_credential
        && ours["auth"]["scope"].is_null()
        && let Some(auth) = their_body["auth"].as_object_mut()
        && auth.remove("scope").is_some()
    {
        found.push("scope of an application credential");
    }
    if adjusted != their_body {
        return ReadingComparison::Different("the logins differ".to_owned());
    }
    found.dedup();
    if found.is_empty() {
        ReadingComparison::Same
    } else {
        ReadingComparison::Deviations(found)
    }
}
