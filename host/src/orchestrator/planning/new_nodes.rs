//! Whether what new nodes of a running cluster need is still there: image, flavor, key pair, and
//! a plugin that makes what the others are. Nothing else of a change needs any of it. Pure.

use crate::{
    cluster::{
        ClusterSpec, FrameworkDescriptor, GroupSpec, NodeIds, Problem,
        default_groups::many_nodes,
        flavor_choice::{FlavorOffer, advise_flavor, fits},
        framework::NodeResources,
        group_value::attribute_of,
    },
    orchestrator::planning::{
        image_check::check_image, inventory::CloudInventory, planner::ResolvedFlavors,
        resolve::check_zones,
    },
};

/// All that is missing for the nodes that join, each with the attribute to set. `from` is the
/// cluster as it is.
pub fn check_new_nodes(
    from: &ClusterSpec,
    to: &ClusterSpec,
    joining: &NodeIds,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
) -> Vec<Problem> {
    let growing = || {
        to.groups
            .iter()
            .filter(|group| joining.contains_key(&group.name))
    };
    let images = growing().filter_map(|group| check_new_image(from, to, group, cloud));
    let sizes = growing().filter_map(|group| check_new_flavor(to, group, cloud, flavors));
    let mut problems: Vec<Problem> = images.chain(sizes).collect();
    problems.extend(check_zones(to, growing(), cloud));
    let first = growing().next();
    problems.extend(first.and_then(|group| check_new_key(to, group, cloud)));
    problems.dedup();
    problems
}

fn check_new_image(
    from: &ClusterSpec,
    to: &ClusterSpec,
    group: &GroupSpec,
    cloud: &CloudInventory,
) -> Option<Problem> {
    let many = many_nodes(&group.name);
    let path = match group.image {
        Some(_) => attribute_of(&group.name, "image"),
        None => "image".to_owned(),
    };
    let hint = format!("name one for the new {many}: `{path}`, in the same update");
    let Some(reference) = to.image_reference(group) else {
        let message = format!("new {many} need an image");
        return Some(Problem::new(path, message, hint));
    };
    let named = described(to.image_of(group), reference);
    let found = cloud.named_image(reference);
    let problem = found.and_then(|found| found.problem.as_deref());
    let before = from.groups.get(&group.name);
    let is_another = before.is_none_or(|before| from.image_of(before) != to.image_of(group));
    match (found.and_then(|found| found.image.as_ref()), problem) {
        (_, Some(problem)) => Some(Problem::new(path, problem, hint)),
        (None, None) => Some(Problem::new(
            path,
            format!("new {many} need image {named}, which the cloud no longer shows"),
            hint,
        )),
        (Some(image), None) if image.status != "active" => Some(Problem::new(
            path,
            format!("new {many} need image {named}, which is {}", image.status),
            hint,
        )),
        (Some(image), None) if is_another => check_image(&path, image),
        (Some(_), None) => None,
    }
}

fn check_new_flavor(
    to: &ClusterSpec,
    group: &GroupSpec,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
) -> Option<Problem> {
    let many = many_nodes(&group.name);
    let path = attribute_of(&group.name, "flavor");
    let size = flavors.of_group(&group.name);
    let need = NodeResources {
        vcpus: size.vcpus,
        ram_mib: size.ram_mib,
        // What boots from a volume needs no disk of its flavor.
        disk_gib: to.root_volume_of(group).map_or(size.disk_gib, |_| 0),
    };
    let offers = cloud.flavors.iter().map(|flavor| FlavorOffer {
        flavor: &flavor.size,
        public: flavor.public,
    });
    let hint = || {
        let advice = advise_flavor(offers, &need);
        format!("name one for the new {many}: `{path}`, in the same update; {advice}")
    };
    let reference = to.flavor_reference(group).unwrap_or_default();
    let named = described(group.flavor.as_deref(), reference);
    match cloud.find_flavor(reference) {
        None => Some(Problem::new(
            path.as_str(),
            format!("new {many} need flavor {named}, which the cloud no longer has"),
            hint(),
        )),
        Some(found) if !fits(&found.size, &need) => Some(Problem::new(
            path.as_str(),
            format!(
                "{named} has {}, the cluster's settings were computed for {need}",
                found.size.resources()
            ),
            hint(),
        )),
        Some(_) => None,
    }
}

fn check_new_key(to: &ClusterSpec, group: &GroupSpec, cloud: &CloudInventory) -> Option<Problem> {
    let key = to.key.as_ref().filter(|key| !cloud.keys.contains(*key))?;
    let many = many_nodes(&group.name);
    Some(Problem::new(
        "key",
        format!("new {many} need key pair `{key}`, which this user does not have"),
        format!("name one for the new {many} in the same update, or nothing for none: `key`"),
    ))
}

/// What the plugins of now cannot give the nodes that join and the others have.
pub fn check_new_plugins(
    to: &ClusterSpec,
    joining: &NodeIds,
    plugins: &[&FrameworkDescriptor],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let many = new_nodes(joining);
    for choice in &to.frameworks {
        let name = &choice.name;
        let path = format!("{name}.version");
        let Some(plugin) = plugins.iter().find(|plugin| plugin.name == *name) else {
            problems.push(Problem::new(
                "framework",
                format!("{many} need the plugin `{name}`, which is not here"),
                "put it back into the folder of plugins",
            ));
            continue;
        };
        match &choice.version {
            None if !plugin.versions.is_empty() => problems.push(Problem::new(
                path,
                format!(
                    "which version the cluster runs is not recorded, and {many} need the same one"
                ),
                format!("say it: `{name}.version`, in the same update"),
            )),
            Some(version) if !plugin.versions.contains(version) => problems.push(Problem::new(
                path,
                format!(
                    "{many} need {} {version}, which the plugin no longer makes",
                    plugin.title
                ),
                "put back the plugin that does, or deploy a new cluster",
            )),
            _ => {}
        }
    }
    for (name, settings) in &to.settings {
        let plugin = plugins.iter().find(|plugin| plugin.name == *name);
        let known = plugin.and_then(|plugin| plugin.parameters.get("properties")?.as_object());
        let lost = |parameter: &&String| known.is_some_and(|all| !all.contains_key(*parameter));
        problems.extend(settings.keys().filter(lost).map(|parameter| {
            Problem::new(
                format!("{name}.{parameter}"),
                format!(
                    "{many} would be made without it: the plugin has no such parameter any more"
                ),
                "give it up by setting it to nothing in the same update, or put back the plugin \
                 that has it",
            )
        }));
    }
    problems
}

/// The nodes that join, for people: `new workers`.
fn new_nodes(joining: &NodeIds) -> String {
    match joining.keys().next() {
        Some(group) if joining.len() == 1 => format!("new {}", many_nodes(group)),
        _ => "new nodes".to_owned(),
    }
}

/// `` `debian-12` (id) ``, once where both are one.
fn described(name: Option<&str>, reference: &str) -> String {
    match name {
        Some(name) if name != reference => format!("`{name}` ({reference})"),
        _ => format!("`{reference}`"),
    }
}
