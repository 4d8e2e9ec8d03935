//! `openstack stampede ...` as a person runs it: PyPI's client, and Debian's where it is installed.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use stampede_tests::endless_lists::{EndlessLists, ListedPages};
use stampede_tests::fake_openstack::PASSWORD;
use tokio::process::Command;

use super::{ServedCloud, installed};

/// Debian's client.
const OF_DEBIAN: &str = "/usr/bin/openstack";

/// How a command ended.
#[derive(Debug)]
struct EndedCommand {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Somebody who has one of the clients and the plugin.
struct ClientUser<'a> {
    world: &'a ServedCloud,
    program: PathBuf,
    /// Where the host is, where the catalog is not to say it.
    endpoint: Option<String>,
}

impl ClientUser<'_> {
    async fn run(&self, arguments: &[&str]) -> EndedCommand {
        let plugin = std::env::var_os("STAMPEDE_CLIENT_PLUGIN");
        let plugin = plugin.expect("tests/clients/run starts this test: it installs the plugin");
        let mut command = Command::new(&self.program);
        // Nothing of this process's environment that could change what it does.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.world.folder.path())
            .env("PYTHONPATH", plugin)
            .env("OS_AUTH_URL", format!("{}/v3", self.world.cloud.url()))
            .env("OS_USERNAME", "demo")
            .env("OS_PASSWORD", PASSWORD)
            .env("OS_PROJECT_NAME", "demo")
            .env("OS_USER_DOMAIN_NAME", "Default")
            .env("OS_PROJECT_DOMAIN_NAME", "Default")
            .arg("stampede")
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(endpoint) = &self.endpoint {
            command.env("OS_STAMPEDE_ENDPOINT", endpoint);
        }
        let output = command.output().await.unwrap();
        EndedCommand {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must succeed; the document that it prints.
    async fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["-f", "json"]].concat()).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    /// What is refused, in words.
    async fn refused(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments).await;
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        ended.err
    }
}

/// From nothing to nothing again.
async fn live_and_end(user: &ClientUser<'_>) {
    let made = user
        .json(&[
            "cluster",
            "create",
            "demo",
            "--framework",
            "hadoop",
            "--workers",
            "1",
            "--wait",
        ])
        .await;
    assert_eq!(
        (&made["state"], &made["node_counts"]["worker"]),
        (&"active".into(), &1.into())
    );
    let listed = user.json(&["cluster", "list"]).await;
    assert_eq!(
        (&listed[0]["Name"], &listed[0]["Frameworks"][0]),
        (&"demo".into(), &"hadoop".into())
    );
    let shown = user.json(&["cluster", "show", "demo"]).await;
    assert_eq!(
        (&shown["id"], &shown["attributes"]["workers"]),
        (&made["id"], &"1".into())
    );
    let said = user.json(&["cluster", "events", "demo"]).await;
    assert!(
        said.as_array().is_some_and(|said| !said.is_empty()),
        "{said}"
    );
    let plan = user
        .json(&["cluster", "scale", "demo", "2", "--dry-run"])
        .await;
    assert_eq!(plan["added"][0], "worker-2");
    let changed = user
        .json(&["cluster", "update", "demo", "--workers", "2", "--wait"])
        .await;
    assert_eq!(
        (&changed["state"], &changed["node_counts"]["worker"]),
        (&"active".into(), &2.into())
    );
    let revision = shown["revision"].as_str().unwrap();
    let late = user
        .refused(&["cluster", "scale", "demo", "3", "--revision", revision])
        .await;
    assert!(
        late.contains(changed["revision"].as_str().unwrap()),
        "{late}"
    );
    let deleted = user.run(&["cluster", "delete", "demo", "--wait"]).await;
    assert_eq!(deleted.code, Some(0), "{deleted:?}");
    assert_eq!(
        user.json(&["cluster", "list"]).await,
        Value::Array(Vec::new())
    );
    let stacks = user.world.cloud.stacks();
    assert!(
        stacks.iter().all(|(_, status)| status == "DELETE_COMPLETE"),
        "{stacks:?}"
    );
}

/// What is wrong is told in words, all of it.
async fn be_refused(user: &ClientUser<'_>) {
    let wrong = user
        .refused(&[
            "cluster",
            "create",
            "demo",
            "--framework",
            "hadoop",
            "--workers",
            "0",
            "--set",
            "x=y",
        ])
        .await;
    for part in ["workers: ", "x: "] {
        assert!(
            wrong.lines().any(|line| line.contains(part)),
            "{part}: {wrong}"
        );
    }
    assert!(!wrong.contains("Traceback"), "{wrong}");
    let nobody = user.refused(&["cluster", "show", "nobody"]).await;
    assert!(nobody.contains("nobody"), "{nobody}");
    let usage = user.run(&["cluster", "scale", "demo", "many"]).await;
    assert_eq!(usage.code, Some(2), "{usage:?}");
    assert!(usage.err.contains("GROUP=NUMBER"), "{usage:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pypis_client_drives_a_host_that_the_catalog_knows() {
    let world = ServedCloud::start().await;
    let mut user = ClientUser {
        world: &world,
        program: installed("openstack"),
        endpoint: None,
    };
    let unknown = user.refused(&["cluster", "list"]).await;
    assert!(unknown.contains("--os-stampede-endpoint"), "{unknown}");
    let url = world.host.url.clone();
    world
        .cloud
        .edit(|cloud| cloud.elsewhere.push(("stampede", url.clone())));
    let frameworks = user.json(&["framework", "list"]).await;
    let names = frameworks.as_array().unwrap().iter();
    assert!(
        names.clone().any(|one| one["Name"] == "hadoop"),
        "{frameworks}"
    );
    live_and_end(&user).await;
    be_refused(&user).await;
    // Nobody listens there.
    user.endpoint = Some("http://127.0.0.1:9".to_owned());
    let away = user.refused(&["cluster", "list"]).await;
    assert!(away.contains("127.0.0.1:9"), "{away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_followed_to_its_end_but_not_for_ever() {
    let world = ServedCloud::start().await;
    for (pages, asked, told) in [
        (ListedPages::Number(200), 200, None),
        (ListedPages::Number(201), 200, Some("more than 200 pages")),
        (ListedPages::Repeated, 2, Some("the same page of its list")),
    ] {
        let host = EndlessLists::start(pages).await.unwrap();
        let user = ClientUser {
            world: &world,
            program: installed("openstack"),
            endpoint: Some(host.url.clone()),
        };
        match told {
            None => assert_eq!(user.json(&["cluster", "list"]).await, json!([])),
            Some(told) => {
                let refused = user.refused(&["cluster", "list"]).await;
                assert!(refused.contains(told), "{refused}");
            }
        }
        assert_eq!(host.asked(), asked, "{pages:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debians_client_drives_a_host_that_is_named() {
    if !is_installed("python3-openstackclient").await || !Path::new(OF_DEBIAN).exists() {
        println!("LEFT OUT OF IT: Debian's openstack client, which is not installed");
        return;
    }
    let world = ServedCloud::start().await;
    let user = ClientUser {
        world: &world,
        program: OF_DEBIAN.into(),
        endpoint: Some(format!("{}/api/v1/", world.host.url)),
    };
    live_and_end(&user).await;
    be_refused(&user).await;
}

/// Whether Debian has a package whole on this machine.
async fn is_installed(package: &str) -> bool {
    let asked = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .await;
    asked.is_ok_and(|told| told.stdout == b"installed")
}
