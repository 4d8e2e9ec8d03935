//! Each rule of the contract 0.2.0 that its types cannot express, broken one at a time, and several
//! at once. Natively: what guests do of it is in `tests/plugins`.

mod bundles;
mod claims;
mod descriptors;
mod manifests;
mod node_things;
mod parameters;

use std::collections::BTreeMap;

use serde_json::json;

use super::wit;
use crate::cluster::component::{ComponentMember, ComponentNeed, ComponentPlacement};
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{FrameworkRequest, GenerateQuestion};
use crate::plugin::ContractBreach;

/// Says what is wrong, in one line.
fn said<T: std::fmt::Debug>(read: Result<T, ContractBreach>) -> String {
    read.unwrap_err().to_string()
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

fn component(name: &str) -> wit::Component {
    wit::Component {
        name: name.into(),
        groups: vec!["store".into()],
        nodes: 0,
        most: 0,
        odd: false,
    }
}

fn descriptor() -> wit::Descriptor {
    let parameters = json!({"type": "object", "properties": {
        "copies": {"type": "integer", "description": "Copies.", "minimum": 1, "x-level": "basic"},
        "motto": {"type": "string", "description": "Said to all.", "default": "hi", "x-fixed": true, "x-unit": "words"},
    }});
    wit::Descriptor {
        name: "echo-x".into(),
        title: "Echo".into(),
        description: "Says it again.".into(),
        versions: vec!["1.0".into(), "0.9".into()],
        requires: vec!["hdfs".into()],
        uses: vec!["yarn".into()],
        provides: vec!["echo".into()],
        components: vec![component("server"), component("client"), component("spare")],
        parameters: parameters.to_string(),
        resource_types: vec!["OS::Heat::Value".into()],
    }
}

fn read() -> FrameworkDescriptor {
    super::read_descriptor(descriptor()).unwrap()
}

/// Two nodes: both have the server, the second one the client.
fn question() -> GenerateQuestion {
    let placement = |component: &str, nodes: &[&str]| ComponentPlacement {
        component: component.to_owned(),
        members: (1..)
            .zip(nodes)
            .map(|(index, node)| ComponentMember {
                node: (*node).to_owned(),
                index,
            })
            .collect(),
    };
    let need = |component: &str, ports: &[u16]| ComponentNeed {
        component: component.to_owned(),
        ports: ports.to_vec(),
        ..ComponentNeed::default()
    };
    let group = |node: &str, group: &str| (node.to_owned(), group.to_owned());
    GenerateQuestion {
        request: FrameworkRequest {
            cluster: "demo".into(),
            placements: vec![
                placement("server", &["a-1", "b-1"]),
                placement("client", &["b-1"]),
            ],
            ..FrameworkRequest::default()
        },
        needs: vec![need("server", &[8_000]), need("client", &[])],
        node_groups: BTreeMap::from([group("a-1", "a"), group("b-1", "b")]),
        ..GenerateQuestion::default()
    }
}
