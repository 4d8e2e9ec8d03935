//! What lies on the testbed's download mirror.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

const WWW: &str = "/var/lib/openstack-rig/www";

/// The sha512 of a framework's distribution, as the mirror says.
///
/// # Errors
/// It is not there: `openstack/prepare` makes it.
pub fn sha512_of(framework: &str, version: &str) -> Result<String> {
    let path = match framework {
        "spark" => format!("spark/spark-{version}/spark-{version}-bin-hadoop3.tgz"),
        "zookeeper" => {
            format!("zookeeper/zookeeper-{version}/apache-zookeeper-{version}-bin.tar.gz")
        }
        "java" => format!("java/jdk-{version}.tar.gz"),
        _ => format!("hadoop/common/hadoop-{version}/hadoop-{version}.tar.gz"),
    };
    let file = format!("{WWW}/{path}.sha512");
    let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
    let sum = text.split_whitespace().next().unwrap_or_default();
    Ok(sum.to_owned())
}

/// Makes distributions that are not there yet: `spark-4.2.0`. Takes minutes the first time.
///
/// # Errors
/// They cannot be made.
pub fn make(names: &[&str]) -> Result<()> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/distributions/make");
    let mut command = Command::new(program);
    let status = command
        .arg(WWW)
        .args(names)
        .stdin(Stdio::null())
        .status()
        .context(program)?;
    ensure!(status.success(), "{program}: {status}");
    Ok(())
}
