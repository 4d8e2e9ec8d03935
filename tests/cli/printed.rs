//! Commands that a host's pages print, run by a shell: with the host named, they ask for the same as the
//! page, which the API's dry runs show.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use stampede_tests::fake_openstack::PASSWORD;
use stampede_tests::{
    artifacts,
    host::HostProcess,
    own_plugins::{copy_plugins, replace_hadoop},
};

use super::{Terminal, end_of};

/// Somebody who has the page open, and a terminal beside it.
struct PageReader {
    terminal: Terminal,
    host: HostProcess,
    client: reqwest::Client,
    cookie: String,
}

impl PageReader {
    async fn new() -> Self {
        let mut terminal = Terminal::new().await;
        let data = terminal.home.path().join("host");
        let keystone = terminal.cloud.url();
        let plugins = terminal.home.path().join(PLUGINS);
        copy_plugins(&plugins).unwrap();
        let own = ["--plugins", plugins.to_str().unwrap()];
        let host = HostProcess::start(&data, &keystone, &own).await;
        let host = host.unwrap();
        terminal.server = Some(host.url.clone());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.timeout(Duration::from_secs(60)).build().unwrap();
        let mut reader = Self {
            terminal,
            host,
            client,
            cookie: String::new(),
        };
        reader.sign_in().await;
        reader
    }

    async fn sign_in(&mut self) {
        let who = [
            ("user", "demo"),
            ("password", PASSWORD),
            ("project", "demo"),
        ];
        let signed_in = self.send("/ui/sign-in", &who).await;
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    /// The host is started again, with another plugin hadoop.
    async fn on_a_later_day(mut self) -> Self {
        replace_hadoop(&self.terminal.home.path().join(PLUGINS)).unwrap();
        let killed = self.host.kill_9().await.unwrap();
        self.host = killed.start_again().await.unwrap();
        self.sign_in().await;
        self
    }

    /// Sends a form; without fields a page is asked for.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let url = format!("{}{path}", self.host.url);
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let encoded = fields
            .iter()
            .map(|(name, text)| format!("{}={}", encode(name), encode(text)));
        let body = encoded.collect::<Vec<_>>().join("&");
        let request = if fields.is_empty() {
            self.client.get(url)
        } else {
            let kind = "application/x-www-form-urlencoded";
            self.client
                .post(url)
                .header("content-type", kind)
                .body(body)
        };
        let request = request.header("cookie", &self.cookie);
        request.send().await.unwrap()
    }

    /// The command that a page prints and that begins so.
    async fn printed(&self, path: &str, fields: &[(&str, &str)], verb: &str) -> String {
        let page = self.send(path, fields).await.text().await.unwrap();
        let blocks = page.split("<pre tabindex=\"0\">").skip(1);
        let blocks = blocks.map(|rest| rest.split("</pre>").next().unwrap());
        let mut commands = blocks.map(|text| {
            [
                ("&#x27;", "'"),
                ("&#x2f;", "/"),
                ("&quot;", "\""),
                ("&lt;", "<"),
                ("&gt;", ">"),
                ("&amp;", "&"),
            ]
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
        });
        let found = commands.find(|command| command.starts_with(verb));
        found.unwrap_or_else(|| panic!("no command begins with {verb}: {page}"))
    }

    /// What a shell makes of a command, with more words behind it; what it prints.
    async fn run(&self, command: &str, more: &str) -> String {
        let program = artifacts::stampede_binary().unwrap();
        let script = format!(
            "stampede() {{ '{}' \"$@\"; }}\n{command} {more}\n",
            program.display()
        );
        let plain = self.terminal.command(&[]);
        let mut with_shell = tokio::process::Command::new("sh");
        with_shell.arg("-c").arg(script);
        for (name, value) in plain.as_std().get_envs() {
            match value {
                Some(value) => with_shell.env(name, value),
                None => with_shell.env_remove(name),
            };
        }
        with_shell
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true);
        let ended = end_of(with_shell.spawn().unwrap()).await;
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        ended.out
    }

    /// What the API says of the same request.
    async fn dry_run(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}{path}?dry_run=true", self.host.url);
        let request = self
            .client
            .request(method.parse().unwrap(), url)
            .header("x-auth-token", self.terminal.cloud.issue_token("demo"))
            .body(body.to_string());
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// The host's own plugins, in the reader's home.
const PLUGINS: &str = "own-plugins";

