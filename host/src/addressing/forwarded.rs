//! Reads what proxies say of the address that their client used: `Forwarded` (RFC 7239) and the
//! older `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`.
//!
//! A client can send these headers too, so only those count that a proxy of the operator's has
//! written. Each proxy adds its word at the right. The last one is that of the connection's peer;
//! one further left counts only where the peer that its right neighbour names is trusted as well.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use ipnet::IpNet;

use super::AddressError;
use super::service_url::{UrlScheme, is_authority, normal_authority, read_prefix};

const FORWARDED: &str = "Forwarded";
const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";
const PORT: &str = "X-Forwarded-Port";
const PREFIX: &str = "X-Forwarded-Prefix";

const EXPECTED_SCHEME: &str = "http or https";
const EXPECTED_HOST: &str = "a host name or an address, and a port";

/// The networks that the operator's proxies are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether a proxy of this address is trusted. An IPv4 address counts as itself also where the
    /// system shows it as an IPv6 one.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Networks and addresses, separated by commas or blanks.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = |item: &str| {
            let address = || item.parse::<IpAddr>().map(IpNet::from);
            item.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
                format!(
                    "`{item}` is no network of proxies: expected an address or a CIDR as 10.0.0.0/8"
                )
            })
        };
        let items = text.split([',', ' ']).filter(|item| !item.is_empty());
        items.map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// What the trusted proxies say; `None` where they say nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ForwardedAddress {
    pub(super) scheme: Option<UrlScheme>,
    pub(super) authority: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) prefix: Option<String>,
}

/// What a request's headers say, whose peer is a trusted proxy.
///
/// # Errors
/// The header that cannot be read, or says something else than another one.
pub(super) fn read_forwarded(
    headers: &HeaderMap,
    trusted: &TrustedProxies,
) -> Result<ForwardedAddress, AddressError> {
    let (new, old) = (read_standard(headers, trusted)?, read_x(headers, trusted)?);
    // Where a proxy writes the one kind and lets its client's other kind through, the client could
    // choose.
    let differ = |new: bool| {
        Err(AddressError::Forwarded(
            FORWARDED,
            if new {
                "the same scheme as X-Forwarded-Proto"
            } else {
                "the same host as X-Forwarded-Host"
            },
        ))
    };
    if new.scheme.is_some() && old.scheme.is_some() && new.scheme != old.scheme {
        return differ(true);
    }
    let scheme = new.scheme.or(old.scheme).unwrap_or(UrlScheme::Http);
    let normal = |said: &ForwardedAddress| {
        let authority = said.authority.as_deref();
        authority.map(|authority| normal_authority(authority, scheme))
    };
    if new.authority.is_some() && old.authority.is_some() && normal(&new) != normal(&old) {
        return differ(false);
    }
    Ok(ForwardedAddress {
        scheme: new.scheme.or(old.scheme),
        authority: new.authority.or(old.authority),
        ..old
    })
}

/// One element of `Forwarded`.
#[derive(Default)]
struct ForwardedHop {
    peer: Option<IpAddr>,
    scheme: Option<UrlScheme>,
    authority: Option<String>,
}

fn read_standard(
    headers: &HeaderMap,
    trusted: &TrustedProxies,
) -> Result<ForwardedAddress, AddressError> {
    let malformed = || {
        AddressError::Forwarded(
            FORWARDED,
            "elements as for=192.0.2.1;proto=https;host=so.example.org",
        )
    };
    let Some(text) = joined(headers, FORWARDED)? else {
        return Ok(ForwardedAddress::default());
    };
    let mut hops = Vec::new();
    for element in split_unquoted(&text, ',').ok_or_else(malformed)? {
        let mut hop = ForwardedHop::default();
        for pair in split_unquoted(element, ';').ok_or_else(malformed)? {
            if pair.trim().is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
            let value = unquoted(value.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.peer = read_peer(&value),
                "proto" => hop.scheme = Some(read_scheme(FORWARDED, &value)?),
                "host" => hop.authority = Some(read_host(FORWARDED, &value)?),
                _ => {}
            }
        }
        hops.push(hop);
    }
    let mut first = hops.len().saturating_sub(1);
    while first > 0
        && hops
            .get(first)
            .and_then(|hop| hop.peer)
            .is_some_and(|peer| trusted.contains(peer))
    {
        first -= 1;
    }
    let believed = hops.get(first..).unwrap_or_default();
    Ok(ForwardedAddress {
        scheme: believed.iter().find_map(|hop| hop.scheme),
        authority: believed.iter().find_map(|hop| hop.authority.clone()),
        ..ForwardedAddress::default()
    })
}

