//! What stands on the nodes that boot by one script: its files and variables, and how bash is told
//! them. Knows bash's quoting; what the scripts do it does not know.
//!
//! Every text must arrive byte for byte, whatever a user wrote into it. Variables are single-quoted
//! words; files are here-documents with a quoted delimiter, in which bash replaces nothing, or
//! base64 where a here-document would change them.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io::Write as _,
};

use base64::Engine as _;

use super::{ContractViolation, PluginBundle, node_frame::frame_files};
use crate::cluster::{
    CloudAccess, contract_bridge,
    framework::{NodeGroup, PluginRequest},
    group_addresses::GroupAddresses,
};

/// Where nodes have the certificates of the cloud's own authority.
pub const CA_PATH: &str = "/etc/stampede/ca.pem";
/// Where the frame and the scripts stand on a node.
pub const HOME: &str = "/opt/stampede";
/// Bytes of a file's path on a node.
pub const MAX_PATH_BYTES: usize = 512;
/// Characters of a script's name.
pub const MAX_SCRIPT_NAME_CHARS: usize = 64;
/// Characters of a line of base64: few ends of lines, which user data has no room for.
const BASE64_LINE: usize = 1_000;

/// The file that the nodes of a group or a class run.
pub fn script_file_name(name: &str) -> String {
    format!("node-{name}.sh")
}

/// Where a script stands on its node. `place` is its plugin's in the chain, so that the order of
/// names is the chain's.
pub fn script_path(place: usize, plugin: &str, stage: &str, name: &str) -> String {
    format!("{HOME}/scripts/{place:02}-{plugin}/{stage}.{name}.sh")
}

/// The plugin and the stage of the script at this path; none where it is no script.
pub fn script_owner(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(HOME)?.strip_prefix("/scripts/")?;
    let (folder, file) = rest.split_once('/')?;
    Some((folder.split_once('-')?.1, file.split_once('.')?.0))
}

/// Reports files and scripts that cannot stand on a node, or that two plugins want to write.
pub fn check_files(request: &PluginRequest, parts: &[PluginBundle]) -> Vec<ContractViolation> {
    let mut violations = Vec::new();
    let roles: Vec<&str> = request
        .groups
        .iter()
        .map(|group| group.role.as_str())
        .collect();
    let mut owners = FileOwners::new();
    for part in parts {
        let messages = [check_scripts(part, &roles), check_paths(part, &roles)].concat();
        violations.extend(
            messages
                .into_iter()
                .map(|message| ContractViolation::of_plugin(&part.plugin, message)),
        );
        violations.extend(claim_files(part, &mut owners));
    }
    violations
}

/// What is wrong with a plugin's scripts: names and roles.
fn check_scripts(part: &PluginBundle, roles: &[&str]) -> Vec<String> {
    let mut messages = Vec::new();
    let mut names = Vec::new();
    for script in &part.scripts {
        let place = (&script.role, script.stage, &script.name);
        let plain = script
            .name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if script.name.is_empty()
            || !plain
            || script.name.len() > MAX_SCRIPT_NAME_CHARS
            || names.contains(&place)
        {
            let stage = script.stage.as_str();
            messages.push(format!(
                "the {stage} script `{}` needs a name of its own, of a-z, 0-9 and -",
                script.name
            ));
        }
        if !roles.contains(&script.role.as_str()) {
            messages.push(format!(
                "the script `{}` is for the role `{}`, which is not there",
                script.name, script.role
            ));
        }
        names.push(place);
    }
    messages
}

/// What is wrong with a plugin's files: paths, modes and roles.
fn check_paths(part: &PluginBundle, roles: &[&str]) -> Vec<String> {
    let mut messages = Vec::new();
    for file in &part.files {
        if !is_plain_path(&file.path) {
            messages.push(format!(
                "the file `{}` must have an absolute, plain path outside {HOME}",
                file.path.escape_debug()
            ));
        }
        if file.mode == 0 || file.mode > 0o777 {
            messages.push(format!(
                "the file `{}` has the mode {:o}",
                file.path, file.mode
            ));
        }
        for role in file
            .roles
            .iter()
            .filter(|role| !roles.contains(&role.as_str()))
        {
            messages.push(format!(
                "the file `{}` is for the role `{role}`, which is not there",
                file.path
            ));
        }
    }
    messages
}

/// The plugin that writes a file, by path and role.
type FileOwners<'a> = BTreeMap<(&'a str, &'a str), &'a str>;

/// Takes a plugin's files down as its own, and reports those that have an owner already.
fn claim_files<'a>(part: &'a PluginBundle, owners: &mut FileOwners<'a>) -> Vec<ContractViolation> {
    let mut violations = Vec::new();
    for file in &part.files {
        for role in &file.roles {
            match owners.entry((&file.path, role)) {
                Entry::Occupied(owner) => violations.push(ContractViolation::of_two(
                    owner.get(),
                    &part.plugin,
                    format!("both write `{}` on role {role}", file.path),
                )),
                Entry::Vacant(free) => drop(free.insert(&part.plugin)),
            }
        }
    }
    violations
}

/// Absolute, without `.`, `..` or an empty part, and not in the folder that the frame itself
/// writes.
fn is_plain_path(path: &str) -> bool {
    let inside = path == HOME || path.starts_with(&format!("{HOME}/"));
    let plain = path
        .split('/')
        .skip(1)
        .all(|part| !part.is_empty() && part != "." && part != "..");
    path.starts_with('/')
        && plain
        && !inside
        && path.len() <= MAX_PATH_BYTES
        && !path.chars().any(char::is_control)
}

/// A file as it stands on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFile {
    /// Such as 0o644.
    pub mode: u32,
    /// Absolute.
    pub path: String,
    /// Byte for byte.
    pub content: String,
}

