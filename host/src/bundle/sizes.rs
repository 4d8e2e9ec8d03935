//! Checks a bundle against the default limits of Heat and Nova, each under its name there, before
//! anything is sent. What is too large is the request's fault, not a plugin's: fewer nodes or
//! shorter settings help.
//!
//! Some limits hold for more than what is measured here (the body of the request with its tags, the
//! user data with the header that the template puts in front). A named reserve is kept free for
//! these, larger than they can be.

use std::collections::BTreeMap;

use serde_json::Value;

use super::computed_size::computed_bytes;

/// Heat's `max_template_size`, in bytes of the template as JSON.
pub const MAX_TEMPLATE_BYTES: usize = 524_288;
/// Heat's `max_json_body_size`, in bytes of the whole request.
pub const MAX_REQUEST_BYTES: usize = 1_048_576;
/// What of it is left for the stack's name, tags and parameters; a cluster's attributes, 64 KiB at
/// most, travel in one of these as escaped JSON.
pub const REQUEST_RESERVE_BYTES: usize = 192 * 1024;
/// Heat's `max_resources_per_stack`.
pub const MAX_RESOURCES: usize = 1_000;
/// Nova's limit of user data, in characters of base64.
pub const MAX_USER_DATA_CHARS: usize = 65_535;
/// What of it is left for the header that the template puts in front: the node's name and the ways
/// to signal, tokens and URLs.
pub const USER_DATA_HEADER_BYTES: usize = 2 * 1024;
/// Characters of the name of a resource, a parameter or an output.
pub const MAX_NAME_CHARS: usize = 255;
/// Nova's limit of a server's metadata: characters of a key or a value.
pub const MAX_METADATA_CHARS: usize = 255;
/// Nova's `metadata_items`: items of a server's metadata.
pub const MAX_METADATA_ITEMS: usize = 128;

/// What the values of a stack may come to, with all functions computed: half of what an answer of
/// Heat may have.
pub const MAX_COMPUTED_BYTES: usize = 8 << 20;

/// One thing that is too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitViolation {
    /// `the stack`, `the user data ...`.
    pub what: String,
    /// How much it has.
    pub is: usize,
    /// How much is taken.
    pub most: usize,
    /// `bytes`, `resources`.
    pub unit: &'static str,
}

impl std::fmt::Display for LimitViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} has {} {}, at most {} are taken",
            self.what, self.is, self.unit, self.most
        )
    }
}

/// Collects what has more than the most.
#[derive(Default)]
struct LimitChecker {
    violations: Vec<LimitViolation>,
}

impl LimitChecker {
    fn check(&mut self, what: String, is: usize, most: usize, unit: &'static str) {
        if is > most {
            self.violations.push(LimitViolation {
                what,
                is,
                most,
                unit,
            });
        }
    }
}

/// Everything that is too large, with both numbers.
pub fn check_sizes(template: &Value, files: &BTreeMap<String, String>) -> Vec<LimitViolation> {
    let mut checker = LimitChecker::default();
    check_request(template, files, &mut checker);
    let resources = template.get("resources").and_then(Value::as_object);
    checker.check(
        "the stack".to_owned(),
        resources.map_or(0, serde_json::Map::len),
        MAX_RESOURCES,
        "resources",
    );
    check_names(template, &mut checker);
    checker.check(
        "what Heat computes of the template".to_owned(),
        computed_bytes(template),
        MAX_COMPUTED_BYTES,
        "bytes",
    );
    for (name, resource) in resources.into_iter().flatten() {
        let named = |value: &str| resources?.get(value)?.pointer("/properties/value");
        check_metadata(name, resource, &named, &mut checker);
    }
    checker.violations
}

