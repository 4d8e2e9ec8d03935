//! The pages for people with a browser. Only this module knows HTML; it knows no OCCI and no
//! cluster, only what a page is to show. Pages need nothing from outside and run no script; the
//! templates' engine escapes every value.
//!
//! Layout
//! - [`answer`]: a page as a whole answer
//! - [`page`]: what there is to show
//! - `templates/`: one file a page, `layout.html` around all of them

pub mod page;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use sha2::{Digest as _, Sha256};

/// The style, which is part of every page.
const STYLE: &str = include_str!("templates/style.css");

/// What [`answer`] makes a page of.
#[derive(Clone, Debug, PartialEq)]
pub enum Page {
    /// The first page, whose URL is this.
    Home(String),
    /// One cluster.
    Cluster(Box<page::Cluster>),
    /// Several.
    Clusters(page::Clusters),
    /// What can be asked for.
    Categories(page::Categories),
    /// A few words.
    Message(page::Message),
}

/// A template is broken, which tests would have shown.
#[derive(Debug, thiserror::Error)]
#[error("a page cannot be made: {0}")]
pub struct Error(String);

impl From<&minijinja::Error> for Error {
    fn from(error: &minijinja::Error) -> Self {
        Self(error.to_string())
    }
}

/// The page as an answer: HTML, with the headers that keep a browser from doing more with it than
/// showing it.
///
/// # Errors
/// A template is broken.
pub fn answer(status: StatusCode, page: &Page) -> Result<Response<Bytes>, Error> {
    let mut response = Response::new(Bytes::from(render(page)?));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    Ok(response)
}

/// No script, no frame, nothing from elsewhere; the one style by its digest; forms to this service
/// only.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let text = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

fn render(page: &Page) -> Result<String, Error> {
    let (name, value) = match page {
        Page::Home(url) => ("home.html", minijinja::context! { url }),
        Page::Cluster(cluster) => ("cluster.html", Value::from(Serde(cluster))),
        Page::Clusters(clusters) => ("clusters.html", Value::from(Serde(clusters))),
        Page::Categories(categories) => ("categories.html", Value::from(Serde(categories))),
        Page::Message(message) => ("message.html", Value::from(Serde(message))),
    };
    let templates = TEMPLATES.as_ref().map_err(Error::from)?;
    templates
        .get_template(name)
        .and_then(|template| template.render(value))
        .map_err(|error| Error::from(&error))
}

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // A misspelt name in a template is an error, not an empty place. Names that end in `.html` are
    // escaped.
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_global("style", STYLE);
    for (name, source) in [
        ("layout.html", include_str!("templates/layout.html")),
        (
            "credentials.html",
            include_str!("templates/credentials.html"),
        ),
        ("home.html", include_str!("templates/home.html")),
        ("cluster.html", include_str!("templates/cluster.html")),
        ("clusters.html", include_str!("templates/clusters.html")),
        ("categories.html", include_str!("templates/categories.html")),
        ("message.html", include_str!("templates/message.html")),
    ] {
        templates.add_template(name, source)?;
    }
    Ok(templates)
});

#[cfg(test)]
mod tests {
    use super::page::{Action, Categories, Category, Cluster, Clusters, Endpoint, Message, Pair};
    use super::*;

    const EVIL: &str = "<script>alert('x')</script>\"'>";

    fn pair() -> Pair {
        Pair {
            name: EVIL.into(),
            value: EVIL.into(),
        }
    }

    fn evil_cluster() -> Cluster {
        Cluster {
            path: EVIL.into(),
            name: EVIL.into(),
            state: EVIL.into(),
            stack_status: EVIL.into(),
            reason: Some(EVIL.into()),
            failure: Some(EVIL.into()),
            warning: Some(EVIL.into()),
            endpoints: vec![
                Endpoint::new(EVIL.into(), format!("http://h/{EVIL}")),
                Endpoint::new(EVIL.into(), EVIL.into()),
            ],
            progress: vec![pair()],
            actions: vec![Action {
                name: EVIL.into(),
                url: EVIL.into(),
            }],
            attributes: vec![pair()],
            categories: vec![EVIL.into()],
        }
    }

    fn category() -> Category {
        let text = || EVIL.to_owned();
        Category {
            class: "mixin",
            term: text(),
            scheme: text(),
            title: text(),
            location: text(),
            attributes: vec![text()],
        }
    }

    fn message() -> Message {
        Message {
            title: EVIL.into(),
            lines: vec![EVIL.into()],
            failed: true,
            credentials: true,
            url: EVIL.into(),
        }
    }

    #[test]
    fn no_value_becomes_markup_on_any_page() {
        for page in [
            Page::Home(EVIL.into()),
            Page::Cluster(Box::new(evil_cluster())),
            Page::Clusters(Clusters {
                path: EVIL.into(),
                clusters: vec![evil_cluster()],
            }),
            Page::Categories(Categories {
                categories: vec![category()],
            }),
            Page::Message(message()),
        ] {
            let html = render(&page).unwrap();
            assert!(
                !html.contains("<script") && !html.contains("'x'") && !html.contains("\"'>"),
                "{html}"
            );
            assert!(html.contains("&lt;script&gt;"), "{html}");
            assert!(
                html.starts_with("<!doctype html>\n<html lang=\"en\">"),
                "{html}"
            );
        }
    }

    #[test]
    fn pages_with_nothing_to_show_are_pages() {
        for page in [
            Page::Cluster(Box::default()),
            Page::Clusters(Clusters::default()),
            Page::Categories(Categories::default()),
            Page::Message(Message::default()),
        ] {
            assert!(render(&page).unwrap().contains("<main>"), "{page:?}");
        }
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere_and_its_style_is_the_one_allowed() {
        let answer = answer(StatusCode::OK, &Page::Home("http://h/".into())).unwrap();
        let html = String::from_utf8(answer.body().to_vec()).unwrap();
        let style = html
            .split("<style>")
            .nth(1)
            .and_then(|rest| rest.split("</style>").next())
            .unwrap();
        let digest = STANDARD.encode(Sha256::digest(style));
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains(&format!("style-src 'sha256-{digest}'")),
            "{policy}"
        );
        for outside in ["src=", "<link", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
