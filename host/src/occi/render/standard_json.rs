//! Renders the JSON of OCCI 1.2 (GFD.226): categories by their identifiers, attributes by name with
//! the types that their definitions say, collections in an object.

use serde_json::{Map, Value, json};

use super::super::model::attribute_definition::AttributeDefinition;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::terms::{
    COLLECTION_PATH, CORE_ID, CORE_SCHEME, CORE_SUMMARY, CORE_TITLE, Category, CoreKind, KIND_TERM,
    LifecycleAction, RELATED_KIND, SERVICE_SCHEME, STACK_ID, STACK_STATE,
};

/// A resource instance: `id`, `title` and `summary` are members and no attributes.
pub(super) fn entity_json(entity: &OcciEntity) -> Value {
    let mut attributes = Map::new();
    let mut fields = Map::new();
    for (name, value) in entity.typed_attributes() {
        let member = match name {
            CORE_ID => "id",
            CORE_TITLE => "title",
            CORE_SUMMARY => "summary",
            _ => {
                attributes.insert(name.to_owned(), value);
                continue;
            }
        };
        fields.insert(member.to_owned(), value);
    }
    let mixins: Vec<String> = entity
        .mixins
        .iter()
        .map(|mixin| &mixin.category)
        .chain(&entity.built_in)
        .map(Category::identifier)
        .collect();
    let actions: Vec<String> = entity
        .action
        .into_iter()
        .map(LifecycleAction::identifier)
        .collect();
    fields.insert("kind".to_owned(), kind_identifier().into());
    fields.insert("mixins".to_owned(), mixins.into());
    fields.insert("attributes".to_owned(), attributes.into());
    fields.insert("actions".to_owned(), actions.into());
    fields.insert("links".to_owned(), Value::Array(Vec::new()));
    fields.into()
}

/// A collection of resources, or that of links, where there are none.
pub(super) fn collection_json(path: &str, entities: &[OcciEntity]) -> Value {
    if CoreKind::Link.location() == Some(path) {
        return json!({"links": []});
    }
    json!({"resources": entities.iter().map(entity_json).collect::<Vec<_>>()})
}

/// The query interface.
pub(super) fn categories_json<'a>(
    categories: impl Iterator<Item = CategoryRef<'a>>,
    prefix: &str,
) -> Value {
    let (mut kinds, mut mixins, mut actions) = (Vec::new(), Vec::new(), Vec::new());
    for category in categories {
        match category {
            CategoryRef::Kind => kinds.push(kind_json(prefix)),
            CategoryRef::Core(kind) => kinds.push(core_kind_json(kind, prefix)),
            CategoryRef::Action(action) => actions
                .push(json!({"term": action.term(), "scheme": SERVICE_SCHEME, "attributes": {}})),
            CategoryRef::BuiltIn(mixin) => mixins.push(mixin_json(
                &mixin.category,
                &mixin.title,
                format!("{prefix}{}", mixin.location),
                describe(&mixin.attributes),
            )),
            CategoryRef::UserMixin(mixin) => {
                let title = mixin.title().unwrap_or_default();
                let location = format!("{prefix}{}", mixin.location);
                let mut json = mixin_json(&mixin.category, title, location, Map::new());
                if let Some(related) = mixin.related() {
                    json["depends"] = vec![related].into();
                }
                mixins.push(json);
            }
        }
    }
    json!({"kinds": kinds, "mixins": mixins, "actions": actions})
}

/// An error, which GFD.226 has no form for.
pub(super) fn error_json(status: u16, message: &str) -> Value {
    json!({"status": status, "message": message})
}

fn kind_identifier() -> String {
    format!("{SERVICE_SCHEME}{KIND_TERM}")
}

fn describe(attributes: &[AttributeDefinition]) -> Map<String, Value> {
    let described = attributes
        .iter()
        .map(|attribute| (attribute.name.clone(), attribute.describe()));
    described.collect()
}

fn mixin_json(
    category: &Category,
    title: &str,
    location: String,
    attributes: Map<String, Value>,
) -> Value {
    json!({
        "term": category.term,
        "scheme": category.scheme,
        "title": title,
        "attributes": attributes,
        "actions": [],
        "depends": [],
        "applies": [kind_identifier()],
        "location": location,
    })
}

fn kind_json(prefix: &str) -> Value {
    let shown = |name: &str, description: &str| AttributeDefinition {
        mutable: false,
        ..AttributeDefinition::mutable(name, description)
    };
    let attributes = describe(&[
        shown(STACK_STATE, "Heat's status of the stack"),
        shown(STACK_ID, "region and id of the stack"),
    ]);
    json!({
        "term": KIND_TERM,
        "scheme": SERVICE_SCHEME,
        "title": "Cluster",
        "attributes": attributes,
        "actions": LifecycleAction::ALL.map(LifecycleAction::identifier),
        "parent": RELATED_KIND,
        "location": format!("{prefix}{COLLECTION_PATH}"),
    })
}

fn core_kind_json(kind: CoreKind, prefix: &str) -> Value {
    let attributes: Vec<AttributeDefinition> = kind
        .attributes()
        .iter()
        .map(|(name, mutable)| AttributeDefinition {
            mutable: *mutable,
            ..AttributeDefinition::mutable(name, "")
        })
        .collect();
    let mut json = json!({
        "term": kind.term(),
        "scheme": CORE_SCHEME,
        "title": kind.title(),
        "attributes": describe(&attributes),
        "actions": [],
    });
    if let Some(parent) = kind.parent() {
        json["parent"] = parent.into();
    }
    if let Some(location) = kind.location() {
        json["location"] = format!("{prefix}{location}").into();
    }
    json
}
