//! The data of each page, in plain structures that the templates turn into HTML.

use serde::Serialize;
use url::Url;

/// One cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClusterPage {
    /// Where it is on this service, escaped for a URL.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Heat's status of its stack.
    pub stack_status: String,
    /// Heat's reason for that status.
    pub reason: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Why the page may be old, or the cluster does not go on.
    pub warning: Option<String>,
    /// The URLs of its services.
    pub endpoints: Vec<EndpointRow>,
    /// The health of its services.
    pub services: Vec<ServiceRow>,
    /// The nodes, each with its stages.
    pub progress: Vec<TextPair>,
    /// The actions that it offers.
    pub actions: Vec<ActionButton>,
    /// All its attributes.
    pub attributes: Vec<TextPair>,
    /// Identifiers of its categories.
    pub categories: Vec<String>,
}

/// A name and a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TextPair {
    /// The name.
    pub name: String,
    /// The text.
    pub value: String,
}

/// The health of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServiceRow {
    /// The component.
    pub name: String,
    /// `green`, `yellow`, `red`.
    pub colour: &'static str,
    /// Node, sentence and times.
    pub told: String,
}

/// A button that posts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ActionButton {
    /// Its label.
    pub name: String,
    /// The URL that it posts to.
    pub url: String,
}

/// The URL of a service of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EndpointRow {
    /// `namenode_ui`.
    pub name: String,
    /// The stack's output, unchanged.
    pub url: String,
    /// Whether it is a link. A stack's output cannot be trusted, so that only http and https are:
    /// `javascript:` would run in the page.
    linked: bool,
    /// Who reaches it, what it is for, and where its secret is.
    access: Option<String>,
}

impl EndpointRow {
    /// A row, a link if a browser may follow the URL.
    pub fn new(name: String, url: String) -> Self {
        let linked = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        Self {
            name,
            url,
            linked,
            access: None,
        }
    }

    /// With what is known of it beside that.
    pub fn with_access(self, access: Option<String>) -> Self {
        Self { access, ..self }
    }
}

/// Several clusters.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClusterListPage {
    /// The path whose clusters are listed.
    pub path: String,
    /// By name.
    pub clusters: Vec<ClusterPage>,
}

/// The categories of the query interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CategoriesPage {
    /// In their order.
    pub categories: Vec<CategoryRow>,
}

/// One kind, action or mixin.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CategoryRow {
    /// `kind`.
    pub class: &'static str,
    /// Its term.
    pub term: String,
    /// Its scheme.
    pub scheme: String,
    /// For people; may be empty.
    pub title: String,
    /// The path of its clusters; may be empty.
    pub location: String,
    /// The names of its attributes.
    pub attributes: Vec<String>,
}

/// A short message: an error, or that a request succeeded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MessagePage {
    /// `403 Forbidden`.
    pub title: String,
    /// The message.
    pub lines: Vec<String>,
    /// Whether it is an error.
    pub failed: bool,
    /// Whether to explain how to send credentials.
    pub credentials: bool,
    /// The URL in the example of such a request.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_is_a_link() {
        for (url, linked) in [
            ("http://192.0.2.7:9870/", true),
            ("https://h/", true),
            ("HTTP://h/", true),
            ("javascript:alert(1)", false),
            (" javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("ftp://h/", false),
            ("//h/", false),
            ("192.0.2.7", false),
            ("", false),
        ] {
            assert_eq!(
                EndpointRow::new("x".into(), url.into()).linked,
                linked,
                "{url}"
            );
        }
    }
}
