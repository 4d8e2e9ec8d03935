//! Which plugins make a cluster, in which order: `cluster` first, then each after those that
//! provide what it requires, or uses and is there, else as asked for. All speak one version of the
//! contract. Pure.

use std::collections::BTreeMap;

use crate::cluster::{
    FrameworkView, PluginContract, Problem, attribute_names::nearest, framework::CLUSTER,
    spec::FrameworkChoice,
};

/// Components of all plugins of a cluster: what a request of the contract 0.2.0 may name.
pub const MAX_COMPONENTS: usize = 1_024;

/// The contract that all of these frameworks speak: of several the first.
///
/// # Errors
/// None does, or its plugin `cluster` is not there.
pub fn choose_contract(
    frameworks: &[FrameworkChoice],
    there: &[FrameworkView<'_>],
) -> Result<PluginContract, Vec<Problem>> {
    let has = |contract: PluginContract, name: &str| {
        let mut of_contract = there.iter().filter(|view| view.contract == contract);
        of_contract.any(|view| view.name == name)
    };
    let has_all = |contract: &PluginContract| {
        let mut names = frameworks.iter().map(|choice| choice.name.as_str());
        names.all(|name| has(*contract, name))
    };
    let speaking: Vec<PluginContract> = PluginContract::ALL.into_iter().filter(has_all).collect();
    if let Some(contract) = speaking.iter().find(|contract| has(**contract, CLUSTER)) {
        return Ok(*contract);
    }
    if let Some(contract) = speaking.first().filter(|_| !frameworks.is_empty()) {
        return Err(vec![Problem::new(
            "framework",
            format!("there is no plugin `{CLUSTER}` of the contract {contract}, which these speak"),
            "put it into the folder of plugins",
        )]);
    }
    let spoken = |name: &str| PluginContract::ALL.into_iter().find(|one| has(*one, name));
    let each: Vec<(&str, PluginContract)> = frameworks
        .iter()
        .filter_map(|choice| Some((choice.name.as_str(), spoken(&choice.name)?)))
        .collect();
    let mixed = each.len() == frameworks.len() && !each.is_empty();
    if !mixed {
        // Who is not there is told with the chain.
        return Ok(each
            .first()
            .map(|(_, contract)| *contract)
            .unwrap_or_default());
    }
    let told: Vec<String> = each
        .iter()
        .map(|(name, contract)| format!("`{name}` {contract}"))
        .collect();
    Err(vec![Problem::new(
        "framework",
        format!(
            "plugins of one cluster speak one version of the contract: {}",
            told.join(", ")
        ),
        "ask for those of one version, or for two clusters",
    )])
}

/// The chain, of plugins of one contract. The same request gives the same order.
///
/// # Errors
/// A plugin that is not there; a requirement that nothing asked for provides, with those that
/// would; two that provide the same, or have a component of one name; too many components; a circle.
pub fn order_plugins<'a, Descriptor>(
    frameworks: &[FrameworkChoice],
    there: &[&'a Descriptor],
) -> Result<Vec<&'a Descriptor>, Vec<Problem>>
where
    FrameworkView<'a>: From<&'a Descriptor>,
{
    let views: Vec<FrameworkView<'_>> = there.iter().map(|one| (*one).into()).collect();
    let order = order_views(frameworks, &views)?;
    Ok(order
        .into_iter()
        .filter_map(|at| there.get(at).copied())
        .collect())
}

/// A plugin that is asked for, and its place among those that are there.
type AskedPlugin<'a> = (usize, FrameworkView<'a>);

fn order_views(
    frameworks: &[FrameworkChoice],
    there: &[FrameworkView<'_>],
) -> Result<Vec<usize>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut open: Vec<AskedPlugin<'_>> = Vec::new();
    for name in
        std::iter::once(CLUSTER).chain(frameworks.iter().map(|framework| framework.name.as_str()))
    {
        match there.iter().position(|view| view.name == name) {
            Some(at) if !open.iter().any(|(other, _)| *other == at) => open.push((at, there[at])),
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
    let mut chain: Vec<AskedPlugin<'_>> = Vec::new();
    while !open.is_empty() {
        let brings = |all: &[AskedPlugin<'_>], service: &String| {
            all.iter().any(|(_, view)| view.provides.contains(service))
        };
        let has = |service: &String| brings(&chain, service);
        let is_to_come = |service: &&String| brings(&open, service);
        // `cluster` stands first in `open`, and others wait for it whether they say so or not.
        let next = open.iter().position(|(_, view)| {
            view.requires.iter().all(has)
                && !view.uses.iter().any(|service| is_to_come(&service))
                && (view.name == CLUSTER || !chain.is_empty())
        });
        match next {
            Some(next) => chain.push(open.remove(next)),
            None => return Err(vec![circle(&open)]),
        }
    }
    Ok(chain.into_iter().map(|(at, _)| at).collect())
}

fn unknown(name: &str, there: &[FrameworkView<'_>]) -> Problem {
    let names: Vec<&str> = there.iter().map(|view| view.name).collect();
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

fn missing(open: &[AskedPlugin<'_>], there: &[FrameworkView<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, view) in open {
        for service in view.requires {
            let brings = |other: &FrameworkView<'_>| {
                other.name != view.name && other.provides.contains(service)
            };
            if open.iter().any(|(_, other)| brings(other)) {
                continue;
            }
            let others = there.iter().filter(|other| brings(other));
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
                    view.name
                ),
                hint,
            ));
        }
    }
    problems
}

fn twice(open: &[AskedPlugin<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, (_, view)) in open.iter().enumerate() {
        for service in view.provides {
            if let Some((_, other)) = open[..index]
                .iter()
                .find(|(_, other)| other.provides.contains(service))
            {
                let message = format!(
                    "`{}` and `{}` both provide `{service}`",
                    other.name, view.name
                );
                problems.push(Problem::new("framework", message, "ask for one of them"));
            }
        }
    }
    problems
}

fn check_components(open: &[AskedPlugin<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (_, view) in open {
        for component in view.components {
            let owner = owners.entry(&component.name).or_insert(view.name);
            if *owner != view.name {
                let name = &component.name;
                let message = format!(
                    "`{owner}` and `{}` both have a component `{name}`",
                    view.name
                );
                problems.push(Problem::new("framework", message, "ask for one of them"));
            }
        }
    }
    let count: usize = open.iter().map(|(_, view)| view.components.len()).sum();
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

fn circle(open: &[AskedPlugin<'_>]) -> Problem {
    let waits = |view: &FrameworkView<'_>, verb: &str, services: &[String]| {
        let of = open.iter().flat_map(|(_, other)| {
            let brought = services.iter().filter(|s| other.provides.contains(s));
            brought.map(|s| format!("`{s}` of `{}`", other.name))
        });
        let of: Vec<String> = of.collect();
        (!of.is_empty()).then(|| format!("`{}` {verb} {}", view.name, of.join(" and ")))
    };
    let told: Vec<String> = open
        .iter()
        .flat_map(|(_, view)| {
            let required = waits(view, "requires", view.requires);
            required.into_iter().chain(waits(view, "uses", view.uses))
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
