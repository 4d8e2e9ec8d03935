//! One cluster under test, as a client of the OCCI interface sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::rig::cloud::{Cloud, MIRROR, PROXY, Session};
use crate::rig::node::Node;

const SCHEME: &str = "http://schemas.mobile-cloud-networking.eu/occi/service#";

/// A client of one host, with one project's token.
pub struct Client<'a> {
    pub url: String,
    pub session: &'a Session,
    http: reqwest::Client,
}

/// What a GET shows.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub attributes: BTreeMap<String, String>,
}

impl Seen {
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
    pub fn state(&self) -> &str {
        self.get("occi.mcn.stack.state")
    }
    /// Heat's id of the stack.
    pub fn stack_id(&self) -> &str {
        self.get("occi.mcn.stack.id").rsplit(':').next().unwrap_or_default()
    }
    /// The value of the attribute that is `name`, or begins with `name.` (the region is appended to outputs).
    pub fn output(&self, name: &str) -> &str {
        let of_region = format!("{name}.");
        self.attributes.iter().find(|(k, _)| **k == name || k.starts_with(&of_region)).map_or("", |(_, v)| v.as_str())
    }
}

impl<'a> Client<'a> {
    pub fn new(url: &str, session: &'a Session) -> Self {
        Self { url: url.to_owned(), session, http: reqwest::Client::new() }
    }

    fn request(&self, method: Method, path: &str, category: &str, attributes: &[(&str, &str)]) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).timeout(Duration::from_secs(60));
        request = request.header("x-auth-token", &self.session.token).header("x-tenant-name", &self.session.project);
        request = request.header("content-type", "text/occi").header("accept", "text/occi");
        if !category.is_empty() {
            request = request.header("category", format!("{category}; scheme=\"{SCHEME}\"; class=\"kind\";"));
        }
        for (name, value) in attributes {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            // bytes: a header may carry UTF-8
            let header = reqwest::header::HeaderValue::from_bytes(format!("{name}=\"{value}\"").as_bytes());
            request = match header {
                Ok(header) => request.header("x-occi-attribute", header),
                Err(_) => request,
            };
        }
        request
    }

    pub async fn put(&self, name: &str, attributes: &[(&str, &str)]) -> Result<(StatusCode, String)> {
        answer(self.request(Method::PUT, &path(name), "orchestrator", attributes).send().await?).await
    }

    pub async fn action(&self, name: &str, action: &str, attributes: &[(&str, &str)]) -> Result<(StatusCode, String)> {
        let path = format!("{}?action={action}", path(name));
        answer(self.request(Method::POST, &path, action, attributes).send().await?).await
    }

    pub async fn update(&self, name: &str, attributes: &[(&str, &str)]) -> Result<(StatusCode, String)> {
        answer(self.request(Method::POST, &path(name), "", attributes).send().await?).await
    }

    pub async fn delete(&self, name: &str) -> Result<(StatusCode, String)> {
        answer(self.request(Method::DELETE, &path(name), "", &[]).send().await?).await
    }

    /// GET in JSON; `None` when there is no such cluster.
    pub async fn see(&self, name: &str) -> Result<Option<Seen>> {
        let request = self.http.get(format!("{}{}", self.url, path(name))).timeout(Duration::from_secs(60));
        let request = request.header("x-auth-token", &self.session.token).header("x-tenant-name", &self.session.project);
        let response = request.header("accept", "application/occi+json").send().await?;
        if response.status() == 404 {
            return Ok(None);
        }
        let (status, text) = answer(response).await?;
        if !status.is_success() {
            bail!("GET {}: {status} {text}", path(name));
        }
        let json: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
        let attributes = json["attributes"].as_object().context("no attributes")?;
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        Ok(Some(Seen { attributes: attributes.iter().map(|(k, v)| (k.clone(), text(v))).collect() }))
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

fn path(name: &str) -> String {
    format!("/orchestrator/{name}")
}

async fn answer(response: Response) -> Result<(StatusCode, String)> {
    Ok((response.status(), response.text().await?))
}

/// What was seen while a cluster came up.
pub struct Watched {
    /// The states, each once, in the order in which they came.
    pub states: Vec<String>,
    /// Every text that `stampede.progress.<node>` has had, as `node: text`.
    pub progress: BTreeSet<String>,
    pub last: Seen,
    pub took: Duration,
}

/// Polls until the state is neither empty nor in progress.
pub async fn watch(client: &Client<'_>, name: &str, seconds: u64) -> Result<Watched> {
    let start = Instant::now();
    let mut watched = Watched { states: Vec::new(), progress: BTreeSet::new(), last: Seen::default(), took: Duration::ZERO };
    while start.elapsed().as_secs() < seconds {
        let seen = client.see(name).await?.with_context(|| format!("{name} is not there"))?;
        watched.note(&seen);
        if seen.state().ends_with("_COMPLETE") || seen.state().ends_with("_FAILED") {
            watched.took = start.elapsed();
            watched.last = seen;
            return Ok(watched);
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    bail!("{name} did not settle within {seconds} s; states {:?}, progress {:#?}", watched.states, watched.progress)
}

impl Watched {
    pub fn note(&mut self, seen: &Seen) {
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

/// The attributes of a Hadoop cluster on the rig: its mirror, its distribution's checksum, its proxy.
pub fn hadoop(cloud: &Cloud, version: &str, more: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
    let sha512 = cloud.sha512(version)?;
    let mut all = BTreeMap::from([
        ("stampede.framework", "hadoop"),
        ("stampede.framework.version", version),
        ("stampede.workers", "2"),
        ("stampede.image", "debian-12"),
        ("stampede.master.flavor", "m1.xlarge"),
        ("stampede.worker.flavor", "m1.xlarge"),
        ("stampede.network.external", "public"),
        ("stampede.mirror", MIRROR),
        ("stampede.proxy", PROXY),
        ("stampede.hadoop.sha512", sha512.as_str()),
    ]);
    all.extend(more.iter().copied());
    Ok(all.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

/// Borrowed pairs, as the client takes them.
pub fn pairs(attributes: &[(String, String)]) -> Vec<(&str, &str)> {
    attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

/// The nodes of a stack: the master first.
pub async fn nodes(session: &Session, stack: &str, workers: usize) -> Result<Vec<Node>> {
    let names = std::iter::once("master".to_owned()).chain((1..=workers).map(|n| format!("worker-{n}")));
    let mut nodes = Vec::new();
    for name in names {
        nodes.push(Node::new(&name, &session.server(stack, &name).await?)?);
    }
    Ok(nodes)
}
