//! Words that mean something else where the name of a group or of a plugin may stand: the one list
//! of them. Pure.

use super::attribute_schema::ATTRIBUTES;
use super::default_groups::find_default;
use super::framework::CLUSTER;

/// In hosts files, in the stack's events, in attributes, and in names of resources and rules, where a
/// group's name stands as a word (`edge_2_server`) beside `router_interface` and `ready_handle`.
pub const RESERVED: [&str; 30] = [
    "access",
    "all",
    "attachment",
    "change",
    "cluster",
    "flavor",
    "floating",
    "handle",
    "health",
    "host",
    "icmp",
    "interface",
    "ip",
    "localhost",
    "name",
    "node",
    "nodes",
    "none",
    "port",
    "progress",
    "ready",
    "rest",
    "router",
    "security",
    "server",
    "signals",
    "ssh",
    "stampede",
    "subnet",
    "volume",
];
/// Groups that people make: a plugin of such a name would keep them from it.
pub const CUSTOMARY_GROUPS: [&str; 4] = ["compute", "controller", "edge", "gpu"];
/// First words of the system's units and of the host's rules (`open_443_...`), which a plugin's would
/// replace: they begin with its name.
pub const FOREIGN_NAMES: [&str; 16] = [
    "apt", "chrony", "cloud", "cron", "dbus", "getty", "ntp", "open", "polkit", "rsyslog", "snapd",
    "sshd", "sudo", "systemd", "udev", "user",
];

/// Whether it means something else where a group's name may stand.
pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word) || attribute_words().any(|first| first == word)
}

/// Whether no plugin may be called so: what its first word means, names of its resources, units and
/// attributes would mean too. The plugin `cluster` is the host's own.
pub fn is_reserved_plugin(name: &str) -> bool {
    let first = name.split('-').next().unwrap_or_default();
    let is_taken = is_reserved(first)
        || find_default(first).is_some()
        || CUSTOMARY_GROUPS.contains(&first)
        || FOREIGN_NAMES.contains(&first);
    is_taken && name != CLUSTER
}

/// The first word of each attribute: `network`.
pub fn attribute_words() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES
        .iter()
        .filter_map(|row| row.name.split('.').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_plugin_is_called_as_something_that_its_names_would_meet() {
        for name in [
            "stampede",
            "stampede-fence",
            "network",
            "ssh",
            "sshd",
            "systemd",
            "systemd-x",
            "worker",
            "worker-1",
            "master",
            "workers",
            "edge",
            "ready-handle",
            "security-group",
            "node",
            "open",
            "cluster-x",
            "framework",
            "image",
            "cloud",
        ] {
            assert!(is_reserved_plugin(name), "{name}");
        }
        for name in [
            "cluster",
            "hadoop",
            "spark",
            "networks",
            "workerx",
            "x-worker",
            "jupyterlab",
        ] {
            assert!(!is_reserved_plugin(name), "{name}");
        }
    }

    /// Authors find them all in one place.
    #[test]
    fn the_readme_of_plugins_names_every_word() {
        let readme = include_str!("../../../plugins/README.md");
        let groups = ["master", "worker"];
        let all = RESERVED
            .iter()
            .chain(&CUSTOMARY_GROUPS)
            .chain(&FOREIGN_NAMES)
            .chain(&groups)
            .copied();
        for word in all.chain(attribute_words()) {
            assert!(readme.contains(&format!("`{word}`")), "{word}");
        }
    }
}
