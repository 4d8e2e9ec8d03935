//! Tests of [`super`]: what real bash makes of an assembled script.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use proptest::prelude::*;

use super::*;
use crate::bundle::node_frame::frame_files;
use crate::bundle::node_script::{CA_PATH, end_with_newline, variables_around};
use crate::cluster::CloudAccess;

/// Runs the part of the script that installs, with every path of the frame's own below `root`;
/// prints what the variable holds.
fn install(script: &str, root: &str, variable: &str) -> String {
    let (install, end) = script.split_at(script.rfind("exec /opt/stampede/run").unwrap());
    assert_eq!(end, "exec /opt/stampede/run\n");
    // What comes packed is changed on its way: where the frame stands, and whom it asks.
    let frame = r"s#^\(cat >\|\. \|stampede_file 0[0-7]* .\|local whole=\)/opt/stampede#\1";
    let below = [
        format!("{frame}{root}/opt#"),
        format!("s#^STAMPEDE_RUN=/run/stampede#STAMPEDE_RUN={root}/run#"),
        "/^stampede_begin$/d".to_owned(),
        format!("s#/run/cloud-init/inst#{root}/known/inst#"),
        format!("s#http://169.254.169.254/openstack#file://{root}/service/openstack#"),
    ];
    fs::write(format!("{root}/below.sed"), below.join("\n")).unwrap();
    let here = install
        .replace(
            " >/opt/stampede/install.sh <<'STAMPEDE_END'\n",
            &format!(" <<'STAMPEDE_END' | sed -f {root}/below.sed >/opt/stampede/install.sh\n"),
        )
        .replace("/opt/stampede", &format!("{root}/opt"));
    let path = format!("{root}/node.sh");
    let text = format!("#!/bin/bash\nmkdir -p {root}/run {root}/opt\n{here}\nprintf %s \"${variable}\"\n");
    fs::write(&path, text).unwrap();
    let output = Command::new("bash").arg(&path).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn content(mirror: &str, access: &CloudAccess, files: Vec<NodeFile>) -> NodeContent {
    let mut all = frame_files(access);
    all.extend(files);
    let mut variables = vec![("STAMPEDE_CLUSTER", "demo".to_owned())];
    variables.extend(variables_around(Some(mirror), None, 4096, 600, access));
    NodeContent {
        variables,
        files: all,
    }
}

fn built(files: Vec<NodeFile>) -> NodeUserData {
    build_user_data(&content("", &CloudAccess::default(), files))
}

fn arrives(text: &str, name: &str) {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().display();
    let path = format!("{root}/files/{name}");
    let mirror = text.replace('\0', "");
    let file = NodeFile::new(0o640, &*path, text);
    let data = build_user_data(&content(&mirror, &CloudAccess::default(), vec![file]));
    let printed = install(&data.script, &root.to_string(), "STAMPEDE_MIRROR");
    assert_eq!(printed, mirror);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[test]
fn texts_that_bash_could_misread_arrive_byte_for_byte() {
    for text in [
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
        arrives(text, "x.xml");
    }
    arrives("x\n", "a name with 'quotes', $(id) and ü");
}

#[test]
fn people_read_in_user_data_whose_it_is() {
    let address = "192.0.2.7".parse().unwrap();
    let mut access = CloudAccess::default();
    access
        .addresses
        .insert("heat.example".to_owned(), vec![address]);
    let script = build_user_data(&content("", &access, Vec::new())).script;
    let head: Vec<&str> = script.lines().take(11).collect();
    let wanted = [
        DIRECTIVE,
        "set -euo pipefail",
        "STAMPEDE_CLUSTER='demo'",
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
fn the_clouds_own_authority_is_a_file_of_the_frame() {
    let access = CloudAccess {
        certificates: "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----".to_owned(),
        ..CloudAccess::default()
    };
    let files = |access: &CloudAccess| content("", access, Vec::new()).files;
    let placed = files(&access);
    let file = placed.iter().find(|file| file.path == CA_PATH).unwrap();
    let wanted = end_with_newline(&access.certificates);
    assert_eq!((file.mode, &file.content), (0o644, &wanted));
    assert!(placed.iter().all(|file| is_frame_path(&file.path)));
    let without = files(&CloudAccess::default());
    assert!(!without.iter().any(|file| file.path == CA_PATH));
}

/// Text that nothing makes much smaller.
fn noise(bytes: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + u8::try_from(state % 95).unwrap())
    };
    (0..bytes).map(|_| next()).chain(['\n']).collect()
}

#[test]
fn each_script_fits_nova_and_installs_the_same_however_it_travels() {
    let mut forms = Vec::new();
    for bytes in [100, 10_000, 20_000, 30_000, 40_000] {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().display().to_string();
        let path = format!("{root}/files/x");
        let text = noise(bytes);
        let data = built(vec![NodeFile::new(0o644, &*path, &*text)]);
        assert!(data.script.len() <= MAX_SCRIPT_BYTES, "{}", data.script.len());
        assert!(data.rest.iter().all(|part| part.chars().count() <= MAX_METADATA_CHARS));
        assert_eq!(data, built(vec![NodeFile::new(0o644, &*path, &*text)]));
        let meta = super::super::node_rest::metadata_parts(&data.rest);
        let meta = serde_json::json!({ "meta": meta }).to_string();
        // As the metadata service and as cloud-init have it.
        let (at, meta) = if bytes % 20_000 == 0 {
            ("service/openstack/latest/meta_data.json", meta)
        } else {
            let known = format!("{{\"ds\": {{\"meta_data\": {meta}}}}}");
            ("known/instance-data-sensitive.json", known)
        };
        let at = format!("{root}/{at}");
        fs::create_dir_all(std::path::Path::new(&at).parent().unwrap()).unwrap();
        fs::write(&at, meta).unwrap();
        install(&data.script, &root, "STAMPEDE_CLUSTER");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        forms.push(!data.rest.is_empty());
    }
    assert_eq!(forms, [false, false, false, true, true]);
}

#[test]
fn a_script_fits_user_data_and_metadata_or_is_refused_by_name() {
    let of = |bytes| {
        let data = built(vec![NodeFile::new(0o644, "/etc/x", noise(bytes))]);
        BTreeMap::from([("master".to_owned(), data)])
    };
    let (mut fits, mut none) = (30_000, 200_000);
    while none - fits > 64 {
        let middle = usize::midpoint(fits, none);
        if find_excess(&of(middle)).is_empty() {
            fits = middle;
        } else {
            none = middle;
        }
    }
    assert_eq!(of(fits)["master"].rest.len(), MAX_PARTS);
    let said = find_excess(&of(none));
    assert_eq!(
        said[0].to_string(),
        "what `node-master.sh` has no room for, which the server's metadata carries, has 121 values of 255 characters, at most 120 are taken"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn any_text_arrives_byte_for_byte(text in any::<String>(), lines in proptest::collection::vec("STAMPEDE_END(_[0-9])?|[ -~]{0,12}", 0..6)) {
        arrives(&text, "x");
        arrives(&(lines.join("\n") + "\n"), "y");
    }
}
