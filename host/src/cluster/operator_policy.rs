//! What an operator allows projects, from the table `[policy]` of the file that has their defaults:
//! which frameworks and flavors, how large clusters are, how many there are and how old they become.
//! `[policy.projects."NAME or id"]` says it otherwise for one project. No I/O: the caller reads
//! the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{
    ClusterSpec, EndTime, IdleLimit, NodeGroups, Problem,
    attribute_names::nearest,
    default_groups::WORKERS,
    default_groups::sized_group,
    end_time::{EXPIRES, MAX_AGE_S, MIN_AGE_S, NEVER, age_text},
    framework::CLUSTER,
    group_value::attribute_of,
    idle_limit::{IDLE, MAX_IDLE_S, MIN_IDLE_S},
    limits::{MAX_CLUSTER_NODES, MAX_GROUP_NODES},
};
use crate::system::utc_time::format_utc;

/// The table's name, beside which attributes stand.
pub const POLICY: &str = "policy";
/// The most clusters that a policy can name for a project.
pub const MAX_POLICY_CLUSTERS: u32 = 10_000;
/// Names that one list of a policy holds.
pub const MAX_POLICY_NAMES: usize = 256;
/// Projects of which a policy says something of their own.
pub const MAX_POLICY_PROJECTS: usize = 1_024;

/// What all projects may have, and what some may instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorPolicy {
    all: ProjectPolicy,
    projects: BTreeMap<String, ProjectPolicy>,
}

/// What a project may have; none: whatever there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectPolicy {
    /// Names of plugins.
    #[serde(deserialize_with = "names")]
    pub frameworks: Option<Vec<String>>,
    /// Names or ids of flavors, which are also those that are chosen from. Whether one is meant that has
    /// another name here, the cloud says: [`allows_flavor`].
    #[serde(deserialize_with = "names")]
    pub flavors: Option<Vec<String>>,
    /// Nodes of the group `worker`.
    #[serde(deserialize_with = "group_size")]
    pub max_workers: Option<u32>,
    /// Nodes of a cluster.
    #[serde(deserialize_with = "nodes")]
    pub max_nodes: Option<u32>,
    /// Clusters of the project.
    #[serde(deserialize_with = "clusters")]
    pub max_clusters: Option<u32>,
    /// How old a cluster may become, in seconds.
    #[serde(deserialize_with = "age")]
    pub max_age: Option<MaxAge>,
    /// How long a cluster may be without jobs, in seconds.
    #[serde(deserialize_with = "idle")]
    pub max_idle: Option<MaxAge>,
}

/// How old a cluster may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxAge {
    /// Any age, where a project is excepted.
    Any,
    /// So many seconds.
    Seconds(u64),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PolicyFile {
    policy: PolicyTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PolicyTable {
    #[serde(deserialize_with = "names")]
    frameworks: Option<Vec<String>>,
    #[serde(deserialize_with = "names")]
    flavors: Option<Vec<String>>,
    #[serde(deserialize_with = "group_size")]
    max_workers: Option<u32>,
    #[serde(deserialize_with = "nodes")]
    max_nodes: Option<u32>,
    #[serde(deserialize_with = "clusters")]
    max_clusters: Option<u32>,
    #[serde(deserialize_with = "age")]
    max_age: Option<MaxAge>,
    #[serde(deserialize_with = "idle")]
    max_idle: Option<MaxAge>,
    #[serde(deserialize_with = "projects")]
    projects: BTreeMap<String, ProjectPolicy>,
}

fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    use serde::de::Error as _;
    let names = Vec::<String>::deserialize(from)?;
    match names.len() {
        1..=MAX_POLICY_NAMES => Ok(Some(names)),
        number => Err(D::Error::custom(format!(
            "{number} names, 1 to {MAX_POLICY_NAMES} are taken; leave it out to allow all"
        ))),
    }
}

fn number<'de, D: Deserializer<'de>>(from: D, most: u32) -> Result<Option<u32>, D::Error> {
    use serde::de::Error as _;
    let number = i64::deserialize(from)?;
    let inside = u32::try_from(number)
        .ok()
        .filter(|number| (1..=most).contains(number));
    match inside {
        Some(number) => Ok(Some(number)),
        None => Err(D::Error::custom(format!("{number}, 1 to {most} is taken"))),
    }
}

fn group_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    number(from, MAX_GROUP_NODES)
}

fn nodes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    number(from, MAX_CLUSTER_NODES)
}

fn clusters<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    number(from, MAX_POLICY_CLUSTERS)
}

fn age<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MaxAge>, D::Error> {
    use serde::de::Error as _;
    let text = String::deserialize(from)?;
    match EndTime::parse("max_age", &text) {
        Ok(EndTime::After(age_s)) => Ok(Some(MaxAge::Seconds(age_s))),
        Ok(EndTime::Never) => Ok(Some(MaxAge::Any)),
        Ok(EndTime::At(_)) | Err(_) => Err(D::Error::custom(format!(
            "`{text}` is no age: {} to {}, such as 8h or 14d, or {NEVER}",
            age_text(MIN_AGE_S),
            age_text(MAX_AGE_S)
        ))),
    }
}

