//! Reads which modules a source file names: `use` declarations and paths written out in code. Works
//! on the text, so that the test needs no parser; test modules at a file's end do not count.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of the host, and the modules of the host that it names.
pub(crate) struct SourceFile {
    /// Its module path below the crate: `["orchestrator", "state", "view"]`; of a `mod.rs` the
    /// folder's.
    pub module: Vec<String>,
    /// Its path from `host/src`.
    pub path: PathBuf,
    /// Whole paths below the crate that it names: `["orchestrator", "state", "view", "View"]`.
    pub names: Vec<Vec<String>>,
    /// Its text without comments and without the test modules at its end.
    pub code: String,
    /// Its `//!` lines.
    pub header: String,
}

/// All Rust files below a folder, by path.
pub(crate) fn rust_files(dir: &Path) -> Vec<PathBuf> {
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

/// All files of the host, without those that hold only tests.
pub(crate) fn host_files(src: &Path) -> Vec<SourceFile> {
    let is_test = |path: &PathBuf| {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        stem == "tests" || stem.ends_with("_tests")
    };
    let files = rust_files(src).into_iter().filter(|path| !is_test(path));
    files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            read_source(path.strip_prefix(src).unwrap(), &text)
        })
        .collect()
}

/// What a source of this path says.
pub(crate) fn read_source(path: &Path, text: &str) -> SourceFile {
    let mut module: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    let is_header = |line: &&str| line.starts_with("//!");
    let header: Vec<&str> = text.lines().take_while(is_header).collect();
    let code = without_comments(text.split("\n#[cfg(test)]\n").next().unwrap_or_default());
    let is_folder = path.ends_with("mod.rs");
    let names = named_paths(&code)
        .into_iter()
        .filter_map(|name| below_crate(&module, is_folder, name))
        .collect();
    SourceFile {
        header: header.join("\n"),
        path: path.to_owned(),
        module,
        names,
        code,
    }
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| match line.find("//") {
        // Not in `http://`.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate`, `super`, `self` or `stampede`; groups are taken apart.
fn named_paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::", "stampede::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            // Part of a longer path or word: it was met with its beginning.
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                read_path(&code[at..], &mut Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Reads one path, or one group of paths, and returns what follows it.
fn read_path<'a>(
    mut text: &'a str,
    parents: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) -> &'a str {
    let depth = parents.len();
    loop {
        text = text.trim_start();
        if let Some(group) = text.strip_prefix('{') {
            text = group;
            while !text.trim_start().starts_with('}') && !text.trim_start().is_empty() {
                let rest = read_path(text, parents, found).trim_start();
                let rest = rest.strip_prefix("as ").map_or(rest, |alias| {
                    alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
                });
                let next = rest.trim_start().strip_prefix(',');
                if next.is_none() && !rest.trim_start().starts_with('}') {
                    // Not a `use` group after all.
                    parents.truncate(depth);
                    return rest;
                }
                text = next.unwrap_or(rest);
            }
            parents.truncate(depth);
            return text.trim_start().strip_prefix('}').unwrap_or(text);
        }
        let end = text
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        parents.push(text[..end].to_owned());
        match text[end..].strip_prefix("::") {
            Some(rest) => text = rest,
            None => {
                found.push(parents.clone());
                parents.truncate(depth);
                return &text[end..];
            }
        }
    }
}

/// The path below the crate; none where it leaves the crate.
fn below_crate(module: &[String], is_folder: bool, name: Vec<String>) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut parts = name.into_iter().peekable();
    let mut is_first = true;
    while let Some(part) = parts.peek() {
        match part.as_str() {
            "crate" | "stampede" if is_first => base.clear(),
            "self" if is_first => {}
            "super" if is_first && !is_folder => drop(base.pop()),
            "super" => drop(base.pop()?),
            _ => break,
        }
        is_first = false;
        parts.next();
    }
    base.extend(parts.filter(|part| part != "self" && !part.is_empty()));
    Some(base)
}
