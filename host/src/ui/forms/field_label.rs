//! What fields are called: attributes in words of the language, a plugin's parameters by their names.
//! Pure.

use super::super::texts::{find_text, say};
use crate::orchestrator::planning::request_values::RequestValue;

/// The words of an attribute of Stampede's own: one of a group has the group in them.
fn own_label(name: &str, group: &str) -> Option<String> {
    if let Some(text) = find_text(&format!("label.{name}")) {
        return Some(text.to_owned());
    }
    let what = name.strip_prefix(group)?.strip_prefix('.')?;
    let text = format!("label_group.{what}");
    find_text(&text)?;
    let nodes = match find_text(&format!("group.{group}")) {
        Some(known) => known.to_owned(),
        None => say("group.other", &[("group", &group)]),
    };
    Some(say(&text, &[("nodes", &nodes)]))
}

/// A plugin's own, without its name: `block_size_mib` as `Block size mib`.
pub(super) fn label(value: &RequestValue) -> String {
    let own = match value.plugin.is_empty() {
        true => match own_label(&value.name, &value.group) {
            Some(label) => return label,
            None => value.name.as_str(),
        },
        false => value.name.split_once('.').map_or("", |(_, own)| own),
    };
    let words = own.replace(['.', '_'], " ");
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::attribute_schema::{ATTRIBUTES, AttributeSchema, AttributeValue};
    use crate::cluster::group_attributes::group_rows;

    fn group_of(row: &AttributeSchema) -> &str {
        match &row.value {
            AttributeValue::OfGroup(of_group) => &of_group.group,
            _ => "",
        }
    }

    #[test]
    fn every_attribute_of_our_own_has_words() {
        let further: Vec<AttributeSchema> = group_rows(["master", "worker", "edge"]).collect();
        // Its value is each plugin's own, which have fields.
        let shown = |row: &&AttributeSchema| row.name != "framework.version";
        for row in ATTRIBUTES.iter().chain(&further).filter(shown) {
            let label = own_label(&row.name, group_of(row));
            let label = label.unwrap_or_else(|| panic!("no words for {}", row.name));
            assert!(!label.contains(['{', '_']), "{label}");
        }
        let named = |name: &str, group: &str| own_label(name, group).unwrap_or_default();
        assert_eq!(named("workers", "worker"), "Workers");
        assert_eq!(named("worker.flavor", "worker"), "Flavor of the workers");
        assert_eq!(named("edge.count", "edge"), "Number of the edge nodes");
        assert_eq!(named("network.external", ""), "External network");
    }

    #[test]
    fn a_plugins_parameter_is_called_as_the_plugin_does() {
        let value = RequestValue {
            name: "toy.block_size".to_owned(),
            plugin: "toy".to_owned(),
            ..RequestValue::default()
        };
        assert_eq!(label(&value), "Block size");
    }
}
