//! Maps entities, categories and errors to the plain data of pages. The module `web` makes HTML of
//! them, so that no value gets into markup without its escaping.

use bytes::Bytes;
use http::header::SERVER;
use http::{HeaderValue, Response, StatusCode};

use super::super::error::ApiError;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::terms::{
    COLLECTION_PATH, CORE_SCHEME, Category, KIND_TERM, SERVER_NAME, SERVICE_SCHEME, STACK_ID,
    STACK_STATE,
};
use super::escape::escape_name;
use super::response::forbid_caching;
use super::text::value_text;
use crate::addressing::ServiceUrl;
use crate::cluster::health::HealthColour;
use crate::orchestrator::OrchestratorError;
use crate::web::page::{
    ActionButton, CategoriesPage, CategoryRow, ClusterListPage, ClusterPage, EndpointRow,
    MessagePage, ServiceRow, TextPair,
};
use crate::web::{self, WebPage};

/// A page as a response of this API.
///
/// # Errors
/// `Internal`: a template is broken.
pub(super) fn page_response(
    status: StatusCode,
    page: &WebPage,
    prefix: &str,
) -> Result<Response<Bytes>, ApiError> {
    let mut response = web::page_response(status, page, prefix).map_err(ApiError::internal)?;
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static(SERVER_NAME));
    forbid_caching(headers);
    Ok(response)
}

/// The page of one entity.
pub(super) fn entity_page(entity: &OcciEntity, prefix: &str) -> WebPage {
    WebPage::Cluster(Box::new(cluster_data(entity, prefix)))
}

fn cluster_data(entity: &OcciEntity, prefix: &str) -> ClusterPage {
    let attribute = |name: &str| {
        entity
            .attributes
            .get(name)
            .map(|value| value_text(value).into_owned())
    };
    let below = |prefix: &'static str| {
        let pairs = entity
            .attributes
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value_text(value))));
        pairs.map(|(name, value)| TextPair {
            name: name.to_owned(),
            value: value.into_owned(),
        })
    };
    let path = format!("{prefix}{}", escape_name(&entity.path));
    let action = entity.action.map(|action| ActionButton {
        name: action.term().to_owned(),
        url: format!("{path}?action={}", action.term()),
    });
    ClusterPage {
        name: entity
            .path
            .strip_prefix(COLLECTION_PATH)
            .unwrap_or(&entity.path)
            .to_owned(),
        path,
        state: attribute("stampede.state").unwrap_or_default(),
        stack_status: attribute(STACK_STATE).unwrap_or_default(),
        reason: attribute("stampede.stack.reason"),
        failure: attribute("stampede.failure"),
        warning: attribute("stampede.cloud.error"),
        endpoints: below("stampede.endpoint.")
            .map(|pair| {
                let access = attribute(&format!("stampede.access.{}", pair.name));
                EndpointRow::new(pair.name, pair.value).with_access(access)
            })
            .collect(),
        services: below("stampede.health.").map(service_row).collect(),
        progress: below("stampede.progress.").collect(),
        actions: action.into_iter().collect(),
        attributes: below("").collect(),
        categories: std::iter::once(format!("{SERVICE_SCHEME}{KIND_TERM}"))
            .chain(entity.built_in.iter().map(Category::identifier))
            .chain(
                entity
                    .mixins
                    .iter()
                    .map(|mixin| mixin.category.identifier()),
            )
            .collect(),
    }
}

/// The colour is the first word of the attribute.
fn service_row(pair: TextPair) -> ServiceRow {
    let (colour, told) = pair.value.split_once(", ").unwrap_or_default();
    ServiceRow {
        name: pair.name,
        colour: HealthColour::from_name(colour).map_or("unknown", HealthColour::as_str),
        told: told.to_owned(),
    }
}

/// The page of the entities below a path.
pub(super) fn collection_page(path: &str, entities: &[OcciEntity], prefix: &str) -> WebPage {
    WebPage::Clusters(ClusterListPage {
        path: path.to_owned(),
        clusters: entities
            .iter()
            .map(|entity| cluster_data(entity, prefix))
            .collect(),
    })
}

/// The first page.
pub(super) fn home_page(base: &str) -> WebPage {
    WebPage::Home(format!("{base}{COLLECTION_PATH}"))
}

/// The page of the query interface.
pub(super) fn categories_page<'a>(
    categories: impl Iterator<Item = CategoryRef<'a>>,
    prefix: &str,
) -> WebPage {
    WebPage::Categories(CategoriesPage {
        categories: categories
            .map(|category| category_row(category, prefix))
            .collect(),
    })
}

fn category_row(category: CategoryRef<'_>, prefix: &str) -> CategoryRow {
    let (scheme, attributes) = (
        SERVICE_SCHEME.to_owned(),
        vec![STACK_STATE.to_owned(), STACK_ID.to_owned()],
    );
    match category {
        CategoryRef::Kind => CategoryRow {
            class: "kind",
            term: KIND_TERM.to_owned(),
            scheme,
            location: format!("{prefix}{COLLECTION_PATH}"),
            attributes,
            ..CategoryRow::default()
        },
        CategoryRef::Action(action) => CategoryRow {
            class: "action",
            term: action.term().to_owned(),
            scheme,
            ..CategoryRow::default()
        },
        CategoryRef::UserMixin(mixin) => CategoryRow {
            class: "mixin",
            term: mixin.category.term.clone(),
            scheme: mixin.category.scheme.clone(),
            title: mixin.title().unwrap_or_default().to_owned(),
            location: format!("{prefix}{}", mixin.location),
            attributes: Vec::new(),
        },
        CategoryRef::Core(kind) => CategoryRow {
            class: "kind",
            term: kind.term().to_owned(),
            scheme: CORE_SCHEME.to_owned(),
            title: kind.title().to_owned(),
            location: kind
                .location()
                .map(|path| format!("{prefix}{path}"))
                .unwrap_or_default(),
            attributes: kind
                .attributes()
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        },
        CategoryRef::BuiltIn(mixin) => CategoryRow {
            class: "mixin",
            term: mixin.category.term.clone(),
            scheme: mixin.category.scheme.clone(),
            title: mixin.title.clone(),
            location: format!("{prefix}{}", mixin.location),
            attributes: mixin
                .attributes
                .iter()
                .map(|attribute| attribute.name.clone())
                .collect(),
        },
    }
}

/// The page of a request that succeeded and has nothing to show.
pub(super) fn done_page() -> WebPage {
    WebPage::Message(MessagePage {
        title: "Done".to_owned(),
        lines: vec!["OK".to_owned()],
        ..MessagePage::default()
    })
}

/// The page of an error, with the same text that other clients receive, and how to send credentials
/// where they are what is missing.
pub(super) fn error_page(
    error: &ApiError,
    status: StatusCode,
    body: &[u8],
    address: &ServiceUrl,
) -> WebPage {
    let lines = String::from_utf8_lossy(body)
        .lines()
        .map(str::to_owned)
        .collect();
    let credentials = matches!(
        error,
        ApiError::MissingCredentials(_)
            | ApiError::Orchestrator(
                OrchestratorError::Unauthorized(_) | OrchestratorError::Forbidden(_)
            )
    );
    WebPage::Message(MessagePage {
        title: status.to_string(),
        lines,
        failed: true,
        credentials,
        url: format!("{}{COLLECTION_PATH}", address.base()),
    })
}
