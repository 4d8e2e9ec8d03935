//! Renders entities, collections, categories and errors in the rendering that the client prefers.
//! Text values are percent-escaped, JSON holds them as they are.
//!
//! Layout
//! - [`Renderer`]: chooses by rendering
//! - [`error_response`]: errors as text or as a page
//! - `html`, `headers`, `json`, `standard_json`, [`text`]: one rendering each
//! - [`escape`]: values that cannot end what they stand in
//! - `response`: headers that all responses have

pub mod error_response;
pub mod escape;
mod headers;
mod html;
mod json;
mod response;
mod standard_json;
pub mod text;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::error::ApiError;
use super::http::negotiate::Rendering;
use super::limits::OcciLimits;
use super::model::categories::CategoryRef;
use super::model::entity::OcciEntity;
use crate::addressing::ServiceUrl;
use crate::web::WebPage;

/// Renders the responses to one request.
#[derive(Clone, Copy, Debug)]
pub struct Renderer<'a> {
    /// The rendering that the client prefers.
    pub rendering: Rendering,
    /// The service as the client knows it.
    pub address: &'a ServiceUrl,
    /// Limits of lines and values.
    pub limits: &'a OcciLimits,
}

/// A response, or the error to send instead.
pub type RenderResult = Result<Response<Bytes>, ApiError>;

/// A text that is rendered in one way alone.
pub fn text_response(text: String) -> Response<Bytes> {
    response::build_response(StatusCode::OK, Rendering::Plain.media_type(), text)
}

impl Renderer<'_> {
    /// Renders an entity.
    ///
    /// # Errors
    /// `Internal`: something cannot stand in a header, which escaping should have prevented.
    pub fn render_entity(&self, entity: &OcciEntity) -> RenderResult {
        match self.rendering {
            Rendering::Html => self.render_page(&html::entity_page(entity, self.address.prefix())),
            Rendering::Json => self.render_json(&json::entity_json(entity, self.address.prefix())),
            Rendering::Occi => {
                let mut response = self.respond("OK");
                headers::append_entity(&mut response, entity, self.address, self.limits)?;
                Ok(response)
            }
            Rendering::StandardJson | Rendering::PlainJson => {
                self.render_json(&standard_json::entity_json(entity))
            }
            Rendering::Plain | Rendering::OcciPlain | Rendering::UriList => {
                Ok(self.respond(text::entity_body(entity, self.address)))
            }
        }
    }

    /// Renders the entities below a path: in JSON and HTML whole, otherwise by their locations.
    ///
    /// # Errors
    /// As [`Self::render_entity`].
    pub fn render_collection(&self, path: &str, entities: &[OcciEntity]) -> RenderResult {
        let urls = entities
            .iter()
            .map(|entity| format!("{}{}", self.address.base(), entity.path));
        match self.rendering {
            Rendering::Html if path == "/" => {
                self.render_page(&html::home_page(self.address.base()))
            }
            Rendering::Html => self.render_page(&html::collection_page(
                path,
                entities,
                self.address.prefix(),
            )),
            Rendering::Json => self.render_json(
                &entities
                    .iter()
                    .map(|entity| json::entity_json(entity, self.address.prefix()))
                    .collect::<Vec<_>>()
                    .into(),
            ),
            Rendering::Occi => {
                let mut response = self.respond("OK");
                headers::append_locations(&mut response, urls, self.limits)?;
                Ok(response)
            }
            Rendering::StandardJson | Rendering::PlainJson => {
                self.render_json(&standard_json::collection_json(path, entities))
            }
            Rendering::Plain | Rendering::OcciPlain => {
                Ok(self.respond(text::collection_body(urls)))
            }
            Rendering::UriList => Ok(self.respond(text::uri_list_body(path, urls))),
        }
    }

    /// Renders categories, as the query interface lists them.
    ///
    /// # Errors
    /// As [`Self::render_entity`].
    pub fn render_categories<'a>(
        &self,
        categories: impl Iterator<Item = CategoryRef<'a>>,
    ) -> RenderResult {
        match self.rendering {
            Rendering::Html => {
                self.render_page(&html::categories_page(categories, self.address.prefix()))
            }
            Rendering::Json => self.render_json(
                &categories
                    .map(|category| json::category_json(category, self.address.prefix()))
                    .collect::<Vec<_>>()
                    .into(),
            ),
            Rendering::Occi => {
                let mut response = self.respond("OK");
                headers::append_categories(
                    &mut response,
                    categories,
                    self.address.base(),
                    self.limits,
                )?;
                Ok(response)
            }
            Rendering::StandardJson | Rendering::PlainJson => self.render_json(
                &standard_json::categories_json(categories, self.address.prefix()),
            ),
            Rendering::Plain | Rendering::OcciPlain | Rendering::UriList => {
                Ok(self.respond(text::categories_body(categories, self.address.base())))
            }
        }
    }

    /// Renders `OK`, the response to a request that succeeded and has nothing to show. It is text
    /// also for clients of the recorded JSON, as the Python Service Orchestrator has it; in that of
    /// OCCI 1.2 it is an empty object.
    pub fn render_ok(&self, status: StatusCode) -> Response<Bytes> {
        if self.rendering == Rendering::Html {
            match html::page_response(status, &html::done_page(), self.address.prefix()) {
                Ok(page) => return page,
                // The request has succeeded, and a defect of a page must not say otherwise.
                Err(error) => tracing::error!("no page, but text: {error}"),
            }
        }
        let (rendering, body) = match self.rendering {
            Rendering::StandardJson | Rendering::PlainJson => (self.rendering, "{}"),
            Rendering::Occi | Rendering::OcciPlain => (self.rendering, "OK"),
            _ => (Rendering::Plain, "OK"),
        };
        response::build_response(status, rendering.media_type(), body)
    }

    fn render_page(&self, page: &WebPage) -> RenderResult {
        html::page_response(StatusCode::OK, page, self.address.prefix())
    }

    fn render_json(&self, value: &Value) -> RenderResult {
        let text = serde_json::to_string_pretty(value).map_err(ApiError::internal)?;
        Ok(self.respond(text))
    }

    fn respond(&self, body: impl Into<Bytes>) -> Response<Bytes> {
        response::build_response(StatusCode::OK, self.rendering.media_type(), body)
    }
}
