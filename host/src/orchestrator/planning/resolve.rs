//! What a spec leaves open, found in the cloud; what it names, checked. Pure: all problems at once,
//! each with names that exist.

use std::collections::BTreeMap;

use crate::orchestrator::{error::OrchestratorError, planning::inventory::CloudInventory};
use crate::{
    cluster::{
        ClusterSpec, GroupSpec, Problem,
        attribute_names::nearest,
        attributes::NO_NETWORK,
        flavor_choice::{FlavorOffer, advise_flavor, fits, smallest_fitting},
        framework::{CLUSTER, NodeResources},
        group_value::attribute_of,
        operator_policy::{allows_flavor, refuse_flavor},
    },
    openstack::{CloudFlavor, CloudImage, CloudNetwork},
    orchestrator::planning::image_check::{architecture_rank, check_image},
};

/// Names that a hint lists at most.
const MAX_LISTED: usize = 12;

/// The spec with every open name filled in.
///
/// # Errors
/// All problems: what is named and not there, what is left open and cannot be chosen.
pub fn resolve_spec(
    spec: &ClusterSpec,
    cloud: &CloudInventory,
    smallest: &BTreeMap<String, NodeResources>,
) -> Result<ClusterSpec, Vec<Problem>> {
    let (chosen, problems) = resolve_known(spec, cloud, smallest);
    if !problems.is_empty() {
        return Err(problems);
    }
    // What is pinned was found by its id, and keeps the name that it was asked for by.
    Ok(if spec.pins.is_some() {
        spec.clone()
    } else {
        chosen
    })
}

/// The same with nothing in the place of what is wrong, and all that is.
pub fn resolve_known(
    spec: &ClusterSpec,
    cloud: &CloudInventory,
    smallest: &BTreeMap<String, NodeResources>,
) -> (ClusterSpec, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut keep = |result: Result<Option<String>, Problem>| {
        result.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    };
    let mut chosen = spec.clone();
    // The image of all groups that have none of their own, and then theirs.
    let is_shared = |group: &&GroupSpec| group.image.is_none();
    if let Some(group) = spec.groups.iter().find(is_shared) {
        let reference = spec.image_reference(group);
        chosen.image = keep(image("image", reference, cloud));
    }
    for group in chosen
        .groups
        .iter_mut()
        .filter(|group| group.image.is_some())
    {
        let path = attribute_of(&group.name, "image");
        let named = spec.groups.get(&group.name);
        let reference = named.and_then(|group| spec.image_reference(group));
        group.image = keep(image(&path, reference, cloud));
    }
    let need = |group: &GroupSpec| {
        let image = chosen.image_of(group);
        let image = image.and_then(|name| cloud.find_image(name));
        needed(smallest.get(&group.name), image)
    };
    let needs: Vec<NodeResources> = chosen.groups.iter().map(need).collect();
    for (path, size, needed) in small_root_volumes(spec, &needs) {
        let message = format!("{size} GiB, a node needs {needed} GiB of disk");
        keep(Err(Problem::new(path, message, "make it larger")));
    }
    // What boots from a volume needs no disk of its flavor.
    let need = |group: &GroupSpec, need: NodeResources| match spec.root_volume_of(group) {
        Some(_) => NodeResources {
            disk_gib: 0,
            ..need
        },
        None => need,
    };
    for (group, least) in chosen.groups.iter_mut().zip(needs) {
        let path = attribute_of(&group.name, "flavor");
        let reference = spec.flavor_reference(group).map(str::to_owned);
        let least = need(group, least);
        let allowed = spec.allowed_flavors.as_deref();
        let resolved = resolve_flavor(&path, reference.as_deref(), (cloud, allowed), least);
        group.flavor = keep(resolved);
    }
    chosen.key = keep(key(spec, cloud));
    chosen.external_network = keep(network(spec, cloud));
    problems.extend(check_zones(spec, spec.groups.with_nodes(), cloud));
    (chosen, problems)
}

/// Root volumes that are too small for what nodes need, each once: the attribute that says so, how
/// large it is, how large it has to be.
fn small_root_volumes(spec: &ClusterSpec, needs: &[NodeResources]) -> Vec<(String, u32, u32)> {
    let mut small: Vec<(String, u32, u32)> = Vec::new();
    for (group, need) in spec.groups.iter().zip(needs) {
        let Some(size) = spec
            .root_volume_of(group)
            .filter(|size| *size < need.disk_gib)
        else {
            continue;
        };
        let path = match group.root_volume_gib {
            Some(_) => attribute_of(&group.name, "root_volume_gib"),
            None => format!("{CLUSTER}.root_volume_gib"),
        };
        match small.iter_mut().find(|(other, ..)| *other == path) {
            Some((.., needed)) => *needed = need.disk_gib.max(*needed),
            None => small.push((path, size, need.disk_gib)),
        }
    }
    small
}

