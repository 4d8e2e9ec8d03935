//! The attribute names that requests may use: those of [`super::attribute_schema`], and one for
//! every parameter of a plugin. Knows no values.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Problem,
    attribute_schema::ATTRIBUTES,
    default_groups::{RENAMED, canonical_name},
    framework::CLUSTER,
    framework_descriptor::FrameworkDescriptor,
    group_attributes::{group_of_attribute, group_rows},
    group_value::GROUPS_ATTRIBUTE,
    parse_value::shorten,
};

/// The prefix of attributes that are ours; `--set` leaves it out.
pub const PREFIX: &str = "stampede.";

/// The name under which an attribute is kept: of ours that have a short one, the short one.
pub fn kept_name(name: &str) -> Cow<'_, str> {
    let Some(own) = name.strip_prefix(PREFIX) else {
        return Cow::Borrowed(name);
    };
    match canonical_name(own) {
        short if short == own => Cow::Borrowed(name),
        short => Cow::Owned(format!("{PREFIX}{short}")),
    }
}

/// What is said by its short name and by its full one, and not the same.
pub fn find_contradictions<'a>(
    given: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Vec<Problem> {
    let own = given.into_iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(PREFIX)?;
        Some((name, value.trim()))
    });
    let said: BTreeMap<&str, &str> = own.collect();
    let contradicted = said.iter().filter_map(|(name, full)| {
        let short = canonical_name(name);
        let other = said.get(short).filter(|other| *other != full)?;
        let message = format!("says {}, `{name}` says {}", shorten(other), shorten(full));
        Some(Problem::new(short, message, "keep one"))
    });
    contradicted.collect()
}

/// The names that requests may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeNames {
    frameworks: BTreeMap<String, PluginNames>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PluginNames {
    versions: Vec<String>,
    parameters: Vec<String>,
    has_memory_share: bool,
}

/// What a user gives a framework of each node's memory, behind its name.
pub const MEMORY_SHARE: &str = "memory_share";
/// What that is, for people.
pub const MEMORY_SHARE_MEANING: &str = "percent of each node's memory that the framework gets; by default what it and the others ask for";

