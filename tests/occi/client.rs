//! A host on loopback, and an HTTP client that writes requests byte for byte and parses responses
//! strictly. A client library would hide deviations from the recorded bytes.

use std::net::SocketAddr;
use std::time::Duration;

use stampede::occi;
use stampede::server::{Server, ServerConfig, ServerLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::memory::MemoryClusters;

pub(crate) const S: &str = "http://schemas.mobile-cloud-networking.eu/occi/service#";

/// A running host.
pub(crate) struct OcciHost {
    pub api: SocketAddr,
    pub admin: SocketAddr,
    pub memory: MemoryClusters,
    pub stop: Option<oneshot::Sender<()>>,
    pub running: JoinHandle<()>,
}

impl OcciHost {
    pub(crate) async fn start() -> Self {
        Self::start_with(ServerLimits::default()).await
    }

    pub(crate) async fn start_with(limits: ServerLimits) -> Self {
        Self::start_configured(|config| config.limits = limits).await
    }

    /// A host with settings of its own.
    pub(crate) async fn start_configured(configure: impl FnOnce(&mut ServerConfig)) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let so_name = "soorch0123456789abcdef".to_owned();
        let mut config = ServerConfig {
            metrics: Default::default(),
            listen: any,
            admin_listen: any,
            so_name,
            controller: None,
            addressing: Default::default(),
            limits: ServerLimits::default(),
            occi: occi::OcciLimits::default(),
        };
        configure(&mut config);
        let server = Server::bind(config).await.expect("loopback has free ports");
        let (api, admin) = server.addresses();
        let memory = MemoryClusters::default();
        let (stop, stopped) = oneshot::channel();
        let clusters = memory.clone();
        let running = tokio::spawn(server.run(clusters, async { drop(stopped.await) }));
        Self {
            api,
            admin,
            memory,
            stop: Some(stop),
            running,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.api)
            .await
            .expect("the host listens")
    }

    /// Sends one request as the project `demo`, on a connection of its own. `head` holds method, path and
    /// further header lines.
    pub(crate) async fn send(&self, head: &str, body: &str) -> RawResponse {
        self.send_as("demo", head, body).await
    }

    /// Sends one request as that project.
    pub(crate) async fn send_as(&self, project: &str, head: &str, body: &str) -> RawResponse {
        let auth = format!("X-Auth-Token: token-{project}\r\nX-Tenant-Name: {project}");
        let (line, rest) = head.split_once('\n').unwrap_or((head, ""));
        let rest: String = rest
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| format!("{}\r\n", line.trim_start()))
            .collect();
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let host = if rest.to_lowercase().contains("host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.api)
        };
        let raw = format!(
            "{line} HTTP/1.1\r\n{host}{auth}\r\n{rest}{length}Connection: close\r\n\r\n{body}"
        );
        self.send_bytes(raw.as_bytes()).await
    }

    /// Sends bytes on a connection of their own; returns what came back until the host closed it.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> RawResponse {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("the host reads");
        RawResponse::read_to_end(&mut stream).await
    }

    /// PUT of a cluster with attributes in a header.
    pub(crate) async fn put_cluster(&self, name: &str, attributes: &str) -> RawResponse {
        let answer = self
            .send(
                &format!(
                    "PUT /orchestrator/{name}\n{}\nX-OCCI-Attribute: {attributes}",
                    category_line("orchestrator")
                ),
                "",
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }

    /// The attributes of a cluster, from JSON.
    pub(crate) async fn fetch_attributes(
        &self,
        name: &str,
    ) -> serde_json::Map<String, serde_json::Value> {
        let answer = self
            .send(
                &format!("GET /orchestrator/{name}\nAccept: application/occi+json"),
                "",
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["attributes"].as_object().unwrap().clone()
    }
}

/// A Category header of the kind or an action.
pub(crate) fn category_line(term: &str) -> String {
    format!("Category: {term}; scheme=\"{S}\"")
}

/// Polls a condition until it holds. The deadline is no assertion about time: it ends a test that
/// has failed.
pub(crate) async fn wait_until(what: &str, so: impl AsyncFn() -> bool) {
    let asking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking)
        .await
        .unwrap_or_else(|_| panic!("it never came: {what}"));
}

/// A response, parsed strictly.
#[derive(Debug, PartialEq)]
pub(crate) struct RawResponse {
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl RawResponse {
    /// Reads until the other side closes. An answer that never comes is status 0.
    pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        // What was read before a reset counts.
        let _ = stream.read_to_end(&mut bytes).await;
        Self::parse(&bytes).checked()
    }

    /// Reads one answer with a Content-Length and leaves the connection open.
    pub(crate) async fn read_one(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        loop {
            let answer = Self::parse(&bytes);
            let length = answer
                .header("content-length")
                .and_then(|text| text.parse().ok());
            if length.is_some_and(|length: usize| answer.body.len() >= length) {
                return answer.checked();
            }
            let mut more = [0; 4096];
            let read = stream.read(&mut more).await.expect("the host answers");
            assert!(
                read > 0,
                "the host closed the connection in the middle of its answer"
            );
            bytes.extend_from_slice(&more[..read]);
        }
    }

    /// Whatever is answered, and whoever has made the answer: no cache may keep it.
    fn checked(self) -> Self {
        if self.status >= 200 {
            assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        }
        self
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).expect("answers are UTF-8");
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Self {
                status: 0,
                reason: String::new(),
                headers: Vec::new(),
                body: text,
            };
        };
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().splitn(3, ' ').skip(1);
        let status = first.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let reason = first.next().unwrap_or_default().to_owned();
        let headers = lines
            .map(|line| {
                line.split_once(": ")
                    .map(|(k, v)| (k.to_lowercase(), v.to_owned()))
                    .expect(line)
            })
            .collect();
        Self {
            status,
            reason,
            headers,
            body: body.to_owned(),
        }
    }

    /// A header's first line.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// All lines of a header, joined as Python's `httplib` does it.
    pub(crate) fn joined_header(&self, name: &str) -> String {
        self.headers
            .iter()
            .filter(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("not JSON: {e}: {}", self.body))
    }
}
