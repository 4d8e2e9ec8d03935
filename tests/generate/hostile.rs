//! A text that shell, XML, YAML and JSON would each like to misread, from the command line to the
//! file that Hadoop reads.

use std::{fs, process::Command};

use proptest::prelude::*;
use serde_json::json;
use stampede_tests::node_script::unpack_node_script;

use super::generated;

/// Generates with this value of a property of core-site, installs what a worker gets below a folder
/// with real bash, reads the XML with Python.
fn arrives(value: &str) -> String {
    let setting = format!("hadoop.core_site={}", json!({ "stampede.test": value }));
    let files = generated(&["hadoop", "--workers", "1", "--set", &setting]);
    let root = tempfile::tempdir().unwrap();
    let at = root.path().to_str().unwrap();
    let script = unpack_node_script(&files["node-worker.sh"]);
    let install = &script[..script.rfind("exec /opt/stampede/run").unwrap()];
    let install = install
        .replace("/opt/stampede", &format!("{at}/opt"))
        .replace("=/run/stampede", &format!("={at}/run"))
        .replace("\nstampede_begin\n", "\n");
    let install: Vec<String> = install.lines().map(|line| below(line, at)).collect();
    let path = root.path().join("install.sh");
    fs::write(&path, install.join("\n") + "\n").unwrap();
    let output = Command::new("bash").arg(&path).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Files of plugins lie below the frame's own folder until it gives them their places.
    const READ: &str = "import os, sys, xml.etree.ElementTree as t\n\
        for place, _, names in os.walk(sys.argv[1]):\n  for name in names:\n    text = open(os.path.join(place, name), 'rb').read()\n    if not (text.startswith(b'<?xml') and b'stampede.test' in text): continue\n    for p in t.fromstring(text):\n      if p.find('name').text == 'stampede.test': sys.stdout.buffer.write((p.find('value').text or '').encode()); sys.exit()";
    let output = Command::new("python3")
        .args(["-c", READ, &format!("{at}/opt")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The lines that write a file, with its path below `root`.
fn below(line: &str, root: &str) -> String {
    let writes = (line.starts_with("stampede_file ") || line.starts_with("stampede_file64 "))
        && line.contains(" <<'STAMPEDE_END");
    if writes && !line.contains(root) {
        line.replacen(" '/", &format!(" '{root}/"), 1)
    } else {
        line.to_owned()
    }
}

#[test]
fn quotes_commands_and_markup_arrive_as_they_are() {
    for value in [
        "$(touch /tmp/x) `id` ${HOME}",
        "it's \"quoted\" \\ back\\\\slash",
        "a # b: c - {d} [e] &f *g !h |i >j %k @l",
        "<x>&amp;]]></x>",
        "ü \u{1F980} \u{2028}",
        "no",
        "STAMPEDE_END",
    ] {
        assert_eq!(arrives(value), value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_text_without_control_characters_arrives(value in "[^\\p{Cc}\u{fffe}\u{ffff}]{1,40}") {
        prop_assume!(!value.chars().any(|c| (c as u32) & 0xfffe == 0xfffe || c.is_whitespace() && c != ' '));
        // What a node would fill in is refused.
        prop_assume!(!value.contains("@{"));
        let value = value.trim();
        prop_assert_eq!(arrives(value), value);
    }
}
