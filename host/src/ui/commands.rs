//! The commands that do what a page does, as a shell takes them. Pure.

use crate::cluster::attribute_names::PREFIX;
use crate::cluster::default_groups::WORKERS;
use crate::cluster::end_time::EXPIRES;
use crate::orchestrator::ClusterView;

/// An attribute that has a place of its own in the command.
const FRAMEWORK: &str = "framework";

/// The command that asks for a cluster like this one; none where nobody said which framework. Its end
/// is not asked for again: it was this cluster's.
pub(super) fn deploy_command(view: &ClusterView) -> Option<String> {
    let attributes = view.attributes.iter();
    let own = attributes.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, &**value)));
    let asked: Vec<(&str, &str)> = own.filter(|(name, _)| *name != EXPIRES).collect();
    let framework = asked.iter().find(|(name, _)| *name == FRAMEWORK);
    let framework = framework.map(|(_, text)| (*text).to_owned());
    let framework = framework.filter(|text| !text.trim().is_empty());
    let framework = framework.or_else(|| {
        let joined = view.frameworks.join(",");
        (!joined.is_empty()).then_some(joined)
    })?;
    let mut command = deploy_of(&framework, &view.name, asked);
    command.push_str(" \\\n  --wait");
    Some(command)
}

/// The command that asks for a cluster with these attributes, without `stampede.`.
pub(super) fn deploy_of<'a>(
    framework: &str,
    name: &str,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let command = cluster_command("deploy", &[framework]);
    with_settings(
        format!("{command} \\\n  --name {}", shell_word(name)),
        attributes,
    )
}

/// The command that changes a cluster so.
pub(super) fn update_of<'a>(
    name: &str,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    with_settings(cluster_command("update", &[name]), attributes)
}

/// The command that upgrades a cluster.
pub(super) fn upgrade_command(name: &str) -> String {
    cluster_command("cluster upgrade", &[name])
}

/// With an option a line.
fn with_settings<'a>(
    mut command: String,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    for (name, value) in attributes {
        let option = match name {
            FRAMEWORK => continue,
            WORKERS => format!("--{} {}", WORKERS, shell_word(value)),
            _ => format!("--set {}", shell_word(&format!("{name}={value}"))),
        };
        command.push_str(&format!(" \\\n  {option}"));
    }
    command
}

/// A command of the cluster: `stampede show demo`.
pub(super) fn cluster_command(verb: &str, words: &[&str]) -> String {
    let words = words.iter().map(|word| format!(" {}", shell_word(word)));
    format!("stampede {verb}{}", words.collect::<String>())
}

/// A word as a POSIX shell reads it back.
pub(crate) fn shell_word(text: &str) -> String {
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
