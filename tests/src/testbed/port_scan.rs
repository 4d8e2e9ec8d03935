//! Which TCP ports of an address answer, of all that there are; and a way to the addresses that
//! nodes have among themselves.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::testbed::cloud::{TestbedSession, collect_texts};

/// Connections to one address that are tried at once.
const AT_ONCE: usize = 1_500;
/// How long one may take; what answers here does so in milliseconds.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The ports, 1 to 65535, at which something takes a connection or refuses one: who is kept away
/// by the security group hears nothing.
pub async fn list_answering_ports(address: IpAddr) -> Result<Vec<u16>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tries = JoinSet::new();
    let mut answering = Vec::new();
    for port in 1..=u16::MAX {
        let place = Arc::clone(&places).acquire_owned().await?;
        tries.spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, TcpStream::connect((address, port))).await;
            drop(place);
            match answer {
                Err(_) => Ok(None),
                Ok(Ok(_)) => Ok(Some(port)),
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Ok(Some(port)),
                Ok(Err(error)) => Err(error).with_context(|| format!("{address}:{port}")),
            }
        });
        while let Some(one) = tries.try_join_next() {
            answering.extend(one??);
        }
    }
    while let Some(one) = tries.join_next().await {
        answering.extend(one??);
    }
    answering.sort_unstable();
    Ok(answering)
}

/// The addresses of a server: its own and the floating IP.
pub async fn list_addresses(session: &TestbedSession, server: &str) -> Result<Vec<IpAddr>> {
    let url = session.nova(&format!("/servers/{server}"));
    let found = session.get(&url).await?;
    let networks = found["server"]["addresses"].as_object();
    let all = networks.into_iter().flat_map(|networks| networks.values());
    let texts = all.flat_map(|list| collect_texts(list, "addr"));
    texts
        .map(|text| text.parse().with_context(|| text))
        .collect()
}

/// The address that the project's only router has outside.
async fn router_address(session: &TestbedSession) -> Result<String> {
    let mine = format!("/routers?project_id={}", session.project_id);
    let found = session.get(&session.neutron(&mine)).await?;
    let outside = &found["routers"][0]["external_gateway_info"]["external_fixed_ips"];
    let address = outside[0]["ip_address"].as_str();
    Ok(address
        .context("no router with an address outside")?
        .to_owned())
}

/// A route from this machine into a cluster's network, past the floating IPs: what somebody has who
/// shares the outer network. It is gone when this is dropped.
pub struct RouteInto {
    network: String,
}

impl RouteInto {
    /// By the project's only router.
    pub async fn add(session: &TestbedSession, network: &str) -> Result<Self> {
        let router = router_address(session).await?;
        let added = ip(&["route", "replace", network, "via", &router])?;
        if !added.success() {
            bail!("ip route: {added}");
        }
        Ok(Self {
            network: network.to_owned(),
        })
    }
}

impl Drop for RouteInto {
    fn drop(&mut self) {
        let _ = ip(&["route", "del", &self.network]);
    }
}

fn ip(arguments: &[&str]) -> Result<std::process::ExitStatus> {
    Command::new("ip").args(arguments).status().context("ip")
}
