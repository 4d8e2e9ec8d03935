//! Renders HTML pages from templates for people with a browser. Only this module knows HTML, and it
//! knows nothing of OCCI and clusters but the plain data of a page. Pages load nothing from
//! elsewhere and run no script, and the template engine escapes every value, because clusters'
//! texts come from clients and nodes.
//!
//! Layout
//! - [`page_response`]: a page as a response
//! - [`page`]: the data of each page
//! - `templates/`: one file for each page, `layout.html` around all of them

pub mod page;

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use sha2::{Digest as _, Sha256};

/// The style sheet, which is part of every page.
const STYLE: &str = include_str!("templates/style.css");

/// A page and its data.
#[derive(Clone, Debug, PartialEq)]
pub enum WebPage {
    /// The first page, whose URL is this.
    Home(String),
    /// One cluster.
    Cluster(Box<page::ClusterPage>),
    /// Several.
    Clusters(page::ClusterListPage),
    /// Kinds, actions and mixins.
    Categories(page::CategoriesPage),
    /// A short message, such as an error.
    Message(page::MessagePage),
}

/// A template is broken, which tests would have shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a page cannot be made: {0}")]
pub struct TemplateError(#[source] Arc<minijinja::Error>);

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        Self(Arc::new(error))
    }
}

/// The page as a response: HTML, with the headers that keep a browser from doing more with it than
/// showing it. `prefix` stands before all paths of this service.
///
/// # Errors
/// A template is broken.
pub fn page_response(
    status: StatusCode,
    page: &WebPage,
    prefix: &str,
) -> Result<Response<Bytes>, TemplateError> {
    let mut response = Response::new(Bytes::from(render_page(page, prefix)?));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: with it browsers send `Origin: null` for the buttons of our own pages too.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    Ok(response)
}

/// The Content-Security-Policy: no script, no frame, nothing from elsewhere; the one style sheet by
/// its digest; forms to this service only. Escaping should suffice; this is for where it does not.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let text = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

fn render_page(page: &WebPage, prefix: &str) -> Result<String, TemplateError> {
    let (name, value) = match page {
        WebPage::Home(url) => ("home.html", minijinja::context! { url }),
        WebPage::Cluster(cluster) => ("cluster.html", Value::from(Serde(cluster))),
        WebPage::Clusters(clusters) => ("clusters.html", Value::from(Serde(clusters))),
        WebPage::Categories(categories) => ("categories.html", Value::from(Serde(categories))),
        WebPage::Message(message) => ("message.html", Value::from(Serde(message))),
    };
    let templates = TEMPLATES.as_ref().map_err(TemplateError::clone)?;
    let context = minijinja::context! { prefix, ..value };
    Ok(templates.get_template(name)?.render(context)?)
}

static TEMPLATES: LazyLock<Result<Environment<'static>, TemplateError>> = LazyLock::new(|| {
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
    use super::page::{
        ActionButton, CategoriesPage, CategoryRow, ClusterListPage, ClusterPage, EndpointRow,
        MessagePage, ServiceRow, TextPair,
    };
    use super::*;

    const EVIL: &str = "<script>alert('x')</script>\"'>";

    fn pair() -> TextPair {
        TextPair {
            name: EVIL.into(),
            value: EVIL.into(),
        }
    }

    fn evil_cluster() -> ClusterPage {
        ClusterPage {
            path: EVIL.into(),
            name: EVIL.into(),
            state: EVIL.into(),
            stack_status: EVIL.into(),
            reason: Some(EVIL.into()),
            failure: Some(EVIL.into()),
            warning: Some(EVIL.into()),
            endpoints: vec![
                EndpointRow::new(EVIL.into(), format!("http://h/{EVIL}")),
                EndpointRow::new(EVIL.into(), EVIL.into()).with_access(Some(EVIL.into())),
            ],
            services: vec![ServiceRow {
                name: EVIL.into(),
                colour: "red",
                told: EVIL.into(),
            }],
            progress: vec![pair()],
            actions: vec![ActionButton {
                name: EVIL.into(),
                url: EVIL.into(),
            }],
            attributes: vec![pair()],
            categories: vec![EVIL.into()],
        }
    }

    fn category() -> CategoryRow {
        let text = || EVIL.to_owned();
        CategoryRow {
            class: "mixin",
            term: text(),
            scheme: text(),
            title: text(),
            location: text(),
            attributes: vec![text()],
        }
    }

    fn message() -> MessagePage {
        MessagePage {
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
            WebPage::Home(EVIL.into()),
            WebPage::Cluster(Box::new(evil_cluster())),
            WebPage::Clusters(ClusterListPage {
                path: EVIL.into(),
                clusters: vec![evil_cluster()],
            }),
            WebPage::Categories(CategoriesPage {
                categories: vec![category()],
            }),
            WebPage::Message(message()),
        ] {
            let html = render_page(&page, "").unwrap();
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
            WebPage::Cluster(Box::default()),
            WebPage::Clusters(ClusterListPage::default()),
            WebPage::Categories(CategoriesPage::default()),
            WebPage::Message(MessagePage::default()),
        ] {
            assert!(
                render_page(&page, "").unwrap().contains("<main>"),
                "{page:?}"
            );
        }
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere_and_its_style_is_the_one_allowed() {
        let response =
            page_response(StatusCode::OK, &WebPage::Home("http://h/".into()), "").unwrap();
        let html = String::from_utf8(response.body().to_vec()).unwrap();
        let style = html
            .split("<style>")
            .nth(1)
            .and_then(|rest| rest.split("</style>").next())
            .unwrap();
        let digest = STANDARD.encode(Sha256::digest(style));
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.contains(&format!("style-src 'sha256-{digest}'")),
            "{policy}"
        );
        for outside in ["src=", "<link", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
