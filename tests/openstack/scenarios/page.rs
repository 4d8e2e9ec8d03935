//! The page in Chromium against the real OpenStack: `tests/ui/cluster.mjs` signs in, asks for a
//! cluster, watches it come up, scales it, opens a page of it through the tunnel, puts its end off,
//! deletes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use stampede_tests::artifacts::target_folder;
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::{KEYSTONE, PASSWORD};
use stampede_tests::testbed::mirror;
use stampede_tests::{must, verified};

use super::by_hand;
use super::frameworks::settings;
use super::way_in::{self, OpenTunnel};
use crate::TestbedContext;

/// The cluster's name, as `cluster.mjs` has it.
const NAME: &str = "pictures";

/// Hadoop and Spark, two workers.
pub async fn run(testbed: &TestbedContext) -> Result<()> {
    mirror::make(&["spark-4.2.0"])?;
    let key = way_in::make_key(testbed).await?;
    // The folder of `stampede_command`: the command line finds clusters of a host of its own name alone.
    let data = testbed.scratch.join("command-line");
    let host = HostProcess::start(&data, KEYSTONE, &[]).await?;
    let mut walk = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ui/run"))
        .arg("cluster.mjs")
        .env("STAMPEDE_URL", &host.url)
        .env("STAMPEDE_USER", "demo")
        .env("STAMPEDE_PASSWORD", PASSWORD)
        .env("STAMPEDE_REQUEST", request()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut answers = walk.stdin.take().context("no input")?;
    let mut said = BufReader::new(walk.stdout.take().context("no output")?).lines();
    let mut tunnel = None;
    let mut watching = None;
    let mut has_walked = false;
    while let Some(line) = said.next_line().await? {
        let answer = match line.strip_prefix("world: ") {
            Some("close") => {
                let open: OpenTunnel = tunnel.take().context("no tunnel is open")?;
                open.close().await?;
                String::new()
            }
            Some(wish) => {
                let endpoint = wish.strip_prefix("tunnel ").context("an unknown wish")?;
                let open = OpenTunnel::open(testbed, NAME, &key, &[endpoint]).await?;
                let url = open.url(endpoint)?.to_owned();
                tunnel = Some(open);
                url
            }
            None => {
                match line.strip_prefix("verified: ") {
                    Some(what) => {
                        verified!("{what}");
                        if watching.is_none() {
                            watching = Some(Watched::start(testbed)?);
                        }
                    }
                    None => println!("    {line}"),
                }
                has_walked |= line.contains(" pages in ");
                continue;
            }
        };
        answers
            .write_all(format!("ok {answer}\n").as_bytes())
            .await?;
    }
    let ended = walk.wait().await?;
    must!(ended.success() && has_walked, "the walk ended with {ended}");
    watching.context("nothing was watched")?.end().await?;
    way_in::forget_key(&testbed.cloud.demo).await;
    super::deletion::nothing_stays(testbed).await
}

/// `stampede cluster watch` in a terminal of its own, beside the page.
struct Watched {
    terminal: Child,
    kept: PathBuf,
}

impl Watched {
    fn start(testbed: &TestbedContext) -> Result<Self> {
        let watch = by_hand::stampede_command(testbed, &["cluster", "watch", NAME])?;
        let words = std::iter::once(watch.get_program()).chain(watch.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        let kept = testbed.scratch.join("watch.txt");
        let terminal = Command::new("script")
            .args(["-qfec", &format!("stty cols 100; {}", words.join(" "))])
            .arg(&kept)
            .envs(
                watch
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { terminal, kept })
    }

    /// It came up on the terminal too; the text is kept.
    async fn end(mut self) -> Result<()> {
        let ended = self.terminal.wait().await?;
        let text = std::fs::read_to_string(&self.kept)?;
        must!(
            ended.success()
                && text.contains("3 of 3 nodes ready")
                && text.contains(" is active after "),
            "`stampede cluster watch` ended with {ended}: {text}"
        );
        let kept = target_folder().join("page/watch.txt");
        std::fs::create_dir_all(kept.parent().context("no folder")?)?;
        std::fs::copy(&self.kept, &kept)?;
        verified!(
            "`stampede cluster watch` in a terminal meanwhile, kept in {}",
            kept.display()
        );
        Ok(())
    }
}

/// What the form is filled with, by attribute.
fn request() -> Result<String> {
    let mut sets = settings(&["spark", "hadoop"])?;
    sets.extend(
        [
            "workers=2",
            "expires=2h",
            "master.flavor=m1.xlarge",
            "worker.flavor=m1.xlarge",
            "network.access=172.31.240.1/32",
        ]
        .map(str::to_owned),
    );
    sets.push(format!("key={}", way_in::KEY));
    let sets = sets.iter().filter_map(|set| set.split_once('='));
    let request: BTreeMap<&str, &str> = sets.collect();
    Ok(serde_json::to_string(&request)?)
}
