//! The forms of the texts of the contract 0.2.0: names, paths, owners, addresses. What passes here,
//! the frame on the nodes takes as well (`templates/node/manifest.sh`).

use std::collections::BTreeSet;
use std::fmt::Display;

use super::limits;
use crate::bundle::placeholders::PLACEHOLDER_START;
use crate::cluster::default_groups::find_default;
use crate::cluster::group_attributes::is_group_name;
use crate::cluster::problem::cut_text;
use crate::cluster::reserved_words::is_reserved;
use crate::plugin::fault_list::FaultList;

/// Folders that only the frame may have, and all below them.
const FRAMES_FOLDERS: [&str; 12] = [
    "/opt/stampede",
    "/opt/.stampede",
    "/etc/cloud",
    "/etc/needrestart",
    "/etc/stampede",
    "/etc/systemd",
    "/run",
    "/usr/lib/systemd",
    "/usr/local/lib/systemd",
    "/var/cache/stampede",
    "/var/lib/stampede",
    "/var/lib/stampede-volume",
];
/// Files that only the frame may have.
const FRAMES_FILES: [&str; 9] = [
    "/etc/fstab",
    "/etc/group",
    "/etc/gshadow",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/shadow",
    "/var/log/stampede.log",
];
/// How the frame's links to each plugin's Java begin.
const FRAMES_LINKS: &str = "/opt/java-";
/// What introduces the hash of a wheel.
const HASH: &str = " --hash=sha256:";
/// Digits of it.
const HASH_CHARS: usize = 64;
/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 60;

/// A value in a message.
pub(super) fn shown(text: &str) -> String {
    format!("{:?}", cut_text(text, SHOWN_CHARS))
}

fn is_of(text: &str, is_first: fn(u8) -> bool, is_other: fn(u8) -> bool, most: usize) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= most
        && bytes.split_first().is_some_and(|(first, rest)| {
            is_first(*first) && rest.iter().all(|byte| is_other(*byte))
        })
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn is_lower_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// `[a-z][a-z0-9-]{0,30}`
pub(super) fn is_name(text: &str) -> bool {
    is_of(
        text,
        is_lower,
        |b| is_lower_digit(b) || b == b'-',
        limits::NAME_CHARS,
    )
}

/// `[a-z][a-z0-9_]{0,30}`
pub(super) fn is_word(text: &str) -> bool {
    is_of(
        text,
        is_lower,
        |b| is_lower_digit(b) || b == b'_',
        limits::NAME_CHARS,
    )
}

/// `[0-9A-Za-z.+-]{1,32}`
pub(super) fn is_version(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b".+-".contains(&b);
    is_of(text, is_part, is_part, limits::SHORT_CHARS)
}

/// `[a-z0-9_]{1,32}`
pub(super) fn is_machine(text: &str) -> bool {
    let is_part = |b: u8| is_lower_digit(b) || b == b'_';
    is_of(text, is_part, is_part, limits::SHORT_CHARS)
}

/// `[a-z][a-z0-9+.-]{0,30}`
pub(super) fn is_scheme(text: &str) -> bool {
    is_of(
        text,
        is_lower,
        |b| is_lower_digit(b) || b"+.-".contains(&b),
        limits::NAME_CHARS,
    )
}

/// `[A-Z][A-Za-z]*`
pub(super) fn is_directive(text: &str) -> bool {
    is_of(
        text,
        |b| b.is_ascii_uppercase(),
        |b| b.is_ascii_alphabetic(),
        limits::UNIT_CHARS,
    )
}

/// `[a-z_][a-z0-9_-]{0,30}`: a user or a group of the system.
pub(super) fn is_user(text: &str) -> bool {
    is_of(
        text,
        |b| is_lower(b) || b == b'_',
        |b| is_lower_digit(b) || b"_-".contains(&b),
        limits::NAME_CHARS,
    )
}

/// `user` or `user:group`
pub(super) fn is_owner(text: &str) -> bool {
    text.splitn(2, ':').all(is_user)
}

/// `[a-z0-9][a-z0-9.+-]*`
pub(super) fn is_package(text: &str) -> bool {
    is_of(
        text,
        is_lower_digit,
        |b| is_lower_digit(b) || b".+-".contains(&b),
        limits::SOFTWARE_BYTES,
    )
}

/// Hexadecimal digits in lower case, so many.
pub(super) fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == length && text.bytes().all(is_digit)
}

/// `ray[default]==2.60.0`, and hashes of its wheels behind it.
pub(super) fn is_requirement(text: &str) -> bool {
    let mut parts = text.split(HASH);
    let pinned = parts.next().and_then(|pin| pin.split_once("=="));
    let Some((name, version)) = pinned else {
        return false;
    };
    let is_alphanumeric = |b: u8| b.is_ascii_alphanumeric();
    let is_in_name = |b: u8| b.is_ascii_alphanumeric() || b"._,[]-".contains(&b);
    let is_in_version = |b: u8| b.is_ascii_alphanumeric() || b".!+_-".contains(&b);
    text.len() <= limits::REQUIREMENT_BYTES
        && is_of(name, is_alphanumeric, is_in_name, usize::MAX)
        && is_of(version, is_alphanumeric, is_in_version, usize::MAX)
        && parts.all(|hash| is_hex(hash, HASH_CHARS))
}