fn idle<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MaxAge>, D::Error> {
    use serde::de::Error as _;
    let text = String::deserialize(from)?;
    let limit = IdleLimit::parse("max_idle", &text).map_err(|_| {
        D::Error::custom(format!(
            "`{text}` is no time without jobs: {} to {}, such as 8h or 3d, or {NEVER}",
            age_text(MIN_IDLE_S),
            age_text(MAX_IDLE_S)
        ))
    })?;
    Ok(Some(limit.seconds().map_or(MaxAge::Any, MaxAge::Seconds)))
}

fn projects<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, ProjectPolicy>, D::Error> {
    use serde::de::Error as _;
    let projects = BTreeMap::<String, ProjectPolicy>::deserialize(from)?;
    if projects.len() > MAX_POLICY_PROJECTS {
        return Err(D::Error::custom(format!(
            "{} projects, at most {MAX_POLICY_PROJECTS} are taken",
            projects.len()
        )));
    }
    Ok(projects)
}

impl OperatorPolicy {
    /// From the text of an operator's file; whatever else stands there is not looked at.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn from_toml(text: &str) -> Result<Self, Problem> {
        let file: PolicyFile = toml::from_str(text)
            .map_err(|error| Problem::new(POLICY, error.to_string().trim(), ""))?;
        let table = file.policy;
        let all = ProjectPolicy {
            frameworks: table.frameworks,
            flavors: table.flavors,
            max_workers: table.max_workers,
            max_nodes: table.max_nodes,
            max_clusters: table.max_clusters,
            max_age: table.max_age,
            max_idle: table.max_idle,
        };
        let projects = table.projects.into_iter();
        let projects = projects.map(|(name, own)| (name, own.over(&all)));
        Ok(Self {
            projects: projects.collect(),
            all,
        })
    }

    /// A problem for each framework that no plugin has.
    pub fn check_frameworks(&self, known: &[&str]) -> Vec<Problem> {
        let lists = std::iter::once(&self.all).chain(self.projects.values());
        let named = lists.filter_map(|policy| policy.frameworks.as_ref());
        let mut problems: Vec<Problem> = Vec::new();
        for name in named.flatten() {
            let is_known = name == CLUSTER || known.contains(&name.as_str());
            let near = nearest(name, known.iter().copied());
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let path = format!("{POLICY}.frameworks");
            let message = format!("allows `{name}`, but there is no such plugin");
            let problem = Problem::new(path, message, hint.unwrap_or_default());
            if !is_known && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// What a project may have, by its id, else by its name.
    pub fn of_project(&self, id: &str, name: &str) -> &ProjectPolicy {
        let own = self.projects.get(id).or_else(|| self.projects.get(name));
        own.unwrap_or(&self.all)
    }
}

impl ProjectPolicy {
    /// These, and where they say nothing, `all`'s.
    fn over(self, all: &Self) -> Self {
        Self {
            frameworks: self.frameworks.or_else(|| all.frameworks.clone()),
            flavors: self.flavors.or_else(|| all.flavors.clone()),
            max_workers: self.max_workers.or(all.max_workers),
            max_nodes: self.max_nodes.or(all.max_nodes),
            max_clusters: self.max_clusters.or(all.max_clusters),
            max_age: self.max_age.or(all.max_age),
            max_idle: self.max_idle.or(all.max_idle),
        }
    }

    /// Whether a framework may be asked for.
    pub fn allows_framework(&self, name: &str) -> bool {
        allows(self.frameworks.as_ref(), name)
    }

    /// All that is not allowed of a cluster that is to be made, but for its flavors.
    pub fn check_new(&self, spec: &ClusterSpec) -> Vec<Problem> {
        let mut problems = Vec::new();
        let asked = spec.frameworks.iter().map(|choice| &choice.name);
        for name in asked.filter(|name| !self.allows_framework(name)) {
            problems.push(not_among("framework", name, self.frameworks.as_deref()));
        }
        problems.extend(self.check_growth(&NodeGroups::default(), &spec.groups, true));
        problems
    }

    /// All that is not allowed of what a change adds. What is there already may stay, and go. `called`
    /// is how the cloud calls a flavor that a spec names: by its id and its name.
    pub fn check_change(
        &self,
        from: &ClusterSpec,
        to: &ClusterSpec,
        called: impl Fn(&str) -> Vec<String>,
    ) -> Vec<Problem> {
        let before = |name: &str| from.groups.get(name).map_or(0, |group| group.count);
        let growing = to.groups.iter();
        let growing = growing.filter(|group| group.count > before(&group.name));
        let flavors = growing.filter_map(|group| {
            let called = called(to.flavor_reference(group)?);
            let called: Vec<&str> = called.iter().map(String::as_str).collect();
            let allowed = self.flavors.as_deref()?;
            let named = group.flavor.as_deref().or(called.last().copied())?;
            let path = attribute_of(&group.name, "flavor");
            (!allows_flavor(allowed, &called)).then(|| refuse_flavor(&path, named, allowed))
        });
        let mut problems: Vec<Problem> = flavors.collect();
        problems.extend(self.check_growth(&from.groups, &to.groups, false));
        problems
    }

    fn check_growth(&self, from: &NodeGroups, to: &NodeGroups, is_new: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let before = |name: &str| {
            let group = from.get(name).filter(|_| !is_new);
            group.map_or(0, |group| group.count)
        };
        let sized = sized_group();
        let wanted = to.get(sized.name).map_or(0, |group| group.count);
        if let Some(most) = self.max_workers
            && wanted > most.max(before(sized.name))
        {
            let message = format!(
                "the operator allows at most {most} {} in a cluster, this one would have {wanted}",
                sized.many
            );
            problems.push(Problem::new(WORKERS, message, ask("take fewer")));
        }
        let (nodes, were) = (to.node_count(), if is_new { 0 } else { from.node_count() });
        if let Some(most) = self.max_nodes
            && nodes > most.max(were)
        {
            let message = format!(
                "the operator allows at most {most} nodes in a cluster, this one would have {nodes}"
            );
            problems.push(Problem::new("groups", message, ask("take fewer")));
        }
        problems
    }

    /// The end of a cluster for which none is said.
    pub fn end_by_age(&self, since_s: u64) -> Option<u64> {
        match self.max_age? {
            MaxAge::Any => None,
            MaxAge::Seconds(age_s) => Some(since_s.saturating_add(age_s)),
        }
    }

    /// Whether a cluster that was asked for at that time may end at this one.
    ///
    /// # Errors
    /// How long it may live.
    pub fn check_end(&self, at_s: Option<u64>, since_s: u64) -> Result<(), Problem> {
        let Some(MaxAge::Seconds(age_s)) = self.max_age else {
            return Ok(());
        };
        let last_s = since_s.saturating_add(age_s);
        if at_s.is_some_and(|at_s| at_s <= last_s) {
            return Ok(());
        }
        let message = format!(
            "the operator allows clusters an age of at most {}, so that this one may live until {}",
            age_text(age_s),
            format_utc(last_s)
        );
        Err(Problem::new(EXPIRES, message, ask("take a nearer end")))
    }

    /// How long a cluster may be without jobs for which nothing is said of that.
    pub fn idle_by_policy(&self) -> Option<u64> {
        match self.max_idle? {
            MaxAge::Any => None,
            MaxAge::Seconds(idle_s) => Some(idle_s),
        }
    }

    /// Whether a cluster may be without jobs for so long; none: for ever.
    ///
    /// # Errors
    /// How long it may.
    pub fn check_idle(&self, idle_s: Option<u64>) -> Result<(), Problem> {
        let most_s = self.idle_by_policy();
        let Some(most_s) = most_s.filter(|most_s| idle_s.is_none_or(|idle_s| idle_s > *most_s))
        else {
            return Ok(());
        };
        let message = format!(
            "the operator allows clusters to be without jobs for at most {}",
            age_text(most_s)
        );
        Err(Problem::new(IDLE, message, ask("take a shorter time")))
    }

    /// Whether a project that has so many clusters may have one more.
    ///
    /// # Errors
    /// In words why not.
    pub fn check_room(&self, clusters: usize) -> Result<(), String> {
        match self.max_clusters {
            Some(most) if clusters >= most as usize => Err(format!(
                "the operator allows at most {most} clusters in a project; this one has {clusters}: delete one, or ask the operator"
            )),
            _ => Ok(()),
        }
    }
}

fn allows(list: Option<&Vec<String>>, name: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|one| one == name))
}

/// Whether a flavor is among these, by whichever of its names.
pub fn allows_flavor(allowed: &[String], called: &[&str]) -> bool {
    called
        .iter()
        .any(|name| allowed.iter().any(|one| one == name))
}

/// What is wrong with one that is not.
pub fn refuse_flavor(path: &str, name: &str, allowed: &[String]) -> Problem {
    not_among(path, name, Some(allowed))
}

fn not_among(path: &str, name: &str, allowed: Option<&[String]>) -> Problem {
    let allowed = allowed.map(|list| list.join(", ")).unwrap_or_default();
    let message = format!("the operator does not allow `{name}` in this project");
    Problem::new(
        path,
        message,
        format!("allowed: {allowed}; or ask the operator"),
    )
}

fn ask(first: &str) -> String {
    format!("{first}, or ask the operator")
}

#[cfg(test)]
#[path = "operator_policy_tests.rs"]
mod tests;
