//! A cluster for tests, and the part of the host that chooses and grants.

use serde_json::{Value, json};
use stampede_framework::{
    Bundle, Claims, Extension, Grant, Guest, Member, Need, Placement, Problem, Request,
};

use crate::HadoopPlugin;

/// A node: its memory in MiB and its processors.
pub(crate) type NodeSize = (u32, u32);

/// A request for a master and so many workers.
pub(crate) fn request(workers: u32, settings: &Value) -> Request {
    let master = || vec!["master".to_owned()];
    let workers = || -> Vec<String> { (1..=workers).map(|id| format!("worker-{id}")).collect() };
    let all = || [master(), workers()].concat();
    let placement = |(component, nodes): (&str, Vec<String>)| Placement {
        component: component.to_owned(),
        members: nodes
            .into_iter()
            .zip(1..)
            .map(|(node, index)| Member { node, index })
            .collect(),
    };
    let placements = [
        ("node", all()),
        ("hadoop_client", all()),
        ("namenode", master()),
        ("datanode", workers()),
        ("resourcemanager", master()),
        ("nodemanager", workers()),
        ("jobhistory", master()),
    ];
    Request {
        cluster: "demo".to_owned(),
        version: "3.5.0".to_owned(),
        settings: settings.to_string(),
        placements: placements.into_iter().map(placement).collect(),
        services: vec![],
    }
}

/// What the system of a node leaves: what the host keeps for it.
fn shareable(node_mib: u32) -> u32 {
    let reserve = if node_mib <= 4_096 { 512 } else { 1_024 };
    // Just above a small node there is not less to share than on it.
    (node_mib - reserve).max(node_mib.min(4_096) - 512)
}

/// Shares a node's memory as the host does: `least + weight * level`, the most at most, by the largest
/// whole level that fits; none where the leasts do not.
pub(crate) fn share(node_mib: u32, needs: &[&Need]) -> Option<Vec<u32>> {
    let at = |level: u32| -> Vec<u32> {
        let one = |need: &&Need| {
            let wanted = need.least_mib + need.weight * level;
            if need.most_mib == 0 {
                wanted
            } else {
                wanted.min(need.most_mib)
            }
        };
        needs.iter().map(one).collect()
    };
    let fits = |level: u32| at(level).iter().sum::<u32>() <= shareable(node_mib);
    if !fits(0) {
        return None;
    }
    let (mut low, mut high) = (0, node_mib + 1);
    while low + 1 < high {
        let middle = u32::midpoint(low, high);
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(at(low))
}

/// Which components run in a group, with the size of its nodes.
pub(crate) type GroupNodes<'a> = (&'a str, &'a [&'a str], NodeSize);

/// What runs on the master.
pub(crate) const ON_MASTER: &[&str] =
    &["hadoop_client", "namenode", "resourcemanager", "jobhistory"];
/// What runs on workers.
pub(crate) const ON_WORKERS: &[&str] = &["hadoop_client", "datanode", "nodemanager"];

/// Grants in these groups; none where a node is too small.
pub(crate) fn grants(claims: &Claims, groups: &[GroupNodes<'_>]) -> Option<Vec<Grant>> {
    let mut grants = Vec::new();
    for (group, components, (node_mib, vcpus)) in groups {
        let needs = claims.needs.iter();
        let here: Vec<&Need> = needs
            .filter(|need| components.contains(&need.component.as_str()))
            .collect();
        let shares = share(*node_mib, &here)?;
        grants.extend(here.iter().zip(shares).map(|(need, memory_mib)| Grant {
            component: need.component.clone(),
            group: (*group).to_owned(),
            vcpus: *vcpus,
            memory_mib,
            disk_gib: 20,
            volume_gib: 0,
        }));
    }
    Some(grants)
}

/// From a request to the bundle, with what is computed in the settings, as the host does it.
pub(crate) fn generated(
    request: &Request,
    groups: &[GroupNodes<'_>],
    extensions: &[(&str, &str, &str)],
) -> Result<Bundle, Vec<Problem>> {
    let claims = HadoopPlugin::claim(request.clone(), None)?;
    let mut settings: Value = serde_json::from_str(&request.settings).unwrap();
    for (name, value) in &claims.computed {
        settings[name] = serde_json::from_str(value).unwrap();
    }
    let request = Request {
        settings: settings.to_string(),
        ..request.clone()
    };
    let extensions = extensions.iter().map(|(service, key, value)| Extension {
        service: (*service).to_owned(),
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    });
    let grants = grants(&claims, groups).expect("the nodes are large enough");
    HadoopPlugin::generate(request, grants, extensions.collect())
}

/// A bundle of a master of 4 GiB and workers of this memory, with two processors each.
pub(crate) fn bundle(workers: u32, ram_mib: u32, settings: &Value) -> Result<Bundle, Vec<Problem>> {
    let groups = [
        ("master", ON_MASTER, (4_096, 2)),
        ("worker", ON_WORKERS, (ram_mib, 2)),
    ];
    generated(&request(workers, settings), &groups, &[])
}

/// Problems as lines.
pub(crate) fn lines(problems: &[Problem]) -> String {
    let line =
        |problem: &Problem| format!("{}: {} ({})", problem.path, problem.message, problem.hint);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The content of a file, on nodes of a group.
pub(crate) fn content<'a>(bundle: &'a Bundle, path: &str, group: &str) -> &'a str {
    let mut files = bundle.files.iter();
    let found = files.find(|file| {
        file.path == path && (file.groups.is_empty() || file.groups.contains(&group.to_owned()))
    });
    &found
        .unwrap_or_else(|| panic!("no {path} in {group}"))
        .content
}

/// A property of a file, on workers; none where it is not set.
pub(crate) fn property(bundle: &Bundle, file: &str, group: &str, name: &str) -> Option<String> {
    let text = content(bundle, &format!("/etc/hadoop/{file}.xml"), group);
    let start = format!("<name>{name}</name><value>");
    let (_, rest) = text.split_once(&start)?;
    Some(rest.split_once("</value>")?.0.to_owned())
}

/// A property of a file on workers.
pub(crate) fn value(bundle: &Bundle, file: &str, name: &str) -> String {
    let found = property(bundle, &format!("{file}-site"), "worker", name);
    found.unwrap_or_else(|| panic!("{name} is not set"))
}

/// Nothing set.
pub(crate) fn nothing() -> Value {
    json!({})
}
