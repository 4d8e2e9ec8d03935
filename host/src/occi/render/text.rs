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
    COLLECTION_PATH, FRAMEWORK_SCHEME, KIND_TERM, LifecycleAction, RELATED_KIND, SERVICE_SCHEME,
    STACK_ID, STACK_STATE,
};
use super::escape::{escape_header, escape_line, escape_name};
use crate::addressing::ServiceUrl;

/// The text/plain body of an entity.
pub(super) fn entity_body(entity: &OcciEntity, address: &ServiceUrl) -> String {
    let base = address.base();
    let mut lines = vec![String::new(), format!("Category: {}", kind_line(base))];
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
        CategoryRef::Framework(mixin) => {
            let names: Vec<String> = mixin
                .attributes
                .iter()
                .map(|name| escape_name(name))
                .collect();
            let (term, title) = (escape_name(&mixin.term), escape_header(&mixin.title, 255));
            let attributes = names.join(" ");
            format!(
                "{term}; scheme=\"{FRAMEWORK_SCHEME}\"; class=\"mixin\"; title=\"{title}\"; attributes=\"{attributes}\""
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
