//! Reads what a strict client of OCCI reads, in every rendering, and judges it: it takes an entity only if the query interface lists its kind, the kinds
//! that this comes from and its mixins, and if one of these defines each of its attributes
//! (GFD.221), written as GFD.222 and GFD.226 want it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::{RawResponse, S};

pub(crate) const CORE: &str = "http://schemas.ogf.org/occi/core#";
/// How each rendering is asked for.
pub(crate) const RENDERINGS: [&str; 6] = [
    "Accept: text/plain",
    "Accept: text/occi+plain",
    "Accept: text/occi",
    "Accept: application/occi+json",
    "Accept: application/json",
    "Accept: application/occi+json\nUser-Agent: strict/1.0 OCCI/1.2",
];

/// A category as the query interface describes it.
#[derive(Debug, Default)]
pub(crate) struct ListedCategory {
    pub class: String,
    pub parent: Option<String>,
    pub location: Option<String>,
    /// With what is said of each.
    pub attributes: BTreeMap<String, Value>,
    pub actions: BTreeSet<String>,
}

/// An entity, from whichever rendering.
#[derive(Debug, Default)]
pub(crate) struct ReadEntity {
    categories: Vec<String>,
    pub attributes: BTreeMap<String, Value>,
    actions: Vec<String>,
}

pub(crate) type ListedModel = BTreeMap<String, ListedCategory>;

/// A term or an attribute's name in GFD.222.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// `term; scheme="..."; class="..."` and the optional parameters, in the order of the grammar.
fn read_category(text: &str) -> (String, ListedCategory) {
    let mut parts = text.split("; ");
    let term = parts.next().unwrap();
    assert!(is_name(term), "{text}");
    let mut order = [
        "scheme",
        "class",
        "title",
        "rel",
        "location",
        "attributes",
        "actions",
    ]
    .iter();
    let mut parameters = BTreeMap::new();
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or_else(|| panic!("{text}"));
        assert!(
            order.any(|known| *known == name),
            "{name} is out of order: {text}"
        );
        let value = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        parameters.insert(name, value.unwrap_or_else(|| panic!("{text}")).to_owned());
    }
    let take = |name: &str| parameters.get(name).cloned();
    let words = |name: &str| -> Vec<String> {
        let text = take(name).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    };
    let scheme = take("scheme").unwrap();
    assert!(scheme.ends_with('#') && scheme.contains(':'), "{text}");
    let attribute = |text: String| {
        let (name, properties) = text.split_once('{').unwrap_or((&text, "}"));
        assert!(is_name(name), "{name}");
        let properties = properties.strip_suffix('}').unwrap();
        assert!(
            matches!(properties, "" | "immutable" | "required"),
            "{text}"
        );
        let described = serde_json::json!({"mutable": properties != "immutable"});
        (name.to_owned(), described)
    };
    let listed = ListedCategory {
        class: take("class").unwrap(),
        parent: take("rel"),
        location: take("location"),
        attributes: words("attributes").into_iter().map(attribute).collect(),
        actions: words("actions").into_iter().collect(),
    };
    (format!("{scheme}{term}"), listed)
}

/// The values of a field, from lines of the body or from headers.
fn fields(answer: &RawResponse, name: &str) -> Vec<String> {
    if answer.header("content-type") == Some("text/occi") {
        assert_eq!(answer.body, "OK");
        let joined = answer.joined_header(&name.to_lowercase());
        let mut items: Vec<String> = Vec::new();
        for piece in joined.split(", ").filter(|piece| !piece.is_empty()) {
            match items.last_mut() {
                // A comma inside quotes.
                Some(last) if last.matches('"').count() % 2 == 1 => *last += &format!(", {piece}"),
                _ => items.push(piece.to_owned()),
            }
        }
        return items;
    }
    let begin = format!("{name}: ");
    answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix(&begin))
        .map(str::to_owned)
        .collect()
}

fn identifier(json: &Value) -> String {
    json.as_str().map_or_else(
        || {
            format!(
                "{}{}",
                json["scheme"].as_str().unwrap(),
                json["term"].as_str().unwrap()
            )
        },
        str::to_owned,
    )
}

fn texts(json: &Value) -> BTreeSet<String> {
    json.as_array()
        .into_iter()
        .flatten()
        .map(identifier)
        .collect()
}

pub(crate) fn read_model(answer: &RawResponse) -> ListedModel {
    assert_eq!(answer.status, 200, "{}", answer.body);
    if answer.header("content-type").unwrap().starts_with("text/") {
        let lines = fields(answer, "Category");
        return lines.iter().map(|line| read_category(line)).collect();
    }
    let json = answer.json();
    let all: Vec<(&str, Value)> = match &json {
        Value::Array(all) => all.iter().map(|one| ("", one.clone())).collect(),
        standard => {
            let members: BTreeSet<&str> = standard
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(members, BTreeSet::from(["actions", "kinds", "mixins"]));
            [
                ("kind", "kinds"),
                ("mixin", "mixins"),
                ("action", "actions"),
            ]
            .into_iter()
            .flat_map(|(class, key)| {
                standard[key]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(move |one| (class, one.clone()))
            })
            .collect()
        }
    };
    all.into_iter()
        .map(|(class, json)| (identifier(&json), read_listed(class, &json)))
        .collect()
}

