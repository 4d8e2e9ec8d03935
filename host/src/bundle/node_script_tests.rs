//! Tests of [`super`]: what real bash makes of an assembled script.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::bundle::{
    NodeScript, PluginFile, ScriptStage,
    tests::{part, request},
};

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

fn assembled(
    request: &PluginRequest,
    access: &CloudAccess,
    parts: &[PluginBundle],
) -> BTreeMap<String, String> {
    assemble_scripts(&node_contents(request, access, parts))
}

fn with_file(content: &str, path: &str) -> PluginBundle {
    let mut part = part("hadoop", json!({}));
    part.files = vec![PluginFile {
        roles: vec!["worker".to_owned()],
        path: path.to_owned(),
        mode: 0o640,
        content: content.to_owned(),
    }];
    part.scripts = vec![NodeScript {
        role: "worker".to_owned(),
        stage: ScriptStage::Setup,
        name: "hadoop".to_owned(),
        body: content.replace('\0', ""),
    }];
    part
}

fn arrives(content: &str, name: &str) {
    let root = tempfile::tempdir().unwrap();
    let path = format!("{}/files/{name}", root.path().display());
    let mut request = request(2);
    request.mirror = Some(content.replace('\0', ""));
    let parts = [part("cluster", json!({})), with_file(content, &path)];
    let scripts = assembled(&request, &CloudAccess::default(), &parts);
    let printed = install(
        &scripts["node-worker.sh"],
        &root.path().display().to_string(),
        "STAMPEDE_MIRROR",
    );
    assert_eq!(printed, content.replace('\0', ""));
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o640
    );
    let script =
        fs::read_to_string(root.path().join("opt/scripts/01-hadoop/setup.hadoop.sh")).unwrap();
    assert_eq!(script, end_with_newline(&content.replace('\0', "")));
    assert!(!scripts["node-master.sh"].contains("setup.hadoop.sh"));
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
fn the_variables_stand_in_the_readmes_order() {
    let mut access = CloudAccess::default();
    let address = "192.0.2.7".parse().unwrap();
    access
        .addresses
        .insert("heat.example".to_owned(), vec![address]);
    let script = assembled(&request(2), &access, &[])["node-worker.sh"].clone();
    let head: Vec<&str> = script.lines().take(17).collect();
    let wanted = [
        DIRECTIVE,
        "set -euo pipefail",
        "STAMPEDE_CLUSTER='demo'",
        "STAMPEDE_ROLE='worker'",
        "STAMPEDE_MASTER='master'",
        "STAMPEDE_MASTER_ADDRESS='10.77.0.10'",
        "STAMPEDE_WORKERS='worker-1 worker-2'",
        "STAMPEDE_WORKER_COUNT='2'",
        "STAMPEDE_LEAVING=''",
        "STAMPEDE_GENERATION='0'",
        "STAMPEDE_MIRROR=''",
        "STAMPEDE_PROXY=''",
        "STAMPEDE_RAM_MIB='4096'",
        "STAMPEDE_TIMEOUT_S='600'",
        "STAMPEDE_CLOUD_ADDRESSES='heat.example=192.0.2.7'",
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
    let with = |access: &CloudAccess| node_contents(&request(1), access, &[])["worker"].clone();
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
    let digests = |content| crate::bundle::node_update::file_digests(&content);
    assert_eq!(
        crate::bundle::node_update::differing_paths(
            &digests(placed),
            &digests(with(&CloudAccess::default()))
        ),
        [CA_PATH],
        "a change brings it, and nothing else that is not new"
    );
    let script = &assembled(&request(1), &access, &[])["node-master.sh"];
    assert!(
        script.contains("stampede_file 0644 '/etc/stampede/ca.pem' <<'STAMPEDE_END'\n-----BEGIN")
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
fn files_and_scripts_that_cannot_stand_on_a_node_are_refused() {
    let told = |change: &dyn Fn(&mut PluginBundle)| {
        let mut part = with_file("x\n", "/etc/x");
        change(&mut part);
        check_files(&request(1), &[part])
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(told(&|_| {}), "");
    let long = format!("/{}", "x".repeat(MAX_PATH_BYTES));
    for path in [
        "etc/x",
        "/etc/../x",
        "/etc//x",
        "/etc/x/",
        "/opt/stampede/run",
        "/opt/stampede",
        "/a\nb",
        "/",
        &long,
    ] {
        assert!(
            told(&|part| part.files[0].path = path.to_owned()).contains("plain path"),
            "{path}"
        );
    }
    assert_eq!(
        told(&|part| part.files[0].path = long[..MAX_PATH_BYTES].to_owned()),
        ""
    );
    assert!(told(&|part| part.files[0].mode = 0o4755).contains("has the mode 4755"));
    assert!(
        told(&|part| part.files[0].roles = vec!["zookeeper".to_owned()])
            .contains("role `zookeeper`, which is not there")
    );
    for name in ["", "../x", "A", &"x".repeat(MAX_SCRIPT_NAME_CHARS + 1)] {
        assert!(
            told(&|part| part.scripts[0].name = name.to_owned())
                .contains("needs a name of its own"),
            "{name}"
        );
    }
    assert_eq!(
        told(&|part| part.scripts[0].name = "x".repeat(MAX_SCRIPT_NAME_CHARS)),
        ""
    );
    assert!(
        told(&|part| part.scripts.push(part.scripts[0].clone()))
            .contains("needs a name of its own")
    );
    assert!(
        told(&|part| part.files.push(part.files[0].clone()))
            .contains("both write `/etc/x` on role worker")
    );
}

#[test]
fn a_script_that_nova_would_not_take_plain_is_packed_and_installs_the_same() {
    let long =
        |bytes: usize| with_file(&"<property>value</property>\n".repeat(bytes / 27), "/etc/x");
    let most = crate::bundle::sizes::MAX_SCRIPT_BYTES;
    let plain =
        assembled(&request(1), &CloudAccess::default(), &[long(1000)])["node-worker.sh"].clone();
    assert!(plain.contains("stampede_file 0640 '/etc/x' <<'STAMPEDE_END'\n<property>"));
    let packed =
        assembled(&request(1), &CloudAccess::default(), &[long(most)])["node-worker.sh"].clone();
    assert!(packed.len() < most / 2, "{}", packed.len());
    assert_eq!(
        packed,
        assembled(&request(1), &CloudAccess::default(), &[long(most)])["node-worker.sh"]
    );

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
    let contents = node_contents(&request(1), &CloudAccess::default(), &[long(most)]);
    assert_eq!(
        fs::read_to_string(root.path().join("install.sh")).unwrap(),
        super::build_install(&contents["worker"])
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
