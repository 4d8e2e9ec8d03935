//! The API's document: OpenAPI 3.1, made of the handlers' attributes and of the shapes. The same text
//! is kept in the tree, `host/docs/openapi.json`.

use std::sync::LazyLock;

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::credentials::{PROJECT, TOKEN};
use super::handlers::{changes, clusters, create, events, lists, requests};
use super::problem::{FieldProblem, ProblemDetails};
use super::problem_answers::ProblemsOfAll;
use super::shapes::{ApiRoot, StreamEnd};

/// The name of the way to say who asks.
const SCHEME: &str = "token";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stampede",
        version = "1",
        description = "Clusters of frameworks such as Hadoop, on OpenStack. Requests say who asks by a token of the cloud; what is wrong is told as RFC 9457 has it, everything at once.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    paths(
        show_root,
        show_document,
        lists::show_session,
        lists::list_frameworks,
        lists::show_framework,
        lists::list_attributes,
        lists::list_flavors,
        lists::list_images,
        lists::list_keys,
        lists::list_networks,
        lists::list_zones,
        lists::list_quotas,
        clusters::list_clusters,
        create::create_cluster,
        clusters::show_cluster,
        changes::change_cluster,
        changes::delete_cluster,
        events::stream_events,
        requests::list_cluster_requests,
        requests::list_requests,
        clusters::show_access,
        clusters::show_secret,
    ),
    components(schemas(ProblemDetails, FieldProblem, StreamEnd)),
    modifiers(&SecurityOfAll, &ProblemsOfAll),
)]
struct ApiDocument;

/// Which API this is, to everybody.
#[utoipa::path(get, path = "/api/v1", tag = "session", security(()),
    responses((status = 200, body = ApiRoot)))]
#[expect(dead_code, reason = "its attribute is what counts")]
fn show_root() {}

/// This document, to everybody.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "session", security(()),
    responses((status = 200, body = Object)))]
#[expect(dead_code, reason = "its attribute is what counts")]
fn show_document() {}

/// All other paths ask for a token.
struct SecurityOfAll;

impl Modify for SecurityOfAll {
    fn modify(&self, document: &mut Document) {
        let about = format!(
            "A token of the cloud's Keystone. It counts for the project that it is scoped to; the header {PROJECT} may name that, by name or id, and has to where Keystone speaks v2.0."
        );
        let key = ApiKeyValue::with_description(TOKEN, &*about);
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(SCHEME, scheme);
        document.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let text = ApiDocument::openapi().to_pretty_json();
    text.unwrap_or_default() + "\n"
});

/// The document's text.
pub fn document_text() -> &'static str {
    &TEXT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::route::ApiRoute;

    /// Where the text is kept.
    const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    /// Set, the test writes it anew.
    const UPDATE: &str = "STAMPEDE_UPDATE_OPENAPI";

    #[test]
    fn the_document_in_the_tree_is_the_one_that_is_served() {
        if crate::system::environment::read_path(UPDATE).is_some() {
            std::fs::write(KEPT, document_text()).unwrap();
        }
        let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
        assert!(
            kept == document_text(),
            "it is out of date: run this test with {UPDATE}=1"
        );
    }

    #[test]
    fn every_path_of_the_document_is_a_route_with_its_methods() {
        let document: serde_json::Value = serde_json::from_str(document_text()).unwrap();
        let mut kinds = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let route = ApiRoute::from_path(&path.replace(['{', '}'], ""));
            let route = route.unwrap_or_else(|| panic!("{path} leads nowhere"));
            let told = item.as_object().unwrap().keys();
            let mut told: Vec<String> = told.map(|method| method.to_uppercase()).collect();
            let mut known: Vec<&str> = route.methods().iter().map(http::Method::as_str).collect();
            told.sort();
            known.sort_unstable();
            assert_eq!(told, known, "{path}");
            kinds.insert(route.kind());
        }
        assert_eq!(kinds.len(), 12, "all kinds of routes: {kinds:?}");
    }

    #[test]
    fn each_path_has_the_problems_of_its_kind_and_no_others() {
        let document: serde_json::Value = serde_json::from_str(document_text()).unwrap();
        let statuses = |path: &str, method: &str| -> Vec<u16> {
            let responses = &document["paths"][path][method]["responses"];
            let told = responses.as_object().unwrap().keys();
            let told = told.map(|status| status.parse().unwrap());
            told.filter(|status| *status >= 400).collect()
        };
        let open = [400, 408, 413, 414, 431, 500, 503];
        assert_eq!(statuses("/api/v1", "get"), open);
        let list = [400, 401, 403, 408, 413, 414, 422, 431, 500, 502, 503];
        assert_eq!(statuses("/api/v1/cloud/flavors", "get"), list);
        let change = [
            400, 401, 403, 404, 408, 409, 412, 413, 414, 415, 422, 431, 500, 502, 503,
        ];
        assert_eq!(statuses("/api/v1/clusters/{name}", "patch"), change);
    }
}
