//! Users of the testbed with a role of their own, and a second region: what Keystone's
//! administrator makes for one scenario and takes away after it.

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::testbed::cloud::{KEYSTONE, PASSWORD, TestbedSession, login};

/// A user with one role in one project.
pub struct ProjectUser {
    pub session: TestbedSession,
    grant: String,
}

/// A user of this name with `role` in the project of `session`; made where it is not there yet.
pub async fn project_user(
    admin: &TestbedSession,
    project: &TestbedSession,
    name: &str,
    role: &str,
) -> Result<ProjectUser> {
    let v3 = format!("{KEYSTONE}/v3");
    let user = match find_id(admin, &format!("{v3}/users?name={name}"), "users").await? {
        Some(id) => id,
        None => {
            let user =
                json!({"user": {"name": name, "password": PASSWORD, "domain_id": "default"}});
            let made = admin
                .send_request(Method::POST, &format!("{v3}/users"), Some(user))
                .await?;
            text(&made["user"], "id")?
        }
    };
    let role = find_id(admin, &format!("{v3}/roles?name={role}"), "roles")
        .await?
        .with_context(|| format!("Keystone has no role {role}"))?;
    let grant = format!(
        "{v3}/projects/{}/users/{user}/roles/{role}",
        project.project_id
    );
    admin.send_request(Method::PUT, &grant, None).await?;
    let session = login(name, &project.project).await?;
    Ok(ProjectUser { session, grant })
}

impl ProjectUser {
    /// Takes the role away, which ends the user's tokens as well.
    pub async fn remove_from_project(&self, admin: &TestbedSession) -> Result<()> {
        admin
            .send_request(Method::DELETE, &self.grant, None)
            .await
            .map(drop)
    }
}

/// A region whose services are those of the first, but for Heat.
pub struct SecondRegion;

impl SecondRegion {
    pub const NAME: &'static str = "RegionTwo";

    /// Registers the region with this Heat.
    pub async fn register(admin: &TestbedSession, heat: &str) -> Result<()> {
        let v3 = format!("{KEYSTONE}/v3");
        let region = json!({"region": {"id": Self::NAME}});
        admin
            .send_request(Method::POST, &format!("{v3}/regions"), Some(region))
            .await?;
        let mut registered = 0;
        let services = admin.get(&format!("{v3}/services")).await?;
        let endpoints = admin
            .get(&format!("{v3}/endpoints?interface=public"))
            .await?;
        for service in list(&services, "services") {
            let (id, kind) = (text(service, "id")?, text(service, "type")?);
            let first = list(&endpoints, "endpoints").find(|endpoint| {
                endpoint["service_id"] == id.as_str() && endpoint["region_id"] != Self::NAME
            });
            let Some(first) = first.filter(|_| kind != "identity") else {
                continue;
            };
            let url = if kind == "orchestration" {
                heat.to_owned()
            } else {
                text(first, "url")?
            };
            let endpoint = json!({"endpoint": {"service_id": id, "region_id": Self::NAME, "interface": "public", "url": url}});
            admin
                .send_request(Method::POST, &format!("{v3}/endpoints"), Some(endpoint))
                .await?;
            registered += 1;
        }
        if registered == 0 {
            bail!("Keystone lists no service");
        }
        Ok(())
    }

    /// Takes it out of the catalog, whoever registered it.
    pub async fn remove(admin: &TestbedSession) -> Result<()> {
        let v3 = format!("{KEYSTONE}/v3");
        let region = format!("region_id={}", Self::NAME);
        let endpoints = admin.get(&format!("{v3}/endpoints?{region}")).await?;
        for endpoint in list(&endpoints, "endpoints") {
            let id = text(endpoint, "id")?;
            admin
                .send_request(Method::DELETE, &format!("{v3}/endpoints/{id}"), None)
                .await?;
        }
        let regions = admin.get(&format!("{v3}/regions")).await?;
        if list(&regions, "regions").any(|region| region["id"] == Self::NAME) {
            admin
                .send_request(
                    Method::DELETE,
                    &format!("{v3}/regions/{}", Self::NAME),
                    None,
                )
                .await?;
        }
        Ok(())
    }
}

fn list<'a>(answer: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    answer[key].as_array().into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Result<String> {
    Ok(value[key]
        .as_str()
        .with_context(|| format!("Keystone's answer has no {key}: {value}"))?
        .to_owned())
}

async fn find_id(admin: &TestbedSession, url: &str, key: &str) -> Result<Option<String>> {
    let found = admin.get(url).await?;
    list(&found, key)
        .next()
        .map(|one| text(one, "id"))
        .transpose()
}
