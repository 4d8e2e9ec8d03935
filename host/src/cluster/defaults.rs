//! An operator's defaults for their cloud: a value for any attribute, merged from the texts of a
//! TOML file and of environment variables. A variable wins over the file, a request over both
//! ([`super::attributes`]). Pure: the caller reads the file and the environment.

use std::collections::BTreeMap;

use super::{
    Problem,
    attribute_names::{AttributeNames, PREFIX, nearest},
    attribute_schema::find_attribute,
    default_groups::{GROUPS, canonical_name},
    group_attributes::{group_of_attribute, parse_groups},
    group_value::GROUPS_ATTRIBUTE,
    operator_policy::{OperatorPolicy, POLICY},
};

/// What a variable's name begins with; the rest is the attribute's name in capitals with `_` for
/// whatever is not a letter or a digit: `STAMPEDE_DEFAULT_MASTER_FLAVOR`,
/// `STAMPEDE_DEFAULT_HADOOP_CORE_SITE`.
pub const VARIABLE_PREFIX: &str = "STAMPEDE_DEFAULT_";

/// Values by attribute name, without `stampede.`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorDefaults {
    values: BTreeMap<String, String>,
    /// What projects may have.
    policy: OperatorPolicy,
}

impl OperatorDefaults {
    /// From a TOML text: `workers = 3`, `[master]` with `flavor = "m1.large"`, `[hadoop]` with
    /// `replication = 2`. Lists become texts with commas, a plugin's objects JSON.
    /// `"framework.version"` is written in quotes, since `framework` has a value of its own.
    ///
    /// # Errors
    /// The text is not TOML: one problem with the place.
    pub fn from_toml(text: &str) -> Result<Self, Problem> {
        let table: toml::Table = toml::from_str(text).map_err(|e| {
            Problem::new(
                "defaults",
                format!("not TOML: {}", e.to_string().trim()),
                "",
            )
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in &table {
            flatten_table(name, value, &mut values);
        }
        Ok(Self {
            values,
            ..Self::default()
        })
    }

    /// From an operator's file: the same, beside the table `[policy]`.
    ///
    /// # Errors
    /// The text is not TOML, or the policy cannot be meant: one problem with the place.
    pub fn from_operator_toml(text: &str) -> Result<Self, Problem> {
        let policy = OperatorPolicy::from_toml(text)?;
        let mut defaults = Self::from_toml(text)?;
        let inside = format!("{POLICY}.");
        defaults
            .values
            .retain(|name, _| name != POLICY && !name.starts_with(&inside));
        Ok(Self { policy, ..defaults })
    }

    /// What projects may have.
    pub fn policy(&self) -> &OperatorPolicy {
        &self.policy
    }

    /// From environment variables; those without [`VARIABLE_PREFIX`] are passed over. A variable of
    /// no attribute is kept under its own name, for [`OperatorDefaults::check_names`] to report.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
        names: &AttributeNames,
    ) -> Self {
        let known: BTreeMap<String, String> = names
            .names([])
            .into_iter()
            .map(|name| (variable_name(&name), name))
            .collect();
        // Which groups there are may be said in the file.
        let of_group = |variable: &str| {
            let words = variable.strip_prefix(VARIABLE_PREFIX)?.to_ascii_lowercase();
            let name = words.replacen('_', ".", 1);
            let group = group_of_attribute(&name)?;
            (!names.has_framework(group)).then(|| canonical_name(&name).to_owned())
        };
        let attribute = |variable: String| {
            let known = known.get(&variable).cloned();
            known.or_else(|| of_group(&variable)).unwrap_or(variable)
        };
        let ours = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX));
        Self {
            values: ours.map(|(name, value)| (attribute(name), value)).collect(),
            ..Self::default()
        }
    }

    /// These, and where they say nothing, `others`, whose policy holds.
    #[must_use]
    pub fn over(mut self, others: Self) -> Self {
        for (name, value) in others.values {
            self.values.entry(name).or_insert(value);
        }
        self.policy = others.policy;
        self
    }

    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name = canonical_name(name).to_owned();
        self.values.insert(name, value.to_owned());
        self
    }

    /// A problem for each name that nothing knows. Called once, at the start; values are parsed
    /// with each request.
    pub fn check_names(&self, known: &AttributeNames) -> Vec<Problem> {
        // What is wrong with them is told with each request that takes them.
        let groups = self.get(GROUPS_ATTRIBUTE).unwrap_or(GROUPS);
        let (groups, _) = parse_groups(groups, |word| known.describe_word(word));
        let groups = || groups.iter().map(String::as_str);
        let names = known.names(groups());
        let unknown = self.values.keys().filter(|name| !names.contains(name));
        let hint = |name: &String| match name.starts_with(VARIABLE_PREFIX) {
            true => {
                let all: Vec<String> = names.iter().map(|name| variable_name(name)).collect();
                nearest(name, all.iter().map(String::as_str))
                    .map(|near| format!("did you mean `{near}`?"))
                    .unwrap_or_default()
            }
            false => known.suggest_name(name, groups()),
        };
        let inside = |name: &String| {
            let inner = names
                .iter()
                .filter_map(move |other| other.strip_prefix(name.as_str())?.strip_prefix('.'))
                .collect::<Vec<_>>();
            (!inner.is_empty()).then(|| inner.join(", "))
        };
        let problem = |name: &String| match (hint(name), inside(name)) {
            (near, Some(inner)) if near.is_empty() => Problem::new(
                name,
                "has a value of its own, but is a table",
                format!("write [{name}] with any of {inner}"),
            ),
            (near, _) => Problem::new(
                name,
                "is set by default, but there is no such attribute",
                near,
            ),
        };
        unknown.map(problem).collect()
    }

    /// All values, by attribute.
    pub fn into_values(self) -> BTreeMap<String, String> {
        self.values
    }

    /// The value for an attribute, named without `stampede.`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether a default is at this path, inside it or around it: `hadoop.core_site` is about
    /// `hadoop.core_site.x` and about `hadoop`.
    pub fn is_about(&self, path: &str) -> bool {
        let inside = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.values
            .keys()
            .any(|name| inside(name, path) || inside(path, name))
    }

    /// All values whose names begin with `<framework>.`, by the rest of the name.
    pub(super) fn parameters_of<'a>(
        &'a self,
        framework: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values.iter().filter_map(move |(name, value)| {
            Some((
                name.strip_prefix(framework)?.strip_prefix('.')?,
                value.as_str(),
            ))
        })
    }
}

