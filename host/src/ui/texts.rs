//! All words of the page, by their names: a table for each language, `texts/en.toml` alone so far.
//! Words that stand in braces are filled in.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

/// English.
const ENGLISH: &str = include_str!("texts/en.toml");

static TEXTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| read_texts(ENGLISH));

/// The text of this name (`list.title`), with these values filled in; the name itself where there is
/// no such text, which tests would have shown.
pub(super) fn say(name: &str, values: &[(&str, &dyn Display)]) -> String {
    let Some(text) = TEXTS.get(name) else {
        return name.to_owned();
    };
    fill_in(text, |wanted| {
        let value = values.iter().find(|(name, _)| *name == wanted);
        value.map(|(_, value)| value.to_string())
    })
}

/// The text of this name without values, if there is one.
pub(super) fn find_text(name: &str) -> Option<&'static str> {
    TEXTS.get(name).map(String::as_str)
}

/// The text with what stands in braces filled in, once: values may hold braces.
pub(super) fn fill_in(text: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            filled.push('{');
            rest = behind;
            break;
        };
        filled.push_str(&value_of(name).unwrap_or_else(|| format!("{{{name}}}")));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// `name` or `name_one`, by a number.
pub(super) fn say_number(name: &str, number: u64) -> String {
    let one = format!("{name}_one");
    let name = if number == 1 { &one } else { name };
    say(name, &[("number", &number)])
}

/// How long, in the largest unit that tells it: `47 s`, `12 min`, `3 h`, `9 days`.
pub(super) fn say_duration(seconds: u64) -> String {
    match seconds {
        0..120 => say("time.seconds", &[("number", &seconds)]),
        120..7_200 => say("time.minutes", &[("number", &(seconds / 60))]),
        7_200..172_800 => say("time.hours", &[("number", &(seconds / 3_600))]),
        _ => say("time.days", &[("number", &(seconds / 86_400))]),
    }
}

/// How long ago.
pub(super) fn say_ago(seconds: u64) -> String {
    say("time.ago", &[("duration", &say_duration(seconds))])
}

fn read_texts(source: &str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let tables: toml::Table = source.parse().unwrap_or_default();
    for (table, texts_of_it) in &tables {
        for (name, text) in texts_of_it.as_table().into_iter().flatten() {
            if let Some(text) = text.as_str() {
                texts.insert(format!("{table}.{name}"), text.to_owned());
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_once_and_what_is_unknown_stays() {
        let value = |name: &str| (name == "a").then(|| "{b}".to_owned());
        assert_eq!(fill_in("{a} {b} {a", value), "{b} {b} {a");
        assert_eq!(say("no.such_text", &[]), "no.such_text");
    }

    /// What stands in the sources and templates below a folder, but for this file.
    fn read_sources(dir: &std::path::Path) -> String {
        let files = std::fs::read_dir(dir).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let read = |path: std::path::PathBuf| {
            let is_source = path
                .extension()
                .is_some_and(|end| end == "rs" || end == "html");
            if path.is_dir() {
                read_sources(&path)
            } else if is_source && !path.ends_with("texts.rs") {
                std::fs::read_to_string(path).unwrap()
            } else {
                String::new()
            }
        };
        files.map(read).collect()
    }

    #[test]
    fn every_text_that_is_asked_for_is_there_and_every_text_is_asked_for() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
        let source = read_sources(&dir);
        let quoted: std::collections::BTreeSet<&str> = source.split(['"', '\'']).collect();
        let families = [
            "state.",
            "health.",
            "time.",
            "reach.",
            "outcome.",
            "face.",
            "verb.",
            "ended.",
            "label.",
            "label_group.",
            "group.",
            "quota.",
        ];
        let is_made = |name: &str| families.iter().any(|family| name.starts_with(family));
        for name in TEXTS.keys().filter(|name| !is_made(name)) {
            let bare = name.strip_suffix("_one").unwrap_or(name);
            assert!(quoted.contains(bare), "nobody asks for {name}");
        }
        let tables: Vec<&str> = TEXTS
            .keys()
            .filter_map(|name| name.split('.').next())
            .collect();
        for name in quoted {
            let Some((table, rest)) = name.split_once('.') else {
                continue;
            };
            let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
            if tables.contains(&table) && !rest.is_empty() && rest.chars().all(is_word) {
                assert!(TEXTS.contains_key(name) || rest == "html", "no text {name}");
            }
        }
    }

    #[test]
    fn durations_are_told_in_one_unit() {
        for (seconds, told) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(say_duration(seconds), told);
        }
    }
}