impl NodeFile {
    pub(super) fn new(mode: u32, path: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            mode,
            path: path.into(),
            content: content.into(),
        }
    }
}

/// What stands on the nodes of one role, or of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeContent {
    /// `STAMPEDE_CLUSTER` and so on, in the order of the README's table.
    pub variables: Vec<(&'static str, String)>,
    /// The functions and the frame, then files and scripts in the chain's order.
    pub files: Vec<NodeFile>,
}

/// What stands on the nodes of each role.
pub fn node_contents(
    request: &PluginRequest,
    access: &CloudAccess,
    parts: &[PluginBundle],
) -> BTreeMap<String, NodeContent> {
    let content = |group: &NodeGroup| NodeContent {
        variables: cluster_variables(request, access, group),
        files: placed_files(access, group, parts),
    };
    request
        .groups
        .iter()
        .map(|group| (group.role.clone(), content(group)))
        .collect()
}

/// All files of a role's nodes, in the order in which they are written.
fn placed_files(access: &CloudAccess, group: &NodeGroup, parts: &[PluginBundle]) -> Vec<NodeFile> {
    let mut all = frame_files(access);
    for part in parts {
        let wanted = part
            .files
            .iter()
            .filter(|file| file.roles.contains(&group.role));
        all.extend(
            wanted.map(|wanted| NodeFile::new(wanted.mode, &*wanted.path, &*wanted.content)),
        );
    }
    for (place, part) in parts.iter().enumerate() {
        let wanted = part
            .scripts
            .iter()
            .filter(|script| script.role == group.role);
        all.extend(wanted.map(|wanted| {
            let (stage, name) = (wanted.stage.as_str(), &wanted.name);
            let path = script_path(place, &part.plugin, stage, name);
            NodeFile::new(0o644, path, end_with_newline(&wanted.body))
        }));
    }
    all
}

/// Always the same bytes: no name, no time.
pub(super) fn compress(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // a Vec takes every write
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// What a node knows of its cluster, in the order of the README's table.
fn cluster_variables(
    request: &PluginRequest,
    access: &CloudAccess,
    group: &NodeGroup,
) -> Vec<(&'static str, String)> {
    let first = [
        ("STAMPEDE_CLUSTER", request.cluster.clone()),
        ("STAMPEDE_ROLE", group.role.clone()),
    ];
    let leaving = ("STAMPEDE_LEAVING", String::new());
    let around = variables_around(
        request.mirror.as_deref(),
        request.proxy.as_deref(),
        group.flavor.ram_mib,
        request.timeout_s,
        access,
    );
    let of_nodes = contract_bridge::node_variables(&request.groups);
    let network = request.network.cidr.parse().ok().map(GroupAddresses::new);
    let further = network.map(|network| network.further_blocks(&request.groups));
    let further = further.filter(|blocks| !blocks.is_empty());
    let further = further.map(|blocks| ("STAMPEDE_GROUPS", blocks));
    first
        .into_iter()
        .chain(of_nodes)
        .chain(further)
        .chain([leaving])
        .chain(around)
        .collect()
}

/// What nodes know besides who they are: a generation that they booted with, and what is around them.
pub(super) fn variables_around(
    mirror: Option<&str>,
    proxy: Option<&str>,
    ram_mib: u32,
    timeout_s: u32,
    access: &CloudAccess,
) -> [(&'static str, String); 6] {
    [
        ("STAMPEDE_GENERATION", "0".to_owned()),
        ("STAMPEDE_MIRROR", mirror.unwrap_or_default().to_owned()),
        ("STAMPEDE_PROXY", proxy.unwrap_or_default().to_owned()),
        ("STAMPEDE_RAM_MIB", ram_mib.to_string()),
        ("STAMPEDE_TIMEOUT_S", timeout_s.to_string()),
        ("STAMPEDE_CLOUD_ADDRESSES", access.address_words()),
    ]
}

/// The command that writes a file by the frame's functions: as it is where a here-document can hold
/// it, else in base64.
pub(super) fn file_command(placed: &NodeFile) -> String {
    let NodeFile {
        mode,
        path,
        content,
    } = placed;
    let path = quote_word(path);
    if fits_here_document(content) {
        return here_document(&format!("stampede_file {mode:04o} {path}"), content);
    }
    here_document(
        &format!("stampede_file64 {mode:04o} {path}"),
        &encode_base64_lines(content.as_bytes()),
    )
}

fn encode_base64_lines(bytes: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / BASE64_LINE + 1);
    for (index, c) in encoded.chars().enumerate() {
        if index > 0 && index % BASE64_LINE == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines
}

/// A here-document ends with a newline, bash drops NUL and has mangled other control characters,
/// and what carries user data to the node may turn a carriage return into a newline.
fn fits_here_document(content: &str) -> bool {
    (content.is_empty() || content.ends_with('\n'))
        && !content
            .chars()
            .any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// A command with a here-document behind it. `content` is empty or ends with a newline.
pub(super) fn here_document(command: &str, content: &str) -> String {
    // A line of the content that is the delimiter would end the document early.
    let taken = |delimiter: &str| content.lines().any(|line| line == delimiter);
    let mut delimiter = "STAMPEDE_END".to_owned();
    let mut number = 2_u32;
    while taken(&delimiter) {
        delimiter = format!("STAMPEDE_END_{number}");
        number += 1;
    }
    format!("{command} <<'{delimiter}'\n{content}{delimiter}\n")
}

pub(super) fn end_with_newline(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    }
}

/// One shell word that is exactly this text: single quotes, and each quote inside as `'\''`, which
/// ends the word's quotes, adds one, and begins them again.
pub(super) fn quote_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
#[path = "node_script_tests.rs"]
mod tests;
