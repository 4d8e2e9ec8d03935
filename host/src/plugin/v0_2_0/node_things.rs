//! Reads what a bundle has stand on nodes: software, downloads, files, units and checks.

use std::collections::BTreeSet;

use super::bundle_judge::BundleJudge;
use super::forms::{
    self, GROUP_FORM, OWNER_FORM, USER_FORM, begins_with, check_content, check_each,
    check_some_text, check_text, is_below, is_directive, is_owner, path_fault, shown,
};
use super::{limits, wit};
use crate::bundle::placeholders::{NodePlaceholder, find_placeholders};
use crate::cluster::framework_bundle::{
    CheckProbe, ComponentCheck, ConfigFile, DaemonUnit, DownloadArtifact, FileEffect, NodeSoftware,
    SoftwareSource,
};
use crate::plugin::fault_list::FaultList;

/// The kind of software that is a Java.
pub(super) const JAVA: &str = "java";
/// Where software and downloads stand.
const SOFTWARE_FOLDERS: [&str; 1] = ["/opt"];
/// Where data stands.
const DATA_FOLDERS: [&str; 3] = ["/var/lib", "/var/log", "/srv"];
/// Where files stand.
const FILE_FOLDERS: [&str; 7] = [
    "/etc",
    "/opt",
    "/srv",
    "/usr/local",
    "/usr/share",
    "/var/lib",
    "/var/log",
];
/// Directives that have fields of their own.
const OWN_DIRECTIVES: [&str; 4] = ["User", "Group", "SupplementaryGroups", "ExecStart"];
/// How directives begin that open or close the way to addresses: a later one undoes the frame's, which
/// closes the way to the cloud's metadata service.
const FENCE_DIRECTIVES: &str = "IPAddress";
/// What makes one line of the next for systemd, at the end of a line.
const CONTINUATION: char = '\\';
/// Digits of a download's checksum.
const SHA512_CHARS: usize = 128;
/// Permissions of a file, from and to.
const MODES: std::ops::RangeInclusive<u32> = 0o400..=0o777;
/// What others may have of a file that holds no secret.
const OTHERS: u32 = 0o007;
/// How a unit's program may begin instead of with `/`.
const JAVA_PROGRAM: &str = "@{java}/";

/// What was found in a text.
#[derive(Clone, Copy, Default)]
struct FoundPlaceholders {
    has_secret: bool,
    /// Each of them is something: else nobody needs to look at what gets the text.
    is_whole: bool,
}

