//! The frame that every node has, whatever plugins add: its texts, as `templates/node/README.md` says
//! what is in which, and the digest by which a host knows its own.

use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::node_script::{CA_PATH, HOME, NodeFile, end_with_newline};
use super::to_hex;
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
const RUN: &str = concat!(
    include_str!("../../../templates/node/frame.sh"),
    "\n",
    include_str!("../../../templates/node/system.sh"),
    "\n",
    include_str!("../../../templates/node/watch.sh"),
    "\n",
    include_str!("../../../templates/node/main.sh")
);
/// What it does with a manifest.
const MANIFEST: &str = concat!(
    include_str!("../../../templates/node/manifest.sh"),
    "\n",
    include_str!("../../../templates/node/units.sh")
);
/// How a node takes what its user data has no room for.
const REST: &str = include_str!("../../../templates/node/rest.sh");

/// What an upgrade does on a node before the frame of now is there.
const UPGRADE: &str = include_str!("../../../templates/node/upgrade.sh");

/// Bytes of the frame's digest in [`host_version`].
const DIGEST_BYTES: usize = 8;

/// Which Stampede this is, as far as nodes are concerned: its version, and what the frame is. Where
/// it differs from what made a cluster, a plan of now is not what stands on that cluster's nodes.
pub fn host_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let texts = [LIB, RUN, MANIFEST, REST].iter();
        let digest = texts.fold(Sha256::new(), |digest, text| digest.chain_update(text));
        let digest = to_hex(&digest.finalize()[..DIGEST_BYTES]);
        format!("{}+{digest}", env!("CARGO_PKG_VERSION"))
    })
}

/// What stands on every node before anything of plugins: the functions first, by which the others are
/// placed, and the cloud's own authority where it has one.
pub(super) fn frame_files(access: &CloudAccess) -> Vec<NodeFile> {
    static SHORT: OnceLock<[String; 3]> = OnceLock::new();
    let texts = SHORT.get_or_init(|| [LIB, RUN, MANIFEST].map(shorten_script));
    let places = [(0o644, "lib.sh"), (0o755, "run"), (0o644, "manifest.sh")];
    let files = places.iter().zip(texts);
    let mut all: Vec<NodeFile> = files
        .map(|((mode, name), text)| NodeFile::new(*mode, format!("{HOME}/{name}"), text))
        .collect();
    if !access.certificates.is_empty() {
        let certificates = end_with_newline(&access.certificates);
        all.push(NodeFile::new(0o644, CA_PATH, certificates));
    }
    all
}

/// Whether the file at this path is the frame's own.
pub(super) fn is_frame_path(path: &str) -> bool {
    let name = path.strip_prefix(HOME).unwrap_or_default();
    path == CA_PATH || ["/lib.sh", "/run", "/manifest.sh"].contains(&name)
}

/// The functions by which a node takes what its user data has no room for.
pub(super) fn rest_functions() -> &'static str {
    static SHORT: OnceLock<String> = OnceLock::new();
    SHORT.get_or_init(|| shorten_script(REST))
}

/// The functions by which a node that has an older frame takes the one of now, and gives it back.
pub(super) fn upgrade_functions() -> &'static str {
    static SHORT: OnceLock<String> = OnceLock::new();
    SHORT.get_or_init(|| shorten_script(UPGRADE))
}

/// What of bash's a place stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ScriptContext {
    Single,
    /// `$'...'`, in which a backslash quotes.
    Ansi,
    Double,
    /// `$(...)`, and what stands in parentheses there.
    Command,
}

/// One of the frame's own scripts without its comments and indentation, which user data has no room
/// for. The first line stays, which says what the file is, and so does what stands in quotes or a
/// here-document of several lines.
fn shorten_script(script: &str) -> String {
    let mut short = String::with_capacity(script.len());
    let mut contexts = Vec::new();
    let mut document: Option<&str> = None;
    let is_code =
        |contexts: &[ScriptContext]| matches!(contexts.last(), None | Some(ScriptContext::Command));
    for (number, line) in script.lines().enumerate() {
        if let Some(end) = document {
            document = Some(end).filter(|end| line != *end);
            short.push_str(line);
            short.push('\n');
            continue;
        }
        let began_in_code = is_code(&contexts);
        let end;
        (end, document) = scan_line(line, &mut contexts);
        let mut kept = line.get(..end).filter(|_| number > 0).unwrap_or(line);
        if is_code(&contexts) {
            kept = kept.trim_end();
        }
        if began_in_code {
            kept = kept.trim_start();
            if kept.is_empty() {
                continue;
            }
        }
        short.push_str(kept);
        short.push('\n');
    }
    short
}

/// Where a line of bash ends before its comment, and how the here-document behind it ends. `contexts`
/// are those that its beginning stands in, and then its end.
fn scan_line<'a>(line: &'a str, contexts: &mut Vec<ScriptContext>) -> (usize, Option<&'a str>) {
    use ScriptContext::{Ansi, Command, Double, Single};
    let mut document = None;
    let mut before = ' ';
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (contexts.last(), c) {
            (Some(Single | Ansi), '\'') | (Some(Double), '"') | (Some(Command), ')') => {
                let _ = contexts.pop();
            }
            (Some(Single), _) => {}
            (_, '\\') => drop(chars.next()),
            (Some(Ansi), _) => {}
            (_, '$') if chars.next_if(|(_, next)| *next == '(').is_some() => contexts.push(Command),
            (Some(Double), _) => {}
            (_, '#') if before.is_whitespace() => return (at, document),
            (_, '\'') if before == '$' => contexts.push(Ansi),
            (_, '\'') => contexts.push(Single),
            (_, '"') => contexts.push(Double),
            (Some(Command), '(') => contexts.push(Command),
            (_, '<') if before != '<' => {
                let quoted = line.get(at..).and_then(|rest| rest.strip_prefix("<<'"));
                document = document.or(quoted.and_then(|quoted| quoted.split('\'').next()));
            }
            _ => {}
        }
        before = c;
    }
    (line.len(), document)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The script as bash understands it, its texts byte for byte.
    fn understood(script: &str) -> String {
        let script = format!("f() {{\n{script}\n}}\ndeclare -f f");
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn the_frame_says_the_same_without_its_comments_and_indentation() {
        for script in [LIB, RUN, MANIFEST, REST, UPGRADE] {
            let short = shorten_script(script);
            assert_eq!(understood(script), understood(&short));
            assert_eq!(script.lines().next(), short.lines().next());
            let comments = short.lines().skip(1).filter(|line| line.starts_with("# "));
            assert_eq!(comments.count(), 0);
        }
        assert!(shorten_script(RUN).len() < RUN.len() * 8 / 10);
    }

    #[test]
    fn what_only_looks_like_a_comment_or_indentation_stays() {
        for script in [
            "#!/bin/bash\n  x=' # no comment\n    kept   \n\n  # kept'  # gone\necho \"$x\"\n",
            "#!/bin/bash\n  cat <<'END' # gone\n    # kept\n\n  END\nEND\n  echo \\# ${#x} $# a#b # gone, isn't it\n",
            "#!/bin/bash\nx=$'it\\'s # kept'\n\techo \"a \\\" # kept\n  kept\" \"b\" <<<'# kept'\n",
            "#!/bin/bash\nif true; then\n  # gone\n  echo $((1 << 2)) \\\n    more\nfi\n",
        ] {
            let short = shorten_script(script);
            assert_eq!(understood(script), understood(&short), "{short}");
            assert!(
                short.len() < script.len() && !short.contains("gone"),
                "{short}"
            );
        }
    }
}
