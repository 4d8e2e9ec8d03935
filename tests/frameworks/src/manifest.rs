//! The manifest of one node, as templates/node/README.md has it, with the contents of its files and its scripts.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use stampede_framework::{Effect, Stage, Unit};

use crate::LaidFramework;
use crate::scenario::NodeScenario;

/// Lines of a node, and how many contents it has.
struct NodeManifest<'a> {
    to: &'a Path,
    group: String,
    lines: Vec<String>,
    contents: usize,
}

/// Writes all of a node.
pub(crate) fn lay_node(
    scenario: &NodeScenario,
    laid: &[LaidFramework],
    node: &str,
    to: &Path,
) -> Result<()> {
    let group = scenario
        .nodes()
        .into_iter()
        .find(|(name, _)| name == node)
        .context("no such node")?
        .1;
    let mut manifest = NodeManifest {
        to,
        group,
        lines: Vec::new(),
        contents: 0,
    };
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to.join("files"))?;
    for (place, one) in laid.iter().enumerate() {
        let here: Vec<&str> = one
            .claims
            .needs
            .iter()
            .map(|need| need.component.as_str())
            .filter(|component| one.request.nodes(component).any(|name| name == node))
            .collect();
        if !here.is_empty() {
            manifest.lay_components(one, &here, node);
            manifest.lay_members(scenario, one);
            manifest.lay_fetched(one, &here, &scenario.python_index);
            manifest.lay_files(one, &here)?;
            manifest.lay_units(one, &here);
            manifest.lay_scripts(one, &here, place + 1)?;
        }
    }
    let mut lines = manifest.lines;
    lines.push(String::new());
    fs::write(to.join("manifest"), lines.join("\n"))?;
    Ok(())
}

/// Those of this node that a thing is for.
fn concerned<'a>(components: &'a [String], here: &[&str]) -> Option<Vec<&'a str>> {
    let named: Vec<&str> = components
        .iter()
        .map(String::as_str)
        .filter(|one| here.contains(one))
        .collect();
    (components.is_empty() || !named.is_empty()).then_some(named)
}

