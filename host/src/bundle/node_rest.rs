//! Lays what user data has no room for over a merged template: into the metadata of the servers whose
//! nodes boot by it, once as a value that these refer to. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::node_user_data::NodeUserData;
use super::policy::server_name;
use super::resource_types::STACK_VALUE;
use super::to_hex;

/// What the names of resources begin with that hold what a user data has no room for. A digest of it
/// follows: nodes that come later, by a template that keeps what earlier ones had, boot by their own.
pub const REST_RESOURCE: &str = "stampede_rest_";
/// Hexadecimal digits of the digest.
const DIGEST_CHARS: usize = 16;

/// `classes` says each node's class.
pub(super) fn lay_rests(
    template: &mut Value,
    classes: &BTreeMap<String, String>,
    all: &BTreeMap<String, NodeUserData>,
) {
    let Some(resources) = template.get_mut("resources").and_then(Value::as_object_mut) else {
        return;
    };
    let rests = all.iter().filter(|(_, data)| !data.rest.is_empty());
    let names: BTreeMap<&str, String> = rests
        .map(|(class, data)| {
            let name = rest_name(&data.rest);
            let value = json!({ "type": "json", "value": metadata_parts(&data.rest) });
            let body = json!({ "type": STACK_VALUE, "properties": value });
            resources.insert(name.clone(), body);
            (class.as_str(), name)
        })
        .collect();
    for (node, class) in classes {
        let server = resources.get_mut(&server_name(node));
        let properties = server.and_then(|server| server.get_mut("properties"));
        let properties = properties.and_then(Value::as_object_mut);
        let Some((properties, name)) = properties.zip(names.get(class.as_str())) else {
            continue;
        };
        let own = properties.remove("metadata").unwrap_or_else(|| json!({}));
        let merged = json!({ "map_merge": [own, { "get_attr": [name, "value"] }] });
        properties.insert("metadata".to_owned(), merged);
    }
}

fn rest_name(rest: &[String]) -> String {
    let digest = to_hex(&Sha256::digest(rest.concat()));
    let digest: String = digest.chars().take(DIGEST_CHARS).collect();
    format!("{REST_RESOURCE}{digest}")
}

/// The values of a server's metadata that hold a text that was cut.
pub fn metadata_parts(parts: &[String]) -> Map<String, Value> {
    let named = parts.iter().enumerate();
    named
        .map(|(at, part)| (format!("stampede_part_{at:03}"), part.as_str().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_of_a_class_refer_to_its_rest_and_others_are_left_alone() {
        let server = |name: &str| json!({ "type": "OS::Nova::Server", "properties": { "name": name, "metadata": { "own": name } } });
        let plain = json!({ "resources": { "master_server": server("m"), "worker_1_server": server("a"), "worker_2_server": server("b") } });
        let of = |rest: &[&str]| NodeUserData {
            script: String::new(),
            rest: rest.iter().map(|one| (*one).to_owned()).collect(),
        };
        let all = BTreeMap::from([
            ("worker".to_owned(), of(&["one", "two"])),
            ("master".to_owned(), of(&[])),
        ]);
        let classes = [
            ("worker-1", "worker"),
            ("worker-2", "worker"),
            ("master", "master"),
        ];
        let classes = classes.map(|(node, class)| (node.to_owned(), class.to_owned()));
        let mut template = plain.clone();
        lay_rests(&mut template, &classes.into(), &all);
        let resources = &template["resources"];
        assert_eq!(
            resources["master_server"],
            plain["resources"]["master_server"]
        );
        let metadata = |node: &str| &resources[node]["properties"]["metadata"]["map_merge"];
        assert_eq!(metadata("worker_2_server")[0], json!({ "own": "b" }));
        let name = metadata("worker_1_server")[1]["get_attr"][0]
            .as_str()
            .unwrap();
        assert_eq!(
            metadata("worker_2_server")[1]["get_attr"],
            json!([name, "value"])
        );
        assert!(name.starts_with(REST_RESOURCE), "{name}");
        let value = &resources[name]["properties"]["value"];
        assert_eq!(
            *value,
            json!({ "stampede_part_000": "one", "stampede_part_001": "two" })
        );
        assert_eq!(resources.as_object().unwrap().len(), 4, "it stands once");
    }
}
