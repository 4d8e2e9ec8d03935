//! Which plugins make a cluster, in which order: `cluster` first, then each after those that
//! provide what it requires, else as asked for.

use crate::cluster::{
    Problem, attribute_names::nearest, framework::CLUSTER, framework::PluginDescriptor,
    spec::FrameworkChoice,
};

/// The chain. The same request gives the same order.
///
/// # Errors
/// A plugin that is not there; a requirement that nothing asked for provides, with those that
/// would; two that provide the same; a circle.
pub fn order_plugins<'a>(
    frameworks: &[FrameworkChoice],
    there: &[&'a PluginDescriptor],
) -> Result<Vec<&'a PluginDescriptor>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut open: Vec<&PluginDescriptor> = Vec::new();
    for name in
        std::iter::once(CLUSTER).chain(frameworks.iter().map(|framework| framework.name.as_str()))
    {
        match there.iter().find(|descriptor| descriptor.name == name) {
            Some(descriptor) if !open.iter().any(|other| other.name == name) => {
                open.push(descriptor)
            }
            Some(_) => {}
            None => problems.push(unknown(name, there)),
        }
    }
    problems.extend(missing(&open, there));
    problems.extend(twice(&open));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut chain: Vec<&PluginDescriptor> = Vec::new();
    while !open.is_empty() {
        let has = |service: &String| chain.iter().any(|before| before.provides.contains(service));
        // `cluster` stands first in `open`, and others wait for it whether they say so or not.
        let next = open.iter().position(|descriptor| {
            descriptor.requires.iter().all(has) && (descriptor.name == CLUSTER || !chain.is_empty())
        });
        match next {
            Some(next) => chain.push(open.remove(next)),
            None => return Err(vec![circle(&open)]),
        }
    }
    Ok(chain)
}

fn unknown(name: &str, there: &[&PluginDescriptor]) -> Problem {
    let names: Vec<&str> = there
        .iter()
        .map(|descriptor| descriptor.name.as_str())
        .collect();
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

fn missing(open: &[&PluginDescriptor], there: &[&PluginDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for descriptor in open {
        for service in &descriptor.requires {
            if open
                .iter()
                .any(|other| other.name != descriptor.name && other.provides.contains(service))
            {
                continue;
            }
            let others = there
                .iter()
                .filter(|other| other.name != descriptor.name && other.provides.contains(service));
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
                    descriptor.name
                ),
                hint,
            ));
        }
    }
    problems
}

fn twice(open: &[&PluginDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, descriptor) in open.iter().enumerate() {
        for service in &descriptor.provides {
            if let Some(other) = open[..index]
                .iter()
                .find(|other| other.provides.contains(service))
            {
                let message = format!(
                    "`{}` and `{}` both provide `{service}`",
                    other.name, descriptor.name
                );
                problems.push(Problem::new("framework", message, "ask for one of them"));
            }
        }
    }
    problems
}

fn circle(open: &[&PluginDescriptor]) -> Problem {
    let needs = |descriptor: &PluginDescriptor| {
        let of = open.iter().flat_map(|other| {
            descriptor
                .requires
                .iter()
                .filter(|s| other.provides.contains(s))
                .map(|s| format!("`{s}` of `{}`", other.name))
        });
        format!(
            "`{}` requires {}",
            descriptor.name,
            of.collect::<Vec<_>>().join(" and ")
        )
    };
    let told: Vec<String> = open.iter().map(|descriptor| needs(descriptor)).collect();
    Problem::new(
        "framework",
        format!("none can come first: {}", told.join(", ")),
        "leave one of them out, or have their plugins mended",
    )
}
