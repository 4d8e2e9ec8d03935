//! Writes what the nodes of a class get as data: the manifest, a line a thing, as
//! `templates/node/README.md` has it; who has which component; the contents that its files are made
//! of; and the scripts of its components. The frame takes all that is written here
//! (`plugin/v0_2_0/tests/manifests.rs` has it look). Pure.
//!
//! One text serves all nodes of a class: what is a node's own stands in it as `@{...}`, which the
//! node replaces. The members stand in a file of their own, so that a node whose only news is who
//! else has come has nothing new in its manifest.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::manifest_line::ManifestLine;
use super::member_news::members_file;
use super::node_classes::NodeClass;
use super::node_script::{HOME, NodeFile, end_with_newline, script_path};
use super::node_surroundings::NodeSurroundings;
use super::to_hex;
use crate::cluster::component::ComponentPlacement;
use crate::cluster::framework_bundle::{
    CheckProbe, ConfigFile, DaemonUnit, FileEffect, FrameworkBundle, NodeSoftware, SoftwareSource,
};
use crate::cluster::framework_descriptor::FrameworkDescriptor;

/// Hexadecimal digits of the digest of a path that its content is called by.
const CONTENT_NAME_CHARS: usize = 16;
/// What contents that are not filled in yet may be read by: root alone, whatever the file's own mode.
const CONTENT_MODE: u32 = 0o600;

/// What a class's nodes get is made of.
#[derive(Clone, Copy)]
pub struct ManifestSources<'a> {
    /// The plugins, in the chain's order.
    pub chain: &'a [&'a FrameworkDescriptor],
    /// What they add, in the same order.
    pub bundles: &'a [FrameworkBundle],
    /// Every component that was claimed, in the order.
    pub placements: &'a [ComponentPlacement],
    /// What operator and user say.
    pub surroundings: &'a NodeSurroundings,
}

/// All files of plugins on the nodes of a class, in the order in which they are written. `volume_gib`
/// is the size of each one's volume; 0: none.
pub fn manifest_files(
    sources: ManifestSources<'_>,
    class: &NodeClass,
    volume_gib: u32,
) -> Vec<NodeFile> {
    let writer = ManifestWriter { sources, class };
    let mut files = vec![
        NodeFile::new(
            0o644,
            format!("{HOME}/manifest"),
            writer.manifest(volume_gib),
        ),
        writer.members(),
    ];
    for bundle in sources.bundles {
        let here = bundle.files.iter().filter(|file| writer.has_file(file));
        files.extend(
            here.map(|file| NodeFile::new(CONTENT_MODE, content_path(&file.path), &*file.content)),
        );
    }
    for (place, bundle) in sources.bundles.iter().enumerate() {
        let scripts = bundle.scripts.iter();
        let here = scripts.filter(|script| class.components.contains(&script.component));
        files.extend(here.map(|script| {
            let stage = script.stage.as_str();
            let path = script_path(place, &bundle.plugin, stage, &script.component);
            NodeFile::new(0o644, path, end_with_newline(&script.body))
        }));
    }
    files
}

/// Where the content of the file at this path stands until the node has filled it in. It follows from
/// the path alone: no other one moves when a file comes or goes.
fn content_path(path: &str) -> String {
    let digest = to_hex(&Sha256::digest(path));
    let name: String = digest.chars().take(CONTENT_NAME_CHARS).collect();
    format!("{HOME}/files/{name}")
}

struct ManifestWriter<'a> {
    sources: ManifestSources<'a>,
    class: &'a NodeClass,
}

impl<'a> ManifestWriter<'a> {
    fn manifest(&self, volume_gib: u32) -> String {
        let mut lines = self.component_lines();
        lines.extend(self.user_lines());
        if volume_gib > 0 {
            lines.push(ManifestLine::new("volume").with("gib", volume_gib));
        }
        lines.extend(self.data_lines());
        for bundle in self.bundles_here() {
            lines.extend(bundle.secrets.iter().map(|secret| {
                ManifestLine::new("secret")
                    .with("name", &secret.name)
                    .with("plugin", &bundle.plugin)
                    .with("shared", if secret.shared { "yes" } else { "no" })
            }));
        }
        for bundle in self.sources.bundles {
            lines.extend(self.software_lines(bundle));
            lines.extend(self.artifact_lines(bundle));
            lines.extend(self.file_lines(bundle));
            let units = bundle.units.iter().filter(|unit| self.has_unit(unit));
            lines.extend(units.map(unit_line));
            lines.extend(self.check_lines(bundle));
        }
        lines.iter().map(ManifestLine::text).collect()
    }

