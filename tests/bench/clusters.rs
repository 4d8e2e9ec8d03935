//! Ten thousand clusters in one host: memory a cluster, time to list, and what they cost at rest and
//! while a thousand of them are polled. A thousand are deployed; the others of the ten thousand that
//! are deployed at the end are copies of their records, made while the host stands still.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, stream};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::HostProcess;
use stampede_tests::usage::{memory_mib, processor_time};

const PROJECTS: usize = 100;
/// As many as a project may have.
const EACH: usize = 100;
/// Of each project's, so many are deployed; then all.
const DEPLOYED: usize = 10;
/// Deploys under way at once.
const AT_ONCE: usize = 8;
const REST: Duration = Duration::from_secs(10);
/// Every deployed cluster is asked for once in this time, which is how hurtle does it.
const POLL_EVERY: Duration = Duration::from_secs(3);
/// How long.
const POLLED: Duration = Duration::from_secs(30);

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

    deploy(&clients, 1, DEPLOYED).await?;
    let deployed = PROJECTS * DEPLOYED;
    at_rest(
        &host,
        &cloud,
        &format!("{deployed} in progress, nobody asks"),
    )
    .await?;
    polled(&host, &cloud, &clients, &format!("{deployed} in progress")).await?;
    cloud.finish();
    polled(&host, &cloud, &clients, &format!("{deployed} complete")).await?;
    let what = format!("of a project with 100, {DEPLOYED} of them deployed");
    list(&host, &clients, &what).await?;
    at_rest(&host, &cloud, &format!("{deployed} deployed, nobody asks")).await?;
    let (with, _) = memory_mib(host.pid()?)?;
    let each = (with - rss) * 1024.0 / deployed as f64;
    println!(
        "clusters: {with:.1} MiB resident with {deployed} deployed: {each:.1} KiB more for each of those"
    );

    let command = host.kill_9().await?;
    copy_deployed(scratch.path()).await?;
    let start = Instant::now();
    let host = command.start_again().await?;
    let (started, _) = memory_mib(host.pid()?)?;
    println!(
        "clusters: started again with {all} deployed in {:.1} s, {started:.1} MiB resident",
        start.elapsed().as_secs_f64()
    );
    list(&host, &clients, "of a project with 100, all deployed").await?;
    list_all(&host, &clients).await?;
    at_rest(&host, &cloud, &format!("{all} deployed, all listed")).await?;
    let (rss, _) = memory_mib(host.pid()?)?;
    println!("clusters: {rss:.1} MiB resident after every project was listed");
    Ok(())
}

/// Makes every cluster a deployed one: a copy of one of its project's that are.
async fn copy_deployed(data: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(data.join(stampede::store::FILE_NAME));
    let mut store = SqliteConnection::connect_with(&options).await?;
    let all = "UPDATE cluster SET (record, revision) = (
            SELECT json_set(c.record, '$.id', cluster.id, '$.name', cluster.name), c.revision FROM cluster AS c
            WHERE c.project_id = cluster.project_id
            AND c.name = 'cluster-' || ((CAST(substr(cluster.name, 9) AS INTEGER) - 1) % ?1 + 1))
        WHERE CAST(substr(name, 9) AS INTEGER) > ?1";
    let deployed = i64::try_from(DEPLOYED)?;
    sqlx::query(all).bind(deployed).execute(&mut store).await?;
    Ok(store.close().await?)
}

/// Lists every project once.
async fn list_all(host: &HostProcess, clients: &[(OcciClient, String, String)]) -> Result<()> {
    let http = stampede_tests::http_client()?;
    let (start, before) = (Instant::now(), processor_time(host.pid()?)?);
    for (_, token, project) in clients {
        let request = http
            .get(format!("{}/orchestrator/", host.url))
            .header("accept", "text/uri-list");
        let request = request
            .header("x-auth-token", token)
            .header("x-tenant-name", project);
        request.send().await?.error_for_status()?.text().await?;
    }
    println!(
        "clusters: {} projects listed, one after the other, in {:.1} s, {:.1} CPU s",
        clients.len(),
        start.elapsed().as_secs_f64(),
        processor_time(host.pid()?)?
            .saturating_sub(before)
            .as_secs_f64()
    );
    Ok(())
}

/// Asks for each deployed cluster again and again, as hurtle does for each of its services.
async fn polled(
    host: &HostProcess,
    cloud: &FakeOpenStack,
    clients: &[(OcciClient, String, String)],
    what: &str,
) -> Result<()> {
    let (before, heat) = (processor_time(host.pid()?)?, cloud.count("heat"));
    let end = Instant::now() + POLLED;
    let mut asked = 0;
    while Instant::now() < end {
        let round = Instant::now();
        let all = clients
            .iter()
            .flat_map(|(client, ..)| names(DEPLOYED).map(move |name| (client, name)));
        let polls = all.map(|(client, name)| async move {
            client
                .fetch_cluster(&name)
                .await
                .map(|found| found.is_some())
        });
        let answers: Vec<Result<bool>> = stream::iter(polls)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for answer in answers {
            if !answer? {
                bail!("a cluster is not there");
            }
            asked += 1;
        }
        tokio::time::sleep(POLL_EVERY.saturating_sub(round.elapsed())).await;
    }
    let seconds = POLLED.as_secs_f64();
    let share = 100.0
        * processor_time(host.pid()?)?
            .saturating_sub(before)
            .as_secs_f64()
        / seconds;
    println!(
        "clusters: {what} and polled: {:.1} GETs a second, {:.1} Heat calls a second, {share:.1} % of a CPU",
        f64::from(asked) / seconds,
        (cloud.count("heat") - heat) as f64 / seconds
    );
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
                    used += processor_time(host.pid()?)?.saturating_sub(before);
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
    let share = 100.0
        * processor_time(host.pid()?)?
            .saturating_sub(before)
            .as_secs_f64()
        / seconds;
    println!(
        "clusters: at rest with {what}: {share:.2} % of a CPU, {:.1} Heat calls a second",
        (cloud.count("heat") - heat) as f64 / seconds
    );
    Ok(())
}
