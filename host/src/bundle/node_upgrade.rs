//! Builds what nodes are told in an upgrade, which replaces all that stands on them by what the frame
//! and the plugins of now make (`templates/node/README.md`, "An upgrade"). It may be more than one
//! update carries: files are brought in as many as they need, and put into their place by one more.
//! The host has none of what stood there before, so that nodes keep it, and put it back. Pure.

use super::member_news::MemberLines;
use super::node_frame::upgrade_functions;
use super::node_script::{NodeContent, NodeFile, file_command};
use super::node_update::{NodeUpdate, UpdateTooLong, VARIABLES, build_update_script, pack_update};

/// Where files stand on the node that were brought, and are not in their place yet.
const NEXT: &str = "/var/lib/stampede/next/files";

/// The files at these paths, cut into what one update brings.
pub fn split_files(upgrade: u32, to: &NodeContent, paths: &[String]) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    for path in new_files(to, paths) {
        if let Some(last) = parts.last_mut() {
            last.push(path.clone());
            if build_bringing(upgrade, to, last).is_ok() {
                continue;
            }
            last.pop();
        }
        parts.push(vec![path]);
    }
    parts
}

/// The update that brings these files.
///
/// # Errors
/// [`UpdateTooLong`]: one file alone does not fit.
pub fn build_bringing(
    upgrade: u32,
    to: &NodeContent,
    files: &[String],
) -> Result<NodeUpdate, UpdateTooLong> {
    let mut text = begin(&format!("upgrade_bring {upgrade}"));
    for placed in to
        .files
        .iter()
        .filter(|placed| files.contains(&placed.path))
    {
        text.push_str(&file_command(&NodeFile {
            path: format!("{NEXT}{}", placed.path),
            ..placed.clone()
        }));
    }
    pack_update(&text)
}

/// The update that keeps what stands on the node, and puts into its place what was brought. `paths`
/// are all that are new.
///
/// # Errors
/// [`UpdateTooLong`].
pub fn build_taking(
    upgrade: u32,
    to: &NodeContent,
    paths: &[String],
    news: &MemberLines,
) -> Result<NodeUpdate, UpdateTooLong> {
    let brought: Vec<String> = new_files(to, paths).collect();
    let gone = paths.iter().filter(|path| !brought.contains(path));
    let gone: Vec<String> = gone.cloned().collect();
    let mut text = begin(&format!("upgrade_keep {upgrade}"));
    text.push_str(&build_update_script(to, &gone, news));
    if !brought.is_empty() {
        text.push_str(&format!("upgrade_take {upgrade} {}\n", brought.len()));
    }
    pack_update(&text)
}

/// The update that puts back what an upgrade has replaced.
///
/// # Errors
/// [`UpdateTooLong`].
pub fn build_taking_back(upgrade: u32) -> Result<NodeUpdate, UpdateTooLong> {
    pack_update(&begin(&format!("upgrade_back {upgrade}")))
}

fn begin(command: &str) -> String {
    format!("{}{command}\n", upgrade_functions())
}

/// Those of the paths that are files, in the order in which they are placed.
fn new_files(to: &NodeContent, paths: &[String]) -> impl Iterator<Item = String> {
    let files = to.files.iter().map(|placed| &placed.path);
    let new = files.filter(|path| path.as_str() != VARIABLES && paths.contains(path));
    new.cloned()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base64::Engine as _;

    use super::*;
    use crate::bundle::node_update::MAX_PARTS;

    fn content(files: &[(&str, usize)]) -> NodeContent {
        let file = |(path, bytes): &(&str, usize)| NodeFile {
            mode: 0o644,
            path: (*path).to_owned(),
            content: noise(path, *bytes),
        };
        NodeContent {
            variables: vec![("STAMPEDE_CLUSTER", "demo".to_owned())],
            files: files.iter().map(file).collect(),
        }
    }

    /// What no gzip makes smaller.
    fn noise(path: &str, bytes: usize) -> String {
        // Another one for each file.
        let seed = path.bytes().map(u64::from).sum::<u64>();
        let mut state = 88_172_645_463_325_252_u64 ^ (seed << 32);
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b' ' + u8::try_from(state % 95).unwrap())
        };
        (0..bytes).map(|_| next()).chain(['\n']).collect()
    }

    fn text(update: &NodeUpdate) -> String {
        let packed = base64::engine::general_purpose::STANDARD
            .decode(update.parts.concat())
            .unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    fn paths(content: &NodeContent) -> Vec<String> {
        content.files.iter().map(|file| file.path.clone()).collect()
    }

    #[test]
    fn files_are_brought_in_as_many_updates_as_they_need_each_once() {
        let to = content(&[("/a", 12_000), ("/b", 12_000), ("/c", 12_000), ("/d", 10)]);
        let parts = split_files(7, &to, &paths(&to));
        assert_eq!(parts, [vec!["/a", "/b"], vec!["/c", "/d"]]);
        for part in &parts {
            let brought = build_bringing(7, &to, part).unwrap();
            assert!(brought.parts.len() <= MAX_PARTS);
            let text = text(&brought);
            assert!(text.contains("\nupgrade_bring 7\n"), "{text}");
            for file in &to.files {
                let at = format!("stampede_file 0644 '{NEXT}{}'", file.path);
                assert_eq!(text.contains(&at), part.contains(&file.path), "{at}");
            }
        }
        assert_eq!(split_files(7, &to, &["/a".to_owned()]), [["/a"]]);
        assert_eq!(split_files(7, &to, &[VARIABLES.to_owned()]).len(), 0);
    }

    #[test]
    fn a_file_that_no_update_carries_is_refused() {
        let to = content(&[("/a", 40_000)]);
        let parts = split_files(7, &to, &paths(&to));
        assert_eq!(parts, [["/a"]]);
        assert!(build_bringing(7, &to, &parts[0]).is_err());
    }

    #[test]
    fn what_was_brought_is_put_into_its_place_and_put_back_by_the_number_of_the_change() {
        let to = content(&[("/a", 10), ("/opt/stampede/members", 3)]);
        let new = ["/a", "/gone", VARIABLES].map(str::to_owned);
        let none = MemberLines::default();
        let taken = text(&build_taking(7, &to, &new, &none).unwrap());
        let (_, taken) = taken.split_once("\nupgrade_keep 7\n").unwrap();
        let members = "stampede_file 0644 '/opt/stampede/members' <<'STAMPEDE_END'\n";
        assert!(
            taken.starts_with(&format!("rm -f '/gone'\n{members}")),
            "{taken}"
        );
        let end = "stampede_variable STAMPEDE_CLUSTER 'demo'\nupgrade_take 7 1\n";
        assert!(taken.ends_with(end), "{taken}");
        // Nothing but variables: nothing was brought.
        let taken = text(&build_taking(7, &to, &[VARIABLES.to_owned()], &none).unwrap());
        assert!(!taken.contains("\nupgrade_take 7"), "{taken}");
        let back = text(&build_taking_back(7).unwrap());
        assert!(back.ends_with("\nupgrade_back 7\n"), "{back}");
    }
}
