//! Entities, categories and refusals in the terms of pages; what HTML is, only `web` knows.

use http::{HeaderMap, StatusCode};

use super::entity::OcciEntity;
use super::error::ApiError;
use super::model::{CategoryRef, FRAMEWORK_SCHEME, KIND, LOCATION, SCHEME, STACK_ID, STATE};
use super::negotiate::{self, Rendering};
use super::render::text;
use super::syntax::escape;
use crate::orchestrator::OrchestratorError;
use crate::web::WebPage;
use crate::web::page::{
    ActionButton, CategoriesPage, CategoryRow, ClusterListPage, ClusterPage, EndpointRow,
    MessagePage, TextPair,
};

/// One entity.
pub(super) fn cluster(entity: &OcciEntity) -> ClusterPage {
    let said = |name: &str| {
        entity
            .attributes
            .get(name)
            .map(|value| text(value).into_owned())
    };
    let below = |prefix: &'static str| {
        let pairs = entity
            .attributes
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, text(value))));
        pairs.map(|(name, value)| TextPair {
            name: name.to_owned(),
            value: value.into_owned(),
        })
    };
    let path = escape::name(&entity.path);
    let action = entity.action.map(|action| ActionButton {
        name: action.term().to_owned(),
        url: format!("{path}?action={}", action.term()),
    });
    ClusterPage {
        name: entity
            .path
            .strip_prefix(LOCATION)
            .unwrap_or(&entity.path)
            .to_owned(),
        path,
        state: said("stampede.state").unwrap_or_default(),
        stack_status: said(STATE).unwrap_or_default(),
        reason: said("stampede.stack.reason"),
        failure: said("stampede.failure"),
        warning: said("stampede.cloud.error"),
        endpoints: below("stampede.endpoint.")
            .map(|pair| EndpointRow::new(pair.name, pair.value))
            .collect(),
        progress: below("stampede.progress.").collect(),
        actions: action.into_iter().collect(),
        attributes: below("").collect(),
        categories: std::iter::once(format!("{SCHEME}{KIND}"))
            .chain(entity.mixins.iter().map(|own| own.category.identifier()))
            .collect(),
    }
}

/// The entities below a path.
pub(super) fn clusters(path: &str, entities: &[OcciEntity]) -> WebPage {
    WebPage::Clusters(ClusterListPage {
        path: path.to_owned(),
        clusters: entities.iter().map(cluster).collect(),
    })
}

/// The first page.
pub(super) fn home(base: &str) -> WebPage {
    WebPage::Home(format!("{base}{LOCATION}"))
}

/// What the query interface lists.
pub(super) fn categories<'a>(listed: impl Iterator<Item = CategoryRef<'a>>) -> WebPage {
    WebPage::Categories(CategoriesPage {
        categories: listed.map(category).collect(),
    })
}

fn category(listed: CategoryRef<'_>) -> CategoryRow {
    let (scheme, attributes) = (
        SCHEME.to_owned(),
        vec![STATE.to_owned(), STACK_ID.to_owned()],
    );
    match listed {
        CategoryRef::Kind => CategoryRow {
            class: "kind",
            term: KIND.to_owned(),
            scheme,
            location: LOCATION.to_owned(),
            attributes,
            ..CategoryRow::default()
        },
        CategoryRef::Action(action) => CategoryRow {
            class: "action",
            term: action.term().to_owned(),
            scheme,
            ..CategoryRow::default()
        },
        CategoryRef::Own(own) => CategoryRow {
            class: "mixin",
            term: own.category.term.clone(),
            scheme: own.category.scheme.clone(),
            title: own.title().to_owned(),
            location: own.location.clone(),
            attributes: Vec::new(),
        },
        CategoryRef::Mixin(mixin) => CategoryRow {
            class: "mixin",
            term: mixin.term.clone(),
            scheme: FRAMEWORK_SCHEME.to_owned(),
            title: mixin.title.clone(),
            location: String::new(),
            attributes: mixin.attributes.clone(),
        },
    }
}

/// That it is done, where there is nothing to show.
pub(super) fn done() -> WebPage {
    WebPage::Message(MessagePage {
        title: "Done".to_owned(),
        lines: vec!["OK".to_owned()],
        ..MessagePage::default()
    })
}

/// Why it is not done, in the words that other clients get; and what is missing, where a browser
/// did not say who asks.
pub(super) fn refusal(refusal: &ApiError, status: StatusCode, body: &[u8], base: &str) -> WebPage {
    let lines = String::from_utf8_lossy(body)
        .lines()
        .map(str::to_owned)
        .collect();
    let credentials = matches!(
        refusal,
        ApiError::NoAuth(_)
            | ApiError::Cluster(
                OrchestratorError::Unauthorized(_) | OrchestratorError::Forbidden(_)
            )
    );
    WebPage::Message(MessagePage {
        title: status.to_string(),
        lines,
        failed: true,
        credentials,
        url: format!("{base}{LOCATION}"),
    })
}

/// Whether a client likes a page best.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    negotiate::choose(headers, Rendering::COLLECTION) == Some(Rendering::Html)
}
