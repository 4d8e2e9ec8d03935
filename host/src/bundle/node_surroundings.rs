//! What operator and user say of the cloud around a cluster's nodes. Pure.

use crate::cluster::CloudAccess;
use crate::cluster::is_node_url;
use crate::cluster::java_tarball::{JavaTarball, is_sum};
use crate::cluster::problem::cut_text;

/// What is around a cluster's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSurroundings {
    /// The cluster's network, IPv4.
    pub cidr: String,
    /// The external network's name or id.
    pub external_network: Option<String>,
    /// A key pair's name.
    pub key: Option<String>,
    /// `HEAT_SIGNAL`, `CFN_SIGNAL`, `TOKEN_SIGNAL` or `TEMP_URL_SIGNAL`.
    pub signal_transport: String,
    /// Where downloads are looked for first: a URL without a trailing slash.
    pub mirror: Option<String>,
    /// A URL.
    pub proxy: Option<String>,
    /// How long the nodes may take, in seconds.
    pub timeout_s: u32,
    /// What nodes are given to reach the cloud.
    pub cloud: CloudAccess,
    /// The operator's tarballs of Java, for images whose distribution has none that will do.
    pub javas: Vec<JavaTarball>,
    /// The index that Python packages come from; none: the image's own.
    pub python_index: Option<String>,
}

impl NodeSurroundings {
    /// What nodes would not take of it, each as a lowercase fragment.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for url in self.python_index.iter().filter(|url| !is_node_url(url)) {
            faults.push(format!("{URL_FAULT} of the Python index: {}", shown(url)));
        }
        for java in &self.javas {
            if !is_node_url(&java.url) {
                let (version, url) = (java.version, shown(&java.url));
                faults.push(format!("{URL_FAULT} of Java {version}: {url}"));
            }
            if !is_sum(&java.sum) {
                faults.push(format!(
                    "the tarball of Java {} needs its SHA-256 or SHA-512 in lower-case hexadecimal",
                    java.version
                ));
            }
        }
        faults
    }
}

const URL_FAULT: &str = "nodes take no URL but of http or https, without blanks and quotes";
/// Characters of a URL that are shown.
const SHOWN_CHARS: usize = 60;

/// Without a user and a password, which nobody is to read.
fn shown(url: &str) -> String {
    let host = url.rsplit_once('@').map_or(url, |(_, host)| host);
    format!("{:?}", cut_text(host, SHOWN_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nodes_would_not_take_is_told_without_passwords() {
        let with = |index: &str, url: &str, sum: &str| {
            let surroundings = NodeSurroundings {
                javas: vec![JavaTarball {
                    version: 21,
                    url: url.to_owned(),
                    sum: sum.to_owned(),
                }],
                python_index: Some(index.to_owned()),
                ..NodeSurroundings::default()
            };
            surroundings.faults().join("\n")
        };
        let (good, sum) = ("https://u:p@[2001:db8::1]:80/x?y=%20#z", "a".repeat(64));
        assert_eq!(with(good, good, &sum), "");
        assert_eq!(with(good, good, &sum.repeat(2)), "");
        for url in [
            "",
            "http://",
            "ftp://x",
            "http://x y",
            "http://x\"",
            "http://x\n",
            "http://x'",
        ] {
            assert!(
                with(url, good, &sum).contains("of the Python index"),
                "{url}"
            );
            assert!(with(good, url, &sum).contains("of Java 21"), "{url}");
        }
        for sum in ["", &sum[1..], &sum.to_uppercase(), &"a".repeat(127)] {
            assert!(with(good, good, sum).contains("needs its SHA-256"), "{sum}");
        }
        let told = with("http://user:hunter2@x y", good, &sum);
        assert!(told.contains("x y") && !told.contains("hunter2"), "{told}");
    }
}
