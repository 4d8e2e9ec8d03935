//! The page in a real browser: walks in JavaScript are told where the host is, and ask for what is to
//! happen around the page. Only by name, since they need what `tests/ui/run` installs.

use std::process::Stdio;

use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{
    CreateFails, FakeOpenStack, FaultKind, InjectedFault, PASSWORD, UpdateFails,
};
use stampede_tests::host::{HostCommand, HostProcess};
use stampede_tests::own_plugins::replace_hadoop;
use stampede_tests::wait_until;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::fixture::{OWN_PLUGINS, PageFixture};

/// What a walk's line begins with that asks for something around the page.
const WISH: &str = "world: ";

/// A text that would be more than text where it is not escaped.
const HTML: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>";

/// What the nodes of a cluster have said that is coming up.
const SAID: [&str; 6] = [
    "master node setup done 7 s",
    "master hadoop setup began",
    "worker-1 node setup done 9 s",
    "worker-1 hadoop setup began",
    "worker-2 node setup began",
    "master hadoop setup detail 218 of 357 MiB",
];

/// How long a cluster may take until it is at rest, while its stacks take every step at once.
const REST_S: u64 = 120;

#[tokio::test]
#[ignore = "tests/ui/run starts it with the browser that it has installed"]
async fn the_page_in_a_browser() {
    let world = PageFixture::start_with_own_plugins().await;
    let workers = ("stampede.workers", "3");
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-2".into(),
        text: "hadoop setup line 157: curl: (22) The requested URL returned error: 404".into(),
    });
    world.deploy("demo", "broken", &[workers]).await;
    world.cloud.finish();
    let foreign = ("team", "genomes <b>& co</b>");
    world.deploy("demo", "analytics", &[workers, foreign]).await;
    world.cloud.step();
    let stack = stack_of(&world.cloud, "analytics");
    for line in SAID {
        signal(&world.cloud, &stack, line);
    }
    BrowserWorld::of(world).walk("browser.mjs").await;
}

#[tokio::test]
#[ignore = "tests/ui/run starts it with the browser that it has installed"]
async fn faults_around_the_page_in_a_browser() {
    let world = PageFixture::start().await;
    BrowserWorld::of(world).walk("faults.mjs").await;
}

/// What is around the page of a walk.
struct BrowserWorld {
    cloud: FakeOpenStack,
    data: tempfile::TempDir,
    host: Option<HostProcess>,
    killed: Option<HostCommand>,
    url: String,
}

impl BrowserWorld {
    fn of(world: PageFixture) -> Self {
        let url = world.host.url.clone();
        Self {
            cloud: world.cloud,
            data: world.data,
            host: Some(world.host),
            killed: None,
            url,
        }
    }

    /// Runs a walk to its end, and does what it asks for.
    #[expect(clippy::print_stdout, reason = "a walk tells how far it is")]
    async fn walk(mut self, script: &str) {
        let pid = self.host.as_ref().unwrap().pid().unwrap();
        let mut browser = Command::new("node")
            .arg(format!("{}/ui/{script}", env!("CARGO_MANIFEST_DIR")))
            .env("STAMPEDE_URL", &self.url)
            .env("STAMPEDE_USER", "demo")
            .env("STAMPEDE_PASSWORD", PASSWORD)
            .env("STAMPEDE_HOST_PID", pid.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut answers = browser.stdin.take().unwrap();
        let mut said = BufReader::new(browser.stdout.take().unwrap()).lines();
        while let Some(line) = said.next_line().await.unwrap() {
            match line.strip_prefix(WISH) {
                Some(wish) => {
                    let answer = self.fulfil(wish).await;
                    let line = format!("ok {answer}\n");
                    answers.write_all(line.as_bytes()).await.unwrap();
                }
                None => println!("{line}"),
            }
        }
        assert!(browser.wait().await.unwrap().success(), "{script}");
    }

    /// What a walk asks for, and the answer where there is one.
    async fn fulfil(&mut self, wish: &str) -> String {
        let (verb, rest) = wish.split_once(' ').unwrap_or((wish, ""));
        let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let (node, text) = (first.to_owned(), text.to_owned());
        match verb {
            "deploy" => {
                let attributes = [("stampede.workers", "2"), ("evil.text", HTML)];
                self.client().create(first, &attributes).await.unwrap();
            }
            "step" => drop(self.cloud.step()),
            "finish" => self.cloud.finish(),
            "settle" => self.settle(first).await,
            "fail" => self
                .cloud
                .next_create_fails(CreateFails::Node { node, text }),
            "fail-update" => self
                .cloud
                .next_update_fails(UpdateFails::Node { node, text }),
            "signal" => signal(&self.cloud, &stack_of(&self.cloud, first), &text),
            "count" => return self.cloud.count_of("keystone", first, &text).to_string(),
            "expire" => self.cloud.expire_tokens(),
            "cloud" if first == "away" => self.cloud.fault(InjectedFault {
                service: None,
                ..InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None))
            }),
            "cloud" => self.cloud.heal(),
            "kill" => self.kill().await,
            "start" => self.start().await,
            "replace-hadoop" => replace_hadoop(&self.data.path().join(OWN_PLUGINS)).unwrap(),
            _ => panic!("a walk asks for {wish}"),
        }
        String::new()
    }

    fn client(&self) -> OcciClient {
        OcciClient::new(&self.url, &self.cloud.issue_token("demo"), "demo").unwrap()
    }

    /// The cluster goes through all that it still has to.
    async fn settle(&self, name: &str) {
        let client = self.client();
        wait_until(REST_S, "the cluster is at rest", async || {
            self.cloud.finish();
            let shown = client.fetch_cluster(name).await?;
            Ok(shown.is_some_and(|shown| shown.state().ends_with("_COMPLETE")))
        })
        .await
        .unwrap();
    }

    /// SIGKILL: it has no time to end anything.
    async fn kill(&mut self) {
        let host = self.host.take().unwrap();
        self.killed = Some(host.kill_9().await.unwrap());
    }

    async fn start(&mut self) {
        let killed = self.killed.take().unwrap();
        self.host = Some(killed.start_again().await.unwrap());
    }
}

fn stack_of(cloud: &FakeOpenStack, cluster: &str) -> String {
    let mut stacks = cloud.stacks().into_iter();
    stacks.find(|(name, _)| name.contains(cluster)).unwrap().0
}

/// A node says something of its progress.
fn signal(cloud: &FakeOpenStack, stack: &str, line: &str) {
    let number = cloud.requests().len();
    let id = format!("browser-{number}-{}", line.len());
    assert!(cloud.signal(stack, "progress_handle", &id, "SUCCESS", line));
}