    /// Who has which component, of the plugins that have one here: their scripts ask for no others.
    fn members(&self) -> NodeFile {
        let wanted: BTreeSet<&str> = self
            .sources
            .chain
            .iter()
            .filter(|plugin| self.has_plugin(plugin))
            .flat_map(|plugin| &plugin.components)
            .map(|component| component.name.as_str())
            .collect();
        let placements = self.sources.placements.iter();
        let wanted = placements.filter(|one| wanted.contains(one.component.as_str()));
        members_file(wanted)
    }

    /// In the order of setup.
    fn component_lines(&self) -> Vec<ManifestLine> {
        let mut lines = Vec::new();
        for plugin in self.sources.chain {
            let components = plugin.components.iter();
            let here = components.filter(|one| self.class.components.contains(&one.name));
            lines.extend(here.map(|component| {
                ManifestLine::new("component")
                    .with("name", &component.name)
                    .with("plugin", &plugin.name)
            }));
        }
        lines
    }

    /// A user has the group of its own name first, whoever else names it, so that it is the same on
    /// all nodes. Root gets into no group because a file of its is some group's.
    fn user_lines(&self) -> Vec<ManifestLine> {
        let mut groups: BTreeSet<&str> = BTreeSet::new();
        let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let units = || self.units_here();
        let files = self.files_here().map(|file| &file.owner);
        for owner in units().map(|unit| &unit.owner).chain(files) {
            match split_owner(owner) {
                (ROOT, Some(group)) => drop(groups.insert(group)),
                (ROOT, None) => {}
                (user, group) => {
                    let of = users.entry(user).or_default();
                    of.extend(group.filter(|group| *group != user));
                }
            }
        }
        for unit in units() {
            let (user, _) = split_owner(&unit.owner);
            let further = unit.member_of.iter().map(String::as_str);
            let further: Vec<&str> = further.filter(|group| *group != user).collect();
            if !further.is_empty() {
                users.entry(user).or_default().extend(further);
            }
        }
        let users = users.into_iter().map(|(user, groups)| {
            let groups: Vec<&str> = groups.into_iter().collect();
            let line = ManifestLine::new("user").with("name", user);
            if groups.is_empty() {
                line
            } else {
                line.with("groups", groups.join(","))
            }
        });
        let groups = groups.into_iter().filter(|group| *group != ROOT);
        let groups = groups.map(|group| ManifestLine::new("group").with("name", group));
        groups.chain(users).collect()
    }

    /// Each folder once, and before those in it.
    fn data_lines(&self) -> Vec<ManifestLine> {
        let units = self.units_here();
        let folders: BTreeMap<&str, &str> = units
            .flat_map(|unit| {
                let owner = unit.owner.as_str();
                unit.data.iter().map(move |path| (path.as_str(), owner))
            })
            .collect();
        let lines = folders.into_iter();
        lines
            .map(|(path, owner)| {
                ManifestLine::new("data")
                    .with("path", path)
                    .with("owner", owner)
            })
            .collect()
    }

    fn software_lines(&self, bundle: &FrameworkBundle) -> Vec<ManifestLine> {
        let software = bundle.software.iter();
        let here = software.filter(|one| self.class.has_thing_of(&one.components, &[]));
        here.map(|one| self.software_line(&bundle.plugin, one))
            .collect()
    }

    fn software_line(&self, plugin: &str, software: &NodeSoftware) -> ManifestLine {
        let surroundings = self.sources.surroundings;
        let line = match &software.source {
            SoftwareSource::Apt { packages } => {
                ManifestLine::new("apt").with_each("package", packages)
            }
            SoftwareSource::Java { oldest, newest } => {
                let line = ManifestLine::new("java")
                    .with("plugin", plugin)
                    .with("oldest", oldest)
                    .with("newest", newest);
                let javas = surroundings.javas.iter();
                let javas = javas.filter(|java| java.is_within(*oldest, *newest));
                match javas.max_by_key(|java| java.version) {
                    Some(java) => line.with("url", &java.url).with("sum", &java.sum),
                    None => line,
                }
            }
            SoftwareSource::Pip { to, lines } => {
                let line = ManifestLine::new("pip").with("to", to);
                line.with_each("line", lines)
                    .with_each("url", surroundings.python_index.iter())
            }
        };
        line.with_each("component", self.components_here(&software.components))
    }

