//! Brings the testbed up, gets tokens, makes REST calls, and lists what a project holds. Knows
//! nothing of Stampede.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::testbed::{mirror, users::SecondRegion};
use crate::wait_until;
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

/// Where the testbed lives and listens; the same constants as in `openstack-rig`.
pub const STATE: &str = "/var/lib/openstack-rig/state";
const HOST: &str = "172.31.240.1";
/// Every password of it.
pub const PASSWORD: &str = "rigpass";
/// The download mirror that nodes reach.
pub const MIRROR: &str = "http://172.31.240.1:8900";
/// The package proxy that nodes reach.
pub const PROXY: &str = "http://172.31.240.1:3142";
/// The same files, which only the proxy reaches.
pub const MIRROR_BEHIND_PROXY: &str = "http://127.0.0.2:8900";
/// Keystone, without a version.
pub const KEYSTONE: &str = "http://172.31.240.1:5000";
/// The same Keystone by name, behind TLS of a private authority; so is the second Heat.
pub const PRIVATE_KEYSTONE: &str = "https://keystone.rig.internal:5443";
/// The second Heat, as a catalog has it.
pub const PRIVATE_HEAT: &str = "https://heat.rig.internal:8443/v1/%(tenant_id)s";
/// That authority.
pub const PRIVATE_CA: &str = "/var/lib/openstack-rig/etc/private/ca.pem";
/// While this file exists, the second Heat does not answer.
pub const HEAT_AWAY: &str = "/var/lib/openstack-rig/state/heat-away";
const HEAT_PORT: u16 = 8004;
const PRIVATE_HEAT_PORT: u16 = 8014;
/// Set where others work on the same testbed: stacks that a run finds are not its own to delete.
const SHARED: &str = "STAMPEDE_TESTBED_SHARED";

