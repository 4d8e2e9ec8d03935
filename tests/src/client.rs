//! Sends OCCI requests to one host and reads what it shows of a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

const SCHEME: &str = "http://schemas.mobile-cloud-networking.eu/occi/service#";

/// A client of one host, with one project's token.
pub struct OcciClient {
    url: String,
    token: String,
    project: String,
    http: reqwest::Client,
}

/// What a GET shows.
#[derive(Clone, Debug, Default)]
pub struct ShownCluster {
    /// By name; values that are not text as JSON.
    pub attributes: BTreeMap<String, String>,
}

impl ShownCluster {
    /// An attribute, or nothing.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
    /// `occi.mcn.stack.state`.
    pub fn state(&self) -> &str {
        self.get("occi.mcn.stack.state")
    }
    /// Heat's id of the stack.
    pub fn stack_id(&self) -> &str {
        self.get("occi.mcn.stack.id")
            .rsplit(':')
            .next()
            .unwrap_or_default()
    }
    /// The value of the attribute that is `name`, or begins with `name.` (the region is appended to
    /// outputs).
    pub fn output(&self, name: &str) -> &str {
        let of_region = format!("{name}.");
        self.attributes
            .iter()
            .find(|(k, _)| **k == name || k.starts_with(&of_region))
            .map_or("", |(_, v)| v.as_str())
    }
}

impl OcciClient {
    /// A client of the host at this URL.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(url: &str, token: &str, project: &str) -> Result<Self> {
        Ok(Self {
            url: url.to_owned(),
            token: token.to_owned(),
            project: project.to_owned(),
            http: crate::http_client()?,
        })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        category: &str,
        attributes: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        request = request
            .header("x-auth-token", &self.token)
            .header("x-tenant-name", &self.project);
        request = request
            .header("content-type", "text/occi")
            .header("accept", "text/occi");
        if !category.is_empty() {
            request = request.header(
                "category",
                format!("{category}; scheme=\"{SCHEME}\"; class=\"kind\";"),
            );
        }
        for (name, value) in attributes {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            // bytes: a header may carry UTF-8
            let header =
                reqwest::header::HeaderValue::from_bytes(format!("{name}=\"{value}\"").as_bytes());
            request = match header {
                Ok(header) => request.header("x-occi-attribute", header),
                Err(_) => request,
            };
        }
        request
    }

    /// Asks for a cluster.
    pub async fn put(
        &self,
        name: &str,
        attributes: &[(&str, &str)],
    ) -> Result<(StatusCode, String)> {
        read_answer(
            self.request(Method::PUT, &entity_path(name), "orchestrator", attributes)
                .send()
                .await?,
        )
        .await
    }

    /// `deploy`, `provision`.
    pub async fn action(
        &self,
        name: &str,
        action: &str,
        attributes: &[(&str, &str)],
    ) -> Result<(StatusCode, String)> {
        let path = format!("{}?action={action}", entity_path(name));
        read_answer(
            self.request(Method::POST, &path, action, attributes)
                .send()
                .await?,
        )
        .await
    }

    /// Other attributes.
    pub async fn update(
        &self,
        name: &str,
        attributes: &[(&str, &str)],
    ) -> Result<(StatusCode, String)> {
        read_answer(
            self.request(Method::POST, &entity_path(name), "", attributes)
                .send()
                .await?,
        )
        .await
    }

    /// Takes the cluster away.
    pub async fn delete(&self, name: &str) -> Result<(StatusCode, String)> {
        read_answer(
            self.request(Method::DELETE, &entity_path(name), "", &[])
                .send()
                .await?,
        )
        .await
    }

    /// GET in JSON; `None` when there is no such cluster.
    pub async fn fetch_cluster(&self, name: &str) -> Result<Option<ShownCluster>> {
        let request = self.http.get(format!("{}{}", self.url, entity_path(name)));
        let request = request
            .header("x-auth-token", &self.token)
            .header("x-tenant-name", &self.project);
        let response = request
            .header("accept", "application/occi+json")
            .send()
            .await?;
        if response.status() == 404 {
            return Ok(None);
        }
        let (status, text) = read_answer(response).await?;
        if !status.is_success() {
            bail!("GET {}: {status} {text}", entity_path(name));
        }
        let json: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
        let attributes = json["attributes"].as_object().context("no attributes")?;
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        Ok(Some(ShownCluster {
            attributes: attributes
                .iter()
                .map(|(k, v)| (k.clone(), text(v)))
                .collect(),
        }))
    }

    /// PUT and deploy; both must be taken.
    pub async fn create(&self, name: &str, attributes: &[(&str, &str)]) -> Result<()> {
        let (status, text) = self.put(name, attributes).await?;
        if status != StatusCode::CREATED {
            bail!("PUT {name}: {status} {text}");
        }
        let (status, text) = self.action(name, "deploy", &[]).await?;
        if !status.is_success() {
            bail!("deploy {name}: {status} {text}");
        }
        Ok(())
    }
}

fn entity_path(name: &str) -> String {
    format!("/orchestrator/{name}")
}

async fn read_answer(response: Response) -> Result<(StatusCode, String)> {
    Ok((response.status(), response.text().await?))
}

/// What was seen while a cluster came up.
pub struct WatchedDeploy {
    /// The states, each once, in the order in which they came.
    pub states: Vec<String>,
    /// Every text that `stampede.progress.<node>` has had, as `node: text`.
    pub progress: BTreeSet<String>,
    /// What was seen last.
    pub last: ShownCluster,
    /// Until it settled.
    pub took: Duration,
}

/// Polls until the state is neither empty nor in progress.
pub async fn wait_until_settled(
    client: &OcciClient,
    name: &str,
    seconds: u64,
) -> Result<WatchedDeploy> {
    let start = Instant::now();
    let mut watched = WatchedDeploy {
        states: Vec::new(),
        progress: BTreeSet::new(),
        last: ShownCluster::default(),
        took: Duration::ZERO,
    };
    while start.elapsed().as_secs() < seconds {
        let seen = client
            .fetch_cluster(name)
            .await?
            .with_context(|| format!("{name} is not there"))?;
        watched.record(&seen);
        if seen.state().ends_with("_COMPLETE") || seen.state().ends_with("_FAILED") {
            watched.took = start.elapsed();
            watched.last = seen;
            return Ok(watched);
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    bail!(
        "{name} did not settle within {seconds} s; states {:?}, progress {:#?}",
        watched.states,
        watched.progress
    )
}

impl WatchedDeploy {
    /// Takes in what was seen.
    pub fn record(&mut self, seen: &ShownCluster) {
        if self.states.last().map(String::as_str) != Some(seen.state()) {
            self.states.push(seen.state().to_owned());
        }
        for (key, value) in &seen.attributes {
            if let Some(node) = key.strip_prefix("stampede.progress.") {
                self.progress.insert(format!("{node}: {value}"));
            }
        }
    }
}
