//! The text forms of categories, links and attributes, and the bodies of text/plain and
//! text/uri-list that are made of them. The header rendering uses the same forms.
//!
//! Order and separators are the recorded ones, an empty first line included: hurtle's clients take
//! responses apart by fixed strings.

use std::borrow::Cow;

use serde_json::Value;

use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::{TEXT_BYTES, UserMixin};
use super::super::terms::{
    COLLECTION_PATH, CORE_SCHEME, Category, CoreKind, KIND_TERM, LifecycleAction, RELATED_KIND,
    SERVICE_SCHEME, STACK_ID, STACK_STATE,
};
use super::escape::{escape_header, escape_line, escape_name};
use crate::addressing::ServiceUrl;

/// The text/plain body of an entity.
pub(super) fn entity_body(entity: &OcciEntity, address: &ServiceUrl) -> String {
    let base = address.base();
    let mut lines = vec![String::new(), format!("Category: {}", kind_line(base))];
    lines.extend(
        entity
            .built_in
            .iter()
            .map(|category| format!("Category: {}", built_in_reference(category))),
    );
    lines.extend(
        entity
            .mixins
            .iter()
            .map(|mixin| format!("Category: {}", user_mixin_line(mixin, base))),
    );
    lines.extend(
        entity
            .action
            .map(|action| format!("Link: {}", action_link(entity, action, address.prefix()))),
    );
    for (name, value) in &entity.attributes {
        lines.push(format!(
            "X-OCCI-Attribute: {}=\"{}\"",
            escape_name(name),
            escape_line(&value_text(value))
        ));
    }
    lines.join("\n")
}

/// The text/plain body of a collection.
pub(super) fn collection_body(urls: impl Iterator<Item = String>) -> String {
    urls.map(|url| format!("\nX-OCCI-Location: {url}"))
        .collect()
}

/// The text/uri-list body of a collection.
pub(super) fn uri_list_body(path: &str, urls: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = std::iter::once(format!("# uri:{path}"))
        .chain(urls)
        .collect();
    lines.join("\n")
}

/// The text/plain body of the query interface.
pub(super) fn categories_body<'a>(
    categories: impl Iterator<Item = CategoryRef<'a>>,
    base: &str,
) -> String {
    categories
        .map(|category| format!("\nCategory: {}", category_line(category, base)))
        .collect()
}

/// A value as text: what is not a text, as compact JSON.
pub fn value_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}

/// The link of an entity's action; `prefix` stands before all paths of this service.
pub(super) fn action_link(entity: &OcciEntity, action: LifecycleAction, prefix: &str) -> String {
    format!(
        "<{prefix}{}?action={}>; rel=\"{}\"",
        entity.path,
        action.term(),
        action.identifier()
    )
}

/// The kind as a category.
pub(super) fn kind_line(base: &str) -> String {
    format!(
        "{KIND_TERM}; scheme=\"{SERVICE_SCHEME}\"; class=\"kind\"; rel=\"{RELATED_KIND}\"; location=\"{base}{COLLECTION_PATH}\"; \
         attributes=\"{STACK_STATE}{{immutable}} {STACK_ID}{{immutable}}\"; actions=\"{SERVICE_SCHEME}deploy {SERVICE_SCHEME}provision\""
    )
}

/// A user-defined mixin as a category; `base` is `http://HOST`.
pub fn user_mixin_line(mixin: &UserMixin, base: &str) -> String {
    let (term, scheme) = (
        escape_name(&mixin.category.term),
        escape_header(&mixin.category.scheme, TEXT_BYTES),
    );
    let parameter = |name: &str, value: Option<&str>| {
        value.map_or_else(String::new, |value| {
            // An escape takes three bytes for one, so that nothing is cut here.
            format!("; {name}=\"{}\"", escape_header(value, 3 * TEXT_BYTES))
        })
    };
    let (rel, title) = (
        parameter("rel", mixin.related()),
        parameter("title", mixin.title()),
    );
    format!(
        "{term}; scheme=\"{scheme}\"; class=\"mixin\"{rel}{title}; location=\"{base}{}\"",
        mixin.location
    )
}

