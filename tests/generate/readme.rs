//! The README that is written says what the files do.

use super::{artifacts, generated, read, stampede};

/// The README's lines under "What was taken for granted".
fn guesses(arguments: &[&str]) -> Vec<String> {
    let readme = generated(arguments).remove("README.md").unwrap();
    let rest = readme
        .split_once("## What was taken for granted")
        .unwrap()
        .1;
    rest.split("\n## ")
        .next()
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_guess_is_told() {
    let told = guesses(&[
        "hadoop",
        "--flavor",
        "big=8192,4,40",
        "--flavor",
        "spare=4096,2,20",
        "--set",
        "worker.flavor=odd",
    ]);
    let wanted = [
        "`image`: nothing was said, so it is `debian-12`",
        "`network.external`: nothing was said, so it is `public`",
        "`master.flavor`: it was not named, so it is `spare`, the smallest described one that fits",
        "`worker.flavor`: no `--flavor` describes `odd`, so it is taken for 4096 MiB",
        "`--flavor big`: it was described, but no node has it",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    assert!(
        told.iter()
            .zip(wanted)
            .all(|(line, words)| line.starts_with(words)),
        "{told:#?}"
    );
}

#[test]
fn what_is_said_is_no_guess() {
    let all = [
        "image=i",
        "network.external=n",
        "master.flavor=m",
        "worker.flavor=m",
        "worker.volume_gib=10",
    ];
    let mut arguments = vec!["hadoop", "--flavor", "m=4096,2,20"];
    arguments.extend(all.iter().flat_map(|set| ["--set", *set]));
    let told = guesses(&arguments);
    assert!(
        told.len() == 1 && told[0].contains("volume service"),
        "{told:#?}"
    );
}

#[test]
fn a_real_job_is_promised_where_there_is_one() {
    let readme = |set: &str| {
        generated(&["hadoop", "--set", set])
            .remove("README.md")
            .unwrap()
    };
    assert!(readme("hadoop.smoke=true").contains("a real job has verified the frameworks"));
    let without = readme("hadoop.smoke=false");
    assert!(
        without.contains("complete when every node has registered.")
            && !without.contains("real job"),
        "{without}"
    );
}

#[test]
fn volumes_that_outlive_the_stack_are_named_with_how_to_delete_them() {
    let readme = |keep: &str| {
        let keep = format!("cluster.volume_keep={keep}");
        generated(&[
            "hadoop",
            "--name",
            "demo",
            "--workers",
            "2",
            "--set",
            "worker.volume_gib=10",
            "--set",
            &keep,
        ])
        .remove("README.md")
    };
    let kept = readme("true").unwrap();
    assert!(
        kept.contains("openstack volume delete demo-worker-1-data demo-worker-2-data"),
        "{kept}"
    );
    assert!(!readme("false").unwrap().contains("volume delete"));
}

#[test]
fn the_files_that_are_listed_are_those_that_are_there_with_their_sums() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("cluster");
    assert!(
        stampede(&["generate", "hadoop", "--out", dir.to_str().unwrap()])
            .status
            .success()
    );
    let files = read(&dir);
    let listed = files["README.md"].split_once("## The files").unwrap().1;
    let listed: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split('`').next())
        .collect();
    let mut there: Vec<&str> = files
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "README.md")
        .collect();
    there.sort_unstable();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, there);
    let checked = std::process::Command::new("sha256sum")
        .args(["-c", "--quiet", "SHA256SUMS"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

#[test]
fn a_second_run_by_force_leaves_nothing_of_the_first_but_what_is_not_its_own() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().to_str().unwrap();
    let run = |more: &[&str]| {
        assert!(
            stampede(&[&["generate", "hadoop", "--force", "--out", out], more].concat())
                .status
                .success()
        )
    };
    run(&["--format", "heat-json"]);
    std::fs::write(root.path().join("mine"), "x").unwrap();
    run(&["--set", "hadoop.smoke=false"]);
    let files = read(root.path());
    assert!(
        !files.contains_key("stack.json") && !files.keys().any(|name| name.contains("/smoke.")),
        "{:?}",
        files.keys()
    );
    assert!(files.contains_key("cluster.yaml") && files.contains_key("mine"));
}

#[test]
fn hdfs_is_told_by_the_address_that_its_clients_can_follow() {
    let files = generated(&["hadoop", "--set", "network.access=192.0.2.0/24"]);
    let output = files["cluster.yaml"]
        .split_once("\n  hadoop_hdfs:")
        .unwrap()
        .1
        .split("\n  hadoop_")
        .next()
        .unwrap();
    assert!(output.contains("value: hdfs://10.77.0.10:8020"), "{output}");
}

#[test]
fn a_default_that_is_not_utf8_is_an_error() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = std::process::Command::new(artifacts::stampede_binary().unwrap());
    command
        .env("STAMPEDE_PLUGINS", artifacts::plugins_folder().unwrap())
        .env("STAMPEDE_CACHE", artifacts::target_folder().join("cache"));
    let output = command
        .env(
            "STAMPEDE_DEFAULT_IMAGE",
            std::ffi::OsStr::from_bytes(b"debian-\xff"),
        )
        .args(["generate", "hadoop", "--explain"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && told.contains("STAMPEDE_DEFAULT_IMAGE: is not UTF-8"),
        "{told}"
    );
}
