//! Requests that `generate` refuses: with which message and exit code, and that nothing was
//! written.

use super::{read, stampede};

/// Refused: exit code, standard error. Nothing may be left in the folder that was to be written.
fn refused(arguments: &[&str]) -> (i32, String) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("cluster");
    let mut all = vec!["generate"];
    all.extend(arguments);
    all.extend(["--out", dir.to_str().unwrap()]);
    let output = stampede(&all);
    assert!(
        output.stdout.is_empty() && read(root.path()).is_empty(),
        "{arguments:?}"
    );
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Arguments, and what standard error must hold.
const MISTAKES: [(&[&str], &[&str]); 10] = [
    (
        &["hadop"],
        &["framework: there is no framework `hadop` (did you mean `hadoop`?"],
    ),
    (
        &["hadoop", "--set", "workers=0"],
        &["workers: 0 is too few (1 to 250)"],
    ),
    (
        &["hadoop", "--set", "workers=251"],
        &["workers: 251 is too many (1 to 250)"],
    ),
    (
        &["hadoop", "--set", "hadoop.replicaton=2"],
        &["hadoop.replicaton: there is no such attribute (did you mean `hadoop.replication`?)"],
    ),
    (
        &["hadoop", "--set", "hadoop.replication=two"],
        &["hadoop.replication: must be a whole number, got `two` (Copies"],
    ),
    (
        &["hadoop", "--set", "hadoop.replication=0"],
        &["hadoop.replication: 0 is less than the minimum of 1 (Copies"],
    ),
    (
        &[
            "hadoop",
            "--flavor",
            "tiny=512,1,5",
            "--flavor",
            "fits=4096,2,20",
            "--set",
            "worker.flavor=tiny",
        ],
        &[
            "worker.flavor: `tiny` has 512 MiB",
            "(the smallest that fits is `fits`)",
        ],
    ),
    (
        &["hadoop", "--name", "$(id)"],
        &["name: `$(id)` cannot be a cluster's name (1 to 40 of a-z, 0-9 and -"],
    ),
    (
        &["hadoop", "--set", "workers=0", "--set", "mirror=ftp://x"],
        &[
            "stampede: workers: ",
            "stampede: mirror: must begin with http:// or https://",
        ],
    ),
    (
        &[
            "hadoop",
            "--workers",
            "250",
            "--set",
            "worker.volume_gib=10",
        ],
        &[
            "workers: the stack has ",
            "resources, at most 1000 are taken (",
            " workers at most with these settings)",
        ],
    ),
];

#[test]
fn each_mistake_is_told_with_what_to_do() {
    for (arguments, wanted) in MISTAKES {
        let (code, told) = refused(arguments);
        assert_eq!(code, 3, "{arguments:?}: {told}");
        for words in wanted {
            assert!(told.contains(words), "{arguments:?}: {told}");
        }
    }
}

#[test]
fn as_many_workers_with_volumes_as_the_refusal_says_are_taken() {
    let with = |workers: &str| {
        let output = stampede(&[
            "generate",
            "hadoop",
            "--explain",
            "--workers",
            workers,
            "--set",
            "worker.volume_gib=10",
        ]);
        (
            output.status.success(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (_, told) = with("250");
    let most: u32 = told
        .split_once(" taken (")
        .unwrap()
        .1
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(with(&most.to_string()).0);
    assert!(!with(&(most + 1).to_string()).0);
}

#[test]
fn wrong_usage_and_a_folder_in_use_are_told_apart() {
    assert_eq!(refused(&["hadoop", "--no-such"]).0, 2);
    assert_eq!(
        stampede(&["generate", "hadoop"]).status.code(),
        Some(2),
        "neither --out nor --explain"
    );
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("mine"), "x").unwrap();
    let output = stampede(&["generate", "hadoop", "--out", root.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("is not empty") && told.contains("--force"),
        "{told}"
    );
    assert_eq!(read(root.path()).len(), 1);
}
