//! Counts the words of type names, and finds names that stand for several types. Reads declarations
//! line by line: a type counts when it is `pub`, or `pub(..)`, outside a file's test module.

use std::{collections::BTreeMap, fs};

use crate::{imports::rust_files, repository};

/// Names of one word, of a hundred; above this a newcomer cannot tell a file's types from another's.
const MAX_ONE_WORD_PERCENT: usize = 20;

/// One declaration: the type's name, and where it stands.
struct TypeDeclaration {
    name: String,
    place: String,
}

/// The name that a line declares a type by, where the type is visible outside its file.
fn declared_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(scoped) => scoped.split_once(')')?.1,
        None => rest,
    };
    let rest = rest.strip_prefix(' ')?;
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let rest = ["struct ", "enum ", "trait ", "type "]
        .iter()
        .find_map(|keyword| rest.strip_prefix(keyword))?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// `OcciApi` has two words, `Server` one; a number (`RecordV1`) is no word.
fn count_words(name: &str) -> usize {
    let chars: Vec<char> = name.chars().collect();
    let begins = |at: &usize| {
        chars[*at].is_uppercase() && chars.get(at + 1).is_none_or(|next| next.is_lowercase())
    };
    (0..chars.len()).filter(begins).count()
}

/// The types below some folders of the repository.
fn declarations(folders: &[&str]) -> Vec<TypeDeclaration> {
    let root = repository();
    let mut found = Vec::new();
    for file in folders.iter().flat_map(|dir| rust_files(&root.join(dir))) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text
            .split("\n#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default();
        let names = code.lines().filter_map(declared_type);
        found.extend(names.map(|name| TypeDeclaration {
            name: name.to_owned(),
            place: file.strip_prefix(&root).unwrap().display().to_string(),
        }));
    }
    found
}

/// The folders with sources of the plugins.
const PLUGINS: [&str; 6] = [
    "plugins/cluster/src",
    "plugins/hadoop/src",
    "plugins/jupyterlab/src",
    "plugins/sdk/src",
    "plugins/spark/src",
    "plugins/zookeeper/src",
];

#[test]
fn few_types_have_names_of_one_word() {
    let types = declarations(&[&["host/src"][..], &PLUGINS].concat());
    assert!(types.len() > 200, "only {} types are seen", types.len());
    let short: Vec<&str> = types
        .iter()
        .map(|declared| declared.name.as_str())
        .filter(|name| count_words(name) < 2)
        .collect();
    assert!(
        short.len() * 100 < types.len() * MAX_ONE_WORD_PERCENT,
        "{} of {} types have names of one word: {short:?}",
        short.len(),
        types.len()
    );
}

#[test]
fn no_name_stands_for_two_types() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for declared in declarations(&[&["host/src", "tests/src"][..], &PLUGINS].concat()) {
        places
            .entry(declared.name)
            .or_default()
            .push(declared.place);
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "these stand for several: {places:#?}");
}

#[test]
fn declarations_and_words_are_seen() {
    assert_eq!(declared_type("pub struct OcciApi<C> {"), Some("OcciApi"));
    assert_eq!(declared_type("    pub(crate) enum Plan {"), Some("Plan"));
    assert_eq!(
        declared_type("pub(in crate::a) type Alias = u8;"),
        Some("Alias")
    );
    assert_eq!(declared_type("pub unsafe trait Zeroed {}"), Some("Zeroed"));
    assert_eq!(declared_type("struct OfItsFile;"), None);
    assert_eq!(declared_type("pub fn type_of() {}"), None);
    let words = ["Server", "OcciApi", "RecordV1", "Ipv4Address", "HOT"].map(count_words);
    assert_eq!(words, [1, 2, 1, 2, 1]);
}