fn read_x(headers: &HeaderMap, trusted: &TrustedProxies) -> Result<ForwardedAddress, AddressError> {
    let peers = joined(headers, FOR)?.unwrap_or_default();
    let inner = peers
        .split(',')
        .rev()
        .take_while(|peer| read_peer(peer.trim()).is_some_and(|peer| trusted.contains(peer)))
        .count();
    let value = |name: &'static str| -> Result<Option<String>, AddressError> {
        let Some(text) = joined(headers, name)? else {
            return Ok(None);
        };
        let values: Vec<&str> = text.split(',').map(str::trim).collect();
        let at = (values.len() - 1).saturating_sub(inner);
        let value = values.get(at).copied().unwrap_or_default();
        Ok((!value.is_empty()).then(|| value.to_owned()))
    };
    let read_port = |text: String| {
        let port = text.parse::<u16>().ok().filter(|port| *port > 0);
        port.ok_or(AddressError::Forwarded(PORT, "a port"))
    };
    let path = |text: String| {
        let prefix = read_prefix(&text).map(str::to_owned);
        prefix.ok_or(AddressError::Forwarded(PREFIX, "a path as /stampede"))
    };
    Ok(ForwardedAddress {
        scheme: value(PROTO)?
            .map(|text| read_scheme(PROTO, &text))
            .transpose()?,
        authority: value(HOST)?
            .map(|text| read_host(HOST, &text))
            .transpose()?,
        port: value(PORT)?.map(read_port).transpose()?,
        prefix: value(PREFIX)?.map(path).transpose()?,
    })
}

fn read_scheme(header: &'static str, text: &str) -> Result<UrlScheme, AddressError> {
    UrlScheme::from_name(text).ok_or(AddressError::Forwarded(header, EXPECTED_SCHEME))
}

fn read_host(header: &'static str, text: &str) -> Result<String, AddressError> {
    if is_authority(text) {
        Ok(text.to_owned())
    } else {
        Err(AddressError::Forwarded(header, EXPECTED_HOST))
    }
}

/// `192.0.2.1`, `192.0.2.1:4711`, `[2001:db8::1]:4711`, `2001:db8::1`; not `unknown` or `_secret`.
fn read_peer(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse().or_else(|_| with_port()).ok()
}

/// All lines of a header as one list.
fn joined(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, AddressError> {
    let mut text: Option<String> = None;
    for line in headers.get_all(name) {
        let line = line
            .to_str()
            .map_err(|_| AddressError::Forwarded(name, "printable ASCII"))?;
        match &mut text {
            Some(text) => {
                text.push(',');
                text.push_str(line);
            }
            None => text = Some(line.to_owned()),
        }
    }
    Ok(text)
}

/// The parts between separators outside quotes; `None` where a quote is not closed.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                parts.push(text.get(begin..at)?);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..)?);
    (!quoted).then_some(parts)
}

fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| text.to_owned(), |inner| inner.replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_addresses_and_networks() {
        let trusted: TrustedProxies = "10.0.0.0/8, 192.0.2.1 ::1,2001:db8::/32".parse().unwrap();
        for (address, is_trusted) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("::1", true),
            ("2001:db8::5", true),
            ("::ffff:10.0.0.1", true),
            ("::ffff:11.0.0.1", false),
        ] {
            assert_eq!(
                trusted.contains(address.parse().unwrap()),
                is_trusted,
                "{address}"
            );
        }
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
        for wrong in ["proxy.example.org", "10.0.0.0/33", "10.0.0"] {
            assert!(wrong.parse::<TrustedProxies>().unwrap_err().contains(wrong));
        }
    }
}
