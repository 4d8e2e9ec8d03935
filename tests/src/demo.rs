//! Walks a cluster's life cycle without a cloud, for the README's first command: generates the
//! Hadoop cluster's template and scripts, then serves on loopback and deploys, updates and deletes
//! on the fake OpenStack. Verifies nothing about OpenStack; `tests/run` does.
#![expect(clippy::print_stdout, reason = "shows a person what happens")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stampede_tests::client::{OcciClient, ShownCluster};
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack, StackPace};
use stampede_tests::host::{HostProcess, find_binary};

const NAME: &str = "default";

#[tokio::main]
async fn main() -> Result<()> {
    let scratch = std::env::temp_dir().join(format!("stampede-demo-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let shown = walk_through(&scratch).await;
    std::fs::remove_dir_all(&scratch).ok();
    shown
}

async fn walk_through(scratch: &Path) -> Result<()> {
    generate_files(&scratch.join("cluster"))?;
    let cloud = FakeOpenStack::start(FakeConfig {
        pace: StackPace::Tick(Duration::from_millis(700)),
        ..FakeConfig::default()
    })
    .await?;
    let host = HostProcess::start(&scratch.join("data"), &cloud.url(), &[]).await?;
    print_line(&format!(
        "stampede serve on {}, for a fake OpenStack in this process",
        host.url
    ));
    let client = OcciClient::new(&host.url, &cloud.issue_token("demo"), "demo")?;
    walk_life_cycle(&client).await
}

fn print_line(text: &str) {
    println!("\n== {text}");
}

/// What people get who may not let a service act for them.
fn generate_files(dir: &Path) -> Result<()> {
    print_line("stampede generate hadoop --workers 3 --out cluster");
    let out = Command::new(find_binary()?)
        .args(["generate", "hadoop", "--workers", "3", "--explain", "--out"])
        .arg(dir)
        .output()?;
    print!("{}", String::from_utf8_lossy(&out.stdout));
    if !out.status.success() {
        bail!("generate: {}", String::from_utf8_lossy(&out.stderr));
    }
    let mut files: Vec<_> = std::fs::read_dir(dir)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files.iter().filter(|f| f.path().is_file()) {
        println!(
            "   {:>7} bytes  cluster/{}",
            file.metadata()?.len(),
            file.file_name().to_string_lossy()
        );
    }
    let yaml = std::fs::read_to_string(dir.join("cluster.yaml"))?;
    print_line("a worker in cluster.yaml");
    let worker = yaml
        .lines()
        .skip_while(|l| !l.starts_with("  worker_1_port:"));
    worker
        .take_while(|l| l.starts_with("  worker_1_port:") || l.starts_with("   "))
        .for_each(|l| println!("{l}"));
    Ok(())
}

async fn walk_life_cycle(client: &OcciClient) -> Result<()> {
    print_line("a mistake is refused before anything is made");
    let (status, text) = client
        .put(
            "mistaken",
            &[("stampede.workers", "0"), ("stampede.framework", "hadop")],
        )
        .await?;
    println!("   PUT with stampede.workers=0, stampede.framework=hadop: {status}");
    text.lines().for_each(|l| println!("     {l}"));
    ensure_that(status == 400, "a mistake was taken")?;

    print_line("PUT /orchestrator/default, then POST ?action=deploy, without one attribute");
    let (status, text) = client.put(NAME, &[]).await?;
    ensure_that(status == 201, &text)?;
    println!(
        "   PUT: {status}; the state is `{}`",
        fetch_cluster(client).await?.state()
    );
    let start = Instant::now();
    let (status, text) = client.action(NAME, "deploy", &[]).await?;
    ensure_that(status.is_success(), &text)?;
    println!("   deploy: {status}");
    let seen = print_until_settled(client, start).await?;
    ensure_that(
        seen.state() == "CREATE_COMPLETE",
        seen.get("stampede.failure"),
    )?;
    for (name, value) in seen
        .attributes
        .iter()
        .filter(|(k, _)| k.starts_with("stampede.endpoint."))
    {
        println!(
            "     {}: {value}",
            name.trim_start_matches("stampede.endpoint.")
        );
    }

    print_line("POST ?action=provision, an update, DELETE");
    let (status, text) = client.action(NAME, "provision", &[]).await?;
    ensure_that(status.is_success(), &text)?;
    println!("   provision: {status}");
    let (status, text) = client.update(NAME, &[("stampede.workers", "5")]).await?;
    println!("   update to 5 workers: {status}\n     {text}");
    let (status, text) = client.delete(NAME).await?;
    ensure_that(status.is_success(), &text)?;
    println!("   DELETE: {status}");
    ensure_that(
        client.fetch_cluster(NAME).await?.is_none(),
        "the cluster is still shown",
    )?;
    println!("   GET: 404, it is gone");
    Ok(())
}

/// Prints what changes until the stack settles.
async fn print_until_settled(client: &OcciClient, start: Instant) -> Result<ShownCluster> {
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    while start.elapsed() < Duration::from_secs(50) {
        let seen = fetch_cluster(client).await?;
        for (name, value) in &seen.attributes {
            let label = match name.strip_prefix("stampede.progress.") {
                Some(node) => node,
                None if name == "occi.mcn.stack.state" => "stack",
                None => continue,
            };
            if before.insert(name.clone(), value.clone()).as_ref() != Some(value) {
                println!(
                    "   {:>4.1} s  {label:<10} {value}",
                    start.elapsed().as_secs_f32()
                );
            }
        }
        if seen.state().ends_with("_COMPLETE") || seen.state().ends_with("_FAILED") {
            return Ok(seen);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    bail!("the stack did not settle")
}

async fn fetch_cluster(client: &OcciClient) -> Result<ShownCluster> {
    client
        .fetch_cluster(NAME)
        .await?
        .context("the cluster is not there")
}

fn ensure_that(condition: bool, otherwise: &str) -> Result<()> {
    if condition {
        Ok(())
    } else {
        bail!("{otherwise}")
    }
}