/// Why the testbed cannot run here, if it cannot.
pub fn not_here() -> Option<&'static str> {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if std::env::var_os("STAMPEDE_TESTS_WITHOUT_OPENSTACK").is_some() {
        Some("STAMPEDE_TESTS_WITHOUT_OPENSTACK is set")
    } else if !Path::new("/etc/debian_version").exists() {
        Some("this is not Debian")
    } else if !root {
        Some("this is not root")
    } else {
        None
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The testbed, healthy, with a Hadoop on its mirror; 3 to 10 minutes the first time.
pub async fn bring_up() -> Result<TestbedCloud> {
    let script = here().join("openstack/prepare");
    let status = tokio::process::Command::new(&script)
        .status()
        .await
        .with_context(|| format!("cannot run {}", script.display()))?;
    if !status.success() {
        bail!("{} failed, see what it printed", script.display());
    }
    let cloud = TestbedCloud::connect().await?;
    if std::env::var_os(SHARED).is_none() {
        cloud.remove_leftovers().await?;
    }
    Ok(cloud)
}

/// Keystone and a second Heat, by name and behind TLS; the session of `apart` there, without a
/// stack.
pub async fn bring_up_private(cloud: &TestbedCloud) -> Result<TestbedSession> {
    let mut command = tokio::process::Command::new(here().join("openstack/openstack-rig"));
    command.arg("private");
    // A Heat that is just started has come up without hearing of anything, once.
    if !command.status().await?.success() && !command.status().await?.success() {
        bail!("openstack-rig private failed twice, see what it printed");
    }
    let session = cloud.apart.on_private_heat();
    session.delete_stacks().await?;
    Ok(session)
}

/// A user's token and where its project's services are.
#[derive(Clone)]
pub struct TestbedSession {
    pub token: String,
    pub project_id: String,
    pub project: String,
    http: reqwest::Client,
    heat_port: u16,
}

impl TestbedSession {
    /// One call; an answer of 400 and above is an error.
    pub async fn send_request(
        &self,
        method: Method,
        url: &str,
        body: Option<Value>,
    ) -> Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), url)
            .header("x-auth-token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{method} {url}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!(
                "{method} {url}: {status} {}",
                text.chars().take(500).collect::<String>()
            );
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn get(&self, url: &str) -> Result<Value> {
        self.send_request(Method::GET, url, None).await
    }

    pub fn heat(&self, path: &str) -> String {
        format!(
            "http://{HOST}:{}/v1/{}{path}",
            self.heat_port, self.project_id
        )
    }
    pub fn nova(&self, path: &str) -> String {
        format!("http://{HOST}:8774/v2.1{path}")
    }
    pub fn neutron(&self, path: &str) -> String {
        format!("http://{HOST}:9696/v2.0{path}")
    }

    /// The same token, sent in the name of another project.
    pub fn for_project(&self, project: &str) -> Self {
        Self {
            project: project.to_owned(),
            ..self.clone()
        }
    }

    /// The same session with the second Heat.
    fn on_private_heat(&self) -> Self {
        Self {
            heat_port: PRIVATE_HEAT_PORT,
            ..self.clone()
        }
    }

    /// Names of the project's stacks.
    pub async fn stacks(&self) -> Result<Vec<String>> {
        Ok(collect_texts(
            &self.get(&self.heat("/stacks")).await?["stacks"],
            "stack_name",
        ))
    }

    /// What Stampede may leave behind, by kind; the project's default security group is not
    /// counted.
    pub async fn list_holdings(&self) -> Result<BTreeMap<&'static str, Vec<String>>> {
        let mine = format!("?project_id={}", self.project_id);
        let mut all = BTreeMap::from([
            ("stacks", self.stacks().await?),
            (
                "servers",
                collect_texts(&self.get(&self.nova("/servers")).await?["servers"], "name"),
            ),
            (
                "server groups",
                collect_texts(
                    &self.get(&self.nova("/os-server-groups")).await?["server_groups"],
                    "name",
                ),
            ),
        ]);
        for (kind, path, key) in [
            ("ports", "/ports", "ports"),
            ("networks", "/networks", "networks"),
            ("subnets", "/subnets", "subnets"),
            ("routers", "/routers", "routers"),
            ("floating IPs", "/floatingips", "floatingips"),
            ("security groups", "/security-groups", "security_groups"),
        ] {
            let found = self.get(&self.neutron(&format!("{path}{mine}"))).await?;
            all.insert(kind, collect_texts(&found[key], "id"));
        }
        let groups = self
            .get(&self.neutron(&format!("/security-groups{mine}&name=default")))
            .await?;
        let default = collect_texts(&groups["security_groups"], "id");
        all.entry("security groups")
            .or_default()
            .retain(|id| !default.contains(id));
        all.retain(|_, names| !names.is_empty());
        Ok(all)
    }

    /// `/stacks/<name>/<id>`: below it Heat takes no name alone.
    pub async fn stack_path(&self, name: &str) -> Result<String> {
        let stack = self.get(&self.heat(&format!("/stacks/{name}"))).await?;
        Ok(format!(
            "/stacks/{name}/{}",
            stack["stack"]["id"]
                .as_str()
                .context("a stack without id")?
        ))
    }

    /// Deletes every stack of the project, one that could not be deleted once more, and waits until
    /// they are gone.
    pub async fn delete_stacks(&self) -> Result<()> {
        wait_until(240, "all stacks are gone", async || {
            let listed = self.get(&self.heat("/stacks")).await?;
            let stacks = listed["stacks"].as_array().cloned().unwrap_or_default();
            for stack in &stacks {
                if stack["stack_status"] == "DELETE_IN_PROGRESS" {
                    continue;
                }
                // by id: Heat answers a name with a redirect, which turns DELETE into GET
                let path = format!(
                    "/stacks/{}/{}",
                    stack["stack_name"].as_str().unwrap_or_default(),
                    stack["id"].as_str().unwrap_or_default()
                );
                self.send_request(Method::DELETE, &self.heat(&path), None)
                    .await
                    .ok();
            }
            Ok(stacks.is_empty())
        })
        .await
    }

    /// The server of a stack's node: `<stack>-<node>` ends with the node's name.
    pub async fn find_server(&self, stack: &str, node: &str) -> Result<Value> {
        let resource = format!(
            "{}/resources/{}_server",
            self.stack_path(stack).await?,
            node.replace('-', "_")
        );
        let id = self.get(&self.heat(&resource)).await?["resource"]["physical_resource_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if id.is_empty() {
            bail!("{node} of {stack} has no server yet");
        }
        Ok(self.get(&self.nova(&format!("/servers/{id}"))).await?["server"].clone())
    }

    pub async fn server_action(&self, id: &str, action: Value) -> Result<()> {
        self.send_request(
            Method::POST,
            &self.nova(&format!("/servers/{id}/action")),
            Some(action),
        )
        .await
        .map(drop)
    }
}

pub(crate) fn collect_texts(list: &Value, key: &str) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v[key].as_str())
        .map(str::to_owned)
        .collect()
}

/// The testbed with its two projects.
pub struct TestbedCloud {
    pub demo: TestbedSession,
    pub admin: TestbedSession,
    /// A second project, which must see nothing of the first.
    pub other: TestbedSession,
    /// A third one, for clusters on odd images and networks, which may use the second Heat.
    pub apart: TestbedSession,
}

impl TestbedCloud {
    async fn connect() -> Result<Self> {
        let admin = login("admin", "admin").await?;
        ensure_project(&admin, "other").await?;
        ensure_project(&admin, "apart").await?;
        Ok(Self {
            demo: login("demo", "demo").await?,
            other: login("other", "other").await?,
            apart: login("apart", "apart").await?,
            admin,
        })
    }

    /// A new token of `demo`.
    pub async fn fresh_demo(&self) -> Result<TestbedSession> {
        login("demo", "demo").await
    }

