//! Ten thousand clusters in one host: memory a cluster, time to list, and what they cost at rest.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, stream};
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::HostProcess;
use stampede_tests::usage::{memory_mib, processor_time};

const PROJECTS: usize = 100;
/// As many as a project may have.
const EACH: usize = 100;
/// Of each project's, so many are deployed: first some, then all.
const DEPLOYED: [usize; 2] = [10, EACH];
/// Deploys under way at once.
const AT_ONCE: usize = 8;
const REST: Duration = Duration::from_secs(10);

pub async fn run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
    let host = HostProcess::start(scratch.path(), &cloud.url(), &[]).await?;
    let mut clients = Vec::new();
    for number in 1..=PROJECTS {
        let project = format!("many-{number}");
        clients.push((
            OcciClient::new(&host.url, &cloud.issue_token(&project), &project)?,
            cloud.issue_token(&project),
            project,
        ));
    }
    let (empty, _) = memory_mib(host.pid()?)?;
    let start = Instant::now();
    for (client, ..) in &clients {
        for name in names(EACH) {
            must(client.put(&name, &[("stampede.workers", "3")]).await?)?;
        }
    }
    let all = PROJECTS * EACH;
    let (rss, _) = memory_mib(host.pid()?)?;
    println!(
        "clusters: {all} PUTs, one after the other, in {:.1} s; {empty:.1} MiB before, {rss:.1} MiB after: {:.1} KiB a cluster",
        start.elapsed().as_secs_f64(),
        (rss - empty) * 1024.0 / all as f64
    );
    list(&host, &clients, "of a project with 100, all initialised").await?;
    at_rest(&host, &cloud, &format!("{all} initialised")).await?;

    let mut from = 1;
    for upto in DEPLOYED {
        deploy(&clients, from, upto).await?;
        let deployed = PROJECTS * upto;
        at_rest(
            &host,
            &cloud,
            &format!("{deployed} in progress, nobody asks"),
        )
        .await?;
        cloud.finish();
        list(
            &host,
            &clients,
            &format!("of a project with 100, {upto} of them deployed"),
        )
        .await?;
        at_rest(&host, &cloud, &format!("{deployed} deployed, nobody asks")).await?;
        let (with, _) = memory_mib(host.pid()?)?;
        let each = (with - rss) * 1024.0 / deployed as f64;
        println!(
            "clusters: {with:.1} MiB resident with {deployed} deployed: {each:.1} KiB more for each of those"
        );
        from = upto + 1;
    }
    let (rss, _) = memory_mib(host.pid()?)?;
    println!("clusters: {rss:.1} MiB resident at the end");
    Ok(())
}

fn names(number: usize) -> impl Iterator<Item = String> {
    (1..=number).map(|number| format!("cluster-{number}"))
}

/// Deploys those clusters of each project, some at once.
async fn deploy(clients: &[(OcciClient, String, String)], from: usize, upto: usize) -> Result<()> {
    let (start, number) = (Instant::now(), clients.len() * (upto + 1 - from));
    let all = clients.iter().flat_map(|(client, ..)| {
        (from..=upto).map(move |number| (client, format!("cluster-{number}")))
    });
    let deploys =
        all.map(|(client, name)| async move { must(client.action(&name, "deploy", &[]).await?) });
    let done: Vec<Result<()>> = stream::iter(deploys)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    done.into_iter().collect::<Result<()>>()?;
    println!(
        "clusters: {number} deployed, {AT_ONCE} at once, in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn must((status, text): (reqwest::StatusCode, String)) -> Result<()> {
    if status.is_success() {
        Ok(())
    } else {
        bail!("{status} {text}")
    }
}

/// The second list of each of some projects: the first looks into Heat for forgotten clusters.
async fn list(
    host: &HostProcess,
    clients: &[(OcciClient, String, String)],
    what: &str,
) -> Result<()> {
    let http = stampede_tests::http_client()?;
    for accept in ["text/uri-list", "application/occi+json"] {
        let (mut took, mut used) = (Vec::new(), Duration::ZERO);
        for (_, token, project) in clients.iter().take(20) {
            for measured in [false, true] {
                let (start, before) = (Instant::now(), processor_time(host.pid()?)?);
                let request = http
                    .get(format!("{}/orchestrator/", host.url))
                    .header("accept", accept);
                let response = request
                    .header("x-auth-token", token)
                    .header("x-tenant-name", project)
                    .send()
                    .await?;
                let (status, text) = (response.status(), response.text().await?);
                if !status.is_success() || !text.contains("cluster-100") {
                    bail!("{status} {text}");
                }
                if measured {
                    took.push(start.elapsed());
                    used += processor_time(host.pid()?)? - before;
                }
            }
        }
        took.sort();
        let median = took.get(took.len() / 2).context("none")?.as_secs_f64() * 1e3;
        println!(
            "clusters: list {what}, {accept}: {median:.1} ms, {:.1} CPU ms",
            used.as_secs_f64() * 1e3 / took.len() as f64
        );
    }
    Ok(())
}

async fn at_rest(host: &HostProcess, cloud: &FakeOpenStack, what: &str) -> Result<()> {
    let (before, heat) = (processor_time(host.pid()?)?, cloud.count("heat"));
    tokio::time::sleep(REST).await;
    let seconds = REST.as_secs_f64();
    let share = 100.0 * (processor_time(host.pid()?)? - before).as_secs_f64() / seconds;
    println!(
        "clusters: at rest with {what}: {share:.2} % of a CPU, {:.1} Heat calls a second",
        (cloud.count("heat") - heat) as f64 / seconds
    );
    Ok(())
}
