//! What pages show, as plain data; the templates turn it into HTML.

use serde::Serialize;
use url::Url;

/// One cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClusterPage {
    /// Where it is on this service, escaped for a URL.
    pub path: String,
    /// Its name.
    pub name: String,
    /// In one word.
    pub state: String,
    /// Heat's word.
    pub stack_status: String,
    /// What Heat says beside it.
    pub reason: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Why the page may be old.
    pub warning: Option<String>,
    /// Where its services are.
    pub endpoints: Vec<EndpointRow>,
    /// The nodes, each with its stages.
    pub progress: Vec<TextPair>,
    /// What can be done with it.
    pub actions: Vec<ActionButton>,
    /// Everything that is known of it.
    pub attributes: Vec<TextPair>,
    /// What it is.
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

/// A button that posts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ActionButton {
    /// What stands on it.
    pub name: String,
    /// Where it posts to.
    pub url: String,
}

/// Where a service of a cluster is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EndpointRow {
    /// `namenode_ui`.
    pub name: String,
    /// As the cloud says it.
    pub url: String,
    /// Whether it is a link: what a stack's output says is nobody's to trust, so only http and
    /// https are.
    linked: bool,
}

impl EndpointRow {
    /// One that is a link if a browser may follow it.
    pub fn new(name: String, url: String) -> Self {
        let linked = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        Self { name, url, linked }
    }
}

/// Several clusters.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClusterListPage {
    /// What is listed.
    pub path: String,
    /// By name.
    pub clusters: Vec<ClusterPage>,
}

/// What can be asked for.
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
    /// The path where its clusters are; may be empty.
    pub location: String,
    /// The names of its attributes.
    pub attributes: Vec<String>,
}

/// A few words: a refusal, or that something is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MessagePage {
    /// `403 Forbidden`.
    pub title: String,
    /// What is to be said.
    pub lines: Vec<String>,
    /// Whether it went wrong.
    pub failed: bool,
    /// Whether to say how one tells the service who one is.
    pub credentials: bool,
    /// The URL that was asked for.
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
