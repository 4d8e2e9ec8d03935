//! What nodes replace in files and units: `@{node}`, `@{index.zookeeper_server}`. Pure.

use std::collections::BTreeSet;

/// How a placeholder begins. Where none may be, nothing may hold this.
pub const PLACEHOLDER_START: &str = "@{";
/// Characters of an unknown placeholder that are shown.
const SHOWN_CHARS: usize = 40;

/// What a node replaces by its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodePlaceholder {
    /// Its name.
    Node,
    /// Its address.
    Address,
    /// The home of the plugin's Java.
    Java,
    /// Its number within a component.
    Index(String),
    /// A secret of the plugin's.
    Secret(String),
}

/// All that stand in a text; or the first that nodes do not know, as it stands there.
pub fn find_placeholders(text: &str) -> Result<BTreeSet<NodePlaceholder>, String> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(PLACEHOLDER_START) {
        let inside = &rest[at + PLACEHOLDER_START.len()..];
        let shown = || rest[at..].chars().take(SHOWN_CHARS).collect::<String>();
        let (name, after) = inside.split_once('}').ok_or_else(shown)?;
        found.insert(match name.split_once('.') {
            None if name == "node" => NodePlaceholder::Node,
            None if name == "address" => NodePlaceholder::Address,
            None if name == "java" => NodePlaceholder::Java,
            Some(("index", of)) => NodePlaceholder::Index(of.to_owned()),
            Some(("secret", of)) => NodePlaceholder::Secret(of.to_owned()),
            _ => return Err(format!("{PLACEHOLDER_START}{}}}", &cut(name))),
        });
        rest = after;
    }
    Ok(found)
}

fn cut(name: &str) -> String {
    crate::cluster::problem::cut_text(name, SHOWN_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nodes_know_is_found_and_anything_else_is_named() {
        let found = find_placeholders(
            "a@{node}b@{index.broker}@{secret.auth}@{node}@{java}/bin @{address} @ {x} $@ {",
        )
        .unwrap();
        assert_eq!(found.len(), 5);
        assert!(found.contains(&NodePlaceholder::Index("broker".into())));
        assert!(find_placeholders("mail@example.org {}").unwrap().is_empty());
        for (text, said) in [
            ("x @{shell}", "@{shell}"),
            ("@{node", "@{node"),
            ("@{}", "@{}"),
            ("@{secret}", "@{secret}"),
            ("@{@{node}}", "@{@{node}"),
            ("@{NODE}", "@{NODE}"),
        ] {
            assert_eq!(find_placeholders(text).unwrap_err(), said, "{text}");
        }
        let long = find_placeholders(&format!("@{{{}}}", "x".repeat(4_000))).unwrap_err();
        assert!(long.len() < 60, "{long}");
    }
}
