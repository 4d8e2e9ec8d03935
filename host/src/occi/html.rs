//! Entities, categories and refusals in the terms of pages; what HTML is, only `web` knows.

use http::{HeaderMap, StatusCode};

use super::entity::Entity;
use super::model::{FRAMEWORK_SCHEME, KIND, LOCATION, Listed, SCHEME, STACK_ID, STATE};
use super::negotiate::{self, Rendering};
use super::refusal::Refusal;
use super::render::text;
use super::syntax::escape;
use crate::orchestrator::Refused;
use crate::web::Page;
use crate::web::page::{Action, Categories, Category, Cluster, Clusters, Endpoint, Message, Pair};

/// One entity.
pub(super) fn cluster(entity: &Entity) -> Cluster {
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
        pairs.map(|(name, value)| Pair {
            name: name.to_owned(),
            value: value.into_owned(),
        })
    };
    let path = escape::name(&entity.path);
    let action = entity.action.map(|action| Action {
        name: action.term().to_owned(),
        url: format!("{path}?action={}", action.term()),
    });
    Cluster {
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
            .map(|pair| Endpoint::new(pair.name, pair.value))
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
pub(super) fn clusters(path: &str, entities: &[Entity]) -> Page {
    Page::Clusters(Clusters {
        path: path.to_owned(),
        clusters: entities.iter().map(cluster).collect(),
    })
}

/// The first page.
pub(super) fn home(base: &str) -> Page {
    Page::Home(format!("{base}{LOCATION}"))
}

/// What the query interface lists.
pub(super) fn categories<'a>(listed: impl Iterator<Item = Listed<'a>>) -> Page {
    Page::Categories(Categories {
        categories: listed.map(category).collect(),
    })
}

fn category(listed: Listed<'_>) -> Category {
    let (scheme, attributes) = (
        SCHEME.to_owned(),
        vec![STATE.to_owned(), STACK_ID.to_owned()],
    );
    match listed {
        Listed::Kind => Category {
            class: "kind",
            term: KIND.to_owned(),
            scheme,
            location: LOCATION.to_owned(),
            attributes,
            ..Category::default()
        },
        Listed::Action(action) => Category {
            class: "action",
            term: action.term().to_owned(),
            scheme,
            ..Category::default()
        },
        Listed::Own(own) => Category {
            class: "mixin",
            term: own.category.term.clone(),
            scheme: own.category.scheme.clone(),
            title: own.title().to_owned(),
            location: own.location.clone(),
            attributes: Vec::new(),
        },
        Listed::Mixin(mixin) => Category {
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
pub(super) fn done() -> Page {
    Page::Message(Message {
        title: "Done".to_owned(),
        lines: vec!["OK".to_owned()],
        ..Message::default()
    })
}

/// Why it is not done, in the words that other clients get; and what is missing, where a browser
/// did not say who asks.
pub(super) fn refusal(refusal: &Refusal, status: StatusCode, body: &[u8], base: &str) -> Page {
    let lines = String::from_utf8_lossy(body)
        .lines()
        .map(str::to_owned)
        .collect();
    let credentials = matches!(
        refusal,
        Refusal::NoAuth(_) | Refusal::Cluster(Refused::Unauthorized(_) | Refused::Forbidden(_))
    );
    Page::Message(Message {
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
