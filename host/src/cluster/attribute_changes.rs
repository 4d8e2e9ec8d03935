//! Parses what an update gives over the spec of a running cluster. What the update does not name is
//! not looked at, so that a plugin that has lost a version or a parameter, or has become stricter,
//! does not stand in the way of anything else. Knows no plugin's code and no cloud.

use std::collections::BTreeMap;

use super::{
    ClusterSpec, Problem,
    attribute_names::{AttributeNames, MEMORY_SHARE, PREFIX, find_contradictions, kept_name},
    attribute_schema::{DEFAULT_FRAMEWORK, default_spec},
    attributes::way_out,
    default_groups::{GROUPS, canonical_name},
    framework::CLUSTER,
    group_attributes::{find_row, name_first_nodes, new_group, parse_groups},
    group_value::GROUPS_ATTRIBUTE,
    limits,
    parse_value::{check_text, parse_number, shorten, split_list},
};

/// The spec with what is given over it. What is given as it is `stored`, or says what the spec says
/// already, changes nothing. Whether a running cluster may change so is not asked here.
///
/// # Errors
/// All problems at once, each of something that is given.
pub fn parse_changes(
    spec: &ClusterSpec,
    stored: &BTreeMap<String, String>,
    given: &[(String, String)],
    names: &AttributeNames,
) -> Result<ClusterSpec, Vec<Problem>> {
    let says_more = |(name, value): &(&String, &String)| {
        name.starts_with(PREFIX) && stored.get(kept_name(name).as_ref()) != Some(*value)
    };
    let pairs = given.iter().map(|(name, value)| (name, value));
    let given = pairs.filter(says_more);
    let mut problems = find_contradictions(given.clone());
    // Of several of one name the last one counts.
    let given: BTreeMap<&str, &str> = given
        .filter_map(|(name, value)| {
            let name = canonical_name(name.strip_prefix(PREFIX)?);
            Some((name, value.as_str()))
        })
        .collect();
    if given.len() > limits::MAX_ATTRIBUTES {
        let message = format!(
            "{} attributes named stampede.*, at most {} are taken",
            given.len(),
            limits::MAX_ATTRIBUTES
        );
        return Err(vec![Problem::new("attributes", message, "")]);
    }
    let mut reader = ChangeReader {
        from: spec,
        to: spec.clone(),
        names,
    };
    let was_given = |name: &str| stored.contains_key(&format!("{PREFIX}{name}"));
    // The others are read by the groups that there are then.
    if let Some(text) = given.get(GROUPS_ATTRIBUTE) {
        problems.extend(reader.read_groups(text, was_given(GROUPS_ATTRIBUTE)));
    }
    for (name, text) in given.iter().filter(|(name, _)| **name != GROUPS_ATTRIBUTE) {
        problems.extend(reader.read(name, text, was_given(name)).err());
    }
    let mut to = reader.to;
    let is_new = |name: &str| spec.groups.get(name).is_none();
    name_first_nodes(to.groups.iter_mut().filter(|group| is_new(&group.name)));
    keep_names(spec, &mut to);
    let has_no_way_in = way_out(&to).is_none();
    if to.access != spec.access && !to.access.is_empty() && has_no_way_in {
        problems.push(Problem::new(
            "network.access",
            "names who may come in, but the cluster has no external network, so that there is no way in",
            "leave it out, or deploy a new cluster",
        ));
    }
    to.settings.retain(|_, settings| !settings.is_empty());
    if problems.is_empty() {
        Ok(to)
    } else {
        Err(problems)
    }
}

struct ChangeReader<'a> {
    from: &'a ClusterSpec,
    to: ClusterSpec,
    names: &'a AttributeNames,
}

