//! What pages cost: from a request to the first byte of a project's list with ten thousand clusters in
//! the store, the bytes that a page and its files take on the wire, and the memory of a thousand open
//! streams, of the page and of the JSON API.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::HostProcess;
use stampede_tests::usage::{anonymous_mib, memory_mib, processor_time};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::figures::SampleFigures;

const PROJECTS: usize = 100;
/// As many as a project may have.
const EACH: usize = 100;
/// Projects whose lists are measured.
const LISTED: usize = 20;
const STREAMS: usize = 1_000;
/// Of one session: browsers open no more to one host.
const STREAMS_OF_SESSION: usize = 4;
/// Until all streams have sent what they have to say at first.
const SETTLES: Duration = Duration::from_secs(10);

/// Who looks at pages.
struct ListReader {
    project: String,
    token: String,
}

pub async fn run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
    let (host, users) = fill(scratch.path(), &cloud).await?;
    let at: SocketAddr = host.url.trim_start_matches("http://").parse()?;
    for path in ["/ui/clusters", "/api/v1/clusters"] {
        first_bytes(&host, at, &users, path).await?;
    }
    page_bytes(at, users.first().context("nobody")?).await?;
    // Each kind in a host of its own: what the other has left in the allocator's hands says nothing.
    let command = host.kill_9().await?;
    for is_page in [true, false] {
        let host = command.clone().start_again().await?;
        open_streams(&host, at, &users, is_page).await?;
        host.kill_9().await?;
    }
    Ok(())
}

/// A host with ten thousand clusters.
async fn fill(data: &Path, cloud: &FakeOpenStack) -> Result<(HostProcess, Vec<ListReader>)> {
    let host = HostProcess::start(data, &cloud.url(), &[]).await?;
    let mut users = Vec::new();
    for number in 1..=PROJECTS {
        let project = format!("many-{number}");
        let client = OcciClient::new(&host.url, &cloud.issue_token(&project), &project)?;
        for number in 1..=EACH {
            let name = format!("cluster-{number}");
            let (status, text) = client.put(&name, &[("stampede.workers", "3")]).await?;
            if !status.is_success() {
                bail!("{status} {text}");
            }
        }
        let token = cloud.issue_token(&project);
        users.push(ListReader { project, token });
    }
    Ok((host, users))
}

/// From the request to the first byte of its answer, the second time: the first time looks into Heat
/// for forgotten clusters.
async fn first_bytes(
    host: &HostProcess,
    at: SocketAddr,
    users: &[ListReader],
    path: &str,
) -> Result<()> {
    let (mut samples, mut used) = (Vec::new(), Duration::ZERO);
    for user in users.iter().take(LISTED) {
        let who = match path.starts_with("/ui") {
            true => format!("cookie: {}\r\n", sign_in(at, user).await?),
            false => format!("x-auth-token: {}\r\n", user.token),
        };
        for is_measured in [false, true] {
            let mut stream = TcpStream::connect(at).await?;
            let (start, before) = (Instant::now(), processor_time(host.pid()?)?);
            send(&mut stream, "GET", path, &who, "").await?;
            let first = stream.read_u8().await?;
            let took = start.elapsed();
            let rest = read_all(stream).await?;
            if first != b'H' || !rest.contains(" 200 ") || !rest.contains("cluster-1") {
                bail!("{path}: {rest}");
            }
            if is_measured {
                samples.push(took);
                used += processor_time(host.pid()?)?.saturating_sub(before);
            }
        }
    }
    println!(
        "pages: first byte of {path} with {EACH} clusters in the project and {} in the store: {}, {:.1} CPU ms",
        PROJECTS * EACH,
        SampleFigures::new(&samples),
        used.as_secs_f64() * 1e3 / samples.len() as f64
    );
    Ok(())
}

/// What a browser fetches for a page, as it is sent.
async fn page_bytes(at: SocketAddr, user: &ListReader) -> Result<()> {
    let cookie = format!("cookie: {}\r\n", sign_in(at, user).await?);
    for path in [
        "/ui/sign-in",
        "/ui/clusters",
        "/ui/clusters/cluster-1",
        "/ui/new",
    ] {
        // Who has signed in is led on from there.
        let who = if path.ends_with("sign-in") {
            ""
        } else {
            &cookie
        };
        let page = get(at, path, who).await?;
        let plain = page.replace("&#x2f;", "/");
        let files = plain.split(['"', '\'']);
        let files: BTreeSet<&str> = files
            .filter(|text| text.starts_with("/ui/static/"))
            .collect();
        anyhow::ensure!(!files.is_empty(), "{path} names no file");
        let mut all = page.len();
        for file in files {
            all += get(at, file, "accept-encoding: gzip\r\n").await?.len();
        }
        let (html, all) = (page.len() as f64 / 1024.0, all as f64 / 1024.0);
        println!(
            "pages: {path}: {html:.1} KiB of HTML, {all:.1} KiB with its files, heads among them"
        );
    }
    Ok(())
}

