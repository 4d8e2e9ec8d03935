//! What a category says of an attribute: OCCI's attribute description (GFD.221, section 4.4.2). The
//! definitions come from the rows of Stampede's own attributes, from the JSON Schema of a plugin's
//! parameters, and from what this service shows.

use serde_json::{Map, Value};

use super::super::terms::ShownAttribute;
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::attribute_names::{MEMORY_SHARE, MEMORY_SHARE_MEANING};
use crate::cluster::attribute_schema::{AttributeSchema, AttributeValue};
use crate::cluster::framework_descriptor::{FrameworkDescriptor, is_fixed};
use crate::cluster::group_value::{GroupAttribute, GroupValue};

/// The types that attributes can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    #[default]
    String,
    /// A number, whole or not.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl ValueType {
    /// The type of a JSON value; null is no value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Number(_) => Self::Number,
            Value::Bool(_) => Self::Boolean,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
            Value::String(_) | Value::Null => Self::String,
        }
    }

    /// Of JSON Schema's name. What it does not name is a text.
    fn from_schema(schema: &Value) -> Self {
        match schema.get("type").and_then(Value::as_str) {
            Some("integer" | "number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("array") => Self::Array,
            Some("object") => Self::Object,
            _ => Self::String,
        }
    }

    /// The name in renderings.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// A value of this type: a text that means one is read as it. What is none stays as it is.
    pub fn read(self, value: &Value) -> Value {
        let Value::String(text) = value else {
            return value.clone();
        };
        if self == Self::String {
            return value.clone();
        }
        let read = serde_json::from_str::<Value>(text).ok();
        read.filter(|read| Self::of(read) == self)
            .unwrap_or_else(|| value.clone())
    }
}

/// One attribute of a category.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeDefinition {
    /// With `stampede.` where it is ours.
    pub name: String,
    /// Whether clients may set it.
    pub mutable: bool,
    /// What its value is.
    pub value_type: ValueType,
    /// The value where none is given, of that type.
    pub default: Option<Value>,
    /// For people; may be empty.
    pub description: String,
}

impl AttributeDefinition {
    /// One that clients may set.
    pub fn mutable(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            mutable: true,
            description: description.to_owned(),
            ..Self::default()
        }
    }

    /// One that only this service sets.
    pub fn shown(shown: &ShownAttribute) -> Self {
        Self {
            mutable: false,
            ..Self::mutable(shown.name, shown.description)
        }
    }

    /// One of Stampede's own.
    pub fn from_row(row: &AttributeSchema) -> Self {
        let (value_type, default) = match &row.value {
            AttributeValue::Number { default, .. } => (ValueType::Number, Some((*default).into())),
            AttributeValue::OfGroup(GroupAttribute {
                value: GroupValue::Count { default },
                ..
            }) => (ValueType::Number, Some((*default).into())),
            AttributeValue::OfGroup(GroupAttribute {
                value: GroupValue::RootVolume,
                ..
            }) => (ValueType::Number, None),
            _ => (ValueType::String, None),
        };
        Self {
            value_type,
            default,
            ..Self::mutable(&format!("{PREFIX}{}", row.name), &row.description)
        }
    }

    /// A framework's: its version, if it has several, and its parameters.
    pub fn of_framework(descriptor: &FrameworkDescriptor) -> Vec<Self> {
        let name = &descriptor.name;
        let version = (!descriptor.versions.is_empty()).then(|| Self {
            default: Some(descriptor.default_version().into()),
            ..Self::mutable(
                &format!("{PREFIX}{name}.version"),
                "version of the framework",
            )
        });
        let share = descriptor.has_memory_share().then(|| Self {
            value_type: ValueType::Number,
            ..Self::mutable(
                &format!("{PREFIX}{name}.{MEMORY_SHARE}"),
                MEMORY_SHARE_MEANING,
            )
        });
        let parameters = descriptor.user_parameters().map(|(parameter, schema)| {
            Self::from_schema(&format!("{PREFIX}{name}.{parameter}"), schema)
        });
        let own = version.into_iter().chain(share);
        own.chain(parameters).collect()
    }

    fn from_schema(name: &str, schema: &Value) -> Self {
        let text = |key| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let value_type = ValueType::from_schema(schema);
        let fixed = is_fixed(schema);
        let mut definition = Self {
            value_type,
            default: schema
                .get("default")
                .filter(|value| ValueType::of(value) == value_type)
                .cloned(),
            ..Self::mutable(name, text("description"))
        };
        if fixed {
            definition.description += FIXED_NOTE;
        }
        definition
    }

    /// The description as GFD.226 renders it.
    pub fn describe(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("mutable".to_owned(), self.mutable.into());
        fields.insert("required".to_owned(), false.into());
        fields.insert("type".to_owned(), self.value_type.name().into());
        if let Some(default) = &self.default {
            fields.insert("default".to_owned(), default.clone());
        }
        if !self.description.is_empty() {
            fields.insert("description".to_owned(), self.description.as_str().into());
        }
        fields.into()
    }
}

/// Stands behind the description of what is mutable only until the cluster runs.
const FIXED_NOTE: &str = " (fixed in a running cluster)";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::framework_descriptor::FIXED_IN_CLUSTER;

    #[test]
    fn texts_that_mean_another_type_are_read_as_it() {
        for (value_type, text, value) in [
            (ValueType::Number, "3", json!(3)),
            (ValueType::Number, "0.5", json!(0.5)),
            (ValueType::Number, "three", json!("three")),
            (ValueType::Number, "\"3\"", json!("\"3\"")),
            (ValueType::Boolean, "true", json!(true)),
            (ValueType::Array, "[1]", json!([1])),
            (ValueType::Object, "{\"a\": 1}", json!({"a": 1})),
            (ValueType::Object, "[1]", json!("[1]")),
            (ValueType::String, "3", json!("3")),
        ] {
            assert_eq!(value_type.read(&text.into()), value, "{text}");
        }
        assert_eq!(ValueType::String.read(&json!([1])), json!([1]));
    }

    #[test]
    fn a_schema_becomes_a_description() {
        let schema = json!({"type": "integer", "default": 3, "description": "copies", FIXED_IN_CLUSTER: true});
        let defined = AttributeDefinition::from_schema("stampede.x.copies", &schema);
        assert_eq!(
            defined.describe(),
            json!({"mutable": true, "required": false, "type": "number", "default": 3,
                "description": "copies (fixed in a running cluster)"})
        );
        let odd = AttributeDefinition::from_schema(
            "a",
            &json!({"type": ["string", "null"], "default": 3}),
        );
        assert_eq!(
            odd.describe(),
            json!({"mutable": true, "required": false, "type": "string"})
        );
    }
}
