//! A stand-in for a Keystone and the services behind it: takes any login, shows a catalog of two
//! regions and three interfaces, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

/// What stands at the addresses of versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StandInKind {
    #[default]
    Good,
    /// Below `/identity`.
    Below,
    /// The root names `/identity/v3/` as the version's address, and `/v3` is not there.
    Moved,
    /// So does this one, by a path.
    MovedByPath,
    /// The root names an address of another host.
    Elsewhere,
    /// With more services than one of a type, and of a type of its own.
    Several,
    /// No version document anywhere: 404.
    Silent,
    /// The root is another service's page.
    OtherRoot,
    /// The root has no server behind it: 503.
    DeadRoot,
}

/// What it was asked since it was last looked.
#[derive(Default)]
pub(crate) struct SeenRequests {
    /// Path and body of each login.
    pub(crate) logins: Vec<(String, Value)>,
    /// Paths of all other requests.
    pub(crate) paths: Vec<String>,
}

pub(crate) struct StandIn {
    url: String,
    seen: Arc<Mutex<SeenRequests>>,
}

impl StandIn {
    pub(crate) async fn start(kind: StandInKind, regions: &'static [&'static str]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(SeenRequests::default()));
        let state = (kind, regions, url.clone(), Arc::clone(&seen));
        let app = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn take(&self) -> SeenRequests {
        std::mem::take(&mut self.seen.lock().expect("a lock"))
    }
}

type Shared = (
    StandInKind,
    &'static [&'static str],
    String,
    Arc<Mutex<SeenRequests>>,
);

async fn answer(
    State((kind, regions, url, seen)): State<Shared>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_end_matches('/');
    if method == Method::POST {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        seen.lock()
            .expect("a lock")
            .logins
            .push((path.to_owned(), body));
        let headers: HeaderMap = [(
            "x-subject-token".parse().expect("a name"),
            "t".parse().expect("a value"),
        )]
        .into_iter()
        .collect();
        let body = json!({"token": token(&url, regions, kind)}).to_string();
        return (StatusCode::CREATED, headers, body).into_response();
    }
    seen.lock().expect("a lock").paths.push(path.to_owned());
    let base = if kind == StandInKind::Below {
        "/identity"
    } else {
        ""
    };
    let link = match kind {
        StandInKind::Moved => format!("{url}/identity/v3/"),
        StandInKind::MovedByPath => "identity/v3/".to_owned(),
        StandInKind::Elsewhere => "http://192.0.2.1/identity/v3/".to_owned(),
        _ => format!("{url}{base}/v3/"),
    };
    let version = json!({"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "media-types": [],
        "links": [{"rel": "self", "href": link}]});
    let (is_root, is_v3) = (path == base, path == format!("{base}/v3"));
    let (status, body) = match kind {
        StandInKind::Silent => (404, String::new()),
        StandInKind::DeadRoot if is_root => (503, "<html>no server</html>".to_owned()),
        StandInKind::OtherRoot if is_root => (200, "<html>a page</html>".to_owned()),
        _ if is_root => (300, json!({"versions": {"values": [version]}}).to_string()),
        StandInKind::Moved | StandInKind::MovedByPath if is_v3 => (404, "{}".to_owned()),
        _ if is_v3 => (200, json!({"version": version}).to_string()),
        _ => (404, "{}".to_owned()),
    };
    (StatusCode::from_u16(status).expect("a status"), body).into_response()
}

fn token(url: &str, regions: &[&str], kind: StandInKind) -> Value {
    let domain = json!({"id": "default", "name": "Default"});
    let mut services = ["identity", "orchestration", "compute", "image", "network"]
        .map(|name| (name, name))
        .to_vec();
    if kind == StandInKind::Several {
        services.extend([
            ("orchestration", "heat-two"),
            ("compute", "nova-two"),
            ("own-orchestration", "heat-three"),
        ]);
    }
    let catalog = services.into_iter().map(|(service_type, service)| {
        let mut endpoints = Vec::new();
        for region in regions {
            for interface in ["internal", "public", "admin"] {
                endpoints.push(json!({"id": format!("{service}-{region}-{interface}"), "interface": interface, "region": region,
                    "region_id": region, "url": format!("{url}/{service}/{region}/{interface}/v1/p1")}));
            }
        }
        json!({"id": service, "type": service_type, "name": service, "endpoints": endpoints})
    });
    let catalog: Vec<_> = catalog.collect();
    json!({"methods": ["password"], "user": {"domain": domain, "id": "u1", "name": "u"}, "audit_ids": ["x"], "is_domain": false,
        "project": {"domain": domain, "id": "p1", "name": "demo"}, "roles": [{"id": "r1", "name": "member"}],
        "expires_at": "2099-01-01T00:00:00.000000Z", "issued_at": "2026-01-01T00:00:00.000000Z", "catalog": catalog})
}
