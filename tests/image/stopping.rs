//! SIGTERM ends the container within two seconds and with exit code 0, whatever it does at that
//! moment.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stampede_tests::artifacts;
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack, FaultKind, InjectedFault};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

use crate::container::{ContainerOptions, TestContainer};
use crate::scenarios::NOWHERE;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3_600);

async fn ends_well(container: &TestContainer, when: &str) -> Result<()> {
    let (code, took) = container.terminate().await?;
    ensure!(code == 0, "exit code {code}: {}", container.log()?);
    println!(
        "    {when}: ended after {} ms with exit code 0",
        took.as_millis()
    );
    Ok(())
}

pub async fn idle() -> Result<()> {
    let container = TestContainer::start(NOWHERE, &ContainerOptions::default())?;
    container.answered().await?;
    let at = container.url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(&at).await?;
        // half of them in the middle of a request
        if number % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").await?;
        }
        open.push(stream);
    }
    ends_well(
        &container,
        "100 open connections, half of them in a request's middle",
    )
    .await
}

pub async fn in_work() -> Result<()> {
    let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
    let container = TestContainer::start(&cloud.url(), &ContainerOptions::default())?;
    container.answered().await?;
    let client = OcciClient::new(&container.url, &cloud.issue_token("demo"), "demo")?;
    client.put("default", &[]).await?;
    cloud.fault(InjectedFault::of("heat", 10, FaultKind::Slow(FOR_EVER)).only("POST", "/stacks"));
    let deploy = tokio::spawn(async move { client.action("default", "deploy", &[]).await });
    stampede_tests::wait_until(20, "Heat is asked to create", async || {
        Ok(cloud.count_of("heat", "POST", "/stacks") > 0)
    })
    .await?;
    ends_well(&container, "a deploy that waits for Heat").await?;
    deploy.abort();
    Ok(())
}

/// A resolver blocks a thread, which no async time limit ends.
pub async fn resolving() -> Result<()> {
    let silent = UdpSocket::bind("127.53.53.53:53")
        .await
        .context("a name server that says nothing")?;
    let file = std::env::temp_dir().join(format!("stampede-resolv-{}", std::process::id()));
    std::fs::write(
        &file,
        "nameserver 127.53.53.53\noptions timeout:30 attempts:5\n",
    )?;
    let mounts = [(file.as_path(), "/etc/resolv.conf")];
    let container = TestContainer::start(
        "http://keystone.example.org:5000/v3",
        &ContainerOptions {
            mounts: &mounts,
            ..ContainerOptions::default()
        },
    )?;
    container.answered().await?;
    let client = OcciClient::new(&container.url, "token", "demo")?;
    let asking = tokio::spawn(async move { client.fetch_cluster("default").await });
    let mut question = [0; 512];
    silent.recv_from(&mut question).await?;
    let ended = ends_well(&container, "a request that waits for a name server").await;
    asking.abort();
    std::fs::remove_file(file)?;
    ended
}

/// So many plugins that compiling them outlasts the test. They are one under many names, and so are
/// disabled in the end.
const MANY: usize = 60;
/// Room for compiling all of them, which is more than the image promises to run in: what is asked
/// here is how it stops.
const ROOM_MIB: u64 = 512;

pub async fn starting() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    for number in 0..MANY {
        std::fs::copy(
            artifacts::target_folder().join("guests/evil.wasm"),
            folder.path().join(format!("copy-{number}.wasm")),
        )?;
    }
    let mounts = [(folder.path(), "/plugins")];
    let container = TestContainer::start(
        NOWHERE,
        &ContainerOptions {
            memory_mib: ROOM_MIB,
            variables: &[("STAMPEDE_PLUGINS", "/plugins")],
            mounts: &mounts,
        },
    )?;
    // It listens before it compiles, and says so only afterwards.
    let at = container.url.trim_start_matches("http://").to_owned();
    stampede_tests::wait_until(20, "it listens", async || {
        Ok(TcpStream::connect(&at).await.is_ok())
    })
    .await?;
    ensure!(
        !container.log()?.contains("OCCI on"),
        "it had started already"
    );
    ends_well(&container, "compiling plugins").await
}
