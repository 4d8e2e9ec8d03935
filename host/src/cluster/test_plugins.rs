//! Plugins for tests, as they describe themselves.

use serde_json::{Value, json};

use super::framework_descriptor::FrameworkDescriptor;

/// A plugin of these versions with these parameters, by name with their schemas.
pub(crate) fn plugin(name: &str, versions: &[&str], parameters: Value) -> FrameworkDescriptor {
    FrameworkDescriptor {
        name: name.to_owned(),
        versions: versions.iter().map(|one| (*one).to_owned()).collect(),
        parameters: json!({ "type": "object", "properties": parameters }).into(),
        ..FrameworkDescriptor::default()
    }
}

/// The same, where of its parameters the names alone matter.
pub(crate) fn plugin_with(
    name: &str,
    versions: &[&str],
    parameters: &[&str],
) -> FrameworkDescriptor {
    let parameters = parameters
        .iter()
        .map(|name| ((*name).to_owned(), json!({})));
    plugin(name, versions, Value::Object(parameters.collect()))
}
