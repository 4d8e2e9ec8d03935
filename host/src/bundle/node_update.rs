//! Builds the update of a running node: the files that change and all variables, as a bash text,
//! compressed and cut into parts so that a server's metadata holds it (`templates/node/README.md`,
//! "A change"). Metadata, since Heat can change it without making the server anew. Pure; it knows
//! neither Heat nor when an update is sent.

use std::collections::BTreeMap;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::member_news::{GENERATION_VARIABLE, MemberLines};
use super::node_script::{NodeContent, compress, file_command, quote_word};
use super::to_hex;

/// Characters of a value of a server's metadata in Nova.
pub const MAX_METADATA_CHARS: usize = 255;
/// Parts of one update: Nova's 128 items by default, less those that are not parts.
pub const MAX_PARTS: usize = 120;
/// Hexadecimal digits of a digest that are kept of each file.
const DIGEST_CHARS: usize = 16;

/// An update as a server's metadata carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeUpdate {
    /// SHA-256 of the joined parts, in hexadecimal.
    pub sha256: String,
    /// Base64 of gzip of bash, cut.
    pub parts: Vec<String>,
}

/// It does not fit into a server's metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "what the nodes must be told takes {parts} parts of {MAX_METADATA_CHARS} characters, a server's metadata holds {MAX_PARTS}"
)]
pub struct UpdateTooLong {
    /// How many it takes.
    pub parts: usize,
}

/// Under this name the digest of the variables stands beside those of the files.
pub const VARIABLES: &str = "variables";
/// Variables that are others on nodes that are otherwise the same, whenever they were made: who else
/// there is, in which change they booted, and how the cloud was found then.
const PASSING_VARIABLES: [&str; 3] = [
    "STAMPEDE_NODES",
    GENERATION_VARIABLE,
    "STAMPEDE_CLOUD_ADDRESSES",
];

/// A digest of every file by its path, mode included, and one of the variables. The members are
/// left out, since what nodes have of them grows old.
pub fn file_digests(content: &NodeContent) -> BTreeMap<String, String> {
    let members = MemberLines::path();
    let files = content.files.iter().filter(|file| file.path != members);
    let mut digests: BTreeMap<String, String> = files
        .map(|placed| (placed.path.clone(), digest(placed.mode, &placed.content)))
        .collect();
    let lasting = content.variables.iter();
    let lasting = lasting.filter(|(name, _)| !PASSING_VARIABLES.contains(name));
    let lasting: String = lasting
        .map(|(name, value)| format!("{name}={}\n", quote_word(value)))
        .collect();
    digests.insert(VARIABLES.to_owned(), digest(0, &lasting));
    digests
}

fn digest(mode: u32, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(mode.to_be_bytes());
    hash.update(text);
    to_hex(&hash.finalize())
        .chars()
        .take(DIGEST_CHARS)
        .collect()
}

/// The paths whose files are not the same in both, or not in both.
pub fn differing_paths(
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
) -> Vec<String> {
    let paths: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    paths
        .into_iter()
        .filter(|path| one.get(*path) != other.get(*path))
        .cloned()
        .collect()
}

/// The update that makes the files at `paths` what they are in `to`, sets all variables, and says who
/// has which component and what is new of that. The same bytes each time, so that Heat sees no change
/// where there is none.
///
/// # Errors
/// [`UpdateTooLong`].
pub fn build_node_update(
    to: &NodeContent,
    paths: &[String],
    news: &MemberLines,
) -> Result<NodeUpdate, UpdateTooLong> {
    pack_update(&build_update_script(to, paths, news))
}

/// A text as metadata carries it.
///
/// # Errors
/// [`UpdateTooLong`].
pub(super) fn pack_update(text: &str) -> Result<NodeUpdate, UpdateTooLong> {
    let text = base64::engine::general_purpose::STANDARD.encode(compress(text));
    let sha256 = to_hex(&Sha256::digest(&text));
    // Base64 is ASCII, so bytes are characters.
    let parts: Vec<String> = text
        .as_bytes()
        .chunks(MAX_METADATA_CHARS)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    if parts.len() > MAX_PARTS {
        Err(UpdateTooLong { parts: parts.len() })
    } else {
        Ok(NodeUpdate { sha256, parts })
    }
}

