//! Whether what new workers of a running cluster need is still there: image, flavor, key pair, and
//! a plugin that makes what the others are. Nothing else of a change needs any of it. Pure.

use crate::{
    cluster::{
        ClusterSpec, Problem,
        flavor_choice::{FlavorOffer, advise_flavor, fits},
        framework::{NodeResources, PluginDescriptor},
    },
    orchestrator::planning::{
        image_check::{JavaNeed, check_image},
        inventory::CloudInventory,
        planner::ResolvedFlavors,
    },
};

/// All that is missing, each with the attribute to set. `from` is the cluster as it is.
pub fn check_new_workers(
    from: &ClusterSpec,
    to: &ClusterSpec,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
    java: &[JavaNeed],
) -> Vec<Problem> {
    let found = [
        check_new_image(from, to, cloud, java),
        check_new_flavor(to, cloud, flavors),
        check_new_key(to, cloud),
    ];
    found.into_iter().flatten().collect()
}

fn check_new_image(
    from: &ClusterSpec,
    to: &ClusterSpec,
    cloud: &CloudInventory,
    java: &[JavaNeed],
) -> Option<Problem> {
    let hint = "name one for the new workers: `image`, in the same update";
    let Some(reference) = to.image_reference() else {
        return Some(Problem::new("image", "new workers need an image", hint));
    };
    let named = described(to.image.as_deref(), reference);
    match (&cloud.image, &cloud.image_problem) {
        (_, Some(problem)) => Some(Problem::new("image", problem, hint)),
        (None, None) => Some(Problem::new(
            "image",
            format!("new workers need image {named}, which the cloud no longer shows"),
            hint,
        )),
        (Some(image), None) if image.status != "active" => Some(Problem::new(
            "image",
            format!("new workers need image {named}, which is {}", image.status),
            hint,
        )),
        (Some(image), None) if from.image != to.image => {
            check_image(image, java, to.image_has_java)
        }
        (Some(_), None) => None,
    }
}

fn check_new_flavor(
    to: &ClusterSpec,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
) -> Option<Problem> {
    let size = &flavors.worker;
    let need = NodeResources {
        vcpus: size.vcpus,
        ram_mib: size.ram_mib,
        // What boots from a volume needs no disk of its flavor.
        disk_gib: to.root_volume_gib().map_or(size.disk_gib, |_| 0),
    };
    let offers = cloud.flavors.iter().map(|flavor| FlavorOffer {
        flavor: &flavor.size,
        public: flavor.public,
    });
    let hint = || {
        let advice = advise_flavor(offers, &need);
        format!("name one for the new workers: `worker.flavor`, in the same update; {advice}")
    };
    let reference = to.worker_flavor_reference().unwrap_or_default();
    let named = described(to.worker_flavor.as_deref(), reference);
    match cloud.find_flavor(reference) {
        None => Some(Problem::new(
            "worker.flavor",
            format!("new workers need flavor {named}, which the cloud no longer has"),
            hint(),
        )),
        Some(found) if !fits(&found.size, &need) => Some(Problem::new(
            "worker.flavor",
            format!(
                "{named} has {}, the cluster's settings were computed for {need}",
                found.size.resources()
            ),
            hint(),
        )),
        Some(_) => None,
    }
}

fn check_new_key(to: &ClusterSpec, cloud: &CloudInventory) -> Option<Problem> {
    let key = to.key.as_ref().filter(|key| !cloud.keys.contains(*key))?;
    Some(Problem::new(
        "key",
        format!("new workers need key pair `{key}`, which this user does not have"),
        "name one for the new workers in the same update, or nothing for none: `key`",
    ))
}

/// What the plugins of now cannot give new workers that the others have.
pub fn check_new_plugins(to: &ClusterSpec, plugins: &[&PluginDescriptor]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for choice in &to.frameworks {
        let name = &choice.name;
        let path = format!("{name}.version");
        let Some(plugin) = plugins.iter().find(|plugin| plugin.name == *name) else {
            problems.push(Problem::new(
                "framework",
                format!("new workers need the plugin `{name}`, which is not here"),
                "put it back into the folder of plugins",
            ));
            continue;
        };
        match &choice.version {
            None if !plugin.versions.is_empty() => problems.push(Problem::new(
                path,
                "which version the cluster runs is not recorded, and new workers need the same one",
                format!("say it: `{name}.version`, in the same update"),
            )),
            Some(version) if !plugin.versions.contains(version) => problems.push(Problem::new(
                path,
                format!(
                    "new workers need {} {version}, which the plugin no longer makes",
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
                "new workers would be made without it: the plugin has no such parameter any more",
                "give it up by setting it to nothing in the same update, or put back the plugin \
                 that has it",
            )
        }));
    }
    problems
}

/// `` `debian-12` (id) ``, once where both are one.
fn described(name: Option<&str>, reference: &str) -> String {
    match name {
        Some(name) if name != reference => format!("`{name}` ({reference})"),
        _ => format!("`{reference}`"),
    }
}