impl BundleJudge<'_> {
    pub(super) fn read_software(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::Software>,
    ) -> Vec<NodeSoftware> {
        let javas = theirs.iter().filter(|one| one.kind == JAVA).count();
        let what = format!("there are {javas} of kind java, a plugin has one");
        faults.check(javas <= 1, "software", what);
        let mut software = Vec::new();
        for (at, one) in theirs.into_iter().enumerate() {
            let place = format!("software[{at}]");
            let components = self.read_components(faults, &place, one.components);
            let source = read_source(faults, &place, &one.kind, one.names, one.to);
            if let (Some(components), Some(source)) = (components, source) {
                software.push(NodeSoftware { components, source });
            }
        }
        software
    }

    pub(super) fn read_artifacts(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::Artifact>,
    ) -> Vec<DownloadArtifact> {
        let mut artifacts = Vec::new();
        for (at, one) in theirs.into_iter().enumerate() {
            let place = format!("artifacts[{at}]");
            let components = self.read_components(faults, &place, one.components);
            let what = format!("{} is no path below a mirror", shown(&one.path));
            faults.check(
                forms::is_download_path(&one.path),
                format_args!("{place}.path"),
                what,
            );
            let bases = format!("{place}.bases");
            faults.check(!one.bases.is_empty(), &bases, "there is none");
            let form = "a URL of http or https without a trailing slash, user or query";
            check_each(faults, &bases, &one.bases, forms::is_base_url, form);
            faults.check(
                forms::is_hex(&one.sha512, SHA512_CHARS),
                format_args!("{place}.sha512"),
                format_args!(
                    "{} is not 128 hexadecimal digits in lower case",
                    shown(&one.sha512)
                ),
            );
            let is_machine = one.machine.is_empty() || forms::is_machine(&one.machine);
            let what = format!("{} is no machine", shown(&one.machine));
            faults.check(is_machine, format_args!("{place}.machine"), what);
            let to = format!("{place}.to");
            let is_path = check_path(faults, &to, &one.to, &SOFTWARE_FOLDERS);
            if let (Some(components), true) = (components, is_path) {
                artifacts.push(DownloadArtifact {
                    components,
                    path: one.path,
                    bases: one.bases,
                    sha512: one.sha512,
                    machine: one.machine,
                    to: one.to,
                });
            }
        }
        artifacts
    }

    pub(super) fn read_files(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::File>,
    ) -> Vec<ConfigFile> {
        let mut files = Vec::new();
        for (at, one) in theirs.into_iter().enumerate() {
            let place = format!("files[{at}]");
            let components = self.read_components(faults, &place, one.components);
            check_groups(faults, &place, &one.groups);
            let is_path = check_path(faults, &format!("{place}.path"), &one.path, &FILE_FOLDERS);
            check_owner(faults, &place, &one.owner);
            let mode = format_args!("{place}.mode");
            let what = format!("0o{:o} is none from 0o400 to 0o777", one.mode);
            faults.check(MODES.contains(&one.mode), mode, what);
            let content = format!("{place}.content");
            check_content(faults, &content, &one.content, limits::CONTENT_BYTES);
            let found = self.check_placeholders(faults, &content, &one.content);
            let what = format!("0o{:o} lets others read a secret: end it in 0", one.mode);
            let is_open = found.has_secret && one.mode & OTHERS != 0;
            faults.check(!is_open, mode, what);
            let is_whole = is_path && found.is_whole;
            if let (Some(components), true) = (components, is_whole) {
                files.push(ConfigFile {
                    components,
                    groups: one.groups,
                    path: one.path,
                    owner: one.owner,
                    mode: one.mode,
                    effect: match one.effect {
                        wit::Effect::Nothing => FileEffect::Nothing,
                        wit::Effect::Reload => FileEffect::Reload,
                        wit::Effect::Restart => FileEffect::Restart,
                    },
                    content: one.content,
                });
            }
        }
        files
    }

    pub(super) fn read_units(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::Unit>,
    ) -> Vec<DaemonUnit> {
        let mut units = Vec::new();
        for (at, one) in theirs.into_iter().enumerate() {
            let place = format!("units[{at}]");
            let is_claimed = self.read_component(faults, &place, &one.component);
            let is_whole = self.check_unit(faults, &place, &one);
            let data = read_data(faults, &format!("{place}.data"), one.data);
            if is_claimed && is_whole {
                units.push(DaemonUnit {
                    component: one.component,
                    groups: one.groups,
                    name: one.name,
                    owner: one.owner,
                    member_of: one.member_of,
                    exec: one.exec,
                    data,
                    directives: one.directives,
                });
            }
        }
        units
    }

    /// Whether all that nodes replace in it is something.
    fn check_unit(&self, faults: &mut FaultList, place: &str, unit: &wit::Unit) -> bool {
        check_groups(faults, place, &unit.groups);
        let plugin = &self.descriptor.name;
        let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        faults.check(
            begins_with(&unit.name, plugin, '-')
                && unit.name.len() <= limits::UNIT_CHARS
                && unit.name.bytes().all(is_part),
            format_args!("{place}.name"),
            format_args!(
                "{} is not `{plugin}`, alone or with `-` and more of [a-z0-9_-], up to {} characters",
                shown(&unit.name),
                limits::UNIT_CHARS
            ),
        );
        check_owner(faults, place, &unit.owner);
        let list = format!("{place}.member-of");
        check_each(faults, &list, &unit.member_of, forms::is_user, USER_FORM);
        let exec = format!("{place}.exec");
        let program = unit.exec.split(' ').next().unwrap_or_default();
        let program = program
            .strip_prefix(JAVA_PROGRAM)
            .map_or_else(|| program.to_owned(), |rest| format!("/{rest}"));
        let what = format!("{} begins with no program by its path", shown(&unit.exec));
        faults.check(path_fault(&program).is_none(), &exec, what);
        check_line(faults, &exec, &unit.exec, limits::LONG_TEXT_BYTES);
        let mut is_whole = self.check_open_placeholders(faults, &exec, &unit.exec);
        for (at, (name, value)) in unit.directives.iter().enumerate() {
            let place = format!("{place}.directives[{at}]");
            let is_own =
                OWN_DIRECTIVES.contains(&name.as_str()) || name.starts_with(FENCE_DIRECTIVES);
            let what = format!("{} is no directive that a plugin may add", shown(name));
            faults.check(is_directive(name) && !is_own, &place, what);
            check_line(faults, &place, value, limits::TEXT_BYTES);
            is_whole &= self.check_open_placeholders(faults, &place, value);
        }
        is_whole
    }

    pub(super) fn read_checks(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::Check>,
    ) -> Vec<ComponentCheck> {
        let mut checks = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, one) in theirs.into_iter().enumerate() {
            let place = format!("checks[{at}]");
            let is_claimed = self.read_component(faults, &place, &one.component);
            let probe = read_probe(faults, &format!("{place}.probe"), &one.probe);
            let is_first = seen.insert((one.component.clone(), one.probe));
            faults.check(is_first, &place, "it stands there twice");
            if let (true, Some(probe)) = (is_claimed, probe) {
                checks.push(ComponentCheck {
                    component: one.component,
                    probe,
                });
            }
        }
        checks
    }

    /// Every placeholder is one that nodes know.
    fn check_placeholders(
        &self,
        faults: &mut FaultList,
        place: &str,
        text: &str,
    ) -> FoundPlaceholders {
        let found = match find_placeholders(text) {
            Ok(found) => found,
            Err(unknown) => {
                faults.add(place, format_args!("nodes know no {}", shown(&unknown)));
                return FoundPlaceholders::default();
            }
        };
        let mut is_whole = true;
        for one in &found {
            match one {
                NodePlaceholder::Java => {
                    let what = "`@{java}` stands there, and the plugin asks for no Java";
                    faults.check(self.has_java, place, what);
                    is_whole &= self.has_java;
                }
                NodePlaceholder::Secret(name) => {
                    let what = format!("the plugin has no secret {}", shown(name));
                    faults.check(self.secrets.contains_key(name), place, what);
                }
                // Whether the nodes that get it have the component, or a Java, their conflicts tell.
                NodePlaceholder::Index(of) if !self.placed.contains(of.as_str()) => {
                    let what = format!("this cluster has no component {}", shown(of));
                    faults.add(place, what);
                    is_whole = false;
                }
                NodePlaceholder::Index(_) | NodePlaceholder::Node | NodePlaceholder::Address => {}
            }
        }
        let is_secret = |one: &NodePlaceholder| matches!(one, NodePlaceholder::Secret(_));
        FoundPlaceholders {
            has_secret: found.iter().any(is_secret),
            is_whole,
        }
    }

    /// The same where anybody may read it; whether all of it is something.
    fn check_open_placeholders(&self, faults: &mut FaultList, place: &str, text: &str) -> bool {
        let found = self.check_placeholders(faults, place, text);
        let what = "a secret stands there, which anybody can read";
        faults.check(!found.has_secret, place, what);
        found.is_whole
    }
}

