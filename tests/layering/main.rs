//! Checks the layers of the host, as the head of `host/src/lib.rs` lists them: a module uses only
//! those below it, and those that touch the outside world do not know one another. Checks too that
//! each file says what it holds, and that none is too long.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// From the top; modules of one line do not know one another, but for the APIs, where admin shows
/// the numbers that OCCI counts.
const LAYERS: [&[&str]; 8] = [
    &["main", "cli"],
    &["server"],
    &["occi", "web", "admin"],
    &["orchestrator"],
    &["plugin", "openstack", "store"],
    &["bundle"],
    &["cluster"],
    &["metrics", "system"],
];
/// Lines of a file.
const MAX_LINES: usize = 500;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules of the crate that a source names, by `crate::x`, `crate::{x::.., y}` or
/// `stampede::x`; comments are not looked at.
fn used(source: &str) -> Vec<String> {
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut names = Vec::new();
    for (at, root) in code
        .match_indices("crate::")
        .chain(code.match_indices("stampede::"))
    {
        let rest = &code[at + root.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_names(group)),
            None => names.push(
                rest.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            ),
        }
    }
    names
}

/// The first names of the members of a `{..}` group, whose opening brace was read.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut name, mut names, mut reading) = (0, String::new(), Vec::new(), true);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(std::mem::take(&mut name));
                reading = true;
            }
            c if reading && (c.is_alphanumeric() || c == '_') => name.push(c),
            c if c.is_whitespace() => {}
            _ => reading = false,
        }
    }
    names.push(name);
    names.retain(|name| !name.is_empty());
    names
}

/// What `module` may not use of what `source` names.
fn upward(module: &str, source: &str) -> Vec<String> {
    let own =
        layer(module).unwrap_or_else(|| panic!("the module `{module}` has no place in the layers"));
    let apis = layer("occi");
    let wrong = |name: &String| match layer(name) {
        _ if name == module || module == "main" && name == "cli" => false,
        Some(other) if other == own && Some(own) == apis => false,
        Some(other) => other <= own,
        None => false,
    };
    used(source).into_iter().filter(wrong).collect()
}

#[test]
fn no_module_uses_one_above_it() {
    let src = repository().join("host/src");
    let mut wrong: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for file in rust_files(&src) {
        let relative = file.strip_prefix(&src).unwrap();
        let module = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        if module == "lib" {
            continue;
        }
        let found = upward(&module, &fs::read_to_string(&file).unwrap());
        if !found.is_empty() {
            wrong.insert(relative.to_owned(), found);
        }
    }
    assert!(
        wrong.is_empty(),
        "these use modules above or beside them: {wrong:#?}"
    );
}

#[test]
fn this_test_sees_upward_uses() {
    assert_eq!(
        upward(
            "bundle",
            "use crate::{cluster::{Spec, x}, plugin::Catalogue, orchestrator};"
        ),
        ["plugin", "orchestrator"]
    );
    assert_eq!(
        upward("store", "fn f() { crate::openstack::x() }"),
        ["openstack"]
    );
    assert_eq!(
        upward("main", "stampede::cli::main()"),
        Vec::<String>::new()
    );
    assert_eq!(
        upward("orchestrator", "use crate::store::Store; // crate::occi"),
        Vec::<String>::new()
    );
}

#[test]
fn every_file_opens_with_what_lives_in_it_and_none_is_too_long() {
    let root = repository();
    for file in ["host/src", "plugins", "tests"]
        .iter()
        .flat_map(|dir| rust_files(&root.join(dir)))
    {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not open with //!",
            file.display()
        );
        let lines = text.lines().count();
        assert!(
            lines <= MAX_LINES,
            "{} has {lines} lines, at most {MAX_LINES}",
            file.display()
        );
    }
}
