//! `stampede generate --ca-file`: the cloud's own authority stands on the nodes, and nothing else of
//! its file; what cannot be given to nodes is refused.

use std::fs;

use stampede_tests::node_script::unpack_node_script;

use super::{generated, stampede};

const CERTIFICATE: &str =
    "-----BEGIN CERTIFICATE-----\nQSBjZXJ0aWZpY2F0ZQ==\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nQSBrZXk=\n-----END PRIVATE KEY-----\n";

#[test]
fn the_authority_stands_on_every_node_and_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    fs::write(&path, format!("{KEY}{CERTIFICATE}{KEY}")).unwrap();
    let files = generated(&["hadoop", "--ca-file", path.to_str().unwrap()]);
    for name in ["node-master.sh", "node-worker.sh"] {
        let script = unpack_node_script(&files[name]);
        let wanted = format!(
            "stampede_file 0644 '/etc/stampede/ca.pem' <<'STAMPEDE_END'\n{CERTIFICATE}STAMPEDE_END\n"
        );
        assert!(script.contains(&wanted), "{name}");
        assert!(!script.contains("QSBrZXk="), "{name} holds a key");
    }
    for (name, text) in &files {
        assert!(!text.contains("QSBrZXk="), "{name} holds a key");
    }
    let without = generated(&["hadoop"]);
    assert!(!unpack_node_script(&without["node-worker.sh"]).contains("'/etc/stampede/ca.pem'"));
}

#[test]
fn what_cannot_be_given_to_nodes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (content, words) in [
        (KEY.to_owned(), "holds no PEM certificate"),
        (CERTIFICATE.repeat(200), "own authority alone"),
    ] {
        let path = dir.path().join("ca.pem");
        fs::write(&path, content).unwrap();
        let out = dir.path().join("out");
        let arguments = [
            "generate",
            "hadoop",
            "--ca-file",
            path.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        let output = stampede(&arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains(words) && !out.exists(), "{told}");
    }
}
