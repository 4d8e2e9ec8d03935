//! Merges a request's attributes over those that a cluster has, within the limits. Pure.

use std::collections::BTreeMap;

use crate::cluster::{
    Problem,
    attribute_names::{PREFIX, find_contradictions, kept_name},
    default_groups::find_default,
    group_attributes::{group_of_attribute, split_groups},
    group_value::GROUPS_ATTRIBUTE,
};
use crate::orchestrator::{error::OrchestratorError, limits::OrchestratorLimits};

/// What was given before, with what is given now over it. What was said of a group that is named no
/// more is nobody's.
///
/// # Errors
/// `Invalid`: more, or more bytes, than are kept; one thing said by two names, and not the same.
pub(crate) fn merge_attributes(
    before: &BTreeMap<String, String>,
    now: impl IntoIterator<Item = (String, String)>,
    limits: &OrchestratorLimits,
) -> Result<BTreeMap<String, String>, OrchestratorError> {
    let now: Vec<(String, String)> = now.into_iter().collect();
    let is_new =
        |(name, value): &(&String, &String)| before.get(kept_name(name).as_ref()) != Some(*value);
    let pairs = now.iter().map(|(name, value)| (name, value));
    let contradictions = find_contradictions(pairs.filter(is_new));
    if !contradictions.is_empty() {
        return Err(OrchestratorError::Invalid(contradictions));
    }
    let mut all = before.clone();
    let groups = format!("{PREFIX}{GROUPS_ATTRIBUTE}");
    if let Some((_, named)) = now.iter().rev().find(|(name, _)| *name == groups) {
        let before = before.get(&groups).map_or("", String::as_str);
        let is_left = |group: &str| {
            split_groups(before).any(|other| other == group)
                && !split_groups(named).any(|other| other == group)
        };
        all.retain(|name, _| {
            let group = name.strip_prefix(PREFIX).and_then(group_of_attribute);
            group.is_none_or(|group| find_default(group).is_some() || !is_left(group))
        });
    }
    let kept = |(name, value): (String, String)| (kept_name(&name).into_owned(), value);
    all.extend(now.into_iter().map(kept));
    let bytes: usize = all
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let problem = |message| {
        Err(OrchestratorError::Invalid(vec![Problem::new(
            "attributes",
            message,
            "leave out what the cluster does not need",
        )]))
    };
    if all.len() > limits.attributes {
        return problem(format!(
            "{} attributes, a cluster has at most {}",
            all.len(),
            limits.attributes
        ));
    }
    if bytes > limits.attribute_bytes {
        return problem(format!(
            "{bytes} bytes of attributes, a cluster has at most {}",
            limits.attribute_bytes
        ));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(count: usize, bytes: usize) -> Vec<(String, String)> {
        (0..count)
            .map(|n| (format!("{n:04}"), "x".repeat(bytes - 4)))
            .collect()
    }

    #[test]
    fn the_last_of_several_wins_and_what_was_there_stays() {
        let before = BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        let now = vec![("a".into(), "3".into()), ("a".into(), "4".into())];
        let merged = merge_attributes(&before, now, &OrchestratorLimits::default()).unwrap();
        assert_eq!(
            merged,
            BTreeMap::from([("a".into(), "4".into()), ("b".into(), "2".into())])
        );
    }

    #[test]
    fn what_is_said_by_two_names_and_not_the_same_is_refused_and_what_is_sent_back_is_not() {
        let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            let pair = |(name, value): &(&str, &str)| (format!("{PREFIX}{name}"), (*value).into());
            all.iter().map(pair).collect()
        };
        let merged = |before: &[(&str, &str)], now: &[(&str, &str)]| {
            let before = pairs(before).into_iter().collect();
            merge_attributes(&before, pairs(now), &OrchestratorLimits::default())
        };
        let both = [("workers", "3"), ("worker.count", "5")];
        let told = merged(&[], &both).unwrap_err().to_string();
        assert!(told.contains("says 3, `worker.count` says 5"), "{told}");
        let workers = |merged: &BTreeMap<String, String>| merged["stampede.workers"].clone();
        assert_eq!(workers(&merged(&[("workers", "3")], &both).unwrap()), "5");
    }

    #[test]
    fn what_was_said_of_a_group_goes_with_it_and_nothing_else_does() {
        let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter()
                .map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()))
                .collect()
        };
        let before = pairs(&[
            ("groups", "master, worker,edge"),
            ("edge.count", "2"),
            ("edge.root_volume_gib", "9"),
            ("worker.flavor", "small"),
            ("zoo.count", "a framework's"),
        ]);
        let before: BTreeMap<String, String> = before.into_iter().collect();
        let left = |now: &[(&str, &str)]| -> Vec<String> {
            let merged = merge_attributes(&before, pairs(now), &OrchestratorLimits::default());
            let names = merged.unwrap().into_keys();
            names.map(|name| name.replace(PREFIX, "")).collect()
        };
        let without = ["groups", "worker.flavor", "zoo.count"];
        for groups in ["", "master,worker", "master,worker,zoo"] {
            assert_eq!(left(&[("groups", groups)]), without, "{groups}");
        }
        assert_eq!(left(&[("workers", "3")]).len(), 6);
        assert_eq!(left(&[("groups", "edge,master,worker")]).len(), 5);
    }

    #[test]
    fn number_and_bytes_have_limits() {
        let limits = OrchestratorLimits {
            attributes: 3,
            attribute_bytes: 30,
            ..OrchestratorLimits::default()
        };
        let try_with = |count, bytes| {
            merge_attributes(&BTreeMap::new(), given(count, bytes), &limits).map(|all| all.len())
        };
        assert_eq!(
            (
                try_with(3, 10),
                try_with(4, 5).is_err(),
                try_with(3, 11).is_err()
            ),
            (Ok(3), true, true)
        );
    }
}