    /// Makes a token invalid, as time would.
    pub async fn revoke_token(&self, session: &TestbedSession) -> Result<()> {
        let request = session
            .http
            .delete(format!("{KEYSTONE}/v3/auth/tokens"))
            .header("x-auth-token", &self.admin.token);
        request
            .header("x-subject-token", &session.token)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// A token got by an application credential, which Keystone lets make no trusts.
    pub async fn application_credential(&self) -> Result<TestbedSession> {
        let user = user_id(&self.demo).await?;
        let url = format!("{KEYSTONE}/v3/users/{user}/application_credentials");
        let name = format!("test-{}", uuid::Uuid::new_v4());
        let made = self
            .demo
            .send_request(
                Method::POST,
                &url,
                Some(json!({"application_credential": {"name": name}})),
            )
            .await?;
        let made = &made["application_credential"];
        let auth = json!({"auth": {"identity": {"methods": ["application_credential"],
            "application_credential": {"id": made["id"], "secret": made["secret"]}}}});
        issue_token(auth, "demo").await
    }

    /// What a run that was ended has left: stacks of either Heat, a Heat that is away, a second region.
    async fn remove_leftovers(&self) -> Result<()> {
        let _ = std::fs::remove_file(HEAT_AWAY);
        SecondRegion::remove(&self.admin).await?;
        self.delete_all_stacks().await?;
        if !self.apart.list_holdings().await?.is_empty() {
            bring_up_private(self).await?;
        }
        for session in [&self.demo, &self.other, &self.apart] {
            let left = session.list_holdings().await?;
            if !left.is_empty() {
                bail!(
                    "the project {} holds what no stack owns, remove it or start anew with `openstack-rig down --wipe`: {left:?}",
                    session.project
                );
            }
        }
        Ok(())
    }

    /// Deletes every stack of all projects and waits until they are gone: a failed scenario must
    /// not spoil the next.
    pub async fn delete_all_stacks(&self) -> Result<()> {
        if std::env::var_os(SHARED).is_some() {
            return self.apart.delete_stacks().await;
        }
        for session in [&self.demo, &self.other, &self.apart] {
            session.delete_stacks().await?;
        }
        Ok(())
    }

    /// The mirror's sha512 of a Hadoop version.
    pub fn sha512(&self, version: &str) -> Result<String> {
        mirror::sha512_of("hadoop", version)
    }

    /// The plain `openstack` client, as the user `demo`.
    pub fn run_openstack(&self, arguments: &[&str], directory: &Path) -> Result<String> {
        let out = Command::new("/usr/bin/openstack")
            .args(arguments)
            .current_dir(directory)
            .env(
                "OS_CLIENT_CONFIG_FILE",
                "/var/lib/openstack-rig/etc/clouds.yaml",
            )
            .env("OS_CLOUD", "demo")
            .output()?;
        if !out.status.success() {
            bail!(
                "openstack {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&out.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

pub(crate) async fn login(user: &str, project: &str) -> Result<TestbedSession> {
    let domain = json!({"id": "default"});
    let auth = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {"name": user, "domain": domain, "password": PASSWORD}}},
        "scope": {"project": {"name": project, "domain": domain}}}});
    issue_token(auth, project).await
}

async fn issue_token(auth: Value, project: &str) -> Result<TestbedSession> {
    let http = crate::http_client()?;
    let answer = http
        .post(format!("{KEYSTONE}/v3/auth/tokens"))
        .json(&auth)
        .send()
        .await?
        .error_for_status()?;
    let token = answer
        .headers()
        .get("x-subject-token")
        .context("no token")?
        .to_str()?
        .to_owned();
    let body: Value = answer.json().await?;
    let project_id = body["token"]["project"]["id"]
        .as_str()
        .context("no project")?
        .to_owned();
    Ok(TestbedSession {
        token,
        project_id,
        project: project.to_owned(),
        http,
        heat_port: HEAT_PORT,
    })
}

async fn user_id(session: &TestbedSession) -> Result<String> {
    let request = session
        .http
        .get(format!("{KEYSTONE}/v3/auth/tokens"))
        .header("x-auth-token", &session.token);
    let body: Value = request
        .header("x-subject-token", &session.token)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    Ok(body["token"]["user"]["id"]
        .as_str()
        .context("no user")?
        .to_owned())
}

async fn ensure_project(admin: &TestbedSession, name: &str) -> Result<()> {
    let v3 = format!("{KEYSTONE}/v3");
    let found = admin.get(&format!("{v3}/projects?name={name}")).await?;
    if found["projects"].as_array().is_some_and(|p| !p.is_empty()) {
        return Ok(());
    }
    let project = admin
        .send_request(
            Method::POST,
            &format!("{v3}/projects"),
            Some(json!({"project": {"name": name, "domain_id": "default"}})),
        )
        .await?;
    let user = json!({"user": {"name": name, "password": PASSWORD, "domain_id": "default"}});
    let user = admin
        .send_request(Method::POST, &format!("{v3}/users"), Some(user))
        .await?;
    let roles = admin.get(&format!("{v3}/roles")).await?;
    for role in roles["roles"].as_array().into_iter().flatten() {
        if matches!(role["name"].as_str(), Some("member" | "heat_stack_owner")) {
            let ids = [&project["project"]["id"], &user["user"]["id"], &role["id"]]
                .map(|v| v.as_str().unwrap_or_default().to_owned());
            admin
                .send_request(
                    Method::PUT,
                    &format!("{v3}/projects/{}/users/{}/roles/{}", ids[0], ids[1], ids[2]),
                    None,
                )
                .await?;
        }
    }
    Ok(())
}
