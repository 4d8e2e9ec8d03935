//! What is told of a plan before it is made: what its nodes fetch, what they listen on, and who may
//! reach them. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::cluster::ClusterSpec;
use crate::cluster::framework_bundle::{ComponentEndpoint, FrameworkBundle, SoftwareSource};

/// What is told of a plan that no template says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanDescription {
    /// What nodes fetch.
    pub downloads: Vec<PlannedDownload>,
    /// Where it will be reached.
    pub endpoints: Vec<ComponentEndpoint>,
}

/// Something that nodes fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlannedDownload {
    /// For which plugin; empty: for all.
    pub plugin: String,
    /// How it is fetched.
    pub kind: DownloadKind,
    /// What: a path, packages, requirements.
    pub what: String,
    /// Where from, the first that answers; empty: from where the image has its packages.
    pub from: Vec<String>,
    /// The checksum that it is held against; empty where its package manager does that.
    pub checksum: String,
}

/// How something is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DownloadKind {
    /// A file with a checksum.
    File,
    /// Packages of the distribution.
    Packages,
    /// Packages of Python.
    Python,
    /// A Java, where the image has none that will do.
    Java,
}

/// A rule that lets somebody in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OpenPort {
    /// `tcp`, `icmp`; `any` for all.
    pub protocol: String,
    /// The ports, `22` or `30000-32767`; empty: all.
    pub ports: String,
    /// A network; none: the nodes of the cluster alone.
    pub from: Option<String>,
}

impl PlanDescription {
    /// What these bundles have nodes fetch, and where they are reached.
    pub fn of_bundles(spec: &ClusterSpec, bundles: &[FrameworkBundle]) -> Self {
        let mut downloads = BTreeSet::new();
        for bundle in bundles {
            downloads.extend(files(spec, bundle));
            let software = bundle.software.iter();
            downloads.extend(software.map(|one| packages(spec, &bundle.plugin, &one.source)));
        }
        let javas = spec.javas.iter().map(|java| PlannedDownload {
            plugin: String::new(),
            kind: DownloadKind::File,
            what: format!("Java {}", java.version),
            from: vec![java.url.clone()],
            checksum: java.sum.clone(),
        });
        downloads.extend(javas);
        let endpoints = bundles.iter().flat_map(|bundle| bundle.endpoints.clone());
        Self {
            downloads: downloads.into_iter().collect(),
            endpoints: endpoints.collect(),
        }
    }
}

fn files<'a>(
    spec: &'a ClusterSpec,
    bundle: &'a FrameworkBundle,
) -> impl Iterator<Item = PlannedDownload> + 'a {
    bundle.artifacts.iter().map(|file| {
        let mirror = spec.mirror.iter();
        PlannedDownload {
            plugin: bundle.plugin.clone(),
            kind: DownloadKind::File,
            what: file.path.clone(),
            from: mirror.chain(&file.bases).cloned().collect(),
            checksum: format!("sha512:{}", file.sha512),
        }
    })
}

fn packages(spec: &ClusterSpec, plugin: &str, source: &SoftwareSource) -> PlannedDownload {
    let (kind, what, from) = match source {
        SoftwareSource::Apt { packages } => {
            (DownloadKind::Packages, packages.join(", "), Vec::new())
        }
        SoftwareSource::Java { oldest, newest } if oldest == newest => {
            (DownloadKind::Java, format!("Java {oldest}"), Vec::new())
        }
        SoftwareSource::Java { oldest, newest } => {
            let what = format!("Java {oldest} to {newest}");
            (DownloadKind::Java, what, Vec::new())
        }
        SoftwareSource::Pip { lines, .. } => {
            let index = spec.python_index.iter().cloned().collect();
            (DownloadKind::Python, lines.join(", "), index)
        }
    };
    PlannedDownload {
        plugin: plugin.to_owned(),
        kind,
        what,
        from,
        checksum: String::new(),
    }
}

/// Whom a template lets in: its rules for what comes in, each once.
pub fn open_ports(template: &Value) -> Vec<OpenPort> {
    let resources = template.get("resources").and_then(Value::as_object);
    let all = resources.into_iter().flat_map(serde_json::Map::values);
    let mut found = BTreeSet::new();
    for resource in all {
        let properties = resource.get("properties").unwrap_or(&Value::Null);
        match resource.get("type").and_then(Value::as_str) {
            Some("OS::Neutron::SecurityGroupRule") => found.extend(open_port(properties)),
            Some("OS::Neutron::SecurityGroup") => {
                let rules = properties.get("rules").and_then(Value::as_array);
                found.extend(rules.into_iter().flatten().filter_map(open_port));
            }
            _ => {}
        }
    }
    found.into_iter().collect()
}

fn open_port(rule: &Value) -> Option<OpenPort> {
    let text = |name: &str| rule.get(name).and_then(Value::as_str);
    if text("direction") == Some("egress") {
        return None;
    }
    let port = |name: &str| match rule.get(name)? {
        Value::String(port) => Some(port.clone()),
        Value::Number(port) => Some(port.to_string()),
        _ => None,
    };
    let (first, last) = (port("port_range_min"), port("port_range_max"));
    let ports = match (first, last) {
        (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
        (first, last) => first.or(last).unwrap_or_default(),
    };
    // A rule without a network that names a group is for the group's members.
    let names_group = |name: &&str| rule.get(*name).is_some();
    let is_inner = text("remote_mode") == Some("remote_group_id")
        || ["remote_group", "remote_group_id"].iter().any(names_group);
    let everybody = || (!is_inner).then(|| "0.0.0.0/0".to_owned());
    Some(OpenPort {
        protocol: text("protocol").unwrap_or("any").to_owned(),
        ports,
        from: text("remote_ip_prefix")
            .map(str::to_owned)
            .or_else(everybody),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_may_come_in_is_read_from_the_template_and_who_may_go_out_is_not() {
        let ssh = json!({"direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "198.51.100.0/24"});
        let wide = json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 9});
        let inner = json!({"remote_mode": "remote_group_id"});
        let out = json!({"direction": "egress", "protocol": "tcp"});
        let template = json!({"resources": {
            "group": {"type": "OS::Neutron::SecurityGroup", "properties": {"rules": [inner, out, wide]}},
            "ssh": {"type": "OS::Neutron::SecurityGroupRule", "properties": ssh},
            "ssh_again": {"type": "OS::Neutron::SecurityGroupRule", "properties": ssh},
            "net": {"type": "OS::Neutron::Net"},
        }});
        let open = open_ports(&template);
        let told: Vec<(&str, &str, Option<&str>)> = open
            .iter()
            .map(|one| (&*one.protocol, &*one.ports, one.from.as_deref()))
            .collect();
        let wanted = [
            ("any", "", None),
            ("tcp", "1-9", Some("0.0.0.0/0")),
            ("tcp", "22", Some("198.51.100.0/24")),
        ];
        assert_eq!(told, wanted);
    }
}
