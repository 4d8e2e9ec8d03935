//! Asks hurtle's Cloud Controller to start this service anew from a newer image. The only request
//! that this service sends to it.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use url::Url;

use crate::system::http_client;

/// How much the Cloud Controller may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControllerLimits {
    /// To connect.
    pub connect: Duration,
    /// For the whole answer, beyond which the client gets 504.
    pub answer: Duration,
    /// Bytes of its answer, beyond which the client gets 502.
    pub answer_bytes: usize,
}

impl Default for ControllerLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            answer_bytes: 64 * 1024,
        }
    }
}

/// The Cloud Controller that has started this service.
#[derive(Debug)]
pub struct CloudController {
    update: Url,
    limits: ControllerLimits,
    /// Made at the first call: most services are never updated.
    http: OnceLock<Option<reqwest::Client>>,
}

/// What it answered.
#[derive(Debug, PartialEq)]
pub(super) struct ControllerResponse {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) body: Bytes,
}

/// Why there is no answer of it.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ControllerFailure {
    #[error("the cloud controller at {0} cannot be asked")]
    Unreachable(String),
    #[error("the cloud controller at {0} did not answer in time")]
    Late(String),
    #[error("the cloud controller at {0} answered more than {1} bytes")]
    TooLarge(String, usize),
}

impl CloudController {
    /// With its administration's URL (`CC_ADMIN_URL`), which ends in a slash or not, and this
    /// service's name there (`DC_NAME`).
    ///
    /// # Errors
    /// The text is no http(s) URL; says so.
    pub fn new(admin_url: &str, name: &str, limits: ControllerLimits) -> Result<Self, String> {
        let wrong = || format!("CC_ADMIN_URL: expected an http or https URL, got `{admin_url}`");
        let mut update = Url::parse(admin_url).map_err(|_| wrong())?;
        if !matches!(update.scheme(), "http" | "https") {
            return Err(wrong());
        }
        update
            .path_segments_mut()
            .map_err(|()| wrong())?
            .pop_if_empty()
            .extend(["update", name]);
        update.set_query(None);
        update.set_fragment(None);
        Ok(Self {
            update,
            limits,
            http: OnceLock::new(),
        })
    }

    /// Asks it to start this service anew. Nothing of the client's request goes along.
    pub(super) async fn request_update(&self) -> Result<ControllerResponse, ControllerFailure> {
        let place = self.update.host_str().unwrap_or_default().to_owned();
        let http = self
            .http
            .get_or_init(|| build_client(&self.limits))
            .as_ref()
            .ok_or_else(|| ControllerFailure::Unreachable(place.clone()))?;
        match tokio::time::timeout(self.limits.answer, self.send_request(http, &place)).await {
            Ok(done) => done,
            Err(_) => Err(ControllerFailure::Late(place)),
        }
    }

    async fn send_request(
        &self,
        http: &reqwest::Client,
        place: &str,
    ) -> Result<ControllerResponse, ControllerFailure> {
        let unreachable = |_| ControllerFailure::Unreachable(place.to_owned());
        let mut response = http
            .post(self.update.clone())
            .body("")
            .send()
            .await
            .map_err(unreachable)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > self.limits.answer_bytes {
                return Err(ControllerFailure::TooLarge(
                    place.to_owned(),
                    self.limits.answer_bytes,
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(ControllerResponse {
            status: response.status(),
            content_type: response.headers().get(CONTENT_TYPE).cloned(),
            body: body.freeze(),
        })
    }
}

fn build_client(limits: &ControllerLimits) -> Option<reqwest::Client> {
    let builder = || http_client::new_builder().connect_timeout(limits.connect);
    // A minimal image has no certificates of its own, and hurtle speaks plain HTTP.
    builder()
        .build()
        .or_else(|_| builder().tls_certs_only([]).build())
        .ok()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A controller that says this to whoever asks; what it was asked comes back beside the answer.
    async fn ask(
        says: &'static str,
        limits: ControllerLimits,
    ) -> (Result<ControllerResponse, ControllerFailure>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let read = stream.read(&mut asked).await.unwrap();
            stream.write_all(says.as_bytes()).await.unwrap();
            if says.is_empty() {
                std::future::pending::<()>().await;
            }
            String::from_utf8_lossy(&asked[..read]).into_owned()
        });
        let answer = CloudController::new(&url, "so x", limits)
            .unwrap()
            .request_update()
            .await;
        let asked = if says.is_empty() {
            String::new()
        } else {
            serving.await.unwrap()
        };
        (answer, asked)
    }

    #[test]
    fn one_slash_stands_between_whatever_the_variable_ends_in() {
        for (url, update) in [
            ("http://cc.example.org/", "http://cc.example.org/update/so1"),
            ("http://cc.example.org", "http://cc.example.org/update/so1"),
            (
                "https://cc.example.org:8443/cc/",
                "https://cc.example.org:8443/cc/update/so1",
            ),
            (
                "http://cc.example.org/cc?x=1#y",
                "http://cc.example.org/cc/update/so1",
            ),
        ] {
            assert_eq!(
                CloudController::new(url, "so1", ControllerLimits::default())
                    .unwrap()
                    .update
                    .as_str(),
                update
            );
        }
        for wrong in [
            "",
            "cc.example.org",
            "ftp://cc.example.org/",
            "mailto:cc@example.org",
        ] {
            assert!(
                CloudController::new(wrong, "so1", ControllerLimits::default()).is_err(),
                "{wrong}"
            );
        }
    }

    #[tokio::test]
    async fn its_answer_is_passed_on_and_nothing_of_the_client_goes_to_it() {
        let says = "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        let (answer, asked) = ask(says, ControllerLimits::default()).await;
        let kind = Some(HeaderValue::from_static("application/json"));
        assert_eq!(
            answer,
            Ok(ControllerResponse {
                status: StatusCode::CONFLICT,
                content_type: kind,
                body: Bytes::from_static(b"{}")
            })
        );
        assert!(
            asked.starts_with("POST /update/so%20x HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(
            !asked.to_lowercase().contains("token")
                && !asked.to_lowercase().contains("authorization"),
            "{asked}"
        );
    }

    #[tokio::test]
    async fn each_limit_holds_on_both_sides() {
        let says = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n12345";
        for (answer_bytes, fits) in [(5, true), (4, false)] {
            let (answer, _) = ask(
                says,
                ControllerLimits {
                    answer_bytes,
                    ..ControllerLimits::default()
                },
            )
            .await;
            assert_eq!(answer.is_ok(), fits, "{answer:?}");
        }
        let (late, _) = ask(
            "",
            ControllerLimits {
                answer: Duration::from_millis(50),
                ..ControllerLimits::default()
            },
        )
        .await;
        assert_eq!(late, Err(ControllerFailure::Late("127.0.0.1".to_owned())));
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let answer = CloudController::new(&url, "so1", ControllerLimits::default())
            .unwrap()
            .request_update()
            .await;
        assert_eq!(
            answer,
            Err(ControllerFailure::Unreachable("127.0.0.1".to_owned()))
        );
    }
}
