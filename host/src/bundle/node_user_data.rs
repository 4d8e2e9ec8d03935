//! Assembles the one bash script that all nodes of a class run at boot: the frame, the cluster's
//! variables, what plugins have stand there. Its form is fixed in `templates/node/README.md`. What it
//! installs is packed, and where that is longer than user data its end is what the server's metadata
//! carries. Pure.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::node_frame::{is_frame_path, rest_functions};
use super::node_script::{
    HOME, NodeContent, NodeFile, file_command, here_document, quote_word, script_file_name,
};
use super::node_update::{MAX_METADATA_CHARS, MAX_PARTS};
use super::packed_text::{LINE_CHARS, UNPACK, in_lines, pack_text, packed_digits};
use super::sizes::{LimitViolation, MAX_SCRIPT_BYTES};
use super::to_hex;

/// For those who check the file that they deploy: the scripts use the variables, and lib.sh stands
/// in it.
const DIRECTIVE: &str = "# shellcheck shell=bash disable=SC2034,SC1091";
/// Bash puts long here-documents into a file, which must not need a `/tmp` that cannot be written.
const WRITABLE_FOLDER: &str = "[ -w /tmp ] || export TMPDIR=/run";

/// What nodes of one class are given to boot by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeUserData {
    /// Their user data, behind the header.
    pub(super) script: String,
    /// What it has no room for: values of the server's metadata.
    pub(super) rest: Vec<String>,
}

/// What the nodes of each class are given, by the class's name.
pub(super) fn assemble_user_data(
    contents: &BTreeMap<String, NodeContent>,
) -> BTreeMap<String, NodeUserData> {
    let all = contents.iter();
    all.map(|(class, content)| (class.clone(), build_user_data(content)))
        .collect()
}

/// Each class whose end is longer than a server's metadata.
pub(super) fn find_excess(all: &BTreeMap<String, NodeUserData>) -> Vec<LimitViolation> {
    let long = all.iter().filter(|(_, data)| data.rest.len() > MAX_PARTS);
    long.map(|(class, data)| LimitViolation {
        what: format!(
            "what `{}` has no room for, which the server's metadata carries,",
            script_file_name(class)
        ),
        is: data.rest.len(),
        most: MAX_PARTS,
        unit: "values of 255 characters",
    })
    .collect()
}

fn build_user_data(content: &NodeContent) -> NodeUserData {
    let mut head = format!("{DIRECTIVE}\nset -euo pipefail\n");
    for (name, value) in &content.variables {
        head.push_str(&format!("{name}={}\n", quote_word(value)));
    }
    head.push_str(&format!("mkdir -p {HOME}\n{WRITABLE_FOLDER}\n"));
    let end = format!("exec {HOME}/run\n");
    // The variables and the last line stay plain, so that people who read a server's user data see
    // which node and which cluster it is of.
    let whole = |install: &str| NodeUserData {
        script: format!("{head}{install}{end}"),
        rest: Vec::new(),
    };
    let packed = whole(&packed_install(&build_install(&content.files)));
    if packed.script.len() <= MAX_SCRIPT_BYTES {
        return packed;
    }
    let is_frame = |file: &&NodeFile| is_frame_path(&file.path);
    let (frame, others): (Vec<&NodeFile>, _) = content.files.iter().partition(is_frame);
    let frame = packed_install(&(build_install(frame) + rest_functions()));
    let others: String = others.into_iter().map(file_command).collect();
    let (others, rest) = split_rest(
        &others,
        MAX_SCRIPT_BYTES.saturating_sub(head.len() + frame.len() + end.len()),
    );
    NodeUserData {
        script: format!("{head}{frame}{others}{end}"),
        rest,
    }
}

/// The command that unpacks `text`, with as much of it as there is room for, and the rest in values of
/// a server's metadata.
fn split_rest(text: &str, room: usize) -> (String, Vec<String>) {
    let digits = packed_digits(text);
    let sum = to_hex(&Sha256::digest(&digits));
    let command = |begin: &[u8], count: usize| {
        here_document(&format!("stampede_rest {sum} {count}"), &in_lines(begin))
            + &format!(". {HOME}/rest.sh\n")
    };
    // The count has no more digits than the most that there may be of it.
    let around = command(&[], MAX_PARTS).len();
    let room = room.saturating_sub(around);
    let begin = room - room.div_ceil(LINE_CHARS + 1);
    let (begin, rest) = digits.split_at(begin.min(digits.len()));
    let rest = rest.chunks(MAX_METADATA_CHARS).map(String::from_utf8_lossy);
    let rest: Vec<String> = rest.map(std::borrow::Cow::into_owned).collect();
    (command(begin, rest.len()), rest)
}

fn packed_install(install: &str) -> String {
    let command = format!("{UNPACK} >{HOME}/install.sh");
    here_document(&command, &pack_text(install)) + &format!(". {HOME}/install.sh\n")
}

/// The commands that put these files on the node: the functions first, which the others are placed by.
fn build_install<'a>(files: impl IntoIterator<Item = &'a NodeFile>) -> String {
    let mut files = files.into_iter();
    let lib = files.next().map_or("", |lib| &lib.content);
    let mut text = here_document(&format!("cat >{HOME}/lib.sh"), lib);
    text.push_str(&format!(". {HOME}/lib.sh\nstampede_begin\n"));
    text.extend(files.map(file_command));
    text
}

#[cfg(test)]
#[path = "node_user_data_tests.rs"]
mod tests;
