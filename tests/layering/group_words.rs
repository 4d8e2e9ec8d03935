//! The words `master` and `worker` stand where the groups are defined that every cluster has, and
//! where former versions' records are read. All else in the host knows groups. Looks at texts and constants outside tests; background workers are others.

use std::fs;

use crate::{imports::rust_files, repository};

/// The files that know the words.
const KNOWING: [&str; 3] = [
    "host/src/cluster/default_group_rows.rs",
    "host/src/cluster/default_groups.rs",
    "host/src/cluster/former_records.rs",
];

/// What else may be said, and where: names that are not ours to choose.
const ALLOWED: [(&str, &str); 3] = [
    // A parameter of the plugin `cluster`.
    (
        "host/src/orchestrator/planning/quota.rs",
        "cluster.spread_workers",
    ),
    ("host/src/store/migrations.rs", "sqlite_master"),
    // How former versions called what a step leads to.
    ("host/src/cluster/change.rs", "alias = \"workers\""),
];

/// The words in a line of code that a group is named by: in a text, or as a constant.
fn group_words(line: &str) -> Vec<&str> {
    let code = line.split(" // ").next().unwrap_or_default();
    if code.trim_start().starts_with("//") {
        return Vec::new();
    }
    let in_texts = code.split('"').skip(1).step_by(2);
    let is_letter = |c: char| c.is_alphanumeric();
    let words = in_texts.flat_map(move |text| text.split(move |c| !is_letter(c)));
    let texts = words.filter(|word| {
        let word = word.to_lowercase();
        matches!(word.as_str(), "master" | "masters" | "worker" | "workers")
    });
    let names = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let constants = names.filter(|name| matches!(*name, "MASTER" | "WORKER"));
    texts.chain(constants).collect()
}

#[test]
fn no_file_but_those_of_the_defaults_knows_which_groups_there_are() {
    let root = repository();
    let mut wrong = Vec::new();
    for file in rust_files(&root.join("host/src")) {
        let path = file.strip_prefix(&root).unwrap().display().to_string();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if KNOWING.contains(&path.as_str()) || name.contains("test") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in code.lines().enumerate() {
            let allowed = ALLOWED.iter().filter(|(file, _)| *file == path);
            let line = allowed.fold(line.to_owned(), |line, (_, said)| line.replace(said, ""));
            let words = group_words(&line);
            if !words.is_empty() {
                wrong.push(format!("{path}:{}: {}", at + 1, words.join(", ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these know groups by their names:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn words_are_seen_where_they_stand_and_nowhere_else() {
    assert_eq!(group_words("let x = \"worker.flavor\";"), ["worker"]);
    assert_eq!(
        group_words("f(\"new workers\", MASTER)"),
        ["workers", "MASTER"]
    );
    for other in [
        "/// a worker is \"worker-1\"",
        "let a = 1; // \"master\"",
        "spawn_worker(context, \"x\")",
        "use worker::run_worker;",
    ] {
        assert_eq!(group_words(other), Vec::<&str>::new(), "{other}");
    }
}
