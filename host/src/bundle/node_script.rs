//! Assembles the one bash script that all nodes of a class run at boot: the frame, the cluster's
//! variables, the files and scripts of the chain's plugins. Its form is fixed in
//! `templates/node/README.md`. It is plain text as long as Nova takes that, and gzip behind it.
//! Knows bash's quoting; what the scripts do it does not know.
//!
//! Every text must arrive byte for byte, whatever a user wrote into it. Variables are single-quoted
//! words; files are here-documents with a quoted delimiter, in which bash replaces nothing, or
//! base64 where a here-document would change them.

use std::{collections::BTreeMap, io::Write as _, sync::OnceLock};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::{
    packed_text::{UNPACK, pack_text},
    to_hex,
};
use crate::cluster::CloudAccess;

/// The functions that the frame and the scripts share.
const LIB: &str = concat!(
    include_str!("../../../templates/node/lib.sh"),
    "\n",
    include_str!("../../../templates/node/signals.sh"),
    "\n",
    include_str!("../../../templates/node/fetch.sh")
);
/// The frame: every stage, in the chain's order.
const FRAME: &str = include_str!("../../../templates/node/frame.sh");
/// What the frame does with a manifest.
const MANIFEST: &str = concat!(
    include_str!("../../../templates/node/manifest.sh"),
    "\n",
    include_str!("../../../templates/node/units.sh")
);
/// Which Stampede this is, as far as nodes are concerned: its version, and what the frame is. Where
/// it differs from what made a cluster, a plan of now is not what stands on that cluster's nodes.
pub fn host_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let digest = Sha256::new()
            .chain_update(LIB)
            .chain_update(FRAME)
            .chain_update(MANIFEST)
            .finalize();
        let digest = to_hex(&digest[..DIGEST_BYTES]);
        format!("{}+{digest}", env!("CARGO_PKG_VERSION"))
    })
}

/// Bytes of the frame's digest in [`host_version`].
const DIGEST_BYTES: usize = 8;
/// The functions' file.
const LIB_NAME: &str = "lib.sh";
/// Where nodes have the certificates of the cloud's own authority.
pub const CA_PATH: &str = "/etc/stampede/ca.pem";
/// Where the frame and the scripts stand on a node.
pub const HOME: &str = "/opt/stampede";
/// For those who check the file that they deploy: the scripts use the variables, and lib.sh stands
/// in it.
const DIRECTIVE: &str = "# shellcheck shell=bash disable=SC2034,SC1091";
/// Bash puts long here-documents into a file, which must not need a `/tmp` that cannot be written.
const WRITABLE_FOLDER: &str = "[ -w /tmp ] || export TMPDIR=/run";
/// Characters of a line of base64: few ends of lines, which user data has no room for.
const BASE64_LINE: usize = 1_000;

/// The scripts by file name, one for all nodes with the same content; these by the name of their
/// class.
pub fn assemble_scripts(contents: &BTreeMap<String, NodeContent>) -> BTreeMap<String, String> {
    contents
        .iter()
        .map(|(name, content)| (script_file_name(name), build_script(content)))
        .collect()
}

/// The file that the nodes of a class run.
pub fn script_file_name(name: &str) -> String {
    format!("node-{name}.sh")
}

/// Where a script stands on its node. `place` is its plugin's in the chain, so that the order of
/// names is the chain's.
pub fn script_path(place: usize, plugin: &str, stage: &str, name: &str) -> String {
    format!("{HOME}/scripts/{place:02}-{plugin}/{stage}.{name}.sh")
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

/// What stands on the nodes of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeContent {
    /// `STAMPEDE_CLUSTER` and so on, in the order of the README's table.
    pub variables: Vec<(&'static str, String)>,
    /// The functions and the frame, then files and scripts in the chain's order.
    pub files: Vec<NodeFile>,
}

/// What stands on every node before anything of plugins: the functions, the frame, and what it does
/// with a manifest.
pub(super) fn manifest_frame(access: &CloudAccess) -> Vec<NodeFile> {
    let mut all = vec![
        NodeFile::new(0o644, format!("{HOME}/{LIB_NAME}"), without_comments(LIB)),
        NodeFile::new(0o755, format!("{HOME}/run"), without_comments(FRAME)),
    ];
    if !access.certificates.is_empty() {
        let certificates = end_with_newline(&access.certificates);
        all.push(NodeFile::new(0o644, CA_PATH, certificates));
    }
    let manifest = without_comments(MANIFEST);
    all.push(NodeFile::new(
        0o644,
        format!("{HOME}/manifest.sh"),
        manifest,
    ));
    all
}

fn build_script(content: &NodeContent) -> String {
    let mut head = format!("{DIRECTIVE}\nset -euo pipefail\n");
    for (name, value) in &content.variables {
        head.push_str(&format!("{name}={}\n", quote_word(value)));
    }
    head.push_str(&format!("mkdir -p {HOME}\n{WRITABLE_FOLDER}\n"));
    let install = build_install(content);
    let end = format!("exec {HOME}/run\n");
    // The variables and the last line stay plain, so that people who read a server's user data see
    // which node and which cluster it is of.
    if head.len() + install.len() + end.len() <= super::sizes::MAX_SCRIPT_BYTES {
        return head + &install + &end;
    }
    let packed = here_document(
        &format!("{UNPACK} >{HOME}/install.sh"),
        &pack_text(&install),
    );
    format!("{head}{packed}. {HOME}/install.sh\n{end}")
}

/// Always the same bytes: no name, no time.
pub(super) fn compress(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // a Vec takes every write
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// The commands that put the functions, the frame, the files and the scripts on the node.
fn build_install(content: &NodeContent) -> String {
    // The first of what is placed is the functions, which the others are placed by.
    let mut files = content.files.iter();
    let lib = files.next().map_or("", |lib| &lib.content);
    let mut text = here_document(&format!("cat >{HOME}/{LIB_NAME}"), lib);
    text.push_str(&format!(". {HOME}/{LIB_NAME}\nstampede_begin\n"));
    text.extend(files.map(file_command));
    text
}

/// Without lines that are comments, since user data has no room for them: the first is kept, which
/// says what the file is. None of the two scripts has such a line in a text of several lines.
fn without_comments(script: &str) -> String {
    script
        .lines()
        .enumerate()
        .filter(|(index, line)| *index == 0 || !line.trim_start().starts_with("# "))
        .flat_map(|(_, line)| [line, "\n"])
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
fn here_document(command: &str, content: &str) -> String {
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
