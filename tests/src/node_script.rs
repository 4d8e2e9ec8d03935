//! The script of a node as people read it: with what travels packed in its place.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// How the command ends that unpacks what is written behind it.
const INSTALLS: &str = " >/opt/stampede/install.sh <<'STAMPEDE_END'\n";

/// The script with what it unpacks in plain text, by the command that it has for it itself.
///
/// # Panics
/// Where that command does not work.
#[expect(
    clippy::expect_used,
    reason = "a helper of tests: what it runs is there"
)]
pub fn unpack_node_script(script: &str) -> String {
    let Some((head, rest)) = script.split_once(INSTALLS) else {
        return script.to_owned();
    };
    let (head, command) = head.rsplit_once('\n').expect("a command in a line");
    let (packed, rest) = rest.split_once("STAMPEDE_END\n").expect("its end");
    let mut bash = Command::new("bash")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash");
    let mut input = bash.stdin.take().expect("its input");
    input.write_all(packed.as_bytes()).expect("is read");
    drop(input);
    let output = bash.wait_with_output().expect("its output");
    assert!(output.status.success(), "{command}");
    let plain = String::from_utf8(output.stdout).expect("text");
    let rest = rest.replacen(". /opt/stampede/install.sh\n", "", 1);
    format!("{head}\n{plain}{rest}")
}