/// Availability zones that the cloud has not, each attribute once. A cloud that does not tell its
/// zones is believed to have them. `zone:host` is an administrator's way to name a host in one.
pub(crate) fn check_zones<'a>(
    spec: &ClusterSpec,
    groups: impl Iterator<Item = &'a GroupSpec>,
    cloud: &CloudInventory,
) -> Vec<Problem> {
    let Some(there) = &cloud.zones else {
        return Vec::new();
    };
    let mut problems: Vec<Problem> = Vec::new();
    for (zone, path) in groups.filter_map(|group| spec.zone_of(group)) {
        let name = zone.split(':').next().unwrap_or_default();
        if !there.iter().any(|other| other == name) {
            let message = format!("there is no availability zone `{name}`");
            let hint = listed(name, there.iter().map(String::as_str));
            problems.push(Problem::new(path, message, hint));
        }
    }
    problems.dedup();
    problems
}

/// What a node must have: what its frameworks need, and what its image needs.
fn needed(smallest: Option<&NodeResources>, image: Option<&CloudImage>) -> NodeResources {
    let least = smallest.copied().unwrap_or(NodeResources {
        vcpus: 1,
        ram_mib: 0,
        disk_gib: 0,
    });
    NodeResources {
        ram_mib: least
            .ram_mib
            .max(image.map_or(0, |image| image.min_ram_mib)),
        disk_gib: least
            .disk_gib
            .max(image.map_or(0, |image| image.min_disk_gib)),
        ..least
    }
}

/// The flavor of a group that a change adds and that leaves it open.
///
/// # Errors
/// `Invalid`: none fits.
pub(crate) fn choose_flavor(
    spec: &ClusterSpec,
    group: &str,
    cloud: &CloudInventory,
    smallest: Option<&NodeResources>,
) -> Result<Option<String>, OrchestratorError> {
    let named = spec.groups.get(group);
    let image = named.and_then(|group| cloud.find_image(spec.image_reference(group)?));
    let need = needed(smallest, image);
    let volume = named.and_then(|group| spec.root_volume_of(group));
    let disk_gib = volume.map_or(need.disk_gib, |_| 0);
    let need = NodeResources { disk_gib, ..need };
    let allowed = spec.allowed_flavors.as_deref();
    resolve_flavor(&attribute_of(group, "flavor"), None, (cloud, allowed), need)
        .map_err(|problem| OrchestratorError::Invalid(vec![problem]))
}

fn resolve_flavor(
    path: &str,
    asked: Option<&str>,
    (cloud, allowed): (&CloudInventory, Option<&[String]>),
    need: NodeResources,
) -> Result<Option<String>, Problem> {
    let is_allowed = |flavor: &CloudFlavor| {
        allowed.is_none_or(|allowed| allows_flavor(allowed, &[&flavor.id, &flavor.size.name]))
    };
    let offers = || {
        let offered = cloud.flavors.iter();
        let offered = offered.filter(|flavor| is_allowed(flavor));
        offered.map(|flavor| FlavorOffer {
            flavor: &flavor.size,
            public: flavor.public,
        })
    };
    let Some(asked) = asked else {
        let found = smallest_fitting(offers(), &need).map(|flavor| Some(flavor.name.clone()));
        return found.ok_or_else(|| {
            let whose = match allowed {
                None => "no flavor has",
                Some(_) => "no flavor that the operator allows in this project has",
            };
            let hint = "ask the cloud's operator for one";
            Problem::new(path, format!("{whose} {need}"), hint)
        });
    };
    let mut flavors = cloud.flavors.iter();
    let named = flavors.find(|flavor| flavor.size.name == asked || flavor.id == asked);
    if let Some(allowed) = allowed {
        // One that is not there may be meant by nothing else than its text.
        let is_meant = named.map_or_else(|| allows_flavor(allowed, &[asked]), is_allowed);
        if !is_meant {
            return Err(refuse_flavor(path, asked, allowed));
        }
    }
    match named {
        None => {
            let names = cloud.flavors.iter().map(|flavor| flavor.size.name.as_str());
            Err(Problem::new(
                path,
                format!("there is no flavor `{asked}`"),
                format!(
                    "{}; {}",
                    listed(asked, names),
                    advise_flavor(offers(), &need)
                ),
            ))
        }
        Some(flavor) if fits(&flavor.size, &need) => Ok(Some(asked.to_owned())),
        Some(flavor) => {
            let has = flavor.size.resources();
            Err(Problem::new(
                path,
                format!("`{asked}` has {has}, a node needs {need}"),
                advise_flavor(offers(), &need),
            ))
        }
    }
}

