//! Ten thousand deployed clusters in one host: memory a cluster, time to list, calls to Heat a second
//! at rest and while a thousand of them are polled, and the time of a start. Two hundred are deployed
//! by the host; the others are copies of their records, each with its own id, name and stack in the
//! fake OpenStack, made while the host stands still. The host then loads every one of
//! the ten thousand by its request and observes it at Heat.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::HostProcess;
use stampede_tests::usage::{anonymous_mib, memory_mib, processor_time};

const PROJECTS: usize = 100;
/// As many as a project may have.
const EACH: usize = 100;
/// Of each project's, so many are deployed by the host,
const DEPLOYED: usize = 2;
/// and so many are polled.
const POLLED_EACH: usize = 10;
/// Deploys under way at once.
const AT_ONCE: usize = 8;
const REST: Duration = Duration::from_secs(10);
/// Until what nobody asks for has left memory: its time at rest, and the look after that.
const LEAVES: Duration = Duration::from_secs(75);
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
    cloud.finish();
    observe_all(&host, &cloud, &clients, DEPLOYED).await?;

    let command = host.kill_9().await?;
    copy_deployed(scratch.path(), &cloud).await?;
    let start = Instant::now();
    let host = command.start_again().await?;
    let took = start.elapsed().as_secs_f64();
    print_memory(
        &host,
        &format!("started again with {all} deployed in {took:.1} s"),
    )?;
    observe_all(&host, &cloud, &clients, EACH).await?;
    print_memory(&host, &format!("{all} deployed, each just asked for"))?;
    tokio::time::sleep(LEAVES).await;
    print_memory(
        &host,
        &format!(
            "{all} deployed, nobody has asked for {} s",
            LEAVES.as_secs()
        ),
    )?;
    at_rest(&host, &cloud, &format!("{all} deployed")).await?;
    list(&host, &clients, "of a project with 100, all deployed").await?;
    list_all(&host, &clients).await?;
    print_memory(&host, "every project was listed")?;
    let number = PROJECTS * POLLED_EACH;
    let what = format!("{all} deployed, {number} of them");
    polled(&host, &cloud, &clients, &what).await?;
    print_memory(&host, &format!("{number} of {all} were polled"))?;
    tokio::time::sleep(LEAVES).await;
    print_memory(&host, &format!("{} s later", LEAVES.as_secs()))?;
    Ok(())
}

fn print_memory(host: &HostProcess, what: &str) -> Result<()> {
    let ((rss, _), anonymous) = (memory_mib(host.pid()?)?, anonymous_mib(host.pid()?)?);
    let each = anonymous * 1024.0 / (PROJECTS * EACH) as f64;
    println!(
        "clusters: {what}: {rss:.1} MiB resident, {anonymous:.1} MiB of it anonymous, which is {each:.1} KiB for each of all"
    );
    Ok(())
}

/// Asks once for the first so many of each project: each is there and complete, as Heat says now.
async fn observe_all(
    host: &HostProcess,
    cloud: &FakeOpenStack,
    clients: &[(OcciClient, String, String)],
    each: usize,
) -> Result<()> {
    let (start, heat) = (Instant::now(), cloud.count("heat"));
    let all = clients
        .iter()
        .flat_map(|(client, ..)| names(each).map(move |name| (client, name)));
    let looks = all.map(|(client, name)| async move {
        match client.fetch_cluster(&name).await? {
            Some(shown) if shown.state() == "CREATE_COMPLETE" => Ok(()),
            Some(shown) => bail!("{name} is {}", shown.state()),
            None => bail!("{name} is not there"),
        }
    });
    let seen: Vec<Result<()>> = stream::iter(looks)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let number = seen.len();
    seen.into_iter().collect::<Result<()>>()?;
    let asked = cloud.count("heat") - heat;
    if asked < number {
        bail!("{number} clusters were shown, and heat was asked {asked} times");
    }
    println!(
        "clusters: {number} asked for once, {AT_ONCE} at once, all CREATE_COMPLETE: {:.1} s, {asked} calls to Heat, pid {}",
        start.elapsed().as_secs_f64(),
        host.pid()?
    );
    Ok(())
}

/// Makes every cluster a deployed one: as one of its project's that are, with its own id, its own
/// name, and a stack of its own.
async fn copy_deployed(data: &Path, cloud: &FakeOpenStack) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(data.join(stampede::store::FILE_NAME));
    let mut store = SqliteConnection::connect_with(&options).await?;
    let rows: Vec<(String, String, String, i64)> =
        sqlx::query_as("SELECT project_id, name, record, revision FROM cluster")
            .fetch_all(&mut store)
            .await?;
    let records: HashMap<_, _> = rows
        .into_iter()
        .map(|(project, name, record, revision)| ((project, name), (record, revision)))
        .collect();
    sqlx::query("BEGIN").execute(&mut store).await?;
    for ((project, name), (own, _)) in &records {
        let number: usize = name.trim_start_matches("cluster-").parse()?;
        if number <= DEPLOYED {
            continue;
        }
        let of = format!("cluster-{}", (number - 1) % DEPLOYED + 1);
        let (source, revision) = records
            .get(&(project.clone(), of.clone()))
            .context("no source")?;
        let (own, source_value): (Value, Value) =
            (serde_json::from_str(own)?, serde_json::from_str(source)?);
        let text = |value: &Value, key: &str| -> Result<String> {
            Ok(value[key].as_str().context("no such text")?.to_owned())
        };
        let (id, stack) = (text(&own, "id")?, text(&own, "stack_name")?);
        let (from_id, from_stack) = (
            text(&source_value, "id")?,
            text(&source_value, "stack_name")?,
        );
        let from_stack_id =
            find_text(&source_value["lifecycle"], "stack_id").context("no stack")?;
        let tags = [
            (from_id.as_str(), id.as_str()),
            (of.as_str(), name.as_str()),
        ];
        let stack_id = cloud
            .copy_stack(&from_stack, &stack, &tags)
            .context("no such stack")?;
        let copied = source
            .replace(&from_stack_id, &stack_id)
            .replace(&from_stack, &stack)
            .replace(&from_id, &id);
        let mut copied: Value = serde_json::from_str(&copied)?;
        copied["name"] = name.as_str().into();
        copied["spec"]["name"] = name.as_str().into();
        sqlx::query("UPDATE cluster SET record = ?, revision = ? WHERE id = ?")
            .bind(copied.to_string())
            .bind(revision)
            .bind(&id)
            .execute(&mut store)
            .await?;
    }
    sqlx::query("COMMIT").execute(&mut store).await?;
    Ok(store.close().await?)
}

/// The text of this key, wherever it is.
fn find_text(value: &Value, key: &str) -> Option<String> {
    let map = value.as_object()?;
    let own = map.get(key).and_then(Value::as_str).map(str::to_owned);
    own.or_else(|| map.values().find_map(|inner| find_text(inner, key)))
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
            .flat_map(|(client, ..)| names(POLLED_EACH).map(move |name| (client, name)));
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