/// Files that are in `paths` and not in `to` are removed; the others are written whole. Variables
/// are set all, since nobody knows which of them a node has; but for the change that it booted in.
pub(super) fn build_update_script(
    to: &NodeContent,
    paths: &[String],
    news: &MemberLines,
) -> String {
    let mut text = String::new();
    let is_there = |path: &String| to.files.iter().any(|placed| placed.path == *path);
    for path in paths.iter().filter(|path| path.as_str() != VARIABLES) {
        if !is_there(path) {
            text.push_str(&format!("rm -f {}\n", quote_word(path)));
        }
    }
    let members = MemberLines::path();
    for placed in &to.files {
        if placed.path == members || paths.contains(&placed.path) {
            text.push_str(&file_command(placed));
        }
    }
    text.extend(news.file().iter().map(file_command));
    let variables = to.variables.iter();
    for (name, value) in variables.filter(|(name, _)| *name != GENERATION_VARIABLE) {
        text.push_str(&format!("stampede_variable {name} {}\n", quote_word(value)));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::bundle::node_script::NodeFile;
    use crate::cluster::component::{ComponentMember, ComponentPlacement};

    fn content(files: &[(&str, &str)]) -> NodeContent {
        let placed = |(path, text): &(&str, &str)| NodeFile {
            mode: 0o644,
            path: (*path).to_owned(),
            content: (*text).to_owned(),
        };
        let variables = vec![
            ("STAMPEDE_CLUSTER", "de'mo".to_owned()),
            ("STAMPEDE_GENERATION", "7".to_owned()),
        ];
        NodeContent {
            variables,
            files: files.iter().map(placed).collect(),
        }
    }

    fn unpacked(news: &NodeUpdate) -> String {
        let packed = base64::engine::general_purpose::STANDARD
            .decode(news.parts.concat())
            .unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn what_differs_is_written_what_is_gone_is_removed_and_every_variable_is_set() {
        let (old, new) = (
            content(&[("/a", "1\n"), ("/b", "2\n"), ("/c", "3\n")]),
            content(&[
                ("/a", "1\n"),
                ("/b", "9\n"),
                ("/d", "4\n"),
                (
                    "/opt/stampede/members",
                    "members\tcomponent=toy\tnodes=a-1\tindexes=1\n",
                ),
            ]),
        );
        let paths = differing_paths(&file_digests(&old), &file_digests(&new));
        assert_eq!(paths, ["/b", "/c", "/d"]);
        let leaving = ComponentPlacement {
            component: "toy".to_owned(),
            members: vec![ComponentMember {
                node: "a-2".to_owned(),
                index: 2,
            }],
        };
        let news = MemberLines {
            leaving: vec![leaving],
            runners: vec!["toy".to_owned()],
            ..MemberLines::default()
        };
        let told = build_node_update(&new, &paths, &news).unwrap();
        let wanted = "rm -f '/c'\nstampede_file 0644 '/b' <<'STAMPEDE_END'\n9\nSTAMPEDE_END\nstampede_file 0644 '/d' <<'STAMPEDE_END'\n4\n\
                      STAMPEDE_END\nstampede_file 0644 '/opt/stampede/members' <<'STAMPEDE_END'\n\
                      members\tcomponent=toy\tnodes=a-1\tindexes=1\nSTAMPEDE_END\n\
                      stampede_file 0644 '/opt/stampede/step' <<'STAMPEDE_END'\nleaving\tcomponent=toy\tnodes=a-2\tindexes=2\nrunner\tcomponent=toy\n\
                      STAMPEDE_END\nstampede_variable STAMPEDE_CLUSTER 'de'\\''mo'\n";
        assert_eq!(unpacked(&told), wanted);
        assert_eq!(told.sha256, to_hex(&Sha256::digest(told.parts.concat())));
        assert_eq!(
            build_node_update(&new, &paths, &news).unwrap(),
            told,
            "the same bytes each time"
        );
        let mut other = old.clone();
        other.files[0].mode = 0o600;
        assert_eq!(
            differing_paths(&file_digests(&old), &file_digests(&other)),
            ["/a"],
            "a mode is a difference"
        );
        other.clone_from(&old);
        other.variables[1].1 = "8".to_owned();
        assert_eq!(file_digests(&old), file_digests(&other), "it passes");
        other.variables[0].1 = "demo".to_owned();
        let paths = differing_paths(&file_digests(&old), &file_digests(&other));
        assert_eq!(paths, [VARIABLES]);
        let told = unpacked(&build_node_update(&other, &paths, &MemberLines::default()).unwrap());
        assert_eq!(told, "stampede_variable STAMPEDE_CLUSTER 'demo'\n");
    }

    #[test]
    fn a_change_fits_into_metadata_or_is_refused() {
        // What no gzip makes smaller.
        let noise = |bytes: usize| {
            let mut state = 88_172_645_463_325_252_u64;
            let mut next = move || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(b' ' + u8::try_from(state % 95).unwrap())
            };
            (0..bytes).map(|_| next()).chain(['\n']).collect::<String>()
        };
        let none = MemberLines::default();
        let told = |bytes| {
            let content = content(&[("/a", &noise(bytes))]);
            build_node_update(&content, &["/a".to_owned()], &none)
        };
        let fits = told(20_000).unwrap();
        assert!(
            fits.parts.len() > 50
                && fits
                    .parts
                    .iter()
                    .all(|part| part.len() <= MAX_METADATA_CHARS)
        );
        let most = (20_000..40_000)
            .step_by(64)
            .take_while(|bytes| told(*bytes).is_ok())
            .last()
            .unwrap();
        assert_eq!(told(most).unwrap().parts.len(), MAX_PARTS);
        assert!(matches!(told(most + 64), Err(UpdateTooLong { parts }) if parts == MAX_PARTS + 1));
    }
}