/// The image of the attribute at `path`, which names it or leaves it open.
fn image(
    path: &str,
    asked: Option<&str>,
    cloud: &CloudInventory,
) -> Result<Option<String>, Problem> {
    let names = || cloud.images.iter().map(|image| image.name.as_str());
    if let Some(asked) = asked {
        let named = cloud.named_image(asked);
        let problem = named.and_then(|named| named.problem.as_deref());
        let found = named.and_then(|named| named.image.as_ref());
        return match (found, problem) {
            (_, Some(problem)) => Err(Problem::new(path, problem, "")),
            (None, _) => Err(Problem::new(
                path,
                format!("there is no image `{asked}`"),
                listed(asked, names()),
            )),
            (Some(image), _) if image.status == "active" => {
                check_image(path, image).map_or_else(|| Ok(Some(asked.to_owned())), Err)
            }
            (Some(image), _) => Err(Problem::new(
                path,
                format!("`{asked}` is {}, not active", image.status),
                "name another one, or wait",
            )),
        };
    }
    let shown: Vec<&CloudImage> = cloud.images.iter().filter(|image| !image.hidden).collect();
    let refusal = |image: &CloudImage| check_image(path, image);
    let chosen = match shown.as_slice() {
        [only] => match refusal(only) {
            Some(problem) => return Err(problem),
            None => Some(*only),
        },
        several => several
            .iter()
            .copied()
            .filter(|image| rank(image).is_some() && refusal(image).is_none())
            .min_by_key(|image| preference(image)),
    };
    let Some(chosen) = chosen else {
        // Why the best of those that say what they are will not do.
        let ranked = shown.iter().copied().filter(|image| rank(image).is_some());
        let best = ranked.min_by_key(|image| preference(image));
        if let Some(problem) = best.and_then(refusal) {
            return Err(problem);
        }
        let message = "none is given, and none of the cloud's says that it is a Debian or Ubuntu (property os_distro)";
        return Err(Problem::new(path, message, listed("", names())));
    };
    let same = cloud
        .images
        .iter()
        .filter(|image| image.name == chosen.name)
        .count();
    Ok(Some(if same == 1 {
        chosen.name.clone()
    } else {
        chosen.id.clone()
    }))
}

/// The systems that nodes are verified on, the best first.
const SYSTEMS: &[(&str, &str)] = &[
    ("debian", "12"),
    ("ubuntu", "24.04"),
    ("ubuntu", "22.04"),
    ("debian", ""),
    ("ubuntu", ""),
];

fn rank(image: &CloudImage) -> Option<usize> {
    let is = |said: &Option<String>, wanted: &str| {
        wanted.is_empty()
            || said.as_deref().is_some_and(|said| {
                said.eq_ignore_ascii_case(wanted) || said.starts_with(&format!("{wanted}."))
            })
    };
    SYSTEMS.iter().position(|(distro, version)| {
        is(&image.os_distro, distro) && is(&image.os_version, version)
    })
}

/// Images are chosen in this order, the smallest first.
type ImagePreference = (
    usize,
    usize,
    usize,
    std::cmp::Reverse<Option<String>>,
    String,
);

/// Of two images of one system, the one for the usual processor, then the one with the plainer
/// name, then the newer one.
fn preference(image: &CloudImage) -> ImagePreference {
    (
        architecture_rank(image),
        rank(image).unwrap_or(usize::MAX),
        image.name.len(),
        std::cmp::Reverse(image.created.clone()),
        image.id.clone(),
    )
}

fn key(spec: &ClusterSpec, cloud: &CloudInventory) -> Result<Option<String>, Problem> {
    match &spec.key {
        Some(asked) if !cloud.keys.contains(asked) => {
            let hint = listed(asked, cloud.keys.iter().map(String::as_str));
            Err(Problem::new(
                "key",
                format!("this user has no key pair `{asked}`"),
                hint,
            ))
        }
        other => Ok(other.clone()),
    }
}

fn network(spec: &ClusterSpec, cloud: &CloudInventory) -> Result<Option<String>, Problem> {
    let names = || cloud.networks.iter().map(|network| network.name.as_str());
    if spec.pins.is_some() && spec.external_network_reference().is_none() {
        return Ok(None);
    }
    match spec.external_network_reference() {
        Some(NO_NETWORK) => Ok(None),
        Some(asked)
            if cloud
                .networks
                .iter()
                .any(|network| network.id == asked || network.name == asked) =>
        {
            Ok(Some(asked.to_owned()))
        }
        Some(asked) => {
            let hint = format!(
                "{}, or `{NO_NETWORK}` for no way in or out",
                listed(asked, names())
            );
            Err(Problem::new(
                "network.external",
                format!("there is no external network `{asked}`"),
                hint,
            ))
        }
        None => match cloud.networks.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only.name.clone())),
            several => {
                let defaults: Vec<&CloudNetwork> = several
                    .iter()
                    .filter(|network| network.is_default)
                    .collect();
                let [default] = defaults.as_slice() else {
                    return Err(Problem::new(
                        "network.external",
                        "none is given, and the cloud has several",
                        listed("", names()),
                    ));
                };
                let same = several
                    .iter()
                    .filter(|network| network.name == default.name)
                    .count();
                Ok(Some(if same == 1 {
                    default.name.clone()
                } else {
                    default.id.clone()
                }))
            }
        },
    }
}

/// `did you mean x? there are: a, b, c and 4 more`.
pub(super) fn listed<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return "there are none".to_owned();
    }
    let near = nearest(asked, names.iter().copied()).filter(|_| !asked.is_empty());
    let near = near
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    let more = names.len().saturating_sub(MAX_LISTED);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    names.truncate(MAX_LISTED);
    format!("{near}there are: {}{more}", names.join(", "))
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
pub(crate) mod tests_support;
