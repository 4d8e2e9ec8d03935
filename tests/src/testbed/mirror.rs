//! What lies on the testbed's download mirror.

use anyhow::{Context, Result};

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
        _ => format!("hadoop/common/hadoop-{version}/hadoop-{version}.tar.gz"),
    };
    let file = format!("{WWW}/{path}.sha512");
    let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
    let sum = text.split_whitespace().next().unwrap_or_default();
    Ok(sum.to_owned())
}