/// The template, the whole request, and each script.
fn check_request(template: &Value, files: &BTreeMap<String, String>, checker: &mut LimitChecker) {
    let bytes = template.to_string().len();
    checker.check(
        "the template".to_owned(),
        bytes,
        MAX_TEMPLATE_BYTES,
        "bytes",
    );
    // JSON escapes newlines and quotes, so the text as it travels is what counts
    let files_bytes: usize = files
        .iter()
        .map(|(name, text)| {
            name.len() + serde_json::to_string(text).map_or(usize::MAX / 2, |json| json.len())
        })
        .sum();
    checker.check(
        "the request to Heat".to_owned(),
        bytes + files_bytes,
        MAX_REQUEST_BYTES - REQUEST_RESERVE_BYTES,
        "bytes",
    );
    for (name, text) in files {
        checker.check(
            format!("the user data `{name}` with its header"),
            count_user_data_chars(text.len()),
            MAX_USER_DATA_CHARS,
            "characters of base64",
        );
    }
}

/// The names in all sections of the template.
fn check_names(template: &Value, checker: &mut LimitChecker) {
    for section in super::merge::SECTIONS {
        let entries = template.get(section).and_then(Value::as_object);
        for (name, _) in entries.into_iter().flatten() {
            let start: String = name.chars().take(20).collect();
            checker.check(
                format!("a name in {section}, `{start}...`,"),
                name.chars().count(),
                MAX_NAME_CHARS,
                "characters",
            );
        }
    }
}

/// A server's metadata: how many items, and how long each is. Maps that are merged into it are `named`.
fn check_metadata<'a>(
    name: &str,
    resource: &'a Value,
    named: &dyn Fn(&str) -> Option<&'a Value>,
    checker: &mut LimitChecker,
) {
    let metadata = resource.pointer("/properties/metadata");
    let metadata = metadata.filter(|_| resource["type"] == "OS::Nova::Server");
    let merged = metadata.and_then(|metadata| metadata.get("map_merge")?.as_array());
    let maps = merged.map_or_else(|| metadata.into_iter().collect(), |maps| {
        let value = |map: &'a Value| match map.pointer("/get_attr/0") {
            Some(of) => of.as_str().and_then(named),
            None => Some(map),
        };
        maps.iter().filter_map(value).collect::<Vec<&Value>>()
    });
    let items = maps.into_iter().filter_map(Value::as_object).flatten();
    let items: BTreeMap<&String, &Value> = items.collect();
    checker.check(
        format!("the metadata of `{name}`"),
        items.len(),
        MAX_METADATA_ITEMS,
        "items",
    );
    for (key, value) in items {
        let value_chars = value.as_str().map_or(0, |text| text.chars().count());
        let start: String = key.chars().take(20).collect();
        checker.check(
            format!("the metadata `{start}` of `{name}`"),
            key.chars().count().max(value_chars),
            MAX_METADATA_CHARS,
            "characters",
        );
    }
}

/// The most nodes of a group that leave the template with no more resources than Heat takes. Counted
/// from a template with `count` of them: each has as many resources as `node`, named with that as
/// words of their own (so that node 10 is not counted for node 1), and the rest does not grow.
pub fn most_nodes(template: &Value, node: &str, count: u32) -> u32 {
    let words = format!("_{}_", node.replace('-', "_"));
    let resources = template.get("resources").and_then(Value::as_object);
    let all = resources.map_or(0, serde_json::Map::len);
    let each = resources
        .map_or(0, |resources| {
            resources
                .keys()
                .filter(|name| format!("_{name}_").contains(&words))
                .count()
        })
        .max(1);
    let fixed = all.saturating_sub(each * count as usize);
    u32::try_from(MAX_RESOURCES.saturating_sub(fixed) / each).unwrap_or(count)
}

/// Characters of base64 that a script of so many bytes makes, its header with it.
fn count_user_data_chars(bytes: usize) -> usize {
    base64::encoded_len(bytes + USER_DATA_HEADER_BYTES, true).unwrap_or(usize::MAX)
}

/// The most bytes that a role's script may have: base64 makes four characters of three bytes.
pub const MAX_SCRIPT_BYTES: usize = MAX_USER_DATA_CHARS / 4 * 3 - USER_DATA_HEADER_BYTES;
