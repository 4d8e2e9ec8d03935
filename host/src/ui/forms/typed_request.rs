//! What was typed into a form: a cluster's name and attributes as texts, with nothing dropped that is
//! wrong. Pure: from the fields of a form and back, as a file, and as the command that does the same.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::super::commands::{deploy_of, update_of};
use crate::cluster::Problem;
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::defaults::OperatorDefaults;
use crate::cluster::end_time::EXPIRES;
use crate::cluster::framework::CLUSTER;

/// The field of the cluster's name.
const NAME: &str = "name";
/// The field of each framework that is chosen.
const FRAMEWORK: &str = "framework";
/// A field that says that the form has boxes for frameworks, so that none may be meant.
const FRAMEWORKS_SHOWN: &str = "frameworks_shown";
/// The field of the revision that a change is asked for by.
const REVISION: &str = "revision";
/// What the fields of attributes begin with.
const ATTRIBUTE: &str = "set.";
/// Fields of a form that are read; more than attributes can be given.
const MAX_FIELDS: usize = 2_000;

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedRequest {
    /// The cluster's name.
    pub name: String,
    /// Attributes without `stampede.`; none is empty.
    pub attributes: BTreeMap<String, String>,
    /// Which revision of the cluster was looked at; empty: none.
    pub revision: String,
}

impl TypedRequest {
    /// From the fields of a form, or of a URL's query. Empty fields say nothing.
    pub fn from_fields(encoded: &[u8]) -> Self {
        let mut typed = Self::default();
        let mut frameworks: Vec<String> = Vec::new();
        let mut has_boxes = false;
        for (field, value) in form_urlencoded::parse(encoded).take(MAX_FIELDS) {
            let value = value.trim();
            match field.as_ref() {
                NAME => value.clone_into(&mut typed.name),
                REVISION => value.clone_into(&mut typed.revision),
                FRAMEWORKS_SHOWN => has_boxes = true,
                FRAMEWORK => frameworks.push(value.to_owned()),
                field => {
                    if let Some(name) = field.strip_prefix(ATTRIBUTE)
                        && !value.is_empty()
                    {
                        typed.attributes.insert(name.to_owned(), value.to_owned());
                    }
                }
            }
        }
        frameworks.retain(|name| !name.is_empty());
        if has_boxes && frameworks.is_empty() {
            // The plugin that every cluster has, and no other.
            frameworks.push(CLUSTER.to_owned());
        }
        if !frameworks.is_empty() {
            let all = frameworks.join(",");
            typed.attributes.insert(FRAMEWORK.to_owned(), all);
        }
        typed
    }

