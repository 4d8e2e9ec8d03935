//! Renders text/occi: everything in headers, several items packed into each line.
//!
//! The Service Manager reads its responses with Python's `httplib`, which gives up beyond 100
//! headers or 65,536 bytes in one of them. One header for each attribute would exceed the first and
//! one header for all of them the second, so lines are filled up to a limit.

use bytes::Bytes;
use http::header::LINK;
use http::{HeaderName, HeaderValue, Response};

use super::super::error::ApiError;
use super::super::limits::OcciLimits;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::escape::{escape_header, escape_name};
use super::text::{
    action_link, built_in_reference, category_line, kind_line, user_mixin_line, value_text,
};
use crate::addressing::ServiceUrl;

const CATEGORY: HeaderName = HeaderName::from_static("category");
const ATTRIBUTE: HeaderName = HeaderName::from_static("x-occi-attribute");
const X_LOCATION: HeaderName = HeaderName::from_static("x-occi-location");

/// Adds an entity's categories, link and attributes.
pub(super) fn append_entity(
    response: &mut Response<Bytes>,
    entity: &OcciEntity,
    address: &ServiceUrl,
    limits: &OcciLimits,
) -> Result<(), ApiError> {
    let base = address.base();
    let mixins = entity
        .mixins
        .iter()
        .map(|mixin| user_mixin_line(mixin, base));
    let built_in = entity.built_in.iter().map(built_in_reference);
    let categories = std::iter::once(kind_line(base))
        .chain(built_in)
        .chain(mixins);
    append_items(response, &CATEGORY, categories, limits)?;
    let links = entity
        .action
        .map(|action| action_link(entity, action, address.prefix()));
    append_items(response, &LINK, links, limits)?;
    let attributes = entity.attributes.iter().map(|(name, value)| {
        let value = escape_header(&value_text(value), limits.header_value_bytes);
        format!("{}=\"{value}\"", escape_name(name))
    });
    append_items(response, &ATTRIBUTE, attributes, limits)
}

/// Adds the locations of a collection.
pub(super) fn append_locations(
    response: &mut Response<Bytes>,
    urls: impl Iterator<Item = String>,
    limits: &OcciLimits,
) -> Result<(), ApiError> {
    append_items(response, &X_LOCATION, urls, limits)
}

/// Adds the categories of the query interface.
pub(super) fn append_categories<'a>(
    response: &mut Response<Bytes>,
    categories: impl Iterator<Item = CategoryRef<'a>>,
    base: &str,
    limits: &OcciLimits,
) -> Result<(), ApiError> {
    let lines = categories.map(|category| cut_category(category_line(category, base), limits));
    append_items(response, &CATEGORY, lines, limits)
}

/// A category that fits a line. The attributes stand last in it: those that do not fit are left out,
/// and are whole in the other renderings.
fn cut_category(mut line: String, limits: &OcciLimits) -> String {
    if line.len() > limits.line_bytes {
        let fitting = line.get(..limits.line_bytes).unwrap_or_default();
        let end = fitting.rfind(' ').unwrap_or_default();
        line.truncate(end);
        line.push('"');
    }
    line
}

/// Adds items joined with `, `, in as few lines as the limit of a line's length allows. The blank
/// is needed: the Service Manager splits at comma and blank.
fn append_items(
    response: &mut Response<Bytes>,
    name: &HeaderName,
    items: impl IntoIterator<Item = String>,
    limits: &OcciLimits,
) -> Result<(), ApiError> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line)
                if name.as_str().len() + line.len() + item.len() + 4 <= limits.line_bytes =>
            {
                line.push_str(", ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    for line in lines {
        let value = HeaderValue::try_from(line).map_err(ApiError::internal)?;
        response.headers_mut().append(name, value);
    }
    Ok(())
}