/// The variable that sets an attribute. Two attributes may share one only where they differ in
/// nothing but signs; no two of the shipped plugins do.
pub fn variable_name(attribute: &str) -> String {
    let name: String = attribute
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("{VARIABLE_PREFIX}{name}")
}

/// Collects the values of a TOML table by attribute name. A name has one dot at most, between the
/// table's name and the key: what is nested deeper is one value of a plugin's parameter.
fn flatten_table(name: &str, value: &toml::Value, values: &mut BTreeMap<String, String>) {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    match value {
        toml::Value::Table(table) if !name.contains('.') => {
            for (inner, value) in table {
                flatten_table(&format!("{name}.{inner}"), value, values);
            }
        }
        value => {
            let text = value_text(name, value);
            values.insert(canonical_name(name).to_owned(), text);
        }
    }
}

/// A TOML value as the text that a request would carry. A list is joined by commas for Stampede's
/// own attributes, and JSON for a plugin's parameters, whose schema tells lists from texts.
fn value_text(name: &str, value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => value.to_string(),
        toml::Value::Array(items) if find_attribute(name).is_some() => items
            .iter()
            .map(|item| value_text(name, item))
            .collect::<Vec<_>>()
            .join(","),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            serde_json::to_string(value).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_plugins::plugin_with;

    #[test]
    fn a_toml_file_sets_any_attribute() {
        let text = "workers = 3\n'framework.version' = '3.4.3'\nframework = ['hadoop', 'spark']\n[master]\nflavor = 'm1.large'\n\
                    [network]\naccess = ['10.0.0.0/8', '192.0.2.1']\n[hadoop]\nreplication = 2\ncore-site = { 'a.b' = 'c' }\n";
        let defaults = OperatorDefaults::from_toml(text).unwrap();
        let wanted = [
            ("workers", "3"),
            ("framework.version", "3.4.3"),
            ("framework", "hadoop,spark"),
            ("master.flavor", "m1.large"),
            ("network.access", "10.0.0.0/8,192.0.2.1"),
            ("hadoop.replication", "2"),
            ("hadoop.core-site", r#"{"a.b":"c"}"#),
        ];
        for (name, value) in wanted {
            assert_eq!(defaults.get(name), Some(value), "{name}");
        }
    }

    fn names() -> AttributeNames {
        let hadoop = plugin_with("hadoop", &[], &["core_site", "block-size"]);
        AttributeNames::from_descriptors(&[hadoop])
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = OperatorDefaults::from_toml("workers = 3\nimage = 'debian'").unwrap();
        let set = [
            ("STAMPEDE_DEFAULT_WORKERS", "5"),
            ("STAMPEDE_DEFAULT_HADOOP_CORE_SITE", "{}"),
            ("PATH", "/bin"),
        ];
        let environment = OperatorDefaults::from_variables(
            set.map(|(n, v)| (n.to_owned(), v.to_owned())),
            &names(),
        );
        let both = environment.over(file);
        assert_eq!(
            (
                both.get("workers"),
                both.get("image"),
                both.get("hadoop.core_site")
            ),
            (Some("5"), Some("debian"), Some("{}"))
        );
        assert_eq!(both.check_names(&names()), []);
    }

    #[test]
    fn an_unknown_default_is_named_with_its_neighbour() {
        let problems = OperatorDefaults::default()
            .with("worker", "3")
            .check_names(&names());
        assert_eq!(
            problems[0].to_string(),
            "worker: is set by default, but there is no such attribute (did you mean `workers`?)"
        );
        let problems = OperatorDefaults::from_variables(
            [("STAMPEDE_DEFAULT_WORKER".to_owned(), "3".to_owned())],
            &names(),
        )
        .check_names(&names());
        let told = "STAMPEDE_DEFAULT_WORKER: is set by default, but there is no such attribute (did you mean `STAMPEDE_DEFAULT_WORKERS`?)";
        assert_eq!(problems[0].to_string(), told);
    }

    #[test]
    fn a_text_in_the_place_of_a_table_is_told_as_that() {
        let problems = OperatorDefaults::from_toml("network = 'public'\nhadoop = 2")
            .unwrap()
            .check_names(&names());
        let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
        let wanted = [
            "hadoop: has a value of its own, but is a table (write [hadoop] with any of version, memory_share, core_site, block-size)",
            "network: has a value of its own, but is a table (write [network] with any of external, cidr, access, open, open_unauthenticated)",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn every_attribute_has_a_variable_of_its_own() {
        for name in names().names([]) {
            let variable = variable_name(&name);
            assert!(
                variable
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
                "{variable}"
            );
            let set = OperatorDefaults::from_variables([(variable, "x".to_owned())], &names());
            assert_eq!(set.get(&name), Some("x"), "{name}");
        }
    }
}
