//! The commands that do what a page does, as a shell takes them. Pure.

use crate::cluster::attribute_names::PREFIX;
use crate::cluster::default_groups::WORKERS;
use crate::cluster::end_time::EXPIRES;
use crate::orchestrator::ClusterView;

/// An attribute that has an argument of its own, as [`WORKERS`] has.
const FRAMEWORK: &str = "framework";

/// The command that asks for a cluster like this one; none where nobody said which framework.
pub(super) fn deploy_command(view: &ClusterView) -> Option<String> {
    let own = |name: &str| view.attributes.get(&format!("{PREFIX}{name}"));
    let framework = own(FRAMEWORK).filter(|text| !text.trim().is_empty());
    let framework = framework.cloned().or_else(|| {
        let joined = view.frameworks.join(",");
        (!joined.is_empty()).then_some(joined)
    })?;
    let mut command = format!(
        "stampede deploy {} --name {}",
        shell_word(&framework),
        shell_word(&view.name)
    );
    if let Some(count) = own(WORKERS) {
        command.push_str(&format!(" --{} {}", WORKERS, shell_word(count)));
    }
    for (name, value) in &view.attributes {
        let Some(name) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if name != FRAMEWORK && name != WORKERS && name != EXPIRES {
            let pair = format!("{name}={value}");
            command.push_str(&format!(" \\\n  --set {}", shell_word(&pair)));
        }
    }
    command.push_str(" \\\n  --wait");
    Some(command)
}

/// A command of the cluster: `stampede show demo`.
pub(super) fn cluster_command(verb: &str, words: &[&str]) -> String {
    let words = words.iter().map(|word| format!(" {}", shell_word(word)));
    format!("stampede {verb}{}", words.collect::<String>())
}

/// A word as a POSIX shell reads it back.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        for text in [
            "a",
            "worker.flavor=m1.large",
            "it's",
            "$(reboot)",
            "",
            "a b",
            "`x`",
            "é\n;",
        ] {
            let command = format!("printf %s {}", shell_word(text));
            let out = std::process::Command::new("sh")
                .args(["-c", &command])
                .output();
            assert_eq!(String::from_utf8(out.unwrap().stdout).unwrap(), text);
        }
        assert_eq!(cluster_command("delete", &["a b"]), "stampede delete 'a b'");
    }
}
