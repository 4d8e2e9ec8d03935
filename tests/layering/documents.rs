//! Checks the documents: their length, the width of their lines, their links to files of the
//! repository, and the index of decisions. Generated examples are left out: their text is the
//! program's output.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Lines of the first README.
const MAX_README_LINES: usize = 100;
/// Columns of a line in a document.
const MAX_COLUMNS: usize = 120;
/// Folders whose documents are not the repository's own, or are a program's output.
const LEFT_OUT: [&str; 3] = ["target", ".git", "templates/examples"];
/// Where decisions stand, from the root.
const DECISIONS: &str = "host/docs/decisions";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every document, by its path from the root.
fn documents(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                if !LEFT_OUT.iter().any(|left_out| path == Path::new(left_out)) {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines outside blocks of code, with code inside a line taken out.
fn prose(text: &str) -> String {
    let mut in_block = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push(line);
        }
    }
    lines
        .join("\n")
        .split('`')
        .step_by(2)
        .collect::<Vec<_>>()
        .join("` `")
}

/// Where links lead: `[text](target)`, and `[label]: target` at the beginning of a line.
fn link_targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let references = prose
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    let references = references.filter_map(|(_, target)| target.split_whitespace().next());
    inline.chain(references).map(str::to_owned).collect()
}

/// Whether the link leads out of the repository, or to a place in the same document.
fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:") || target.starts_with('#')
}

/// The numbers and names of the decisions' files.
fn decision_files(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join(DECISIONS)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "README.md").collect();
    names.sort();
    names
}

#[test]
fn the_first_readme_is_short() {
    let lines = fs::read_to_string(repository().join("README.md"))
        .unwrap()
        .lines()
        .count();
    assert!(
        lines <= MAX_README_LINES,
        "README.md has {lines} lines, at most {MAX_README_LINES}"
    );
}

#[test]
fn no_line_of_a_document_is_too_wide() {
    let root = repository();
    let mut wide = Vec::new();
    for path in documents(&root) {
        for (at, line) in fs::read_to_string(root.join(&path))
            .unwrap()
            .lines()
            .enumerate()
        {
            let columns = line.chars().count();
            if columns > MAX_COLUMNS {
                wide.push(format!(
                    "{}:{} has {columns} columns",
                    path.display(),
                    at + 1
                ));
            }
        }
    }
    assert!(
        wide.is_empty(),
        "at most {MAX_COLUMNS} columns:\n{}",
        wide.join("\n")
    );
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let root = repository();
    let mut broken = Vec::new();
    for path in documents(&root) {
        let folder = root.join(path.parent().unwrap());
        for target in link_targets(&fs::read_to_string(root.join(&path)).unwrap()) {
            let file = target.split('#').next().unwrap_or_default();
            if !is_elsewhere(&target) && !folder.join(file).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "these links lead nowhere:\n{}",
        broken.join("\n")
    );
}

#[test]
fn every_decision_has_a_number_of_its_own_and_stands_in_the_index() {
    let root = repository();
    let index = fs::read_to_string(root.join(DECISIONS).join("README.md")).unwrap();
    let listed: Vec<String> = link_targets(&index);
    let files = decision_files(&root);
    let mut numbers = BTreeSet::new();
    for name in &files {
        let number = name
            .get(..4)
            .filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
        let number =
            number.unwrap_or_else(|| panic!("{name} begins with no number of four digits"));
        assert!(
            numbers.insert(number.to_owned()),
            "the number {number} is given out twice"
        );
        let title = fs::read_to_string(root.join(DECISIONS).join(name)).unwrap();
        assert!(
            title.starts_with(&format!("# {number}: ")),
            "{name} begins with another number"
        );
        let times = listed.iter().filter(|target| *target == name).count();
        assert_eq!(times, 1, "{name} must stand in {DECISIONS}/README.md once");
    }
    assert_eq!(
        listed.len(),
        files.len(),
        "{DECISIONS}/README.md lists what is not there"
    );
}

#[test]
fn these_tests_see_links_and_pass_over_code() {
    let text = "[a](b.md) and `[c](d.md)`, [e]\n```\n[f](g.md)\n```\n[e]: h.md\n[i](https://j)\n";
    assert_eq!(link_targets(text), ["b.md", "https://j", "h.md"]);
    assert!(is_elsewhere("https://j") && is_elsewhere("#k") && !is_elsewhere("b.md#k"));
}