    /// The same as fields, for a page that carries it on.
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = vec![(NAME.to_owned(), self.name.clone())];
        if !self.revision.is_empty() {
            fields.push((REVISION.to_owned(), self.revision.clone()));
        }
        let attributes = self.attributes.iter();
        fields
            .extend(attributes.map(|(name, value)| (format!("{ATTRIBUTE}{name}"), value.clone())));
        fields
    }

    /// What the orchestrator is asked with.
    pub fn client_attributes(&self) -> Vec<(String, String)> {
        let attributes = self.attributes.iter();
        attributes
            .map(|(name, value)| (format!("{PREFIX}{name}"), value.clone()))
            .collect()
    }

    /// As a file that [`Self::from_toml`] reads, and so does an operator's file of defaults.
    pub fn to_toml(&self) -> String {
        let mut table = toml::Table::new();
        if !self.name.is_empty() {
            table.insert(NAME.to_owned(), self.name.clone().into());
        }
        for (name, value) in &self.attributes {
            table.insert(name.clone(), value.clone().into());
        }
        toml::to_string(&table).unwrap_or_default()
    }

    /// From such a file, or one in the form of an operator's defaults.
    ///
    /// # Errors
    /// It is not TOML.
    pub fn from_toml(text: &str) -> Result<Self, Problem> {
        let read = OperatorDefaults::from_toml(text).map_err(|problem| Problem {
            path: "file".to_owned(),
            ..problem
        })?;
        let mut attributes: BTreeMap<String, String> = read.into_values();
        let name = attributes.remove(NAME).unwrap_or_default();
        attributes.retain(|_, value| !value.is_empty());
        Ok(Self {
            name,
            attributes,
            revision: String::new(),
        })
    }

    /// The attributes of a cluster that is there, for another like it.
    pub fn like(attributes: &BTreeMap<String, String>) -> Self {
        let own = attributes.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(PREFIX)?;
            // Its end is its own: another one has the same age by chance alone.
            (!value.is_empty() && name != EXPIRES).then(|| (name.to_owned(), value.clone()))
        });
        Self {
            attributes: own.collect(),
            ..Self::default()
        }
    }

    /// The command that deploys the same. `framework` is what is asked for where nothing was typed.
    pub fn deploy_command(&self, framework: &str) -> String {
        let typed = self.attributes.get(FRAMEWORK);
        let framework = typed.map_or(framework, String::as_str);
        deploy_of(framework, &self.name, self.settings())
    }

    /// The command that changes the cluster likewise.
    pub fn update_command(&self) -> String {
        update_of(&self.name, self.settings())
    }

    fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let attributes = self.attributes.iter();
        attributes.map(|(name, value)| (&**name, &**value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(of: &[(&str, &str)]) -> TypedRequest {
        TypedRequest {
            name: "demo".to_owned(),
            attributes: of
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            revision: String::new(),
        }
    }

    const HOSTILE: &str = "a'b \"<x> $(id) `id` \\ ä&=%\nnext";

    #[test]
    fn what_was_typed_is_read_and_carried_on() {
        let body = b"name=+demo+&frameworks_shown=1&framework=hadoop&framework=spark&set.workers=3&set.key=&other=x";
        let read = TypedRequest::from_fields(body);
        let wanted = typed(&[("framework", "hadoop,spark"), ("workers", "3")]);
        assert_eq!(read, wanted);
        let hostile = TypedRequest {
            revision: "0f".to_owned(),
            ..typed(&[("framework", "hadoop"), ("hadoop.site", HOSTILE)])
        };
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(hostile.fields());
        assert_eq!(
            TypedRequest::from_fields(encoded.finish().as_bytes()),
            hostile
        );
    }

    #[test]
    fn no_box_at_all_is_a_cluster_without_a_framework_and_no_boxes_say_nothing() {
        let asked = |body: &[u8]| {
            TypedRequest::from_fields(body)
                .attributes
                .remove("framework")
        };
        assert_eq!(asked(b"frameworks_shown=1").as_deref(), Some("cluster"));
        assert_eq!(asked(b"name=demo"), None);
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let request = typed(&[
            ("workers", "3"),
            ("hadoop.site", HOSTILE),
            ("edge.count", "2"),
        ]);
        assert_eq!(TypedRequest::from_toml(&request.to_toml()), Ok(request));
        let read =
            TypedRequest::from_toml("name = \"demo\"\nworkers = 3\n[hadoop]\nreplication = 2\n");
        let wanted = typed(&[("hadoop.replication", "2"), ("workers", "3")]);
        assert_eq!(read, Ok(wanted));
        let wrong = TypedRequest::from_toml("workers = [").unwrap_err();
        assert!(
            wrong.path == "file" && wrong.message.starts_with("not TOML"),
            "{wrong}"
        );
    }

    #[test]
    fn another_like_one_has_its_attributes_and_no_name() {
        let there = [
            ("stampede.workers", "3"),
            ("stampede.key", ""),
            ("my.own", "x"),
        ];
        let there = there.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let like = TypedRequest::like(&there.into_iter().collect());
        assert_eq!(
            like,
            TypedRequest {
                name: String::new(),
                ..typed(&[("workers", "3")])
            }
        );
    }

    #[test]
    fn a_command_is_one_line_an_option_and_quotes_what_a_shell_would_read() {
        let request = typed(&[
            ("framework", "hadoop"),
            ("workers", "3"),
            ("hadoop.site", "a b"),
        ]);
        let wanted = "stampede deploy hadoop \\\n  --name demo \\\n  --set 'hadoop.site=a b' \\\n  --workers 3";
        assert_eq!(request.deploy_command("spark"), wanted);
        let change = typed(&[("workers", "4")]);
        assert_eq!(
            change.update_command(),
            "stampede update demo \\\n  --workers 4"
        );
        assert!(
            change
                .deploy_command("spark")
                .starts_with("stampede deploy spark ")
        );
    }
}
