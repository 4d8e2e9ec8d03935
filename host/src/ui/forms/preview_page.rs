//! The data of a preview's page: the nodes drawn, who may reach them, what they fetch, and the files
//! that Heat would be given. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::super::texts::say;
use super::typed_request::TypedRequest;
use crate::bundle::yaml::to_yaml;
use crate::cluster::framework_bundle::EndpointReach;
use crate::orchestrator::planning::plan_description::{OpenPort, PlannedDownload};
use crate::orchestrator::{FormGroup, PreviewFile, RequestPreview};

/// The template as Heat is given it.
const TEMPLATE_JSON: &str = "template.json";
/// The same for people.
const TEMPLATE_YAML: &str = "template.yaml";
/// The request, for a form or an operator's defaults.
pub const REQUEST_FILE: &str = "request.toml";
/// Nodes that are drawn in one row.
const NODES_IN_ROW: usize = 25;
/// From one node's left edge to the next one's.
const NODE_STEP: usize = 20;
/// Where the drawing of nodes begins, behind their group's name.
const FIRST_X: usize = 120;
/// Where the text of a row stands in it.
const TEXT_Y: usize = 13;

/// A preview, as its page shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewPage {
    /// Whom the cluster lets in.
    pub ports: Vec<OpenPort>,
    /// Where it will be reached.
    pub endpoints: Vec<PreviewEndpoint>,
    /// What its nodes fetch.
    pub downloads: Vec<PlannedDownload>,
    /// Resources of the stack.
    pub resource_count: usize,
    /// How long Heat may take.
    pub heat_timeout_min: u32,
    /// What can be fetched.
    pub files: Vec<FileLine>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewEndpoint {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub port: u16,
    /// By whom it is reached.
    pub reached: String,
    /// What it is.
    pub description: String,
}

/// A file to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileLine {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: usize,
    /// What it is.
    pub what: String,
}

/// Nodes as squares, a row or more for each group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeDrawing {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// For those who do not see it.
    pub spoken: String,
    /// The squares.
    pub nodes: Vec<DrawnNode>,
    /// The groups' names.
    pub labels: Vec<DrawnLabel>,
}

/// A node as a square.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DrawnNode {
    /// Its name.
    pub name: String,
    /// Its left edge.
    pub x: usize,
    /// Its upper edge.
    pub y: usize,
}

/// A text in a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DrawnLabel {
    /// What it says.
    pub text: String,
    /// Where its line is.
    pub y: usize,
}

/// What the page shows. `open` are the endpoints that the request opens.
pub fn preview_page(preview: &RequestPreview, typed: &TypedRequest) -> PreviewPage {
    let opened = typed.attributes.get("network.open");
    let is_open =
        |name: &str| opened.is_some_and(|all| all.split([',', ' ']).any(|one| one == name));
    let endpoints = preview.endpoints.iter().map(|one| PreviewEndpoint {
        name: one.name.clone(),
        port: one.port,
        reached: match one.reach {
            EndpointReach::Outside if is_open(&one.name) => say("preview.by_networks", &[]),
            EndpointReach::Cluster => say("preview.by_nodes", &[]),
            EndpointReach::Outside | EndpointReach::Tunnel => say("preview.by_ssh", &[]),
        },
        description: one.description.clone(),
    });
    let files = preview_files(preview, typed);
    let files = files.into_iter().map(|(name, text)| FileLine {
        what: describe_file(&name),
        bytes: text.len(),
        name,
    });
    PreviewPage {
        ports: preview.ports.clone(),
        endpoints: endpoints.collect(),
        downloads: preview.downloads.clone(),
        resource_count: preview.resources.values().sum(),
        heat_timeout_min: preview.heat_timeout_min,
        files: files.collect(),
    }
}

/// The files of a preview, by name: what Heat is given byte for byte, and the same for people.
pub fn preview_files(preview: &RequestPreview, typed: &TypedRequest) -> BTreeMap<String, String> {
    let mut files = preview.files.clone();
    files.insert(TEMPLATE_JSON.to_owned(), preview.template.to_string());
    if let Ok(text) = to_yaml(&preview.template) {
        files.insert(TEMPLATE_YAML.to_owned(), text);
    }
    files.insert(REQUEST_FILE.to_owned(), typed.to_toml());
    for (class, contents) in &preview.contents {
        files.insert(format!("files-{class}.txt"), contents_text(contents));
    }
    files
}

fn describe_file(name: &str) -> String {
    let text = match name {
        TEMPLATE_JSON => "preview.template_json",
        TEMPLATE_YAML => "preview.template_yaml",
        REQUEST_FILE => "preview.request",
        name if name.starts_with("files-") => "preview.node_files",
        _ => "preview.node_script",
    };
    say(text, &[])
}

/// Files one behind the other, each below its path.
fn contents_text(contents: &[PreviewFile]) -> String {
    contents.iter().fold(String::new(), |mut text, file| {
        // a String takes every write
        let _ = writeln!(
            text,
            "==> {} {:04o} <==\n{}",
            file.path, file.mode, file.content
        );
        text
    })
}

/// The nodes, drawn.
pub fn draw_nodes(groups: &[FormGroup]) -> NodeDrawing {
    let mut drawing = NodeDrawing::default();
    let mut spoken: Vec<String> = Vec::new();
    let mut widest = 0;
    for group in groups {
        spoken.push(format!("{}: {}", group.name, group.nodes.len()));
        drawing.labels.push(DrawnLabel {
            text: group.name.clone(),
            y: drawing.height + TEXT_Y,
        });
        for row in group.nodes.chunks(NODES_IN_ROW) {
            let nodes = row.iter().enumerate().map(|(at, name)| DrawnNode {
                name: name.clone(),
                x: FIRST_X + at * NODE_STEP,
                y: drawing.height,
            });
            drawing.nodes.extend(nodes.collect::<Vec<_>>());
            widest = widest.max(row.len());
            drawing.height += NODE_STEP;
        }
    }
    drawing.width = FIRST_X + widest * NODE_STEP;
    let groups = spoken.join(", ");
    drawing.spoken = say("preview.drawing", &[("groups", &groups)]);
    drawing
}