impl ChangeReader<'_> {
    fn read(&mut self, name: &str, text: &str, was_given: bool) -> Result<(), Problem> {
        if let Some((framework, "version")) = name.split_once('.')
            && framework != CLUSTER
            && (framework == "framework" || self.has(framework))
        {
            return self.read_version(name, text.trim());
        }
        if name == "framework" {
            return self.read_frameworks(text, was_given);
        }
        if let Some(attribute) = find_row(name, self.named_groups()) {
            check_text(name, text)?;
            // As everywhere, empty means "not given".
            return match text.trim() {
                "" if was_given || name == "key" => {
                    attribute.copy_value(&default_spec(), &mut self.to);
                    Ok(())
                }
                "" => Ok(()),
                text => attribute.parse_into(&mut self.to, text),
            };
        }
        if let Some((framework, MEMORY_SHARE)) = name.split_once('.')
            && self.names.has_memory_share(framework)
            && self.has(framework)
        {
            return self.read_memory_share(name, framework, text.trim());
        }
        self.read_parameter(name, text)
    }

    fn read_memory_share(
        &mut self,
        name: &str,
        framework: &str,
        text: &str,
    ) -> Result<(), Problem> {
        if text.is_empty() {
            self.to.memory_shares.remove(framework);
            return Ok(());
        }
        let share = parse_number(name, text, 1, limits::MAX_MEMORY_SHARE)?;
        self.to.memory_shares.insert(framework.to_owned(), share);
        Ok(())
    }

    /// Groups are added behind those that there are. One that is left out has no node from then on,
    /// and its place is never another one's.
    fn read_groups(&mut self, text: &str, was_given: bool) -> Vec<Problem> {
        let text = match text.trim() {
            "" if !was_given => return Vec::new(),
            "" => GROUPS,
            text => text,
        };
        // A plugin that came later takes no name from a group that is or was there.
        let is_there = |word: &str| self.from.groups.get(word).is_some();
        let whose = |word: &str| (!is_there(word)).then(|| self.names.describe_word(word))?;
        let (named, mut problems) = parse_groups(text, whose);
        for group in self.to.groups.iter_mut() {
            let is_named = named.contains(&group.name);
            match group.is_empty() {
                false if !is_named => *group = group.emptied(),
                // It was there once.
                true if is_named => group.count = new_group(&group.name).count,
                _ => {}
            }
        }
        let first = self.to.groups.iter().len();
        for name in &named {
            self.to.groups.add(new_group(name));
        }
        let places = self.to.groups.iter().len();
        if problems.is_empty() && first < places && places > limits::MAX_GROUPS {
            let new = self.to.groups.names().skip(first.max(limits::MAX_GROUPS));
            let message = format!(
                "`{}` would be one group too many of all that the cluster ever had, which are {first} by now and {} at most",
                new.collect::<Vec<_>>().join("`, `"),
                limits::MAX_GROUPS
            );
            let hint = "take a group's name again that it had, or deploy a new cluster";
            problems.push(Problem::new(GROUPS_ATTRIBUTE, message, hint));
        }
        problems
    }

    /// The groups that the cluster is to have.
    fn named_groups(&self) -> impl Iterator<Item = &str> + Clone {
        let groups = self.to.groups.with_nodes();
        groups.map(|group| group.name.as_str())
    }

    fn has(&self, framework: &str) -> bool {
        let mut chain = self.from.frameworks.iter();
        framework == CLUSTER || chain.any(|choice| choice.name == framework)
    }

    /// A version that is not known yet, of a cluster that a former version made, may be said; any
    /// other than the one that runs may not.
    fn read_version(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let asked = name.split_once('.').map_or("", |(framework, _)| framework);
        let of_all = asked == "framework";
        let choices = self.to.frameworks.iter_mut();
        for choice in choices.filter(|choice| of_all || choice.name == asked) {
            match &choice.version {
                _ if text.is_empty() => {}
                Some(version) if version == text => {}
                Some(_) => return Err(fixed(name)),
                None => choice.version = Some(text.to_owned()),
            }
        }
        Ok(())
    }

    fn read_frameworks(&self, text: &str, was_given: bool) -> Result<(), Problem> {
        let text = match text.trim() {
            "" if !was_given => return Ok(()),
            "" => DEFAULT_FRAMEWORK,
            text => text,
        };
        let mut asked: Vec<&str> = Vec::new();
        for name in split_list(text) {
            if name != CLUSTER && !asked.contains(&name) {
                asked.push(name);
            }
        }
        let there = self.from.frameworks.iter().map(|choice| &choice.name);
        if there.eq(asked) {
            Ok(())
        } else {
            Err(fixed("framework"))
        }
    }

    fn read_parameter(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let unknown = || {
            Problem::new(
                shorten(name),
                "there is no such attribute",
                self.names.suggest_name(name, self.named_groups()),
            )
        };
        let (framework, parameter) = name.split_once('.').ok_or_else(unknown)?;
        let settings = self.from.settings.get(framework);
        let was_set = settings.is_some_and(|settings| settings.contains_key(parameter));
        let is_known = self.names.has_parameter(framework, parameter);
        if !is_known && was_set && text.is_empty() {
            // The plugin has it no more, and it is given up.
            if let Some(settings) = self.to.settings.get_mut(framework) {
                settings.remove(parameter);
            }
            return Ok(());
        }
        if !is_known {
            return Err(unknown());
        }
        if !self.has(framework) {
            let message = format!("{framework} is not part of this cluster");
            return Err(Problem::new(name, message, "leave it out"));
        }
        check_text(name, text)?;
        let settings = self.to.settings.entry(framework.to_owned()).or_default();
        settings.insert(parameter.to_owned(), text.to_owned());
        Ok(())
    }
}

/// Who names what is there by its id says nothing new.
fn keep_names(from: &ClusterSpec, to: &mut ClusterSpec) {
    let Some(pins) = from.pins.as_deref() else {
        return;
    };
    let keep = |id: &Option<String>, was: &Option<String>, now: &mut Option<String>| {
        if id.is_some() && id == now {
            now.clone_from(was);
        }
    };
    for group in from.groups.iter() {
        let (Some(pinned), Some(wanted)) =
            (pins.groups.get(&group.name), to.groups.get_mut(&group.name))
        else {
            continue;
        };
        keep(&pinned.flavor_id, &group.flavor, &mut wanted.flavor);
        keep(&pinned.image_id, &group.image, &mut wanted.image);
        if group.image.is_none() {
            keep(&pinned.image_id, &from.image, &mut to.image);
        }
    }
    keep(
        &pins.external_network_id,
        &from.external_network,
        &mut to.external_network,
    );
}

/// What a running cluster cannot be changed in.
pub fn fixed(name: &str) -> Problem {
    Problem::new(
        name,
        "cannot be changed in a running cluster",
        "leave it as it is, or deploy a new cluster",
    )
}

#[cfg(test)]
#[path = "attribute_changes_tests.rs"]
mod tests;