/// One of this service's mixins, as the entities that it is attached to name it.
pub(super) fn built_in_reference(category: &Category) -> String {
    let (term, scheme) = (escape_name(&category.term), &category.scheme);
    format!("{term}; scheme=\"{scheme}\"; class=\"mixin\"")
}

/// A kind of the core as a category.
fn core_kind_line(kind: CoreKind, base: &str) -> String {
    let parameter = |name: &str, value: Option<String>| {
        value.map_or_else(String::new, |value| format!("; {name}=\"{value}\""))
    };
    let attributes: Vec<String> = kind
        .attributes()
        .iter()
        .map(|(name, mutable)| attribute_definition(name, *mutable))
        .collect();
    format!(
        "{}; scheme=\"{CORE_SCHEME}\"; class=\"kind\"; title=\"{}\"{}{}; attributes=\"{}\"",
        kind.term(),
        kind.title(),
        parameter("rel", kind.parent()),
        parameter(
            "location",
            kind.location().map(|path| format!("{base}{path}"))
        ),
        attributes.join(" ")
    )
}

fn attribute_definition(name: &str, mutable: bool) -> String {
    let properties = if mutable { "" } else { "{immutable}" };
    format!("{}{properties}", escape_name(name))
}

/// Any category that the query interface lists.
pub(super) fn category_line(category: CategoryRef<'_>, base: &str) -> String {
    match category {
        CategoryRef::Kind => kind_line(base),
        CategoryRef::Action(action) => {
            format!(
                "{}; scheme=\"{SERVICE_SCHEME}\"; class=\"action\"",
                action.term()
            )
        }
        CategoryRef::UserMixin(mixin) => user_mixin_line(mixin, base),
        CategoryRef::Core(kind) => core_kind_line(kind, base),
        CategoryRef::BuiltIn(mixin) => {
            let names = mixin
                .attributes
                .iter()
                .map(|attribute| attribute_definition(&attribute.name, attribute.mutable));
            let names: Vec<String> = names.collect();
            let (begin, title) = (
                built_in_reference(&mixin.category),
                escape_header(&mixin.title, 255),
            );
            let (location, attributes) = (escape_name(&mixin.location), names.join(" "));
            format!(
                "{begin}; title=\"{title}\"; location=\"{base}{location}\"; attributes=\"{attributes}\""
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::error::ApiError;
    use super::super::super::parse::category::parse_categories;
    use super::super::json::user_mixin_json;
    use super::*;
    use crate::orchestrator::ClusterGroup;

    fn define(text: &str) -> Result<ClusterGroup, ApiError> {
        UserMixin::build_group(
            &parse_categories(text).unwrap().remove(0),
            &ServiceUrl::plain("h:8080"),
        )
    }

    #[test]
    fn a_definition_is_shown_as_it_was_given() {
        let group = define(
            "mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"/mymix/\"",
        )
        .unwrap();
        let shown = user_mixin_line(&UserMixin::from_group(&group), "http://h");
        assert_eq!(
            shown,
            "mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"http://h/mymix/\""
        );
        let whole = "a; scheme=\"s#\"; class=\"mixin\"; rel=\"r#x\"; title=\"A, \\\"B\\\"\"; location=\"http://h:8080/my/a/\"";
        let mixin = UserMixin::from_group(&define(whole).unwrap());
        assert_eq!(
            (mixin.location.as_str(), mixin.title()),
            ("/my/a/", Some("A, \"B\""))
        );
        let again = parse_categories(&user_mixin_line(&mixin, "http://h:8080"))
            .unwrap()
            .remove(0);
        assert_eq!(
            (&again.category, again.parameter("rel")),
            (&mixin.category, Some("r#x"))
        );
        assert_eq!(user_mixin_json(&mixin, "")["related"][0], "r#x");
        assert_eq!(
            UserMixin::from_group(&define("b; scheme=\"s#\"; class=mixin").unwrap()).location,
            "/b/"
        );
    }
}
