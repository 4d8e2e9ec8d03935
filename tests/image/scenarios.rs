//! The image in use: what it contains, how it starts, a life cycle, many clients, an empty disk.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use stampede_tests::artifacts;
use stampede_tests::client::{OcciClient, wait_until_settled};
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack, StackPace};
use stampede_tests::usage::{anonymous_mib, memory_mib};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::container::{ContainerOptions, IMAGE, MEMORY_MIB, TestContainer, podman};

const MOST_BYTES: u64 = 40 << 20;
/// A cloud that nobody asks.
pub const NOWHERE: &str = "http://127.0.0.1:9/v3";

pub async fn check_content() -> Result<()> {
    let show = |what: &str| podman(&["image", "inspect", "--format", what, IMAGE]);
    let bytes: u64 = show("{{.Size}}")?.parse()?;
    ensure!(bytes < MOST_BYTES, "{bytes} bytes");
    println!(
        "    {:.1} MiB, less than {}",
        bytes as f64 / (1 << 20) as f64,
        MOST_BYTES >> 20
    );
    let (user, ports) = (
        show("{{.Config.User}}")?,
        show("{{json .Config.ExposedPorts}}")?,
    );
    ensure!(
        user == "1001:0" && ports == r#"{"8080/tcp":{},"8081/tcp":{}}"#,
        "{user} {ports}"
    );
    println!("    user {user}, ports 8080 and 8081");
    let root = artifacts::target_folder().join("image/rootfs");
    let out = std::process::Command::new("find")
        .args(["-type", "f"])
        .current_dir(&root)
        .output()?;
    let mut files: Vec<String> = String::from_utf8(out.stdout)?
        .lines()
        .map(str::to_owned)
        .collect();
    files.sort();
    let known = |file: &str| {
        file == "./etc/ssl/certs/ca-certificates.crt" || file.starts_with("./opt/stampede/")
    };
    ensure!(files.iter().all(|file| known(file)), "{files:?}");
    println!(
        "    {} files: the program, plugins, their compiled code, certificates; no shell, no library",
        files.len()
    );
    let authorities = std::fs::read_to_string(root.join("etc/ssl/certs/ca-certificates.crt"))?
        .matches("BEGIN CERTIFICATE")
        .count();
    ensure!(authorities > 50, "{authorities} authorities");
    println!("    {authorities} public authorities");
    Ok(())
}