fn check_groups(faults: &mut FaultList, place: &str, groups: &[String]) {
    let list = format!("{place}.groups");
    check_each(faults, &list, groups, forms::is_group, GROUP_FORM);
}

/// A line of a unit. systemd drops blanks at its end before it looks for what joins it with the next.
fn check_line(faults: &mut FaultList, place: &str, text: &str, most: usize) {
    check_text(faults, place, text, most);
    let is_open = text.trim_end().ends_with(CONTINUATION);
    let what = format!("it ends in `{CONTINUATION}`, and would swallow the line after it");
    faults.check(!is_open, place, what);
}

fn check_owner(faults: &mut FaultList, place: &str, owner: &str) {
    let what = format!("{} is not {OWNER_FORM}", shown(owner));
    faults.check(is_owner(owner), format_args!("{place}.owner"), what);
}

/// Of folders that are none the rest would only be told again.
fn read_data(faults: &mut FaultList, list: &str, folders: Vec<String>) -> Vec<String> {
    check_each(faults, list, &folders, |_| true, "");
    let folders = folders.into_iter().enumerate();
    folders
        .filter(|(at, folder)| check_path(faults, &format!("{list}[{at}]"), folder, &DATA_FOLDERS))
        .map(|(_, folder)| folder)
        .collect()
}