/// Whether hashes stand behind a requirement.
pub(super) fn has_hash(requirement: &str) -> bool {
    requirement.contains(HASH)
}

/// A group of nodes that a user could name: `[a-z][a-z0-9]{0,15}`, and nothing else to the host.
pub(super) fn is_group(text: &str) -> bool {
    is_group_name(text) && (find_default(text).is_some() || !is_reserved(text))
}

/// A plugin's name, alone or with the separator and more.
pub(super) fn begins_with(name: &str, plugin: &str, separator: char) -> bool {
    name.strip_prefix(plugin)
        .is_some_and(|rest| rest.is_empty() || rest.len() > 1 && rest.starts_with(separator))
}

/// Parts of a path, between slashes.
fn are_parts(parts: &str, more: &[u8]) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part != "."
            && !part.starts_with("..")
            && part.bytes().all(|b| {
                b.is_ascii_alphanumeric() || b"._+:@~=,-".contains(&b) || more.contains(&b)
            })
    };
    parts.len() < limits::PATH_BYTES && parts.split('/').all(is_part)
}

/// A path below a mirror, and below the URLs of a download.
pub(super) fn is_download_path(text: &str) -> bool {
    are_parts(text, b"%")
}

/// Why this is no path on a node that a plugin may have.
pub(super) fn path_fault(path: &str) -> Option<String> {
    let is_path = path
        .strip_prefix('/')
        .is_some_and(|parts| are_parts(parts, b""));
    if !is_path {
        return Some(format!(
            "{} is no absolute path of letters, digits and ._+:@~=,- up to {} bytes",
            shown(path),
            limits::PATH_BYTES
        ));
    }
    let is_frames = FRAMES_FILES.contains(&path)
        || path.starts_with(FRAMES_LINKS)
        || FRAMES_FOLDERS
            .iter()
            .any(|own| *own == path || is_below(path, own));
    is_frames.then(|| format!("{} is the frame's own", shown(path)))
}

/// Whether the path lies in the folder.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

/// A URL of `http` or `https` without a trailing slash, user, query or fragment.
pub(super) fn is_base_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"[]._~:/!$&()*+,;=%-".contains(&b);
    text.len() <= limits::TEXT_BYTES
        && rest.is_some_and(|rest| {
            is_of(
                rest,
                |b| b.is_ascii_alphanumeric() || b == b'[',
                is_part,
                usize::MAX,
            ) && !rest.ends_with('/')
        })
}

/// `/PATH` of a probe; may be empty.
pub(super) fn is_probe_path(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"._~/?=&%-".contains(&b);
    text.is_empty() || is_of(text, |b| b == b'/', is_part, limits::TEXT_BYTES)
}

/// `/PATH` of an endpoint; may be empty.
pub(super) fn is_url_path(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"._~/?=&%#:@!$'()*+,;-".contains(&b);
    text.is_empty() || is_of(text, |b| b == b'/', is_part, limits::TEXT_BYTES)
}

/// A text for people, or a line of a configuration.
pub(super) fn check_text(faults: &mut FaultList, place: impl Display, text: &str, most: usize) {
    if text.len() > most {
        faults.add(
            place,
            format_args!("it is {} bytes long, at most {most} are taken", text.len()),
        );
    } else if text.contains(char::is_control) {
        faults.add(
            place,
            format_args!("{} holds control characters", shown(text)),
        );
    }
}

/// The same, and not empty.
pub(super) fn check_some_text(
    faults: &mut FaultList,
    place: impl Display,
    text: &str,
    most: usize,
) {
    if text.trim().is_empty() {
        faults.add(place, "it is empty");
    } else {
        check_text(faults, place, text, most);
    }
}

/// A text that nodes never look into: nothing in it may be a placeholder.
pub(super) fn check_literal(faults: &mut FaultList, place: impl Display, text: &str, most: usize) {
    if text.contains(PLACEHOLDER_START) {
        faults.add(
            place,
            format_args!("`{PLACEHOLDER_START}` stands in files and units alone"),
        );
    } else {
        check_text(faults, place, text, most);
    }
}

/// A content: any text but for NUL.
pub(super) fn check_content(faults: &mut FaultList, place: impl Display, text: &str, most: usize) {
    if text.len() > most {
        faults.add(
            place,
            format_args!("it is {} bytes long, at most {most} are taken", text.len()),
        );
    } else if text.contains('\0') {
        faults.add(place, "it holds a NUL");
    }
}

/// Each entry has the form, and stands there once.
pub(super) fn check_each(
    faults: &mut FaultList,
    list: &str,
    texts: &[String],
    is_so: fn(&str) -> bool,
    form: &str,
) {
    let mut seen = BTreeSet::new();
    for (at, text) in texts.iter().enumerate() {
        if !is_so(text) {
            faults.add(
                format_args!("{list}[{at}]"),
                format_args!("{} is not {form}", shown(text)),
            );
        } else if !seen.insert(text) {
            faults.add(
                format_args!("{list}[{at}]"),
                format_args!("{} is named twice", shown(text)),
            );
        }
    }
}

