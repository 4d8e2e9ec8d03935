//! What nodes are given to reach the cloud that they signal: its own certificate authority, and
//! addresses for the names that their name server may not know. All of it is public. Pure.

use std::{collections::BTreeMap, net::IpAddr};

use base64::Engine as _;
use serde::{Deserialize, Serialize};

/// Bytes of certificates, as PEM, that nodes are given: they travel in each node's user data. A
/// cloud's own authority is a certificate or two; a whole system's collection does not fit.
pub const MAX_CERTIFICATE_BYTES: usize = 8 * 1024;
/// Names that nodes are given addresses of.
pub const MAX_NAMES: usize = 4;
/// Addresses of a name.
pub const MAX_ADDRESSES: usize = 4;
/// Characters of a line of PEM.
const PEM_LINE: usize = 64;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What nodes need besides URLs to reach Keystone and Heat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudAccess {
    /// The cloud's own authority, PEM certificates and nothing else; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub certificates: String,
    /// Addresses of the names of Keystone and Heat, as this host finds them; sorted, so that two
    /// look-ups come to the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
}

/// Why certificates cannot be given to nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// None in it.
    #[error("holds no PEM certificate")]
    None,
    /// More than user data carries.
    #[error(
        "holds {bytes} bytes of certificates, nodes can be given {MAX_CERTIFICATE_BYTES}: name a file with the cloud's own authority alone"
    )]
    TooLong {
        /// How much there is.
        bytes: usize,
    },
}

impl CloudAccess {
    /// Whether there is nothing to give.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.addresses.is_empty()
    }

    /// As the nodes' scripts read it: `heat.example=192.0.2.7,192.0.2.8 keystone.example=[2001:db8::1]`.
    pub fn address_words(&self) -> String {
        let word = |(name, addresses): (&String, &Vec<IpAddr>)| {
            let texts: Vec<String> = addresses
                .iter()
                .map(|address| match address {
                    IpAddr::V4(address) => address.to_string(),
                    IpAddr::V6(address) => format!("[{address}]"),
                })
                .collect();
            format!("{name}={}", texts.join(","))
        };
        self.addresses
            .iter()
            .filter(|(name, _)| is_plain_name(name))
            .take(MAX_NAMES)
            .map(word)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A name that is one word to a shell.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

/// The certificates of a PEM text, each written anew: a private key beside them, a comment, or
/// anything else that somebody keeps in the same file does not go to the nodes.
///
/// # Errors
/// There is none, or more than nodes can be given.
pub fn keep_certificates(pem: &str) -> Result<String, CertificateError> {
    let mut kept = String::new();
    let mut body: Option<String> = None;
    for line in pem.lines().map(str::trim) {
        match (line, &mut body) {
            (BEGIN, _) => body = Some(String::new()),
            (END, Some(text)) => {
                if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(&*text)
                    && !bytes.is_empty()
                {
                    write_certificate(&mut kept, &bytes);
                }
                body = None;
            }
            (_, Some(text)) => text.push_str(line),
            (_, None) => {}
        }
    }
    match kept.len() {
        0 => Err(CertificateError::None),
        bytes if bytes > MAX_CERTIFICATE_BYTES => Err(CertificateError::TooLong { bytes }),
        _ => Ok(kept),
    }
}

fn write_certificate(pem: &mut String, bytes: &[u8]) {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    pem.push_str(BEGIN);
    for (index, c) in text.chars().enumerate() {
        if index % PEM_LINE == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push('\n');
    pem.push_str(END);
    pem.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(bytes: usize) -> String {
        let mut pem = String::new();
        write_certificate(&mut pem, &vec![7; bytes]);
        pem
    }

    #[test]
    fn certificates_are_kept_and_nothing_else() {
        let (one, two) = (certificate(40), certificate(90));
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END PRIVATE KEY-----\n";
        let mixed = format!(
            "issuer: the password is hunter2\r\n{}{key}# a comment\n  {}{key}",
            one.replace('\n', "\r\n"),
            two.replace('\n', "\n  ")
        );
        assert_eq!(keep_certificates(&mixed).unwrap(), one.clone() + &two);
        assert_eq!(keep_certificates(&one).unwrap(), one, "the same again");
        for none in [
            "",
            key,
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nQUJD\n",
            "-----BEGIN CERTIFICATE-----\nQUJD\n-----BEGIN PRIVATE KEY-----\nQUJD\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(
                keep_certificates(none),
                Err(CertificateError::None),
                "{none}"
            );
        }
    }

    #[test]
    fn what_user_data_does_not_carry_is_refused() {
        let each = certificate(960).len();
        let most = MAX_CERTIFICATE_BYTES / each;
        assert!(keep_certificates(&certificate(960).repeat(most)).is_ok());
        let refused = keep_certificates(&certificate(960).repeat(most + 1)).unwrap_err();
        assert_eq!(
            refused,
            CertificateError::TooLong {
                bytes: each * (most + 1)
            }
        );
        assert!(refused.to_string().contains("own authority alone"));
    }

    #[test]
    fn addresses_are_words_of_a_shell() {
        let mut access = CloudAccess::default();
        assert!(access.is_empty());
        let add = |access: &mut CloudAccess, name: &str, addresses: &[&str]| {
            let parsed = addresses.iter().map(|text| text.parse().unwrap()).collect();
            access.addresses.insert(name.to_owned(), parsed);
        };
        add(&mut access, "keystone.example", &["192.0.2.1", "192.0.2.2"]);
        add(&mut access, "heat.example", &["2001:db8::1"]);
        add(&mut access, "two words", &["192.0.2.3"]);
        assert_eq!(
            access.address_words(),
            "heat.example=[2001:db8::1] keystone.example=192.0.2.1,192.0.2.2"
        );
        for number in 0..MAX_NAMES {
            add(&mut access, &format!("a{number}"), &["192.0.2.4"]);
        }
        assert_eq!(access.address_words().split(' ').count(), MAX_NAMES);
    }
}