impl AttributeNames {
    /// With the plugins that are there. One that has the first word of an attribute of Stampede's
    /// own for its name (`network`, `worker`) cannot be asked for, since its parameters could not
    /// be told from those.
    pub fn from_descriptors<'a>(
        descriptors: impl IntoIterator<Item = &'a FrameworkDescriptor>,
    ) -> Self {
        let hides_own = |name: &str| {
            ATTRIBUTES
                .iter()
                .any(|own| own.name.split('.').next() == Some(name))
        };
        let descriptors = descriptors.into_iter();
        let named = descriptors.filter(|descriptor| !hides_own(&descriptor.name));
        let frameworks = named.map(|descriptor| {
            let parameters = descriptor.user_parameters();
            let names = PluginNames {
                versions: descriptor.versions.clone(),
                parameters: parameters.map(|(name, _)| name.clone()).collect(),
                has_memory_share: descriptor.has_memory_share(),
            };
            (descriptor.name.clone(), names)
        });
        Self {
            frameworks: frameworks.collect(),
        }
    }

    /// All frameworks, without the plugin `cluster`.
    pub fn frameworks(&self) -> impl Iterator<Item = &str> {
        self.frameworks
            .keys()
            .map(String::as_str)
            .filter(|name| *name != CLUSTER)
    }

    /// Whether there is a plugin of that name.
    pub fn has_framework(&self, framework: &str) -> bool {
        self.frameworks.contains_key(framework)
    }

    /// What a word is to frameworks, so that no group can be called so; none where it is nothing.
    pub fn describe_word(&self, word: &str) -> Option<String> {
        if self.has_framework(word) {
            return Some("is a framework, whose parameters begin with that word".to_owned());
        }
        let has_word = |name: &&String| name.split('-').any(|other| other == word);
        let framework = self.frameworks.keys().find(has_word)?;
        Some(format!(
            "is a word of the framework `{framework}`, whose resources have it in their names"
        ))
    }

    /// The versions of a framework, newest first.
    pub fn versions(&self, framework: &str) -> &[String] {
        self.frameworks
            .get(framework)
            .map_or(&[], |plugin| &plugin.versions)
    }

    /// Whether a plugin has that parameter.
    pub fn has_parameter(&self, framework: &str, parameter: &str) -> bool {
        self.frameworks
            .get(framework)
            .is_some_and(|plugin| plugin.parameters.iter().any(|p| p == parameter))
    }

    /// Whether it can be said how much of each node's memory a framework gets.
    pub fn has_memory_share(&self, framework: &str) -> bool {
        let plugin = self.frameworks.get(framework);
        plugin.is_some_and(|plugin| plugin.has_memory_share)
    }

    /// Every attribute name, without the prefix, of a cluster with these groups: Stampede's own
    /// first.
    pub fn names<'a>(&self, groups: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let own = ATTRIBUTES
            .iter()
            .map(|attribute| attribute.name.to_string());
        let of_groups = group_rows(groups).map(|row| row.name.into_owned());
        let plugins = self.frameworks.iter().flat_map(|(framework, plugin)| {
            let version = (framework != CLUSTER).then(|| format!("{framework}.version"));
            let share = plugin
                .has_memory_share
                .then(|| format!("{framework}.{MEMORY_SHARE}"));
            version.into_iter().chain(share).chain(
                plugin
                    .parameters
                    .iter()
                    .map(move |parameter| format!("{framework}.{parameter}")),
            )
        });
        own.chain(of_groups).chain(plugins).collect()
    }

    /// What to do about a name that is not there in a cluster with these groups: what it is called
    /// now, the nearest one that is, or the group that it would be of.
    pub fn suggest_name<'a>(
        &self,
        name: &str,
        groups: impl IntoIterator<Item = &'a str>,
    ) -> String {
        if let Some((_, now)) = RENAMED.iter().find(|(former, _)| *former == name) {
            return format!("it is called `{now}` now");
        }
        let names = self.names(groups);
        let words = |name: &str| group_of_attribute(name).map(str::to_owned);
        // Two groups are told apart by their own names, however long the rest is.
        let is_near = |near: &str| match (words(name), words(near)) {
            (Some(group), Some(other)) => nearest(&group, [other.as_str()]).is_some(),
            _ => true,
        };
        let near = nearest(name, names.iter().map(String::as_str));
        if let Some(near) = near.filter(|near| is_near(near)) {
            return format!("did you mean `{near}`?");
        }
        match group_of_attribute(name).filter(|group| !self.has_framework(group)) {
            Some(group) => format!("name the group `{group}` in `{GROUPS_ATTRIBUTE}`"),
            None => String::new(),
        }
    }
}

/// The nearest of `names`, if one is near enough to be what was meant.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).max(2);
    names
        .into_iter()
        .map(|near| (strsim::damerau_levenshtein(name, near), near))
        .min()
        .filter(|(distance, _)| *distance <= most)
        .map(|(_, near)| near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_a_former_name_is_told_the_one_of_now() {
        let names = AttributeNames::default();
        let told = names.suggest_name("hadoop.data_volume_gib", ["master", "worker"]);
        assert_eq!(told, "it is called `worker.volume_gib` now");
        for (former, now) in RENAMED {
            assert!(!names.names([]).contains(&former.to_owned()), "{former}");
            assert!(now.starts_with("cluster.") || names.names([]).contains(&now.to_owned()));
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("hadop", ["spark", "hadoop"]), Some("hadoop"));
        assert_eq!(nearest("worker", ["workers", "mirror"]), Some("workers"));
        assert_eq!(nearest("kubernetes", ["spark", "hadoop"]), None);
    }
}