fn read_listed(class: &str, json: &Value) -> ListedCategory {
    let attributes = json["attributes"].as_object().cloned().unwrap_or_default();
    let describe = |(name, described): (String, Value)| {
        assert!(is_name(&name), "{name}");
        match &described {
            Value::String(text) => (name, serde_json::json!({"mutable": text != "immutable"})),
            // GFD.226, table of attribute descriptions.
            Value::Object(fields) => {
                assert!(
                    fields.keys().all(|key| [
                        "mutable",
                        "required",
                        "type",
                        "default",
                        "description"
                    ]
                    .contains(&key.as_str())),
                    "{described}"
                );
                assert!(
                    fields["mutable"].is_boolean() && fields["required"].is_boolean(),
                    "{described}"
                );
                if let Some(default) = fields.get("default") {
                    assert_eq!(type_of(default), fields["type"], "{name}: {described}");
                }
                (name, described)
            }
            _ => panic!("{name}: {described}"),
        }
    };
    let parent = json["parent"].as_str().map(str::to_owned);
    ListedCategory {
        class: class.to_owned(),
        parent: parent.or_else(|| texts(&json["related"]).into_iter().next()),
        location: json["location"].as_str().map(str::to_owned),
        attributes: attributes.into_iter().map(describe).collect(),
        actions: texts(&json["actions"]),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) | Value::Null => "string",
    }
}

pub(crate) fn read_entity(answer: &RawResponse) -> ReadEntity {
    assert_eq!(answer.status, 200, "{}", answer.body);
    if answer.header("content-type").unwrap().starts_with("text/") {
        return ReadEntity {
            categories: fields(answer, "Category")
                .iter()
                .map(|line| read_category(line).0)
                .collect(),
            attributes: fields(answer, "X-OCCI-Attribute")
                .iter()
                .map(|text| {
                    let (name, value) = text.split_once('=').unwrap();
                    assert!(
                        is_name(name)
                            && value.starts_with('"')
                            && value.ends_with('"')
                            && value.len() > 1,
                        "{text}"
                    );
                    (name.to_owned(), Value::from(value.trim_matches('"')))
                })
                .collect(),
            actions: fields(answer, "Link")
                .iter()
                .map(|link| {
                    let (uri, rel) = link
                        .strip_prefix('<')
                        .unwrap()
                        .split_once(">; rel=\"")
                        .unwrap();
                    let rel = rel.strip_suffix('"').unwrap();
                    let term = uri.split_once("?action=").unwrap().1;
                    assert!(rel.ends_with(&format!("#{term}")), "{link}");
                    rel.to_owned()
                })
                .collect(),
        };
    }
    read_json_entity(&answer.json())
}

pub(crate) fn read_json_entity(json: &Value) -> ReadEntity {
    let mut attributes: BTreeMap<String, Value> = json["attributes"]
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .collect();
    let is_standard = json["kind"].is_string();
    if is_standard {
        let known = [
            "actions",
            "attributes",
            "id",
            "kind",
            "links",
            "mixins",
            "summary",
            "title",
        ];
        assert!(
            json.as_object()
                .unwrap()
                .keys()
                .all(|key| known.contains(&key.as_str())),
            "{json}"
        );
        assert!(
            json["id"].as_str().is_some_and(|id| !id.is_empty()),
            "{json}"
        );
        assert!(
            attributes
                .keys()
                .all(|name| !name.starts_with("occi.core.")),
            "{json}"
        );
        for member in ["title", "summary"] {
            if let Some(text) = json.get(member) {
                attributes.insert(format!("occi.core.{member}"), text.clone());
            }
        }
    }
    let actions = json["actions"].as_array().unwrap().iter();
    ReadEntity {
        categories: [identifier(&json["kind"])]
            .into_iter()
            .chain(texts(&json["mixins"]))
            .collect(),
        attributes,
        actions: actions
            .map(|action| identifier(action.get("kind").unwrap_or(action)))
            .collect(),
    }
}

/// Asserts what a strict client needs of an entity.
pub(crate) fn assert_takes(model: &ListedModel, entity: &ReadEntity, where_: &str) {
    let kind = &entity.categories[0];
    assert_eq!(kind, &format!("{S}orchestrator"), "{where_}");
    let mut defining = Vec::new();
    let mut next = Some(kind.clone());
    while let Some(identifier) = next {
        let listed = model
            .get(&identifier)
            .unwrap_or_else(|| panic!("{where_}: {identifier} is not listed"));
        next = listed.parent.clone();
        defining.push((identifier, listed));
    }
    assert_eq!(
        defining.last().unwrap().0,
        format!("{CORE}entity"),
        "{where_}"
    );
    for mixin in &entity.categories[1..] {
        let listed = model
            .get(mixin)
            .unwrap_or_else(|| panic!("{where_}: {mixin} is not listed"));
        assert!(
            matches!(listed.class.as_str(), "mixin" | ""),
            "{where_}: {mixin}"
        );
        defining.push((mixin.clone(), listed));
    }
    for (name, value) in &entity.attributes {
        let described = defining
            .iter()
            .find_map(|(_, listed)| listed.attributes.get(name));
        let described =
            described.unwrap_or_else(|| panic!("{where_}: nothing that it has defines {name}"));
        if let Some(wanted) = described.get("type") {
            assert_eq!(type_of(value), wanted, "{where_}: {name}={value}");
        }
    }
    for action in &entity.actions {
        assert!(model.contains_key(action), "{where_}: {action}");
        assert!(defining[0].1.actions.contains(action), "{where_}: {action}");
    }
}
