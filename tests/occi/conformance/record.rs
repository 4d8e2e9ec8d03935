//! Writes the record of the rules, `tests/occi/conformance.md`, with the decisions that they cite, and
//! holds that the file in the tree is what a run would write.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{RuleVerdict, SECTIONS, repository};

/// A file of host/docs/decisions.
pub(super) struct DecisionFile {
    /// `0036-know-few-paths.md`.
    file: String,
    /// `Unknown paths are 404`.
    title: String,
    /// What it decides: each of its texts between double asterisks.
    statements: Vec<String>,
}

impl DecisionFile {
    /// `0036`.
    fn number(&self) -> &str {
        &self.file[..4]
    }
}

/// All decisions, by number.
pub(super) fn decisions() -> Vec<DecisionFile> {
    let files = std::fs::read_dir(repository().join("host/docs/decisions")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| !path.ends_with("README.md"));
    paths.sort();
    paths.iter().map(|path| read_decision(path)).collect()
}

fn read_decision(path: &Path) -> DecisionFile {
    let text = std::fs::read_to_string(path).unwrap();
    let title = text
        .lines()
        .next()
        .and_then(|line| line.split_once(": "))
        .unwrap()
        .1
        .to_owned();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let statements = flat
        .split("**")
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    DecisionFile {
        file: path.file_name().unwrap().to_str().unwrap().to_owned(),
        title,
        statements,
    }
}

/// The decision that holds a statement which begins so.
pub(super) fn find_decision<'a>(
    decisions: &'a [DecisionFile],
    begin: &str,
) -> Option<&'a DecisionFile> {
    decisions.iter().find(|decision| {
        decision
            .statements
            .iter()
            .any(|text| text.starts_with(begin))
    })
}

/// A list item within 120 columns, a character being a column.
fn wrapped_item(text: &str) -> String {
    let (mut item, mut columns) = (String::from("-"), 1);
    for word in text.split(' ') {
        let width = word.chars().count() + 1;
        if columns + width > 120 {
            item += "\n ";
            columns = 1;
        }
        item.push(' ');
        item += word;
        columns += width;
    }
    item + "\n"
}

const HEAD: &str = "\
# Conformance to the recorded protocol

Written by `tests/occi/conformance`, which checks every rule against the running API and keeps this file true
(`STAMPEDE_UPDATE_CONFORMANCE=1 cargo test --workspace --test occi conformance` writes it anew). The rules are those of
[the recorded protocol](../../host/docs/hurtle/PROTOCOL.md), sections 1 to 5: what the Python Service Orchestrator does.
Each line says whether this host does the same; where it differs on purpose, by which
[decision](../../host/docs/decisions/README.md).
";

fn record() -> String {
    let decisions = decisions();
    let (mut text, mut counts, mut used) = (String::new(), [0; 2], BTreeMap::new());
    for (section, rules) in SECTIONS {
        text += &format!("\n## {section}\n\n");
        for rule in rules {
            let verdict = match rule.verdict {
                RuleVerdict::Same => {
                    counts[0] += 1;
                    "same".to_owned()
                }
                RuleVerdict::Differs(begin) => {
                    counts[1] += 1;
                    let decision = find_decision(&decisions, begin).unwrap();
                    used.insert(decision.number(), decision);
                    format!("differs ([{}])", decision.number())
                }
            };
            text += &wrapped_item(&format!("{verdict}: {}", rule.says));
        }
    }
    text += "\n## The decisions\n\n";
    for (number, decision) in &used {
        text += &wrapped_item(&format!("[{number}] {}", decision.title));
    }
    text.push('\n');
    for (number, decision) in &used {
        text += &format!("[{number}]: ../../host/docs/decisions/{}\n", decision.file);
    }
    let all = counts[0] + counts[1];
    format!(
        "{HEAD}\n{all} rules: {} the same, {} different on purpose, nothing else.\n{text}",
        counts[0], counts[1]
    )
}

#[test]
fn the_record_is_true() {
    let path = repository().join("tests/occi/conformance.md");
    if std::env::var_os("STAMPEDE_UPDATE_CONFORMANCE").is_some() {
        std::fs::write(&path, record()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == record(),
        "{} is old: STAMPEDE_UPDATE_CONFORMANCE=1 writes it anew",
        path.display()
    );
}
