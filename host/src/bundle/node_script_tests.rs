//! Tests of [`super`]: what real bash makes of an assembled script.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use proptest::prelude::*;

use super::*;

/// Runs the part of the script that installs, with every path of the frame's own below `root`;
/// prints what the variable holds.
fn install(script: &str, root: &str, variable: &str) -> String {
    let (install, end) = script.split_at(script.rfind("exec /opt/stampede/run").unwrap());
    assert_eq!(end, "exec /opt/stampede/run\n");
    let here = install
        .replace("/opt/stampede", &format!("{root}/opt"))
        .replace("=/run/stampede", &format!("={root}/run"))
        .replace("\nstampede_begin\n", "\n");
    let path = format!("{root}/node.sh");
    fs::write(
        &path,
        format!("#!/bin/bash\n{here}\nprintf %s \"${variable}\"\n"),
    )
    .unwrap();
    let output = Command::new("bash").arg(&path).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What stands on a node with these files behind the frame's, without most of that, which would not
/// fit plain.
fn with_files(access: &CloudAccess, files: &[(u32, &str, &str)]) -> NodeContent {
    let mut all = manifest_frame(access);
    all.retain(|file| !file.path.ends_with("manifest.sh"));
    let files = files.iter();
    all.extend(files.map(|(mode, path, content)| NodeFile::new(*mode, *path, *content)));
    NodeContent {
        variables: vec![("STAMPEDE_CLUSTER", "demo".to_owned())],
        files: all,
    }
}

fn assembled(content: &NodeContent) -> String {
    let contents = BTreeMap::from([("worker".to_owned(), content.clone())]);
    assemble_scripts(&contents)["node-worker.sh"].clone()
}

fn arrives(content: &str, name: &str) {
    let root = tempfile::tempdir().unwrap();
    let path = format!("{}/files/{name}", root.path().display());
    let text = content.replace('\0', "");
    let mut placed = with_files(&CloudAccess::default(), &[(0o640, &path, content)]);
    placed.variables.push(("STAMPEDE_MIRROR", text.clone()));
    let printed = install(
        &assembled(&placed),
        &root.path().display().to_string(),
        "STAMPEDE_MIRROR",
    );
    assert_eq!(printed, text);
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o640
    );
}

#[test]
fn texts_that_bash_could_misread_arrive_byte_for_byte() {
    for content in [
        "",
        "\n",
        "no newline at the end",
        "'; rm -rf / #\n",
        "$(id) `id` ${HOME} \\ \" ' !! ~ *\n",
        "STAMPEDE_END\nSTAMPEDE_END_2\n",
        "a\r\nb\u{7f}\u{1}\n",
        "\u{0}\n",
        "\tumlaut ü, \u{1F980}\n",
        "EOF\nexec /bin/false\n",
    ] {
        arrives(content, "x.xml");
    }
    arrives("x\n", "a name with 'quotes', $(id) and ü");
}

#[test]
fn the_variables_stand_in_front_of_all_and_in_their_order() {
    let mut placed = with_files(&CloudAccess::default(), &[]);
    placed.variables.push(("STAMPEDE_PROXY", String::new()));
    let script = assembled(&placed);
    let head: Vec<&str> = script.lines().take(6).collect();
    let wanted = [
        DIRECTIVE,
        "set -euo pipefail",
        "STAMPEDE_CLUSTER='demo'",
        "STAMPEDE_PROXY=''",
        "mkdir -p /opt/stampede",
        WRITABLE_FOLDER,
    ];
    assert_eq!(head, wanted);
}

#[test]
fn the_clouds_own_authority_is_a_file_on_every_node_and_one_of_its_digests() {
    let access = CloudAccess {
        certificates: "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n".to_owned(),
        ..CloudAccess::default()
    };
    let with = |access: &CloudAccess| with_files(access, &[]);
    let placed = with(&access);
    let file = placed
        .files
        .iter()
        .find(|file| file.path == CA_PATH)
        .unwrap();
    assert_eq!((file.mode, &file.content), (0o644, &access.certificates));
    assert!(
        !with(&CloudAccess::default())
            .files
            .iter()
            .any(|file| file.path == CA_PATH)
    );
    let digests = |content: &NodeContent| crate::bundle::node_update::file_digests(content);
    assert_eq!(
        crate::bundle::node_update::differing_paths(
            &digests(&placed),
            &digests(&with(&CloudAccess::default()))
        ),
        [CA_PATH],
        "a change brings it, and nothing else that is not new"
    );
    let command = file_command(file);
    assert!(
        command
            .starts_with("stampede_file 0644 '/etc/stampede/ca.pem' <<'STAMPEDE_END'\n-----BEGIN")
    );
}

#[test]
fn the_frame_says_the_same_without_its_comments() {
    let bash = |text: &str| {
        let script = format!("f() {{\n{text}\n}}\ndeclare -f f");
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    for script in [LIB, FRAME, MANIFEST] {
        let short = without_comments(script);
        assert!(short.len() < script.len() * 9 / 10, "{}", short.len());
        assert_eq!(bash(script), bash(&short), "as bash understands it");
        assert_eq!(script.lines().next(), short.lines().next());
    }
}

#[test]
fn a_script_that_nova_would_not_take_plain_is_packed_and_installs_the_same() {
    let property = "<property>value</property>\n";
    let long = |bytes: usize| {
        let text = property.repeat(bytes / property.len());
        with_files(&CloudAccess::default(), &[(0o640, "/etc/x", &text)])
    };
    let most = crate::bundle::sizes::MAX_SCRIPT_BYTES;
    let plain = assembled(&long(1_000));
    assert!(plain.contains("stampede_file 0640 '/etc/x' <<'STAMPEDE_END'\n<property>"));
    let packed = assembled(&long(most));
    assert!(packed.len() < most / 2, "{}", packed.len());
    assert_eq!(packed, assembled(&long(most)));

    let root = tempfile::tempdir().unwrap();
    let unpack = packed.replace("/opt/stampede", &root.path().display().to_string());
    fs::write(
        root.path().join("node.sh"),
        unpack.split_once("\n. ").unwrap().0,
    )
    .unwrap();
    assert!(
        Command::new("bash")
            .arg(root.path().join("node.sh"))
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        fs::read_to_string(root.path().join("install.sh")).unwrap(),
        super::build_install(&long(most))
    );
    assert!(packed.ends_with(". /opt/stampede/install.sh\nexec /opt/stampede/run\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_arrives_byte_for_byte(content in any::<String>(), lines in proptest::collection::vec("STAMPEDE_END(_[0-9])?|[ -~]{0,12}", 0..6)) {
        arrives(&content, "x");
        arrives(&(lines.join("\n") + "\n"), "y");
    }
}