/// Whether the path is one, below one of the folders.
fn check_path(faults: &mut FaultList, place: &str, path: &str, above: &[&str]) -> bool {
    let fault = path_fault(path).or_else(|| {
        let is_there = above.iter().any(|above| is_below(path, above));
        (!is_there).then(|| format!("{} is not below {}", shown(path), above.join(", ")))
    });
    let is_path = fault.is_none();
    if let Some(fault) = fault {
        faults.add(place, fault);
    }
    is_path
}

fn read_source(
    faults: &mut FaultList,
    place: &str,
    kind: &str,
    names: Vec<String>,
    to: String,
) -> Option<SoftwareSource> {
    let list = format!("{place}.names");
    faults.check(!names.is_empty(), &list, "there is none");
    if kind != "pip" {
        faults.check(
            to.is_empty(),
            format_args!("{place}.to"),
            "only pip has a folder",
        );
    }
    match kind {
        "apt" => {
            check_each(faults, &list, &names, forms::is_package, "a package's name");
            Some(SoftwareSource::Apt { packages: names })
        }
        "pip" => {
            let form = "a requirement that is pinned with ==";
            check_each(faults, &list, &names, forms::is_requirement, form);
            let hashed = names.iter().filter(|line| forms::has_hash(line)).count();
            let what = format!(
                "{hashed} of {} have hashes: all have, or none has",
                names.len()
            );
            faults.check(hashed == 0 || hashed == names.len(), &list, what);
            let is_path = check_path(faults, &format!("{place}.to"), &to, &SOFTWARE_FOLDERS);
            is_path.then_some(SoftwareSource::Pip { to, lines: names })
        }
        JAVA => {
            let range = match names.as_slice() {
                [oldest, newest] => read_java(oldest).zip(read_java(newest)),
                _ => None,
            };
            let range = range.filter(|(oldest, newest)| oldest <= newest);
            let what = format!(
                "{} is not the oldest and the newest Java, from 1 to {}",
                shown(&names.join(", ")),
                limits::JAVA
            );
            faults.check(range.is_some(), &list, what);
            // That there is none on the nodes would only be told again.
            let (oldest, newest) = range.unwrap_or_default();
            Some(SoftwareSource::Java { oldest, newest })
        }
        _ => {
            let what = format!("this host knows apt, java and pip, and not {}", shown(kind));
            faults.add(format_args!("{place}.kind"), what);
            None
        }
    }
}

fn read_java(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| is_plain)?;
    (1..=limits::JAVA).contains(&number).then_some(number)
}

fn read_probe(faults: &mut FaultList, place: &str, text: &str) -> Option<CheckProbe> {
    let port = |text: &str| {
        let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        text.parse::<u16>()
            .ok()
            .filter(|port| is_plain && *port != 0)
    };
    let page = |rest: &str, tls: bool| {
        let end = rest.find('/').unwrap_or(rest.len());
        let (number, path) = rest.split_at(end);
        let path = path.to_owned();
        let port = port(number).filter(|_| forms::is_probe_path(&path))?;
        Some(CheckProbe::Http { tls, port, path })
    };
    if let Some(command) = text.strip_prefix("exec:") {
        check_some_text(faults, place, command, limits::TEXT_BYTES);
        let command = command.to_owned();
        return Some(CheckProbe::Exec { command });
    }
    if let Some(command) = text.strip_prefix("jobs:") {
        check_some_text(faults, place, command, limits::TEXT_BYTES);
        let command = command.to_owned();
        return Some(CheckProbe::Jobs { command });
    }
    let probe = if let Some(rest) = text.strip_prefix("tcp://:") {
        port(rest).map(|port| CheckProbe::Tcp { port })
    } else if let Some(rest) = text.strip_prefix("http://:") {
        page(rest, false)
    } else if let Some(rest) = text.strip_prefix("https://:") {
        page(rest, true)
    } else {
        None
    };
    let what = format!(
        "{} is none of tcp://:PORT, http://:PORT/PATH, https://:PORT/PATH, exec:COMMAND, jobs:COMMAND",
        shown(text)
    );
    faults.check(probe.is_some(), place, what);
    probe
}
