//! A host with its API on loopback, and a client that holds every answer against the API's document.

use std::net::SocketAddr;

use serde_json::{Value, json};
use stampede::{
    api::document::document_text,
    server::{Server, ServerConfig, ServerLimits},
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::fixture::LifecycleFixture;

/// A host that serves the API.
pub(crate) struct ApiHost {
    pub(crate) world: LifecycleFixture,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) running: JoinHandle<()>,
    document: Value,
}

/// An answer that is as the document says.
#[derive(Debug)]
pub(crate) struct ApiAnswer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl ApiAnswer {
    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Path and message of each problem.
    pub(crate) fn problems(&self) -> Vec<(&str, &str)> {
        let problems = self.body["problems"].as_array().unwrap().iter();
        problems
            .map(|one| {
                (
                    one["path"].as_str().unwrap(),
                    one["message"].as_str().unwrap(),
                )
            })
            .collect()
    }
}

impl ApiHost {
    pub(crate) async fn start() -> Self {
        Self::start_with(ServerLimits::default()).await
    }

    pub(crate) async fn start_with(limits: ServerLimits) -> Self {
        Self::start_in(LifecycleFixture::new().await, limits).await
    }

    pub(crate) async fn start_in(world: LifecycleFixture, limits: ServerLimits) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let config = ServerConfig {
            metrics: Default::default(),
            listen: any,
            admin_listen: any,
            so_name: "tests".to_owned(),
            controller: None,
            addressing: Default::default(),
            limits,
            occi: Default::default(),
        };
        let orchestrator = world.host().await;
        let server = Server::bind(config).await.unwrap();
        let server = server.with_orchestrator(orchestrator.clone());
        let (address, _) = server.addresses();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = server.run(orchestrator, async { drop(stopped.await) });
        Self {
            token: world.cloud.issue_token("demo"),
            world,
            address,
            stop: Some(stop),
            running: tokio::spawn(served),
            document: strict(serde_json::from_str(document_text()).unwrap()),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> ApiAnswer {
        self.ask("GET", path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> ApiAnswer {
        self.ask("POST", path, Some(body.to_string()), &[]).await
    }

    /// A request of the project `demo`.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> ApiAnswer {
        let token = [("x-auth-token", self.token.as_str())];
        let headers: Vec<_> = token.into_iter().chain(headers.iter().copied()).collect();
        self.send(method, path, body, &headers).await
    }

    /// A request with these headers alone. Its answer is held against the document.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> ApiAnswer {
        let client = stampede_tests::http_client().unwrap();
        let mut request = client.request(method.parse().unwrap(), self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}")),
        };
        let answer = ApiAnswer {
            status,
            headers,
            body,
        };
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        if method != "HEAD" {
            self.check(method, path, &answer);
        }
        answer
    }

    /// Whether the document has this answer.
    fn check(&self, method: &str, path: &str, answer: &ApiAnswer) {
        let bare = path.split('?').next().unwrap();
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let (one, other): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), bare.split('/').collect());
            let mut parts = one.iter().zip(&other);
            one.len() == other.len()
                && parts.all(|(one, other)| one.starts_with('{') || one == other)
        };
        let item = paths.iter().find(|(template, _)| fits(template));
        let operation = item.and_then(|(_, item)| item.get(method.to_lowercase()));
        let Some(operation) = operation else {
            // What no path has is told as all problems are.
            assert_eq!(answer.header("content-type"), "application/problem+json");
            return self.check_named("ProblemDetails", &answer.body);
        };
        let told = &operation["responses"][answer.status.to_string()];
        let told = match told["$ref"].as_str() {
            Some(place) => self.document.pointer(&place[1..]).unwrap(),
            None => told,
        };
        assert!(
            told.is_object(),
            "{method} {path}: {} is not told",
            answer.status
        );
        let Some(content) = told.get("content").and_then(Value::as_object) else {
            assert_eq!(answer.body, Value::Null, "{method} {path}");
            return;
        };
        let kind = answer.header("content-type");
        let media = content.get(kind);
        let media = media.unwrap_or_else(|| panic!("{method} {path}: {kind}: {}", answer.body));
        self.check_schema(&media["schema"], &answer.body, &format!("{method} {path}"));
    }

    /// Whether a value is of a schema of the document.
    pub(crate) fn check_named(&self, schema: &str, value: &Value) {
        let named = json!({"$ref": format!("#/components/schemas/{schema}")});
        self.check_schema(&named, value, schema);
    }

    fn check_schema(&self, schema: &Value, value: &Value, what: &str) {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.document["components"],
        });
        let validator = jsonschema::validator_for(&whole).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "{what} is not as the document says: {errors:?}\n{value}"
        );
    }
}

/// The document, by which an answer may hold nothing that it does not name.
fn strict(mut value: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("properties") && !fields.contains_key("additionalProperties")
                {
                    fields.insert("additionalProperties".to_owned(), json!(false));
                }
                fields.values_mut().for_each(close);
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut value["components"]["schemas"]);
    value
}
