//! Answers in each rendering, with the separators that hurtle's clients rely on. Text values are
//! escaped ([`super::syntax::escape`]), JSON holds them whole.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK, SERVER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::entity::OcciEntity;
use super::error::ApiError;
use super::html;
use super::limits::OcciLimits;
use super::model::{
    CategoryRef, FRAMEWORK_SCHEME, KIND, LOCATION, LifecycleAction, RELATED, SCHEME, STACK_ID,
    STATE,
};
use super::negotiate::Rendering;
use super::syntax::escape;
use super::user_mixin::UserMixin;
use crate::web::{self, WebPage};

const CATEGORY: HeaderName = HeaderName::from_static("category");
const ATTRIBUTE: HeaderName = HeaderName::from_static("x-occi-attribute");
const X_LOCATION: HeaderName = HeaderName::from_static("x-occi-location");

/// What all answers to one request have in common.
#[derive(Clone, Copy, Debug)]
pub struct Renderer<'a> {
    /// The rendering.
    pub rendering: Rendering,
    /// `http://HOST`, as the client wrote it.
    pub base: &'a str,
    /// Of lines and values.
    pub limits: &'a OcciLimits,
}

type RenderedResponse = Result<Response<Bytes>, ApiError>;

impl Renderer<'_> {
    /// An entity.
    ///
    /// # Errors
    /// `Defect`: something cannot stand in a header, which escaping should have prevented.
    pub fn entity(&self, entity: &OcciEntity) -> RenderedResponse {
        match self.rendering {
            Rendering::Html => self.page(
                StatusCode::OK,
                &WebPage::Cluster(Box::new(html::cluster(entity))),
            ),
            Rendering::Json => self.json(&entity_json(entity)),
            Rendering::Occi => {
                let mut response = self.body("OK");
                let categories = std::iter::once(kind_line(self.base))
                    .chain(entity.mixins.iter().map(|own| own.line(self.base)));
                self.append(&mut response, &CATEGORY, categories)?;
                self.append(
                    &mut response,
                    &LINK,
                    entity.action.map(|action| link_line(entity, action)),
                )?;
                let attributes = entity.attributes.iter().map(|(name, value)| {
                    let value = escape::header(&text(value), self.limits.shown_value_bytes);
                    format!("{}=\"{value}\"", escape::name(name))
                });
                self.append(&mut response, &ATTRIBUTE, attributes)?;
                Ok(response)
            }
            Rendering::Plain | Rendering::UriList => {
                let mut lines = vec![String::new(), format!("Category: {}", kind_line(self.base))];
                lines.extend(
                    entity
                        .mixins
                        .iter()
                        .map(|own| format!("Category: {}", own.line(self.base))),
                );
                lines.extend(
                    entity
                        .action
                        .map(|action| format!("Link: {}", link_line(entity, action))),
                );
                for (name, value) in &entity.attributes {
                    lines.push(format!(
                        "X-OCCI-Attribute: {}=\"{}\"",
                        escape::name(name),
                        escape::line(&text(value))
                    ));
                }
                Ok(self.body(lines.join("\n")))
            }
        }
    }

    /// The entities below a path, in JSON whole, otherwise by their locations.
    ///
    /// # Errors
    /// As [`Self::entity`].
    pub fn collection(&self, path: &str, entities: &[OcciEntity]) -> RenderedResponse {
        let urls = entities
            .iter()
            .map(|entity| format!("{}{}", self.base, entity.path));
        match self.rendering {
            Rendering::Html if path == "/" => self.page(StatusCode::OK, &html::home(self.base)),
            Rendering::Html => self.page(StatusCode::OK, &html::clusters(path, entities)),
            Rendering::Json => {
                self.json(&entities.iter().map(entity_json).collect::<Vec<_>>().into())
            }
            Rendering::Occi => {
                let mut response = self.body("OK");
                self.append(&mut response, &X_LOCATION, urls)?;
                Ok(response)
            }
            Rendering::Plain => Ok(self.body(
                urls.map(|url| format!("\nX-OCCI-Location: {url}"))
                    .collect::<String>(),
            )),
            Rendering::UriList => {
                let lines: Vec<String> = std::iter::once(format!("# uri:{path}"))
                    .chain(urls)
                    .collect();
                Ok(self.body(lines.join("\n")))
            }
        }
    }

    /// Categories.
    ///
    /// # Errors
    /// As [`Self::entity`].
    pub fn query<'a>(&self, listed: impl Iterator<Item = CategoryRef<'a>>) -> RenderedResponse {
        match self.rendering {
            Rendering::Html => self.page(StatusCode::OK, &html::categories(listed)),
            Rendering::Json => self.json(&listed.map(listed_json).collect::<Vec<_>>().into()),
            Rendering::Occi => {
                let mut response = self.body("OK");
                self.append(
                    &mut response,
                    &CATEGORY,
                    listed.map(|listed| listed_line(listed, self.base)),
                )?;
                Ok(response)
            }
            Rendering::Plain | Rendering::UriList => Ok(self.body(
                listed
                    .map(|listed| format!("\nCategory: {}", listed_line(listed, self.base)))
                    .collect::<String>(),
            )),
        }
    }

    /// `OK`, the answer to what has nothing to show. It is text also for clients of JSON, who do
    /// not look at it.
    pub fn ok(&self, status: StatusCode) -> Response<Bytes> {
        if self.rendering == Rendering::Html
            && let Ok(page) = self.page(status, &html::done())
        {
            return page;
        }
        let rendering = if self.rendering == Rendering::Occi {
            Rendering::Occi
        } else {
            Rendering::Plain
        };
        let mut response = Renderer { rendering, ..*self }.body("OK");
        *response.status_mut() = status;
        response
    }

    fn page(&self, status: StatusCode, page: &WebPage) -> RenderedResponse {
        let mut response = web::answer(status, page).map_err(|error| {
            tracing::error!("{error}");
            ApiError::Defect
        })?;
        response
            .headers_mut()
            .insert(SERVER, HeaderValue::from_static(super::SERVER));
        Ok(response)
    }

    fn body(&self, body: impl Into<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(body.into());
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static(self.rendering.media_type()),
        );
        response
            .headers_mut()
            .insert(SERVER, HeaderValue::from_static(super::SERVER));
        response
    }

    fn json(&self, value: &Value) -> RenderedResponse {
        let text = serde_json::to_string_pretty(value).map_err(|_| ApiError::Defect)?;
        Ok(self.body(text))
    }

    /// Items joined with `, `, in as few lines as the limit of a line's length allows.
    fn append(
        &self,
        response: &mut Response<Bytes>,
        name: &HeaderName,
        items: impl IntoIterator<Item = String>,
    ) -> Result<(), ApiError> {
        let mut lines: Vec<String> = Vec::new();
        for item in items {
            match lines.last_mut() {
                Some(line)
                    if name.as_str().len() + line.len() + item.len() + 4
                        <= self.limits.line_bytes =>
                {
                    line.push_str(", ");
                    line.push_str(&item);
                }
                _ => lines.push(item),
            }
        }
        for line in lines {
            let value = HeaderValue::try_from(line).map_err(|_| ApiError::Defect)?;
            response.headers_mut().append(name, value);
        }
        Ok(())
    }
}