/// Opens a thousand streams, ten for each project, and reads what they send.
async fn open_streams(
    host: &HostProcess,
    at: SocketAddr,
    users: &[ListReader],
    is_page: bool,
) -> Result<()> {
    let mut cookies = Vec::new();
    let each = STREAMS / users.len();
    for user in users.iter().filter(|_| is_page) {
        for _ in 0..each.div_ceil(STREAMS_OF_SESSION) {
            cookies.push(sign_in(at, user).await?);
        }
    }
    let ((before, _), anonymous) = (memory_mib(host.pid()?)?, anonymous_mib(host.pid()?)?);
    let mut open: Vec<JoinHandle<()>> = Vec::new();
    for (at_user, user) in users.iter().enumerate() {
        let of_user = each.div_ceil(STREAMS_OF_SESSION) * at_user;
        for number in 0..each {
            let cookie = cookies.get(of_user + number / STREAMS_OF_SESSION);
            let (base, who) = match cookie {
                Some(cookie) => ("/ui", format!("cookie: {cookie}\r\n")),
                None => ("/api/v1", format!("x-auth-token: {}\r\n", user.token)),
            };
            let path = format!("{base}/clusters/cluster-{}/events", number + 1);
            let mut stream = TcpStream::connect(at).await?;
            send(&mut stream, "GET", &path, &who, "").await?;
            let mut head = vec![0; 12];
            stream.read_exact(&mut head).await?;
            if !head.ends_with(b"200") {
                bail!(
                    "{path} of {}: {}",
                    user.project,
                    String::from_utf8_lossy(&head)
                );
            }
            open.push(tokio::spawn(async move {
                let mut some = [0; 4096];
                while matches!(stream.read(&mut some).await, Ok(1..)) {}
            }));
        }
    }
    tokio::time::sleep(SETTLES).await;
    let used = processor_time(host.pid()?)?;
    tokio::time::sleep(SETTLES).await;
    let used = processor_time(host.pid()?)?.saturating_sub(used);
    let ((after, _), anonymous_after) = (memory_mib(host.pid()?)?, anonymous_mib(host.pid()?)?);
    let number = open.len();
    let closed = open.iter().filter(|stream| stream.is_finished()).count();
    println!(
        "pages: {number} open streams of {}, {closed} of them ended: {before:.1} MiB resident before, {after:.1} after, {:.1} KiB a stream, {:.1} KiB of it anonymous; {:.1} % of a CPU",
        if is_page { "the page" } else { "the API" },
        (after - before) * 1024.0 / number as f64,
        (anonymous_after - anonymous) * 1024.0 / number as f64,
        100.0 * used.as_secs_f64() / SETTLES.as_secs_f64()
    );
    for stream in open {
        stream.abort();
    }
    Ok(())
}

/// The cookie of a new session.
async fn sign_in(at: SocketAddr, user: &ListReader) -> Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let kind = "content-type: application/x-www-form-urlencoded\r\n";
    let form = format!("way=token&token={}", user.token);
    send(&mut stream, "POST", "/ui/sign-in", kind, &form).await?;
    let answer = read_all(stream).await?;
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "));
    let line = line.with_context(|| format!("no cookie for {}: {answer}", user.project))?;
    Ok(line.split(';').next().unwrap_or_default().to_owned())
}

async fn get(at: SocketAddr, path: &str, headers: &str) -> Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    send(&mut stream, "GET", path, headers, "").await?;
    read_all(stream).await
}

async fn send(
    stream: &mut TcpStream,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<()> {
    let close = match path.ends_with("/events") {
        true => "",
        false => "connection: close\r\n",
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}{close}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    Ok(stream.write_all(head.as_bytes()).await?)
}

async fn read_all(mut stream: TcpStream) -> Result<String> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await?;
    // A letter for each byte: what was compressed is counted and not read.
    let letter = |byte: &u8| {
        if byte.is_ascii() {
            char::from(*byte)
        } else {
            '?'
        }
    };
    Ok(all.iter().map(letter).collect())
}