/// How names look, for messages.
pub(super) const NAME_FORM: &str = "of the form [a-z][a-z0-9-]{0,30}";
/// How names of components, parameters, secrets, endpoints and attributes look.
pub(super) const WORD_FORM: &str = "of the form [a-z][a-z0-9_]{0,30}";
/// How a user or a group of the system looks.
pub(super) const USER_FORM: &str = "of the form [a-z_][a-z0-9_-]{0,30}";
/// How groups of nodes look.
pub(super) const GROUP_FORM: &str =
    "of the form [a-z][a-z0-9]{0,15} and free of other meanings to stampede";
/// How owners look.
pub(super) const OWNER_FORM: &str =
    "`user` or `user:group`, each of the form [a-z_][a-z0-9_-]{0,30}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_forms_on_both_sides_of_the_limit() {
        let (longest, longer) = ("a".repeat(31), "a".repeat(32));
        for (text, name, word) in [
            ("a", true, true),
            (longest.as_str(), true, true),
            (longer.as_str(), false, false),
            ("a-b", true, false),
            ("a_b", false, true),
            ("", false, false),
            ("1a", false, false),
            ("aB", false, false),
            ("ä", false, false),
            ("a\n", false, false),
        ] {
            assert_eq!((is_name(text), is_word(text)), (name, word), "{text:?}");
        }
        assert!(
            is_owner("hdfs:hadoop")
                && is_owner("_apt")
                && !is_owner("a:b:c")
                && !is_owner("a:")
                && !is_owner("0:0")
        );
        assert!(begins_with("echo", "echo", '-') && begins_with("echo-x", "echo", '-'));
        assert!(!begins_with("echo-", "echo", '-') && !begins_with("echoes", "echo", '-'));
    }

    #[test]
    fn paths_are_those_that_nodes_take() {
        for good in ["/a", "/etc/x.d/y", "/opt/x-1.0+2:3@4~5=6,7_8", "/a/.b"] {
            assert_eq!(path_fault(good), None, "{good}");
        }
        let longest = format!("/{}", "a".repeat(limits::PATH_BYTES - 1));
        assert_eq!(
            (
                path_fault(&longest),
                path_fault(&format!("{longest}a")).is_some()
            ),
            (None, true)
        );
        for bad in [
            "", "/", "a", "//a", "/a/", "/a//b", "/a/../b", "/a/..b", "/a/.", "/a b", "/a\n", "/ä",
            "/a'b", "/$x",
        ] {
            assert!(
                path_fault(bad).is_some_and(|fault| fault.contains("no absolute path")),
                "{bad:?}"
            );
        }
        for own in FRAMES_FOLDERS {
            assert!(path_fault(own).is_some() && path_fault(&format!("{own}/x")).is_some());
            assert_eq!(path_fault(&format!("{own}x")), None);
        }
        for own in FRAMES_FILES {
            assert!(path_fault(own).is_some() && path_fault(&format!("{own}.d/x")).is_none());
        }
        assert!(path_fault("/opt/java-echo").is_some() && path_fault("/opt/java-echo/x").is_some());
        assert_eq!(path_fault("/opt/javascript"), None);
        assert!(
            is_below("/opt/x", "/opt") && !is_below("/opt", "/opt") && !is_below("/optx", "/opt")
        );
    }

    #[test]
    fn requirements_are_pinned_and_urls_have_no_user_or_query() {
        assert!(is_requirement("ray[default,client]==2.60.0") && is_requirement("a==1!2+x"));
        let hash = format!(" --hash=sha256:{}", "0f".repeat(32));
        let hashed = format!("a==1{hash}{hash}");
        assert!(is_requirement(&hashed) && has_hash(&hashed) && !has_hash("a==1"));
        let most = format!("a=={}{}", "1".repeat(1_024 - 3 - 12 * 79), hash.repeat(12));
        assert!(is_requirement(&most) && !is_requirement(&most.replace("==1", "==11")));
        for bad in [
            hash.as_str(),
            &hashed[..hashed.len() - 1],
            &format!("{hashed}0"),
            &hashed.replace('f', "F"),
            &hashed.replace(" --", "  --"),
            &hashed.replace("a==1", "a"),
        ] {
            assert!(!is_requirement(bad), "{bad}");
        }
        for bad in [
            "ray",
            "ray>=2",
            "ray==",
            "==2",
            "ray==2.0 ; x",
            "-r==1",
            "a @ b==1",
            "ray===2",
        ] {
            assert!(!is_requirement(bad), "{bad}");
        }
        assert!(
            is_base_url("https://dlcdn.apache.org") && is_base_url("http://[2001:db8::1]:80/x")
        );
        for bad in [
            "https://",
            "https://x/",
            "ftp://x",
            "https://u@x",
            "https://x?a",
            "https://x y",
            "https://x#a",
        ] {
            assert!(!is_base_url(bad), "{bad}");
        }
    }
}