/// A value as text: what is not a text, as compact JSON.
pub(super) fn text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}

fn link_line(entity: &OcciEntity, action: LifecycleAction) -> String {
    format!(
        "<{}?action={}>; rel=\"{}\"",
        entity.path,
        action.term(),
        action.identifier()
    )
}

fn kind_line(base: &str) -> String {
    format!(
        "{KIND}; scheme=\"{SCHEME}\"; class=\"kind\"; rel=\"{RELATED}\"; location=\"{base}{LOCATION}\"; \
         attributes=\"{STATE}{{immutable}} {STACK_ID}{{immutable}}\"; actions=\"{SCHEME}deploy {SCHEME}provision\""
    )
}

fn listed_line(listed: CategoryRef<'_>, base: &str) -> String {
    match listed {
        CategoryRef::Kind => kind_line(base),
        CategoryRef::Action(action) => {
            format!("{}; scheme=\"{SCHEME}\"; class=\"action\"", action.term())
        }
        CategoryRef::Own(own) => own.line(base),
        CategoryRef::Mixin(mixin) => {
            let names: Vec<String> = mixin
                .attributes
                .iter()
                .map(|name| escape::name(name))
                .collect();
            let (term, title) = (escape::name(&mixin.term), escape::header(&mixin.title, 255));
            let attributes = names.join(" ");
            format!(
                "{term}; scheme=\"{FRAMEWORK_SCHEME}\"; class=\"mixin\"; title=\"{title}\"; attributes=\"{attributes}\""
            )
        }
    }
}

fn entity_json(entity: &OcciEntity) -> Value {
    let action = |action: LifecycleAction| {
        let link = format!("{}?action={}", entity.path, action.term());
        json!({"kind": {"scheme": SCHEME, "term": action.term()}, "link": link})
    };
    let actions: Vec<Value> = entity.action.map(action).into_iter().collect();
    let mixins: Vec<Value> = entity.mixins.iter().map(UserMixin::json).collect();
    json!({"actions": actions, "attributes": entity.attributes, "kind": kind_json(), "links": [], "mixins": mixins})
}

fn kind_json() -> Value {
    json!({
        "actions": [LifecycleAction::Deploy.identifier(), LifecycleAction::Provision.identifier()],
        "attributes": {STACK_ID: "immutable", STATE: "immutable"},
        "location": LOCATION,
        "related": [RELATED],
        "scheme": SCHEME,
        "term": KIND,
    })
}

fn listed_json(listed: CategoryRef<'_>) -> Value {
    match listed {
        CategoryRef::Kind => kind_json(),
        CategoryRef::Action(action) => json!({"scheme": SCHEME, "term": action.term()}),
        CategoryRef::Own(own) => own.json(),
        CategoryRef::Mixin(mixin) => {
            let attributes: serde_json::Map<String, Value> = mixin
                .attributes
                .iter()
                .map(|name| (name.clone(), "mutable".into()))
                .collect();
            json!({"attributes": attributes, "scheme": FRAMEWORK_SCHEME, "term": mixin.term, "title": mixin.title})
        }
    }
}