pub async fn check_start() -> Result<()> {
    let container = TestContainer::start(
        NOWHERE,
        &ContainerOptions {
            variables: &[("DC_NAME", "sohado0123456789abcdef")],
            ..ContainerOptions::default()
        },
    )?;
    let took = container.answered().await?;
    println!(
        "    {} ms from podman's start to the first 200",
        took.as_millis()
    );
    let pid = container.pid()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = |name: &str| {
        status
            .lines()
            .find_map(|l| l.strip_prefix(name))
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let uid = container.uid.to_string();
    ensure!(
        line("Uid:").iter().all(|id| *id == uid) && line("Gid:").iter().all(|id| id == "0"),
        "{status}"
    );
    ensure!(
        line("NSpid:").last().is_some_and(|pid| pid == "1")
            && line("CapEff:") == ["0000000000000000"],
        "{status}"
    );
    println!("    user {uid}, group 0, process 1 of its container, no capability");
    // One that touches a byte of a huge page has all of its 2 MiB.
    ensure!(line("THP_enabled:") == ["0"], "{status}");
    println!("    no huge pages");
    let (limit, peak) = container.memory_group_mib()?;
    ensure!(limit as u64 == MEMORY_MIB, "{limit} MiB");
    println!(
        "    {limit} MiB are granted, {peak:.1} were used at most; {:.1} MiB resident at rest",
        memory_mib(pid)?.0
    );
    for path in ["probe", "opt/stampede/probe", "tmp/probe"] {
        let error = std::fs::write(format!("/proc/{pid}/root/{path}"), "x")
            .err()
            .map(|error| error.kind());
        let refused = matches!(
            error,
            Some(std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::NotFound)
        );
        ensure!(refused, "a write to /{path}: {error:?}");
    }
    println!("    root is read-only: nothing can be written");
    let log = container.log()?;
    ensure!(
        !log.contains("compiled at every start") && log.contains("remembered in memory only"),
        "{log}"
    );
    println!("    plugins came compiled; clusters are remembered in memory, and the log says so");
    let http = stampede_tests::http_client()?;
    for (path, holds) in [
        ("/", ""),
        ("/self", "sohado0123456789abcdef"),
        ("/health", "ok"),
        ("/ready", "ready"),
        ("/metrics", "stampede"),
    ] {
        let answer = http
            .get(format!("{}{path}", container.admin))
            .send()
            .await?;
        let (code, text) = (answer.status(), answer.text().await?);
        ensure!(code == 200 && text.contains(holds), "{path}: {code} {text}");
    }
    println!("    administration: /, /self by DC_NAME, /health, /ready, /metrics");
    Ok(())
}

/// The largest cluster of all is deployed in the memory that the image starts in.
const MOST_WORKERS: &str = "250";

pub async fn walk_life_cycle() -> Result<()> {
    let cloud = FakeOpenStack::start(FakeConfig {
        pace: StackPace::Tick(Duration::from_millis(100)),
        ..FakeConfig::default()
    })
    .await?;
    let container = TestContainer::start(&cloud.url(), &ContainerOptions::default())?;
    container.answered().await?;
    let client = OcciClient::new(&container.url, &cloud.issue_token("demo"), "demo")?;
    cloud.edit(|facts| {
        let quota = &mut facts.quota;
        (
            quota.instances,
            quota.cores,
            quota.ram,
            quota.port,
            quota.server_group_members,
        ) = (-1, -1, -1, -1, -1);
    });
    for (name, workers) in [("default", "2"), ("large", MOST_WORKERS)] {
        client
            .create(name, &[("stampede.workers", workers)])
            .await?;
        let watched = wait_until_settled(&client, name, 60).await?;
        ensure!(
            watched.last.state() == "CREATE_COMPLETE",
            "{:?} {}",
            watched.states,
            watched.last.get("stampede.failure")
        );
        let kept = anonymous_mib(container.pid()?)?;
        println!(
            "    {workers} workers: {}; {kept:.1} MiB then are not pages of files",
            watched.states.join(", ")
        );
    }
    // In turns, each of which is planned with the whole template.
    let replicated = [("stampede.hadoop.replication", "2")];
    let (status, text) = client.update("large", &replicated).await?;
    ensure!(status.is_success(), "{status} {text}");
    let watched = wait_until_settled(&client, "large", 180).await?;
    ensure!(
        watched.last.state() == "UPDATE_COMPLETE",
        "{:?} {}",
        watched.states,
        watched.last.get("stampede.failure")
    );
    let kept = anonymous_mib(container.pid()?)?;
    println!(
        "    changed on all nodes in {} s; {kept:.1} MiB",
        watched.took.as_secs()
    );
    let (status, text) = client.action("default", "provision", &[]).await?;
    ensure!(status.is_success(), "{status} {text}");
    let before = memory_mib(container.pid()?)?.0;
    for _ in 0..1_000 {
        ensure!(
            client.fetch_cluster("default").await?.is_some(),
            "the cluster is gone"
        );
    }
    let ((limit, peak), after) = (
        container.memory_group_mib()?,
        memory_mib(container.pid()?)?.0,
    );
    println!(
        "    1,000 requests: {before:.1} MiB resident before, {after:.1} after; {peak:.1} of {limit} MiB were used at most"
    );
    for name in ["default", "large"] {
        let (status, text) = client.delete(name).await?;
        ensure!(
            status.is_success() && client.fetch_cluster(name).await?.is_none(),
            "{status} {text}"
        );
    }
    ensure!(
        container.runs()? && container.killed_for_memory()? == 0,
        "{}",
        container.log()?
    );
    println!("    destroyed, and never short of memory");
    Ok(())
}

pub async fn serve_many_clients() -> Result<()> {
    let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
    let container = TestContainer::start(&cloud.url(), &ContainerOptions::default())?;
    container.answered().await?;
    let token = cloud.issue_token("demo");
    let client = OcciClient::new(&container.url, &token, "demo")?;
    client.put("default", &[]).await?;
    let at = container.url.trim_start_matches("http://").to_owned();
    let request = format!(
        "GET /orchestrator/default HTTP/1.1\r\nHost: {at}\r\nX-Auth-Token: {token}\r\nX-Tenant-Name: demo\r\n\r\n"
    );
    let (mut open, mut turned_away) = (Vec::new(), 0);
    for _ in 0..1_500 {
        let mut stream = TcpStream::connect(&at).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        match &head {
            b"HTTP/1.1 200" => open.push(stream),
            b"HTTP/1.1 503" => turned_away += 1,
            other => anyhow::bail!("{}", String::from_utf8_lossy(other)),
        }
    }
    ensure!(
        open.len() >= 1_000 && turned_away > 0,
        "{} open, {turned_away} turned away",
        open.len()
    );
    let (_, peak) = container.memory_group_mib()?;
    println!(
        "    {} connections answered and kept, {turned_away} told 503; {peak:.1} MiB were used at most",
        open.len()
    );
    drop(open);
    ensure!(
        container.runs()? && container.killed_for_memory()? == 0,
        "{}",
        container.log()?
    );
    stampede_tests::wait_until(10, "there is room again", async || {
        Ok(client.fetch_cluster("default").await?.is_some())
    })
    .await?;
    println!("    when they have gone there is room again");
    Ok(())
}

pub async fn recover_from_empty_disk() -> Result<()> {
    let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
    let named = |name| {
        TestContainer::start(
            &cloud.url(),
            &ContainerOptions {
                variables: &[("DC_NAME", name)],
                ..ContainerOptions::default()
            },
        )
    };
    let first = named("one")?;
    first.answered().await?;
    let token = cloud.issue_token("demo");
    OcciClient::new(&first.url, &token, "demo")?
        .create("default", &[("stampede.workers", "2")])
        .await?;
    cloud.finish();
    first.kill()?;
    let (again, another) = (named("one")?, named("two")?);
    again.answered().await?;
    another.answered().await?;
    let seen = OcciClient::new(&again.url, &token, "demo")?
        .fetch_cluster("default")
        .await?;
    ensure!(
        seen.is_some_and(
            |seen| seen.state() == "CREATE_COMPLETE" && seen.get("stampede.workers") == "2"
        ),
        "{}",
        again.log()?
    );
    println!("    killed and started anew without a disk, its first request finds the cluster");
    ensure!(
        OcciClient::new(&another.url, &token, "demo")?
            .fetch_cluster("default")
            .await?
            .is_none(),
        "it shows another's"
    );
    println!("    a host of another DC_NAME does not");
    ensure!(cloud.stacks().len() == 1, "{:?}", cloud.stacks());
    Ok(())
}

/// What a container wants whose plugins are compiled in it: a process of its own does that.
const COMPILING_MIB: u64 = 128;

pub async fn own_plugins() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("stampede-image-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(
        artifacts::plugins_folder()?.join("cluster.wasm"),
        folder.join("cluster.wasm"),
    )?;
    std::fs::copy(
        artifacts::target_folder().join("guests/evil.wasm"),
        folder.join("evil.wasm"),
    )?;
    let shown = with_plugins(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    shown
}

async fn with_plugins(folder: &Path) -> Result<()> {
    let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
    let options = ContainerOptions {
        memory_mib: COMPILING_MIB,
        variables: &[("STAMPEDE_PLUGINS", "/plugins")],
        mounts: &[(folder, "/plugins")],
    };
    let container = TestContainer::start(&cloud.url(), &options)?;
    let took = container.answered().await?;
    let http = stampede_tests::http_client()?;
    let request = http
        .get(format!("{}/-/", container.url))
        .header("x-auth-token", cloud.issue_token("demo"))
        .header("x-tenant-name", "demo");
    let text = request.send().await?.text().await?;
    ensure!(
        text.contains("Category: evil;") && !text.contains("Category: hadoop;"),
        "{text}\nits log: {}",
        container.log()?
    );
    let (limit, peak) = container.memory_group_mib()?;
    println!(
        "    compiled and answering after {} ms; {peak:.1} of {limit} MiB were used at most",
        took.as_millis()
    );
    ensure!(
        container.log()?.contains("compiled at every start"),
        "{}",
        container.log()?
    );
    println!("    the log says that each start compiles it");
    Ok(())
}
