//! Renders application/occi+json in the form of the Python Service Orchestrator, which the Service
//! Manager polls: kind, actions and mixins as objects, attributes as they are.

use serde_json::{Map, Value, json};

use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::terms::{
    COLLECTION_PATH, CORE_SCHEME, Category, CoreKind, KIND_TERM, LifecycleAction, RELATED_KIND,
    SERVICE_SCHEME, STACK_ID, STACK_STATE,
};

/// An entity.
pub(super) fn entity_json(entity: &OcciEntity, prefix: &str) -> Value {
    let action = |action: LifecycleAction| {
        let link = format!("{prefix}{}?action={}", entity.path, action.term());
        json!({"kind": {"scheme": SERVICE_SCHEME, "term": action.term()}, "link": link})
    };
    let actions: Vec<Value> = entity.action.map(action).into_iter().collect();
    let built_in = entity
        .built_in
        .iter()
        .map(|mixin| json!({"scheme": mixin.scheme, "term": mixin.term}));
    let user_mixins = entity
        .mixins
        .iter()
        .map(|mixin| user_mixin_json(mixin, prefix));
    let mixins: Vec<Value> = user_mixins.chain(built_in).collect();
    json!({"actions": actions, "attributes": entity.attributes, "kind": kind_json(prefix), "links": [], "mixins": mixins})
}

/// Any category that the query interface lists.
pub(super) fn category_json(category: CategoryRef<'_>, prefix: &str) -> Value {
    match category {
        CategoryRef::Kind => kind_json(prefix),
        CategoryRef::Action(action) => json!({"scheme": SERVICE_SCHEME, "term": action.term()}),
        CategoryRef::UserMixin(mixin) => user_mixin_json(mixin, prefix),
        CategoryRef::Core(kind) => core_kind_json(kind, prefix),
        CategoryRef::BuiltIn(mixin) => {
            let attributes: Map<String, Value> = mixin
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), mutability(attribute.mutable)))
                .collect();
            let (Category { term, scheme }, title) = (&mixin.category, &mixin.title);
            let location = format!("{prefix}{}", mixin.location);
            json!({"attributes": attributes, "location": location, "scheme": scheme, "term": term, "title": title})
        }
    }
}

fn mutability(mutable: bool) -> Value {
    if mutable { "mutable" } else { "immutable" }.into()
}

fn core_kind_json(kind: CoreKind, prefix: &str) -> Value {
    let attributes: Map<String, Value> = kind
        .attributes()
        .iter()
        .map(|(name, mutable)| ((*name).to_owned(), mutability(*mutable)))
        .collect();
    let related: Vec<String> = kind.parent().into_iter().collect();
    let mut json = json!({"attributes": attributes, "related": related, "scheme": CORE_SCHEME, "term": kind.term(), "title": kind.title()});
    if let Some(location) = kind.location() {
        json["location"] = format!("{prefix}{location}").into();
    }
    json
}

/// A user-defined mixin; `related` and `title` only where its definition has them.
pub(super) fn user_mixin_json(mixin: &UserMixin, prefix: &str) -> Value {
    let category = &mixin.category;
    let location = format!("{prefix}{}", mixin.location);
    let mut json = json!({"location": location, "scheme": category.scheme, "term": category.term});
    if let Some(related) = mixin.related() {
        json["related"] = vec![related].into();
    }
    if let Some(title) = mixin.title() {
        json["title"] = title.into();
    }
    json
}

fn kind_json(prefix: &str) -> Value {
    json!({
        "actions": [LifecycleAction::Deploy.identifier(), LifecycleAction::Provision.identifier()],
        "attributes": {STACK_ID: "immutable", STACK_STATE: "immutable"},
        "location": format!("{prefix}{COLLECTION_PATH}"),
        "related": [RELATED_KIND],
        "scheme": SERVICE_SCHEME,
        "term": KIND_TERM,
    })
}