    fn artifact_lines(&self, bundle: &FrameworkBundle) -> Vec<ManifestLine> {
        let artifacts = bundle.artifacts.iter();
        let here = artifacts.filter(|one| self.class.has_thing_of(&one.components, &[]));
        here.map(|artifact| {
            let machine = Some(&artifact.machine).filter(|machine| !machine.is_empty());
            ManifestLine::new("artifact")
                .with("to", &artifact.to)
                .with("path", format_args!("/{}", artifact.path))
                .with_each("base", &artifact.bases)
                .with("sum", &artifact.sha512)
                .with_each("machine", machine)
                .with_each("component", self.components_here(&artifact.components))
        })
        .collect()
    }

    fn file_lines(&self, bundle: &FrameworkBundle) -> Vec<ManifestLine> {
        let here = bundle.files.iter().filter(|file| self.has_file(file));
        here.map(|file| {
            ManifestLine::new("file")
                .with("path", &file.path)
                .with("from", content_path(&file.path))
                .with("plugin", &bundle.plugin)
                .with("owner", &file.owner)
                .with("mode", format_args!("{:04o}", file.mode))
                .with("effect", effect_word(file.effect))
                .with_each("component", self.components_here(&file.components))
        })
        .collect()
    }

    fn check_lines(&self, bundle: &FrameworkBundle) -> Vec<ManifestLine> {
        let checks = bundle.checks.iter();
        let here = checks.filter(|check| self.class.components.contains(&check.component));
        here.map(|check| {
            let (kind, target) = match &check.probe {
                CheckProbe::Tcp { port } => ("tcp", port.to_string()),
                CheckProbe::Http { tls, port, path } => {
                    let scheme = if *tls { "https" } else { "http" };
                    ("http", format!("{scheme}://:{port}{path}"))
                }
                CheckProbe::Exec { command } => ("command", command.clone()),
                CheckProbe::Jobs { command } => ("jobs", command.clone()),
            };
            ManifestLine::new("check")
                .with("component", &check.component)
                .with("kind", kind)
                .with("target", target)
        })
        .collect()
    }

    /// Those of a thing's components that the class has, as the bundle names them.
    fn components_here<'b>(&self, components: &'b [String]) -> impl Iterator<Item = &'b String> {
        let class = self.class;
        components
            .iter()
            .filter(|component| class.components.contains(*component))
    }

    fn has_plugin(&self, plugin: &FrameworkDescriptor) -> bool {
        let mut components = plugin.components.iter();
        components.any(|component| self.class.components.contains(&component.name))
    }

    /// What plugins add that have a component here.
    fn bundles_here(&self) -> impl Iterator<Item = &'a FrameworkBundle> {
        let all = self.sources.chain.iter().zip(self.sources.bundles);
        all.filter(|(plugin, _)| self.has_plugin(plugin))
            .map(|(_, bundle)| bundle)
    }

    fn has_unit(&self, unit: &DaemonUnit) -> bool {
        self.class
            .has_thing_of(std::slice::from_ref(&unit.component), &unit.groups)
    }

    fn has_file(&self, file: &ConfigFile) -> bool {
        self.class.has_thing_of(&file.components, &file.groups)
    }

    fn units_here(&self) -> impl Iterator<Item = &'a DaemonUnit> {
        let units = self.sources.bundles.iter().flat_map(|one| &one.units);
        units.filter(|unit| self.has_unit(unit))
    }

    fn files_here(&self) -> impl Iterator<Item = &'a ConfigFile> {
        let files = self.sources.bundles.iter().flat_map(|one| &one.files);
        files.filter(|file| self.has_file(file))
    }
}

const ROOT: &str = "root";

/// `user` and, where there is one, `group`.
fn split_owner(owner: &str) -> (&str, Option<&str>) {
    owner
        .split_once(':')
        .map_or((owner, None), |(user, group)| (user, Some(group)))
}

fn unit_line(unit: &DaemonUnit) -> ManifestLine {
    let directives = unit.directives.iter();
    ManifestLine::new("unit")
        .with("name", &unit.name)
        .with("component", &unit.component)
        .with("owner", &unit.owner)
        .with("exec", &unit.exec)
        .with_each("data", &unit.data)
        .with_each(
            "directive",
            directives.map(|(name, value)| format!("{name}={value}")),
        )
}

fn effect_word(effect: FileEffect) -> &'static str {
    match effect {
        FileEffect::Nothing => "nothing",
        FileEffect::Reload => "reload",
        FileEffect::Restart => "restart",
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
