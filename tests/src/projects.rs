//! Checks that two projects at one host are isolated: neither can see, change or delete what is the
//! other's, in any rendering, by any verb.

use anyhow::{Result, bail};

use crate::wire::{self, WireResponse};

/// A user of one project.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// A token.
    pub token: String,
    /// The project's name.
    pub project: String,
}

const RENDERINGS: [&str; 5] = [
    "text/plain",
    "text/occi",
    "application/occi+json",
    "text/uri-list",
    "text/html",
];
const KIND: &str =
    "orchestrator; scheme=\"http://schemas.mobile-cloud-networking.eu/occi/service#\"";

/// A verb on the entity, with a query and attributes.
const ON_ENTITY: [(&str, &str); 7] = [
    ("GET", ""),
    ("HEAD", ""),
    ("POST", ""),
    ("POST", "?action=deploy"),
    ("POST", "?action=provision"),
    ("POST", "?action=nosuch"),
    ("DELETE", ""),
];
/// On what holds all of them.
const ON_COLLECTION: [(&str, &str); 5] = [
    ("GET", "orchestrator/"),
    ("HEAD", "orchestrator/"),
    ("GET", ""),
    ("POST", "orchestrator/?action=deploy"),
    ("DELETE", "orchestrator/"),
];

/// Tries everything as the stranger on the owner's cluster of this name, of which `marks` are texts
/// that only its owner may read. Returns how many requests were tried.
///
/// # Errors
/// One of them showed, changed or deleted something.
pub async fn check_isolation(
    url: &str,
    owner: &TestUser,
    stranger: &TestUser,
    name: &str,
    marks: &[&str],
) -> Result<usize> {
    let address = url.trim_start_matches("http://");
    let entity = format!("/orchestrator/{name}");
    let before = show_entity(address, owner, &entity).await?;
    if !marks.iter().all(|mark| before.body.contains(mark)) {
        bail!(
            "the owner does not see its own marks {marks:?} in {}",
            before.body
        );
    }
    let (mut tried, mut targets) = (0, Vec::new());
    targets.extend(ON_ENTITY.map(|(verb, query)| (verb, format!("{entity}{query}"), true)));
    targets.extend(ON_COLLECTION.map(|(verb, path)| (verb, format!("/{path}"), false)));
    for rendering in RENDERINGS {
        for (verb, target, is_entity) in &targets {
            let answer = send_as(address, stranger, verb, target, rendering).await?;
            tried += 1;
            let fits = match (is_entity, answer.status) {
                (true, 404 | 406) | (false, 200) => true,
                // The query names no action.
                (true, 400) => target.ends_with("nosuch"),
                _ => false,
            };
            let said = format!("{:?} {}", answer.headers, answer.body);
            if !fits
                || marks.iter().any(|mark| said.contains(mark))
                || (!is_entity && said.contains(&entity))
            {
                bail!(
                    "{verb} {target} as {rendering} by a stranger: {} {said}",
                    answer.status
                );
            }
            let (mine, theirs) = (&owner.project, &stranger.project);
            for who in [
                TestUser {
                    project: mine.clone(),
                    ..stranger.clone()
                },
                TestUser {
                    project: theirs.clone(),
                    ..owner.clone()
                },
            ] {
                let answer = send_as(address, &who, verb, target, rendering).await?;
                tried += 1;
                // The first page is everybody's.
                if !matches!(
                    (target.as_str(), answer.status),
                    (_, 403 | 406) | ("/", 200)
                ) {
                    bail!(
                        "{verb} {target} as {rendering} with another project's token: {} {}",
                        answer.status,
                        answer.body
                    );
                }
            }
        }
        let after = show_entity(address, owner, &entity).await?;
        if steady(&after.body) != steady(&before.body) {
            bail!(
                "after {rendering} the owner sees {} instead of {}",
                after.body,
                before.body
            );
        }
    }
    check_same_names(address, owner, stranger, &entity, &before).await?;
    Ok(tried)
}

/// The stranger's own cluster of the same name is another one, and its end is not the owner's.
async fn check_same_names(
    address: &str,
    owner: &TestUser,
    stranger: &TestUser,
    entity: &str,
    before: &WireResponse,
) -> Result<()> {
    for (verb, status) in [("PUT", 201), ("GET", 200), ("DELETE", 200)] {
        let answer = send_as(address, stranger, verb, entity, "application/occi+json").await?;
        if answer.status != status || answer.body == before.body {
            bail!("{verb} of a namesake: {} {}", answer.status, answer.body);
        }
    }
    let after = show_entity(address, owner, entity).await?;
    if steady(&after.body) == steady(&before.body) {
        Ok(())
    } else {
        bail!("a namesake changed it: {}", after.body)
    }
}

/// What is shown of a cluster, but for what its nodes say in between.
fn steady(body: &str) -> serde_json::Value {
    let Ok(mut shown) = serde_json::from_str::<serde_json::Value>(body) else {
        return body.into();
    };
    let told = ["stampede.health", "stampede.progress."];
    let attributes = shown.get_mut("attributes");
    if let Some(attributes) = attributes.and_then(serde_json::Value::as_object_mut) {
        attributes.retain(|name, _| !told.iter().any(|begin| name.starts_with(begin)));
    }
    shown
}

async fn show_entity(address: &str, who: &TestUser, entity: &str) -> Result<WireResponse> {
    let mut answer = send_as(address, who, "GET", entity, "application/occi+json").await?;
    answer.headers.clear();
    Ok(answer)
}

async fn send_as(
    address: &str,
    who: &TestUser,
    verb: &str,
    target: &str,
    accept: &str,
) -> Result<WireResponse> {
    let mut headers = vec![
        ("X-Auth-Token", who.token.as_str()),
        ("X-Tenant-Name", &who.project),
        ("Accept", accept),
    ];
    if verb == "PUT" || (verb == "POST" && !target.contains('?')) {
        headers.push(("X-OCCI-Attribute", "stranger=1"));
    }
    if verb == "PUT" {
        headers.push(("Category", KIND));
    }
    wire::ask(address, &format!("{verb} {target}"), &headers).await
}
