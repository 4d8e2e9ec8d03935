//! What nodes are given to reach the cloud as this host reaches it: the certificates of the CA
//! file, and the addresses of Keystone's and Heat's names. Nodes ask a name server of their own,
//! which may be dead, or not know what this host's knows.

use std::{collections::BTreeMap, net::IpAddr, path::Path, time::Duration};

use futures_util::future;
use url::{Host, Url};

use super::{CloudSession, ServiceName, tls_files::read_ca_text};
use crate::cluster::cloud_access::{self, CloudAccess, MAX_ADDRESSES};

/// Until a name server has answered: without an answer nodes are on their own.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// The certificates of a CA file that the client has read. Where nodes cannot be given them, the
/// log says so: their image may know the authority. A file that nobody named for this cloud is most
/// likely a whole system's.
pub(super) fn read_certificates(ca_file: Option<&Path>, is_named: bool) -> String {
    let Some(path) = ca_file else {
        return String::new();
    };
    let pem = read_ca_text(path).unwrap_or_default();
    cloud_access::keep_certificates(&String::from_utf8_lossy(&pem)).unwrap_or_else(|error| {
        let path = path.display();
        if is_named {
            tracing::warn!("the CA file {path} {error}; until then nodes have to know the cloud's certificates from their image");
        } else {
            tracing::debug!("nodes are not given the CA file {path}, which {error}");
        }
        String::new()
    })
}

impl CloudSession {
    /// What nodes are given. Names that cannot be found now are left out.
    pub async fn node_access(&self) -> CloudAccess {
        let mut urls = vec![Url::parse(&self.config().auth_url).ok()];
        for service in [ServiceName::Keystone, ServiceName::Heat] {
            urls.push(self.service_url(service).ok());
        }
        let mut names: Vec<(String, u16)> =
            urls.iter().flatten().filter_map(name_and_port).collect();
        names.sort_unstable();
        names.dedup_by(|one, other| one.0 == other.0);
        let found = future::join_all(names.into_iter().map(look_up)).await;
        CloudAccess {
            certificates: self.node_certificates().to_owned(),
            addresses: found.into_iter().flatten().collect::<BTreeMap<_, _>>(),
        }
    }
}

/// A URL's host where that is a name.
fn name_and_port(url: &Url) -> Option<(String, u16)> {
    match url.host() {
        Some(Host::Domain(name)) => Some((name.to_owned(), url.port_or_known_default()?)),
        _ => None,
    }
}

/// The addresses of a name that others can use too.
async fn look_up((name, port): (String, u16)) -> Option<(String, Vec<IpAddr>)> {
    let found = tokio::time::timeout(
        LOOKUP_TIMEOUT,
        tokio::net::lookup_host((name.as_str(), port)),
    );
    let mut addresses: Vec<IpAddr> = found
        .await
        .ok()?
        .ok()?
        .map(|address| address.ip())
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(MAX_ADDRESSES);
    (!addresses.is_empty()).then_some((name, addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_looked_up() {
        let of = |text: &str| name_and_port(&Url::parse(text).unwrap());
        assert_eq!(
            of("https://heat.example/v1"),
            Some(("heat.example".to_owned(), 443))
        );
        assert_eq!(
            of("http://heat.example:8004/v1"),
            Some(("heat.example".to_owned(), 8004))
        );
        assert_eq!(of("http://192.0.2.1:8004/v1"), None);
        assert_eq!(of("http://[2001:db8::1]/v1"), None);
    }

    #[tokio::test]
    async fn this_machines_own_loopback_is_no_address_for_nodes() {
        assert_eq!(look_up(("localhost".to_owned(), 80)).await, None);
        assert_eq!(look_up(("nobody.invalid".to_owned(), 80)).await, None);
        assert_eq!(
            look_up(("192.0.2.1".to_owned(), 80)).await,
            Some(("192.0.2.1".to_owned(), vec!["192.0.2.1".parse().unwrap()]))
        );
    }
}
