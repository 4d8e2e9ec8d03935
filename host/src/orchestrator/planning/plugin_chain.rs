//! Which plugins make a cluster, in which order: `cluster` first, then each after those that
//! provide what it requires, or uses and is there, else as asked for. Pure.

use std::collections::BTreeMap;

use crate::cluster::{
    FrameworkDescriptor, Problem, attribute_names::nearest, framework::CLUSTER,
    spec::FrameworkChoice,
};

/// Components of all plugins of a cluster: what a request to a plugin may name.
pub const MAX_COMPONENTS: usize = 1_024;

/// The chain. The same request gives the same order.
///
/// # Errors
/// A plugin that is not there; a requirement that nothing asked for provides, with those that
/// would; two that provide the same, or have a component of one name; too many components; a circle.
pub fn order_plugins<'a>(
    frameworks: &[FrameworkChoice],
    there: &[&'a FrameworkDescriptor],
) -> Result<Vec<&'a FrameworkDescriptor>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut open: Vec<&FrameworkDescriptor> = Vec::new();
    for name in
        std::iter::once(CLUSTER).chain(frameworks.iter().map(|framework| framework.name.as_str()))
    {
        match there.iter().find(|plugin| plugin.name == name) {
            Some(plugin) if !open.iter().any(|other| other.name == name) => open.push(plugin),
            Some(_) => {}
            None => problems.push(unknown(name, there)),
        }
    }
    problems.extend(missing(&open, there));
    problems.extend(twice(&open));
    problems.extend(check_components(&open));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut chain: Vec<&FrameworkDescriptor> = Vec::new();
    while !open.is_empty() {
        let brings = |all: &[&FrameworkDescriptor], service: &String| {
            all.iter().any(|plugin| plugin.provides.contains(service))
        };
        let has = |service: &String| brings(&chain, service);
        let is_to_come = |service: &&String| brings(&open, service);
        // `cluster` stands first in `open`, and others wait for it whether they say so or not.
        let next = open.iter().position(|plugin| {
            plugin.requires.iter().all(has)
                && !plugin.uses.iter().any(|service| is_to_come(&service))
                && (plugin.name == CLUSTER || !chain.is_empty())
        });
        match next {
            Some(next) => chain.push(open.remove(next)),
            None => return Err(vec![circle(&open)]),
        }
    }
    Ok(chain)
}

fn unknown(name: &str, there: &[&FrameworkDescriptor]) -> Problem {
    let names: Vec<&str> = there.iter().map(|plugin| plugin.name.as_str()).collect();
    let near = nearest(name, names.iter().copied())
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    let hint = format!(
        "{near}there are: {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    );
    Problem::new("framework", format!("there is no plugin `{name}`"), hint)
}

fn missing(open: &[&FrameworkDescriptor], there: &[&FrameworkDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for plugin in open {
        for service in &plugin.requires {
            let brings = |other: &&&FrameworkDescriptor| {
                other.name != plugin.name && other.provides.contains(service)
            };
            if open.iter().any(|other| brings(&other)) {
                continue;
            }
            let others = there.iter().filter(brings);
            let others: Vec<String> = others.map(|other| format!("`{}`", other.name)).collect();
            let hint = if others.is_empty() {
                "no plugin here provides it".to_owned()
            } else {
                format!("ask for {} too", others.join(" or "))
            };
            problems.push(Problem::new(
                "framework",
                format!(
                    "`{}` requires `{service}`, which nothing asked for provides",
                    plugin.name
                ),
                hint,
            ));
        }
    }
    problems
}

fn twice(open: &[&FrameworkDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, plugin) in open.iter().enumerate() {
        for service in &plugin.provides {
            if let Some(other) = open[..index]
                .iter()
                .find(|other| other.provides.contains(service))
            {
                let message = format!(
                    "`{}` and `{}` both provide `{service}`",
                    other.name, plugin.name
                );
                problems.push(Problem::new("framework", message, "ask for one of them"));
            }
        }
    }
    problems
}

fn check_components(open: &[&FrameworkDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for plugin in open {
        for component in &plugin.components {
            let owner = owners.entry(&component.name).or_insert(&plugin.name);
            if *owner != plugin.name {
                let name = &component.name;
                let message = format!(
                    "`{owner}` and `{}` both have a component `{name}`",
                    plugin.name
                );
                problems.push(Problem::new("framework", message, "ask for one of them"));
            }
        }
    }
    let count: usize = open.iter().map(|plugin| plugin.components.len()).sum();
    if count > MAX_COMPONENTS {
        problems.push(Problem::new(
            "framework",
            format!(
                "these have {count} components together, a cluster has at most {MAX_COMPONENTS}"
            ),
            "ask for fewer",
        ));
    }
    problems
}

fn circle(open: &[&FrameworkDescriptor]) -> Problem {
    let waits = |plugin: &FrameworkDescriptor, verb: &str, services: &[String]| {
        let of = open.iter().flat_map(|other| {
            let brought = services.iter().filter(|s| other.provides.contains(s));
            brought.map(|s| format!("`{s}` of `{}`", other.name))
        });
        let of: Vec<String> = of.collect();
        (!of.is_empty()).then(|| format!("`{}` {verb} {}", plugin.name, of.join(" and ")))
    };
    let told: Vec<String> = open
        .iter()
        .flat_map(|plugin| {
            let required = waits(plugin, "requires", &plugin.requires);
            required
                .into_iter()
                .chain(waits(plugin, "uses", &plugin.uses))
        })
        .collect();
    Problem::new(
        "framework",
        format!("none can come first: {}", told.join(", ")),
        "leave one of them out, or have their plugins mended",
    )
}

#[cfg(test)]
#[path = "plugin_chain_tests.rs"]
mod tests;
