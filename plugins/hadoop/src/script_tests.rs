//! Tests of the scripts' functions, as bash runs them.

use std::process::{Command, Stdio};

/// A function of a script, as bash reads it.
fn function<'a>(script: &'a str, name: &str) -> &'a str {
    let start = script.find(&format!("\n{name}() {{")).unwrap();
    &script[start..start + script[start..].find("\n}\n").unwrap() + 3]
}

/// What `reserve` measures on a disk of these bytes: what HDFS leaves free, and the MiB below which
/// YARN stops; or its words.
fn measured(size: u64, used: u64, available: u64) -> Result<(u64, u64), String> {
    let reserve = function(include_str!("../scripts/lib.sh"), "reserve");
    let script = format!(
        "set -euo pipefail; data=/nowhere\n{reserve}\n\
         df() {{ printf 'size used avail\\n{size} {used} {available}\\n'; }}\n\
         stampede_fail() {{ echo \"$1\"; exit 1; }}\n\
         stampede_file() {{ cat; }}\n\
         reserve /nowhere/datanode"
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        return Err(said);
    }
    let numbers: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
    Ok((numbers[1], numbers[0]))
}

#[test]
fn hdfs_leaves_a_tenth_of_the_disk_and_at_most_ten_gibibytes() {
    let (mib, gib) = (1_u64 << 20, 1_u64 << 30);
    assert_eq!(measured(20 * gib, 4 * gib, 15 * gib), Ok((6 * gib, 682)));
    assert_eq!(
        measured(500 * gib, 4 * gib, 490 * gib),
        Ok((14 * gib, 3413))
    );
    let least = 2 * gib + 512 * mib;
    assert!(measured(20 * gib, 17 * gib, least).is_ok());
    let told = measured(20 * gib, 17 * gib, least - 1).unwrap_err();
    assert!(
        told.contains("2559 of 20480 MiB free")
            && told.contains("take a flavor with a larger disk"),
        "{told}"
    );
}

/// What HDFS 3.5.0 reports of files that are being written.
const OPEN_FILES: &str = include_str!("testdata/fsck-open-files.txt");

#[test]
fn a_file_that_is_written_on_leaving_workers_alone_is_seen() {
    let function = function(include_str!("../scripts/drain-namenode.sh"), "alone");
    let alone = |leaving: &str, report: &str| {
        let script = format!("{function}\nalone ' {leaving} '");
        let mut bash = Command::new("bash")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut bash.stdin.take().unwrap(), report.as_bytes()).unwrap();
        String::from_utf8(bash.wait_with_output().unwrap().stdout).unwrap()
    };
    for (leaving, said) in [
        ("10.77.0.12 10.77.0.13", "alone\n"), // both copies leave
        ("10.77.0.12", "shared\n"),
        ("10.77.0.1", "shared\n"), // an address is a whole one
        ("", "shared\n"),
    ] {
        assert_eq!(alone(leaving, OPEN_FILES), said, "{leaving}");
    }
    let half = OPEN_FILES.split("Under Construction").next().unwrap();
    assert_eq!(alone("10.77.0.12 10.77.0.13", half), "");
    assert_eq!(alone("10.77.0.12", "\n/open does not exist"), "shared\n");
}

#[test]
fn who_leaves_waits_for_mapreduce_and_not_for_spark() {
    let functions = ["needs", "let_go"]
        .map(|name| function(include_str!("../scripts/drain-resourcemanager.sh"), name))
        .join("\n");
    let field = function(include_str!("../scripts/lib.sh"), "field");
    // what Hadoop 3.5.0 answers, cut
    let let_go = |state: &str, containers: u32, type_: &str| {
        let script = format!(
            r#"set -euo pipefail
resourcemanager_works() {{ true; }}
stampede_detail() {{ echo "$1"; }}
ask() {{ echo '{{"apps":{{"app":[{{"id":"application_1_0004","state":"RUNNING","user":"spark"}}]}}}}'; }}
yarn_ask() {{
  case $1 in
    nodes/*) echo '{{"node":{{"state":"{state}","numContainers":{containers},"id":"w:8041"}}}}' ;;
    *) echo '{{"app":{{"id":"application_1_0004","name":"x","applicationType":"{type_}"}}}}' ;;
  esac
}}
{field}
{functions}
leaving=(w) free=()
let_go && echo "gone, free: ${{free[*]}}"
true"#
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (state, containers, type_, said) in [
        ("DECOMMISSIONING", 0, "SPARK", "gone, free: w\n"),
        ("DECOMMISSIONING", 1, "SPARK", "w: 1 containers run\n"),
        (
            "DECOMMISSIONING",
            0,
            "MAPREDUCE",
            "w: application_1_0004 needs what it left there\n",
        ),
        ("RUNNING", 0, "SPARK", "w: 0 containers run\n"),
        ("DECOMMISSIONED", 0, "MAPREDUCE", "gone, free: \n"),
    ] {
        assert_eq!(let_go(state, containers, type_), said, "{state} {type_}");
    }
}

#[test]
fn who_logs_in_is_told_of_a_failed_checkpoint_and_scripts_are_not() {
    let folder = std::env::temp_dir().join(format!("stampede-profile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let told = folder.join("failed");
    let profile = crate::files::PROFILE
        .replace("/run/hadoop-checkpoint/failed", &told.to_string_lossy())
        .replace("@{java}", "/opt/java-hadoop");
    let said = |failed: bool, options: &[&str]| {
        std::fs::write(&told, if failed { "no memory\n" } else { "" }).unwrap();
        let output = Command::new("bash")
            .args(["--norc", "--noprofile"])
            .args(options)
            .args([
                "-c",
                &format!("unset JAVA_HOME\n{profile}echo \"$JAVA_HOME\""),
            ])
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"/opt/java-hadoop\n");
        String::from_utf8(output.stderr).unwrap()
    };
    let words = "The NameNode's last checkpoint failed";
    assert!(said(true, &["-i"]).contains(words));
    assert!(!said(false, &["-i"]).contains("checkpoint"));
    assert_eq!(said(true, &[]), "");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn scripts_reach_nodes_whole_but_for_their_comments() {
    let bundle = crate::test_cluster::bundle(3, 4_096, &crate::test_cluster::nothing()).unwrap();
    let programs = bundle.files.iter().filter(|file| {
        file.path.starts_with("/usr/local/") && !file.path.ends_with(".env")
            || file.path.starts_with("/etc/profile.d/")
    });
    let texts = programs.map(|file| &file.content);
    let texts: Vec<_> = texts
        .chain(bundle.scripts.iter().map(|script| &script.body))
        .collect();
    assert_eq!(texts.len(), 23);
    for text in texts {
        // a comment within a text, which is none, would have left it open
        let text = text.replace("@{java}", "/opt/java-hadoop");
        let mut bash = Command::new("bash")
            .arg("-n")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut bash.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(bash.wait().unwrap().success(), "{text}");
        let comments = text
            .lines()
            .filter(|line| line.trim_start().starts_with('#') && !line.starts_with("#!"));
        assert_eq!(comments.count(), 0);
        assert!(
            !text.contains("<<'") && !text.contains("<<E"),
            "no text that may hold such lines"
        );
    }
}
