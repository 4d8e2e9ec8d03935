//! The attributes of node groups: `groups`, which names them, and those that each of them has,
//! `<group>.count` and so on. Those of the groups that every cluster has stand among the rows of
//! [`super::attribute_schema`], some under short names. Knows no plugin's code and no cloud.

use std::borrow::Cow;

use super::{
    Problem,
    attribute_schema::{AttributeSchema, AttributeValue, find_attribute},
    default_groups::{DEFAULT_GROUPS, canonical_name, find_default, many_nodes},
    group_value::{GROUPS_ATTRIBUTE, GroupAttribute, GroupValue},
    limits::{MAX_CLUSTER_NODES, MAX_GROUP_NAME_CHARS, MAX_GROUPS},
    node_group::GroupSpec,
    parse_value::{shorten, split_list},
    reserved_words::is_reserved,
};

/// How many nodes of a further group, where nobody says it.
const GROUP_COUNT: u32 = 1;
/// What each group has attributes for, behind its name.
const GROUP_ATTRIBUTES: [&str; 8] = [
    "count",
    "remove",
    "flavor",
    "image",
    "availability_zone",
    "root_volume_gib",
    "volume_gib",
    "components",
];

/// The attributes of a group, none of them under a short name.
fn rows_of(group: &str) -> [AttributeSchema; 8] {
    let many = many_nodes(group);
    let default = find_default(group).map_or(GROUP_COUNT, |known| known.count);
    GROUP_ATTRIBUTES.map(|attribute| {
        let (description, value) = match attribute {
            "count" => (format!("how many {many}"), GroupValue::Count { default }),
            "remove" => {
                let which = "by default the last ones";
                (format!("in an update: the {many} to take away; {which}"), GroupValue::Remove)
            }
            "flavor" => (format!("flavor of the {many}, name or id"), GroupValue::Flavor),
            "image" => (format!("image of the {many}, name or id"), GroupValue::Image),
            "availability_zone" => {
                (format!("availability zone of the {many}"), GroupValue::Zone)
            }
            "components" => (
                format!("components on the {many}, such as `datanode`, or `zookeeper_server:3` for three of them"),
                GroupValue::Components,
            ),
            "volume_gib" => (
                format!("GiB of a volume for each of the {many}, for what daemons keep; 0 for none"),
                GroupValue::Volume,
            ),
            _ => (
                format!("GiB of the volume that each of the {many} boots from; 0 for the flavor's own disk"),
                GroupValue::RootVolume,
            ),
        };
        AttributeSchema {
            name: Cow::Owned(format!("{group}.{attribute}")),
            description: Cow::Owned(description),
            may_change: matches!(value, GroupValue::Count { .. }),
            value: AttributeValue::OfGroup(GroupAttribute {
                group: Cow::Owned(group.to_owned()),
                value,
            }),
        }
    })
}

/// The attributes of these groups that are no rows of
/// [`super::attribute_schema::ATTRIBUTES`].
pub fn group_rows<'a>(
    groups: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = AttributeSchema> {
    let rows = groups.into_iter().flat_map(rows_of);
    rows.filter(|row| find_attribute(canonical_name(&row.name)).is_none())
}

/// The attribute of this name, without `stampede.`, of a cluster with these groups.
pub fn find_row<'a>(
    name: &str,
    groups: impl IntoIterator<Item = &'a str>,
) -> Option<Cow<'static, AttributeSchema>> {
    if let Some(row) = find_attribute(name) {
        return Some(Cow::Borrowed(row));
    }
    let group = name.split_once('.')?.0;
    let mut named = groups.into_iter().filter(|other| *other == group);
    let mut rows = group_rows(named.next());
    rows.find(|row| row.name == name).map(Cow::Owned)
}

/// The group that an attribute of this name would be of, where it is of the form of one.
pub fn group_of_attribute(name: &str) -> Option<&str> {
    let (group, attribute) = name.split_once('.')?;
    let is_known = GROUP_ATTRIBUTES.contains(&attribute);
    (is_known && is_group_name(group)).then_some(group)
}

