//! A host over a fake OpenStack, and a browser without a screen: it keeps one cookie and follows
//! nothing.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack, PASSWORD};
use stampede_tests::host::HostProcess;
use stampede_tests::own_plugins::copy_plugins;

/// The folder of plugins that a host has for itself.
pub(crate) const OWN_PLUGINS: &str = "plugins";

/// The host and its cloud.
pub(crate) struct PageFixture {
    pub(crate) cloud: FakeOpenStack,
    pub(crate) host: HostProcess,
    pub(crate) data: tempfile::TempDir,
}

impl PageFixture {
    /// Stacks stand still until the test moves them.
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[]).await
    }

    /// The same with plugins of its own, in the folder [`OWN_PLUGINS`] of its data.
    pub(crate) async fn start_with_own_plugins() -> Self {
        let data = tempfile::tempdir().unwrap();
        let own = data.path().join(OWN_PLUGINS);
        copy_plugins(&own).unwrap();
        Self::start_in(data, &["--plugins", own.to_str().unwrap()]).await
    }

    async fn start_in(data: tempfile::TempDir, arguments: &[&str]) -> Self {
        let cloud = FakeOpenStack::start(FakeConfig::default()).await.unwrap();
        let host = HostProcess::start(data.path(), &cloud.url(), arguments)
            .await
            .unwrap();
        Self { cloud, host, data }
    }

    pub(crate) fn visitor(&self) -> PageVisitor {
        PageVisitor {
            url: self.host.url.clone(),
            cookie: None,
            headers: Vec::new(),
        }
    }

    /// A visitor who has signed in as this user.
    pub(crate) async fn member(&self, user: &str) -> PageVisitor {
        let mut visitor = self.visitor();
        let answer = visitor.sign_in(user, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        visitor
    }

    /// A cluster that was asked for and deployed by the other API.
    pub(crate) async fn deploy(&self, project: &str, name: &str, attributes: &[(&str, &str)]) {
        let token = self.cloud.issue_token(project);
        let client = OcciClient::new(&self.host.url, &token, project).unwrap();
        client.create(name, attributes).await.unwrap();
    }

    /// All that the host has written: its store and its log.
    pub(crate) fn written(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.data.path()).unwrap();
        let files = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file());
        files
            .flat_map(|path| std::fs::read(path).unwrap())
            .collect()
    }
}

/// A browser.
#[derive(Clone)]
pub(crate) struct PageVisitor {
    url: String,
    pub(crate) cookie: Option<String>,
    /// Sent with every request.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What was answered.
pub(crate) struct PageAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl PageAnswer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

impl PageVisitor {
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60));
        let http = http.build().unwrap();
        let mut request = http.request(method, format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> PageAnswer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        if let Some(set) = headers.get("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        PageAnswer {
            status,
            headers,
            // How slashes are escaped.
            text: answer.text().await.unwrap().replace("&#x2f;", "/"),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> PageAnswer {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> PageAnswer {
        let mut body = String::new();
        for (name, text) in fields {
            let encoded =
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
            body.push_str(&format!("{name}={encoded}&"));
        }
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) -> PageAnswer {
        let fields = [("user", user), ("password", password), ("project", user)];
        self.post("/ui/sign-in", &fields).await
    }

    pub(crate) async fn sign_in_by_token(&mut self, token: &str) -> PageAnswer {
        self.post("/ui/sign-in", &[("way", "token"), ("token", token)])
            .await
    }

    /// A stream whose head has come.
    pub(crate) async fn open_stream(&self, path: &str) -> reqwest::Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// The first bytes of a stream, until they hold this.
    pub(crate) async fn read_stream(&self, path: &str, until: &str) -> String {
        let mut answer = self.open_stream(path).await;
        assert_eq!(answer.status(), 200);
        let mut text = String::new();
        while !text.contains(until) {
            let chunk = answer.chunk().await.unwrap();
            text.push_str(&String::from_utf8_lossy(&chunk.unwrap()));
        }
        text
    }
}
