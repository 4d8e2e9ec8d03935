//! How `stampede serve` starts: it prints its address once it listens, and only after all its
//! settings were checked.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::artifacts;

fn serve(data: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(artifacts::stampede_binary().unwrap());
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STAMPEDE_"))
    {
        command.env_remove(name);
    }
    command
        .env("STAMPEDE_CACHE", artifacts::target_folder().join("cache"))
        .env("STAMPEDE_PLUGINS", artifacts::plugins_folder().unwrap());
    command
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(data);
    command
        .env("DESIGN_URI", "http://127.0.0.1:9/v3")
        .args(more);
    command
}

/// Refused at the start: exit code and standard error, and not a word that it listens.
fn refused(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = serve(data, more).output().unwrap();
    assert!(
        output.stdout.is_empty(),
        "{more:?}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line that a host with these arguments prints, and what it answers where that says.
fn started(data: &Path, more: &[&str]) -> (String, String) {
    let mut child = Running(
        serve(data, more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .write_all(
            format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (line, answer)
}

#[test]
fn it_says_where_it_listens_and_does() {
    let root = tempfile::tempdir().unwrap();
    let defaults = root.path().join("defaults.toml");
    std::fs::write(&defaults, "workers = 3\n[hadoop]\nreplication = 2\nversion = '3.4.3'\n[network]\naccess = ['192.0.2.0/24']\n").unwrap();
    let (line, answer) = started(
        &root.path().join("data"),
        &["--defaults", defaults.to_str().unwrap()],
    );
    assert!(
        line.starts_with("stampede: OCCI on http://127.0.0.1:"),
        "{line}"
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn defaults_that_no_request_could_be_served_with_are_refused_at_the_start_all_at_once() {
    let root = tempfile::tempdir().unwrap();
    let defaults = root.path().join("defaults.toml");
    let text = "workers = 0\nmirror = 'ftp://x'\n[network]\nexternal = 'none'\naccess = ['192.0.2.0/24']\n";
    std::fs::write(&defaults, text).unwrap();
    let (code, told) = refused(
        &root.path().join("data"),
        &["--defaults", defaults.to_str().unwrap()],
    );
    let wanted = [
        "stampede: workers: its default cannot be used: 0 is too few (1 to 250)",
        "stampede: network.access: its default cannot be used: names who may come in",
        "stampede: mirror: its default cannot be used: must begin with http:// or https://",
    ];
    assert_eq!(code, Some(2), "{told}");
    assert_eq!(told.lines().count(), wanted.len(), "{told}");
    assert!(wanted.iter().all(|line| told.contains(line)), "{told}");
}

#[test]
fn defaults_of_a_plugins_parameters_are_read_by_its_schema_at_the_start() {
    let root = tempfile::tempdir().unwrap();
    let defaults = root.path().join("defaults.toml");
    for (text, wanted) in [
        (
            "[hadoop]\nreplication = 'two'\n",
            "hadoop.replication: its default cannot be used: must be a whole number, got `two`",
        ),
        (
            "[hadoop]\nversion = '9'\n",
            "hadoop.version: its default cannot be used: there is no version `9` of hadoop",
        ),
        (
            "framework = 'hadop'\n",
            "framework: its default cannot be used: there is no framework `hadop`",
        ),
        (
            "[cluster]\nmtu = 1\n",
            "cluster.mtu: its default cannot be used: 1 is less than the minimum of 1280",
        ),
        (
            "network = 'public'\n",
            "network: has a value of its own, but is a table (write [network] with any of external, cidr, access, open, open_unauthenticated)",
        ),
    ] {
        std::fs::write(&defaults, text).unwrap();
        let (code, told) = refused(
            &root.path().join("data"),
            &["--defaults", defaults.to_str().unwrap()],
        );
        assert!(
            code == Some(2) && told.contains(wanted) && told.lines().count() == 1,
            "{text}: {told}"
        );
    }
}

#[test]
fn files_and_flags_are_looked_at_before_it_says_that_it_listens() {
    let root = tempfile::tempdir().unwrap();
    let (data, missing) = (root.path().join("data"), root.path().join("missing"));
    let missing = missing.to_str().unwrap();
    std::fs::write(root.path().join("file"), "x").unwrap();
    for (more, wanted) in [
        (["--ca-file", missing], "cannot be read"),
        (["--defaults", missing], "cannot read the defaults"),
        (["--plugins", missing], missing),
        (["--design-uri", "keystone:5000"], "is no http or https URL"),
    ] {
        let (code, told) = refused(&data, &more);
        assert!(
            code.is_some_and(|code| code != 0) && told.contains(wanted),
            "{more:?}: {told}"
        );
    }
    let (code, told) = refused(&root.path().join("file"), &[]);
    assert!(code == Some(1) && told.contains("file"), "{told}");
}

#[test]
fn a_public_url_and_proxies_are_checked_before_it_listens() {
    let data = tempfile::tempdir().unwrap();
    for (more, words) in [
        (
            ["--public-url", "so.example.org"],
            "--public-url: `so.example.org` is not this service's URL",
        ),
        (
            ["--public-url", "https://user:pw@so.example.org"],
            "it holds a user",
        ),
        (
            ["--trusted-proxy", "proxy.example.org"],
            "--trusted-proxy: `proxy.example.org` is no network of proxies",
        ),
    ] {
        let (code, error) = refused(data.path(), &more);
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(words), "{error}");
    }
}
