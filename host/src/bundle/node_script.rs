//! What stands on the nodes that boot by one script: its files and variables, and how bash is told
//! them. Knows bash's quoting; what the scripts do it does not know.
//!
//! Every text must arrive byte for byte, whatever a user wrote into it. Variables are single-quoted
//! words; files are here-documents with a quoted delimiter, in which bash replaces nothing, or
//! base64 where a here-document would change them.

use std::io::Write as _;

use base64::Engine as _;

use crate::cluster::CloudAccess;

/// Where nodes have the certificates of the cloud's own authority.
pub const CA_PATH: &str = "/etc/stampede/ca.pem";
/// Where the frame and the scripts stand on a node.
pub const HOME: &str = "/opt/stampede";
/// Characters of a line of base64: few ends of lines, which user data has no room for.
const BASE64_LINE: usize = 1_000;

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

/// Always the same bytes: no name, no time.
pub(super) fn compress(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // a Vec takes every write
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
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