const FIELDS: [(&str, &str); 6] = [
    ("name", "demo"),
    ("frameworks_shown", "1"),
    ("framework", "hadoop"),
    ("framework", "spark"),
    ("set.workers", "2"),
    ("set.hadoop.replication", "1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_a_clusters_pages_ask_for_what_the_pages_do() {
    let reader = PageReader::new().await;
    let command = reader.printed("/ui/new", &FIELDS, "stampede deploy").await;
    let by_command = reader.run(&command, "--dry-run -f json").await;
    let by_command: Value = serde_json::from_str(&by_command).unwrap();
    let attributes =
        json!({"framework": ["hadoop", "spark"], "workers": 2, "hadoop.replication": 1});
    let body = json!({"name": "demo", "attributes": attributes});
    let by_api = reader.dry_run("POST", "/api/v1/clusters", body).await;
    assert!(by_api["template"].is_object(), "{by_api}");
    assert_eq!(by_command, by_api);
    reader.run(&command, "--wait").await;

    let cluster = "/ui/clusters/demo";
    let page = reader.send(cluster, &[]).await.text().await.unwrap();
    let told = page.matches("STAMPEDE_SERVER=").count();
    assert_eq!(told, 1, "what its commands need is said once: {page}");
    assert!(page.contains("h-reach") && page.contains("h-command"));
    let again = reader.printed(cluster, &[], "stampede deploy").await;
    let again = again.replace("--name demo", "--name other");
    let again = again.trim_end().trim_end_matches("--wait").trim_end();
    let again = again.trim_end_matches('\\');
    let by_command = reader.run(again, "--dry-run -f json").await;
    let by_command: Value = serde_json::from_str(&by_command).unwrap();
    let body = json!({"name": "other", "attributes": attributes});
    let by_api = reader.dry_run("POST", "/api/v1/clusters", body).await;
    assert_eq!(by_command["values"], by_api["values"]);
    assert_eq!(by_command["groups"], by_api["groups"]);

    let fields = [("name", "demo"), ("set.workers", "3")];
    let change = format!("{cluster}/change");
    let command = reader.printed(&change, &fields, "stampede update").await;
    let by_command = reader.run(&command, "--dry-run -f json").await;
    let by_command: Value = serde_json::from_str(&by_command).unwrap();
    let body = json!({"attributes": {"workers": 3}});
    let path = "/api/v1/clusters/demo";
    let by_api = reader.dry_run("PATCH", path, body).await;
    assert_eq!(by_api["added"], json!(["worker-3"]));
    assert_eq!(by_command, by_api);

    let reader = reader.on_a_later_day().await;
    let upgrade = format!("{cluster}/upgrade");
    let command = reader
        .printed(&upgrade, &[], "stampede cluster upgrade")
        .await;
    let by_command = reader.run(&command, "--dry-run -f json").await;
    let by_command: Value = serde_json::from_str(&by_command).unwrap();
    let body = json!({"attributes": {"upgrade": true}});
    let by_api = reader.dry_run("PATCH", path, body).await;
    assert!(by_api["steps"][0]["title"].is_string(), "{by_api}");
    assert_eq!(by_command, by_api);

    let delete = format!("{cluster}/delete");
    let command = reader.printed(&delete, &[], "stampede delete").await;
    reader.run(&command, "--wait").await;
    assert_eq!(reader.send(cluster, &[]).await.status(), 404);
}