/// The words of a text that names groups.
pub fn split_groups(text: &str) -> impl Iterator<Item = &str> {
    split_list(text)
}

/// Whether a group can have this name, as far as its form goes: servers, resources of Heat and
/// paths of attributes bear it, and a node's name ends with its number.
pub fn is_group_name(name: &str) -> bool {
    name.len() <= MAX_GROUP_NAME_CHARS
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// The groups that a text names, each once: those of every cluster first; and all that is wrong with
/// it: a name that cannot be, too many of them, one of every cluster's left out. `whose` tells of
/// names that frameworks have.
pub fn parse_groups(
    text: &str,
    whose: impl Fn(&str) -> Option<String>,
) -> (Vec<String>, Vec<Problem>) {
    let mut groups: Vec<String> = DEFAULT_GROUPS
        .iter()
        .map(|group| group.name.to_owned())
        .collect();
    let mut problems = Vec::new();
    let problem = |message: String, hint: String| Problem::new(GROUPS_ATTRIBUTE, message, hint);
    let words: Vec<&str> = split_groups(text).collect();
    let left_out: Vec<&String> = groups
        .iter()
        .filter(|name| !words.contains(&name.as_str()))
        .collect();
    if !left_out.is_empty() {
        let named: Vec<String> = left_out.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "leaves out {}, which every cluster has",
            named.join(" and ")
        );
        let mut all: Vec<&str> = groups.iter().map(String::as_str).collect();
        let is_further = |word: &&&str| {
            !groups.iter().any(|known| known == *word) && name_problem(word, &whose).is_none()
        };
        all.extend(words.iter().filter(is_further));
        problems.push(problem(message, format!("`{}`", all.join(","))));
    }
    for word in words {
        if groups.iter().any(|group| group == word) {
            continue;
        }
        match name_problem(word, &whose) {
            Some((message, hint)) => problems.push(problem(message, hint)),
            None => groups.push(word.to_owned()),
        }
    }
    if groups.len() > MAX_GROUPS {
        problems.push(problem(
            format!(
                "names {} groups, at most {MAX_GROUPS} are taken",
                groups.len()
            ),
            String::new(),
        ));
    }
    (groups, problems)
}

/// Why a group cannot have this name, and what to do.
fn name_problem(word: &str, whose: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    if !is_group_name(word) {
        let hint = format!("1 to {MAX_GROUP_NAME_CHARS} of a-z and 0-9, a letter first");
        let message = format!("`{}` cannot be a group's name", shorten(word));
        return Some((message, hint));
    }
    let hint = || "take another name".to_owned();
    if let Some(framework) = whose(word) {
        return Some((format!("`{word}` {framework}"), hint()));
    }
    if is_reserved(word) {
        let message = format!("`{word}` means something else to stampede");
        return Some((message, hint()));
    }
    None
}

/// A group as it is before anything is said of it.
pub(super) fn new_group(name: &str) -> GroupSpec {
    GroupSpec {
        name: name.to_owned(),
        count: GROUP_COUNT,
        ..GroupSpec::default()
    }
}

/// A further group of so many nodes, of which nothing is said.
pub fn sized_new_group(name: &str, count: u32) -> GroupSpec {
    let mut group = GroupSpec {
        count,
        ..new_group(name)
    };
    name_first_nodes([&mut group]);
    group
}

/// Decides how the first nodes of these groups are called, for as long as the groups are there: by
/// the group's name alone where it begins with one node.
pub(super) fn name_first_nodes<'a>(groups: impl IntoIterator<Item = &'a mut GroupSpec>) {
    for group in groups {
        group.bare_first = match find_default(&group.name) {
            Some(known) => known.bare_first,
            None => group.count == 1,
        };
    }
}

/// So many nodes are more than a cluster has.
pub fn too_many_nodes(nodes: u32) -> Problem {
    Problem::new(
        GROUPS_ATTRIBUTE,
        format!("have {nodes} nodes together, a cluster has at most {MAX_CLUSTER_NODES}"),
        "ask for fewer, or for several clusters",
    )
}

#[cfg(test)]
#[path = "group_attributes_tests.rs"]
mod tests;