impl NodeManifest<'_> {
    fn add(&mut self, kind: &str, fields: &[(&str, String)]) {
        let fields = fields.iter().map(|(key, value)| format!("\t{key}={value}"));
        self.lines
            .push(format!("{kind}{}", fields.collect::<String>()));
    }

    fn lay_components(&mut self, one: &LaidFramework, here: &[&str], node: &str) {
        for component in here {
            let member = one
                .request
                .members(component)
                .iter()
                .find(|member| member.node == node);
            let index = member.map_or(0, |member| member.index).to_string();
            let plugin = one.descriptor.name.clone();
            self.add(
                "component",
                &[
                    ("name", (*component).to_owned()),
                    ("plugin", plugin),
                    ("index", index),
                ],
            );
        }
    }

    fn lay_members(&mut self, scenario: &NodeScenario, one: &LaidFramework) {
        for placement in &one.request.placements {
            let nodes: Vec<&str> = placement
                .members
                .iter()
                .map(|member| member.node.as_str())
                .collect();
            let indexes: Vec<String> = placement
                .members
                .iter()
                .map(|member| member.index.to_string())
                .collect();
            self.lay_set("members", &placement.component, &nodes, &indexes);
        }
        for (kind, sets) in &scenario.change {
            for (component, members) in sets {
                let nodes: Vec<&str> = members.iter().map(|(node, _)| node.as_str()).collect();
                let indexes: Vec<String> =
                    members.iter().map(|(_, index)| index.to_string()).collect();
                self.lay_set(kind, component, &nodes, &indexes);
            }
        }
    }

    fn lay_set(&mut self, kind: &str, component: &str, nodes: &[&str], indexes: &[String]) {
        let fields = [
            ("component", component.to_owned()),
            ("nodes", nodes.join(",")),
            ("indexes", indexes.join(",")),
        ];
        let is_new = !self
            .lines
            .iter()
            .any(|line| line.starts_with(&format!("{kind}\tcomponent={component}\t")));
        if is_new && !nodes.is_empty() {
            self.add(kind, &fields);
        }
    }

    fn lay_fetched(&mut self, one: &LaidFramework, here: &[&str], python_index: &str) {
        let plugin = one.descriptor.name.clone();
        for secret in &one.bundle.secrets {
            let shared = if secret.shared { "yes" } else { "no" };
            self.add(
                "secret",
                &[
                    ("name", secret.name.clone()),
                    ("plugin", plugin.clone()),
                    ("shared", shared.to_owned()),
                ],
            );
        }
        for software in &one.bundle.software {
            let Some(named) = concerned(&software.components, here) else {
                continue;
            };
            let each =
                |key: &'static str| software.names.iter().map(move |name| (key, name.clone()));
            let mut fields: Vec<(&str, String)> =
                match (software.kind.as_str(), &software.names[..]) {
                    ("java", [oldest, newest]) => {
                        vec![
                            ("plugin", plugin.clone()),
                            ("oldest", oldest.clone()),
                            ("newest", newest.clone()),
                        ]
                    }
                    ("pip", _) => [("to", software.to.clone())]
                        .into_iter()
                        .chain(each("line"))
                        .collect(),
                    _ => each("package").collect(),
                };
            if software.kind == "pip" {
                fields.extend(
                    named
                        .iter()
                        .map(|component| ("component", (*component).to_owned())),
                );
                if !python_index.is_empty() {
                    fields.push(("url", python_index.to_owned()));
                }
            }
            self.add(&software.kind, &fields);
        }
        for artifact in &one.bundle.artifacts {
            let Some(named) = concerned(&artifact.components, here) else {
                continue;
            };
            let mut fields = vec![
                ("to", artifact.to.clone()),
                ("path", format!("/{}", artifact.path)),
                ("sum", artifact.sha512.clone()),
            ];
            fields.extend(artifact.bases.iter().map(|base| ("base", base.clone())));
            fields.extend(
                named
                    .iter()
                    .map(|component| ("component", (*component).to_owned())),
            );
            self.add("artifact", &fields);
        }
    }

    fn lay_files(&mut self, one: &LaidFramework, here: &[&str]) -> Result<()> {
        for file in &one.bundle.files {
            let Some(named) = concerned(&file.components, here) else {
                continue;
            };
            if !file.groups.is_empty() && !file.groups.contains(&self.group) {
                continue;
            }
            self.contents += 1;
            let name = self.contents.to_string();
            fs::write(self.to.join("files").join(&name), &file.content)?;
            self.lay_owner(&file.owner, &[]);
            let effect = match file.effect {
                Effect::Nothing => "nothing",
                Effect::Reload => "reload",
                Effect::Restart => "restart",
            };
            let mut fields = vec![
                ("path", file.path.clone()),
                ("from", format!("/opt/stampede/files/{name}")),
                ("plugin", one.descriptor.name.clone()),
                ("owner", file.owner.clone()),
                ("mode", format!("{:04o}", file.mode)),
                ("effect", effect.to_owned()),
            ];
            fields.extend(
                named
                    .iter()
                    .map(|component| ("component", (*component).to_owned())),
            );
            self.add("file", &fields);
        }
        Ok(())
    }

    /// A user that is root's is there; a group may be missing all the same.
    fn lay_owner(&mut self, owner: &str, member_of: &[String]) {
        let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
        let mut groups: Vec<String> = member_of.to_vec();
        let own = if user == "root" { user } else { group };
        if user == "root" && group != "root" {
            groups.push(group.to_owned());
        }
        let mut fields = vec![("name", user.to_owned()), ("group", own.to_owned())];
        if !groups.is_empty() {
            fields.push(("groups", groups.join(",")));
        }
        if user != "root" || !groups.is_empty() {
            self.add("user", &fields);
        }
    }

    fn lay_units(&mut self, one: &LaidFramework, here: &[&str]) {
        let is_here = |unit: &&Unit| {
            here.contains(&unit.component.as_str())
                && (unit.groups.is_empty() || unit.groups.contains(&self.group))
        };
        let units: Vec<&Unit> = one.bundle.units.iter().filter(is_here).collect();
        for unit in units {
            self.lay_owner(&unit.owner, &unit.member_of);
            for path in &unit.data {
                self.add(
                    "data",
                    &[("path", path.clone()), ("owner", unit.owner.clone())],
                );
            }
            let mut fields = vec![
                ("name", unit.name.clone()),
                ("component", unit.component.clone()),
                ("owner", unit.owner.clone()),
                ("exec", unit.exec.clone()),
            ];
            fields.extend(unit.data.iter().map(|path| ("data", path.clone())));
            fields.extend(
                unit.directives
                    .iter()
                    .map(|(key, value)| ("directive", format!("{key}={value}"))),
            );
            self.add("unit", &fields);
        }
        for check in one
            .bundle
            .checks
            .iter()
            .filter(|check| here.contains(&check.component.as_str()))
        {
            let (kind, target) = match check.probe.split_once(':') {
                Some(("tcp", port)) => ("tcp", port.trim_start_matches("//:").to_owned()),
                Some(("exec", command)) => ("command", command.to_owned()),
                Some(("jobs", command)) => ("jobs", command.to_owned()),
                _ => ("http", check.probe.clone()),
            };
            self.add(
                "check",
                &[
                    ("component", check.component.clone()),
                    ("kind", kind.to_owned()),
                    ("target", target),
                ],
            );
        }
    }

    fn lay_scripts(&mut self, one: &LaidFramework, here: &[&str], place: usize) -> Result<()> {
        let folder = self
            .to
            .join("scripts")
            .join(format!("{place:02}-{}", one.descriptor.name));
        fs::create_dir_all(&folder)?;
        for script in one
            .bundle
            .scripts
            .iter()
            .filter(|script| here.contains(&script.component.as_str()))
        {
            let stage = match script.stage {
                Stage::Setup => "setup",
                Stage::Ready => "ready",
                Stage::Smoke => "smoke",
                Stage::Drain => "drain",
                Stage::Members => "members",
            };
            fs::write(
                folder.join(format!("{stage}.{}.sh", script.component)),
                &script.body,
            )?;
        }
        Ok(())
    }
}
