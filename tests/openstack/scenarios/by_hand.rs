//! The commands that operators type: `generate` and the plain client for those who may not let a
//! service act for them, and Stampede's own `deploy`, `show`, `delete`.

use anyhow::{Context, Result};

use stampede_tests::host::find_binary;
use stampede_tests::testbed::cloud::{MIRROR, PROXY};
use stampede_tests::testbed::cluster::find_nodes;
use stampede_tests::testbed::{hadoop as health, mirror, node::TestbedNode};
use stampede_tests::{must, verified};

use super::way_in;
use crate::TestbedContext;

/// `generate`, then the plain `openstack` client: workers of the smallest flavor that the plugin
/// accepts, from an image that has Java.
pub async fn run(testbed: &TestbedContext) -> Result<()> {
    generated(testbed, "debian-12").await.map(drop)
}

/// The same from the plain image: Java comes from the distribution.
pub async fn plain_image(testbed: &TestbedContext) -> Result<()> {
    let java = generated(testbed, "debian-12-plain").await?;
    must!(!java.is_empty(), "the worker has no package of Java 17");
    verified!(
        "from the image without Java: Java {java} came from the distribution's packages through the proxy"
    );
    Ok(())
}

/// The Java package of its first worker; empty: none.
async fn generated(testbed: &TestbedContext, image: &str) -> Result<String> {
    let dir = testbed.scratch.join("by-hand");
    let sha512 = testbed.cloud.sha512("3.5.0")?;
    let out = std::process::Command::new(find_binary()?)
        .args(["generate", "hadoop", "--name", "hand", "--workers", "2"])
        .args(["--flavor", "m1.xlarge=4096,2,20"])
        .args(["--flavor", "m1.large=2048,2,20"])
        .args([
            "--set",
            "master.flavor=m1.xlarge",
            "--set",
            "worker.flavor=m1.large",
            "--set",
            &format!("image={image}"),
        ])
        .args([
            "--set",
            "network.external=public",
            "--set",
            &format!("mirror={MIRROR}"),
            "--set",
            &format!("proxy={PROXY}"),
        ])
        .args(["--set", &format!("hadoop.sha512={sha512}"), "--out"])
        .arg(&dir)
        .output()?;
    must!(
        out.status.success(),
        "generate: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let start = std::time::Instant::now();
    testbed.cloud.run_openstack(
        &[
            "stack",
            "create",
            "-t",
            "cluster.yaml",
            "-e",
            "environment.yaml",
            "--wait",
            "hand",
        ],
        &dir,
    )?;
    verified!(
        "generate's output, deployed by `openstack stack create -t cluster.yaml -e environment.yaml`: complete in {:.0} s",
        start.elapsed().as_secs_f32()
    );
    let all = find_nodes(&testbed.cloud.demo, "hand", 2).await?;
    let java = all[1]
        .run_script("dpkg-query -W -f '${Version}' openjdk-17-jre-headless 2>/dev/null || true")
        .await?;
    must!(
        all[1].memory_limit_mib()? == 2048,
        "the worker has {} MiB",
        all[1].memory_limit_mib()?
    );
    health::verify_hadoop(&all).await?;
    testbed
        .cloud
        .run_openstack(&["stack", "delete", "--yes", "--wait", "hand"], &dir)?;
    super::deletion::nothing_stays(testbed).await?;
    Ok(java)
}

/// The program on the testbed's clouds.yaml. What follows `--` stays at the end.
pub fn stampede_command(
    testbed: &TestbedContext,
    arguments: &[&str],
) -> Result<std::process::Command> {
    let at = arguments.iter().position(|word| *word == "--");
    let (own, rest) = arguments.split_at(at.unwrap_or(arguments.len()));
    let mut command = std::process::Command::new(find_binary()?);
    command
        .args(own)
        .args(["--os-cloud", "demo", "--data-dir"])
        .arg(testbed.scratch.join("command-line"))
        .args(rest)
        .env(
            "OS_CLIENT_CONFIG_FILE",
            "/var/lib/openstack-rig/etc/clouds.yaml",
        );
    Ok(command)
}

/// Runs the program; what it printed.
pub fn run_stampede(testbed: &TestbedContext, arguments: &[&str]) -> Result<String> {
    let out = stampede_command(testbed, arguments)?.output()?;
    must!(
        out.status.success(),
        "stampede {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// `stampede deploy`, `show`, `list`, `delete`, with the older Hadoop on a Debian whose packages have
/// no Java for it, so that nodes take the operator's; what they would do, before.
pub async fn command_line(testbed: &TestbedContext) -> Result<()> {
    mirror::make(&["java-17"])?;
    let sha512 = testbed.cloud.sha512("3.4.3")?;
    let java = format!(
        "java.tarballs=17={MIRROR}/java/jdk-17.tar.gz#sha512={}",
        mirror::sha512_of("java", "17")?
    );
    let stampede = |arguments: &[&str]| run_stampede(testbed, arguments);
    let (mirror, proxy, sha512) = (
        format!("mirror={MIRROR}"),
        format!("proxy={PROXY}"),
        format!("hadoop.sha512={sha512}"),
    );
    let sets = [
        "framework.version=3.4.3",
        "image=debian-13",
        "worker.flavor=m1.xlarge",
        "master.flavor=m1.xlarge",
        "network.access=0.0.0.0/0",
        "key=terminal",
        &mirror,
        &proxy,
        &sha512,
        &java,
    ];
    let key = way_in::make_key(testbed).await?;
    let mut arguments = vec!["deploy", "hadoop", "--name", "terminal", "--workers", "1"];
    arguments.extend(sets.iter().flat_map(|s| ["--set", s]));
    preview_deploy(testbed, &arguments).await?;
    arguments.push("--wait");
    let shown = stampede(&arguments)?;
    must!(
        shown.contains("worker-1") && shown.contains("CREATE_COMPLETE"),
        "deploy --wait printed: {shown}"
    );
    verified!(
        "`stampede deploy --wait` with clouds.yaml printed, last: {}",
        shown.lines().last().context("nothing")?
    );
    let stack = testbed.cloud.demo.stacks().await?;
    let all = find_nodes(&testbed.cloud.demo, stack.first().context("no stack")?, 1).await?;
    let version = all[0].run_script("hdfs version | head -n 1").await?;
    must!(version.contains("3.4.3"), "{version}");
    let release =
        ". /etc/os-release; echo \"$VERSION_CODENAME\"; dpkg -l | grep -c openjdk || true";
    let release = all[0].run_script(release).await?;
    must!(release.trim() == "trixie\n0", "the node said: {release}");
    verified!(
        "{version} runs on Debian 13 with the operator's Java, {:?} registered",
        health::count_registered(&all[0]).await?
    );
    must!(
        stampede(&["list"])?.contains("terminal"),
        "list does not show it"
    );
    must!(
        stampede(&["show", "terminal"])?.contains("CREATE_COMPLETE"),
        "show does not show its state"
    );
    way_in::log_in_and_look(testbed, &key).await?;
    preview_update(testbed, &all[0]).await?;
    stampede(&["delete", "terminal", "--wait"])?;
    way_in::forget_key(&testbed.cloud.demo).await;
    super::deletion::nothing_stays(testbed).await
}

/// A deploy that only says what it would make.
async fn preview_deploy(testbed: &TestbedContext, deploy: &[&str]) -> Result<()> {
    let shown = run_stampede(testbed, &[deploy, &["--dry-run"]].concat())?;
    for wanted in ["worker-1", "m1.xlarge", "2 OS::Nova::Server", "3.4.3"] {
        must!(shown.contains(wanted), "no `{wanted}` in {shown}");
    }
    let stacks = testbed.cloud.demo.stacks().await?;
    must!(stacks.is_empty(), "a dry run made {stacks:?}");
    let listed = run_stampede(testbed, &["list"])?;
    must!(!listed.contains("terminal"), "a dry run left {listed}");
    verified!("`deploy --dry-run` names nodes, flavors and resources, and makes nothing");
    Ok(())
}

/// An update that only says what it would do, while the nodes are told nothing.
async fn preview_update(testbed: &TestbedContext, master: &TestbedNode) -> Result<()> {
    let generation = "ls /var/lib/stampede; cat /var/lib/stampede/generation 2>/dev/null || true";
    let before = master.run_script(generation).await?;
    let wanted = ["update", "terminal", "--workers", "2", "--dry-run"];
    let shown = run_stampede(testbed, &wanted)?;
    must!(
        shown.contains("adding worker-2") && shown.contains("OS::Nova::Server"),
        "update --dry-run printed: {shown}"
    );
    let after = run_stampede(testbed, &["show", "terminal"])?;
    must!(
        after.contains("CREATE_COMPLETE") && !after.contains("worker-2"),
        "a dry run changed it: {after}"
    );
    must!(
        master.run_script(generation).await? == before,
        "a dry run told the master something"
    );
    verified!("`update --dry-run` says `adding worker-2`, and changes nothing");
    Ok(())
}
