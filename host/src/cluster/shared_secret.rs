//! The secrets that all nodes of a cluster have in common, as each of them makes them by itself
//! (`templates/node/manifest.sh`): of what Heat gave them to signal with. No I/O.

use ring::hmac;
use secrecy::SecretString;

use super::cluster_endpoint::SecretName;

/// The secret's digits, made of the handle's attribute `signal`; none where that holds nothing that
/// nodes have in common: they signal by tokens.
pub fn shared_secret(signal: &str, secret: &SecretName) -> Option<SecretString> {
    let key = json_text(signal, "password").or_else(|| json_text(signal, "alarm_url"))?;
    let text = format!("{} {}", secret.plugin, secret.name);
    let digest = hmac_sha256(key.as_bytes(), text.as_bytes());
    let digits: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(SecretString::from(digits))
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

/// The text of a key as it stands in the JSON, backslashes among it: nodes, which have no parser,
/// take it so.
fn json_text<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let key = format!("\"{key}\":");
    json.match_indices(&key).find_map(|(at, _)| {
        let rest = json.get(at + key.len()..)?.trim_start_matches(' ');
        let text = rest.strip_prefix('"')?;
        let mut is_escaped = false;
        let end = text.find(|c| {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        })?;
        text.get(..end)
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_digest_is_that_of_rfc_4231() {
        for (key, text, wanted) in [
            (
                vec![0x0b; 20],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(hmac_sha256(&key, text).as_ref()), wanted);
        }
    }

    #[test]
    fn what_nodes_signal_with_is_found_as_they_find_it() {
        for (json, key, wanted) in [
            (r#"{"password": "p"}"#, "password", Some("p")),
            (r#"{"password":"p"}"#, "password", Some("p")),
            (
                r#"{"a": "\"password\": \"no\"", "password": "p"}"#,
                "password",
                Some("p"),
            ),
            (r#"{"password": "a\"b\\"}"#, "password", Some(r#"a\"b\\"#)),
            (
                r#"{"password": null, "alarm_url": "http://h/?a=b&c"}"#,
                "password",
                None,
            ),
            (
                r#"{"alarm_url": "http://h/?a=b&c"}"#,
                "alarm_url",
                Some("http://h/?a=b&c"),
            ),
            (r#"{"password": "open"#, "password", None),
            ("null", "password", None),
            ("", "password", None),
        ] {
            assert_eq!(json_text(json, key), wanted, "{json}");
        }
    }

    /// A line each: what nodes signal with, plugin, name, secret; nodes are held to it by
    /// `tests/node/manifest`.
    const OF_NODES: &str = include_str!("../../../tests/node/shared-secrets");

    #[test]
    fn nodes_make_the_same() {
        assert!(OF_NODES.lines().count() >= 4);
        for line in OF_NODES.lines() {
            let [signal, plugin, name, wanted] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let (plugin, name) = (plugin.to_owned(), name.to_owned());
            let secret = shared_secret(signal, &SecretName { plugin, name }).unwrap();
            assert_eq!(secret.expose_secret(), wanted, "{signal}");
        }
    }

    #[test]
    fn it_differs_by_plugin_name_and_what_nodes_signal_with() {
        let made = |signal: &str, plugin: &str, name: &str| {
            let (plugin, name) = (plugin.to_owned(), name.to_owned());
            let secret = shared_secret(signal, &SecretName { plugin, name })?;
            Some(secret.expose_secret().to_owned())
        };
        let by_password = r#"{"alarm_url": "http://h/", "password": "p"}"#;
        let token = made(by_password, "jupyterlab", "token").unwrap();
        assert_eq!(token.len(), 64);
        assert_eq!(
            made(r#"{"password": "p"}"#, "jupyterlab", "token"),
            Some(token.clone())
        );
        for other in [
            made(by_password, "spark", "token"),
            made(by_password, "jupyterlab", "other"),
            made(r#"{"alarm_url": "http://h/"}"#, "jupyterlab", "token"),
        ] {
            assert!(other.is_some_and(|other| other != token));
        }
        assert_eq!(made("", "jupyterlab", "token"), None);
    }
}
