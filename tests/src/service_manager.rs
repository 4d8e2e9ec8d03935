//! Replays hurtle's Service Manager: what it sends, in which order, how it reads the answers, and
//! what ends its thread (hurtle/PROTOCOL.md, section 7). Its pauses are scaled, so that a test need
//! not wait as long as it does.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::wire::{self, WireResponse};

const SCHEME: &str = "http://schemas.mobile-cloud-networking.eu/occi/service#";
const ENTITY: &str = "/orchestrator/default";

/// Its pauses, as they are at pace 1.
const DEPLOY_POLL: Duration = Duration::from_secs(7);
const PROVISION_POLL: Duration = Duration::from_secs(13);
const UPDATE_POLL: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_secs(2);
/// Tries of one request on 503 and on no connection.
const ATTEMPTS: usize = 30;
/// Header lines, and bytes of one, beyond which Python's `httplib` gives up.
const HEADERS: usize = 100;
const LINE_BYTES: usize = 65_536;

/// The Service Manager with one service instance.
pub struct ServiceManager {
    /// `host:port` of the Service Orchestrator.
    address: String,
    token: String,
    tenant: String,
    pace: f64,
    /// Polls until the test calls it "for ever".
    most_polls: usize,
    /// Kept in one object of the whole process: each call appends to it.
    params: Vec<String>,
    /// Every request and its status.
    pub log: Vec<String>,
}

impl ServiceManager {
    /// For a host at this URL; `pace` 0.01 makes 7 s to 70 ms.
    pub fn new(url: &str, token: &str, tenant: &str, pace: f64) -> Self {
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let (token, tenant) = (token.to_owned(), tenant.to_owned());
        Self {
            address,
            token,
            tenant,
            pace,
            most_polls: 2_000,
            params: Vec::new(),
            log: Vec::new(),
        }
    }

    /// #1: asks for `/` until the container answers 200.
    ///
    /// # Errors
    /// Any other answer, as its thread would end.
    pub async fn start(&mut self) -> Result<()> {
        let basic = [
            ("Content-type", "text/occi"),
            ("Authorization", "Basic ZGVtbzpwYXNz"),
        ];
        let answer = self
            .request("GET", "/", "application/occi+json", &basic)
            .await?;
        if answer.status != 200 || answer.body.is_empty() {
            bail!(
                "the container did not come up: {} {}",
                answer.status,
                answer.reason
            );
        }
        Ok(())
    }

    /// #2: PUT, with the service's parameters and its client's, from which pyssf has taken the quotes.
    ///
    /// # Errors
    /// No 2xx.
    pub async fn activate(
        &mut self,
        service: &[(&str, &str)],
        client: &[(&str, &str)],
    ) -> Result<()> {
        let unquoted = |(name, value): &(&str, &str)| format!("{name}={value}");
        self.params.extend(service.iter().map(unquoted));
        self.params.extend(client.iter().map(unquoted));
        self.post("PUT", ENTITY, "orchestrator").await
    }

    /// #3: the action `deploy`; the parameters once more.
    ///
    /// # Errors
    /// No 2xx.
    pub async fn deploy(&mut self, service: &[(&str, &str)]) -> Result<()> {
        self.params.extend(
            service
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        self.post("POST", &format!("{ENTITY}?action=deploy"), "deploy")
            .await
    }

    /// #4: polls until the stack is complete. It knows no failure.
    ///
    /// # Errors
    /// What would end its thread; or it would poll for ever.
    pub async fn deployed(&mut self) -> Result<()> {
        self.poll(DEPLOY_POLL, |_| Ok(())).await
    }

    /// #5: polls again, and gives up at `CREATE_FAILED`.
    ///
    /// # Errors
    /// As [`Self::deployed`].
    pub async fn provisionable(&mut self) -> Result<()> {
        let raises = |state: &str| {
            if state == "CREATE_FAILED" {
                bail!("RuntimeError: the stack failed")
            } else {
                Ok(())
            }
        };
        self.poll(PROVISION_POLL, raises).await
    }

    /// #6: the action `provision`.
    ///
    /// # Errors
    /// No 2xx.
    pub async fn provision(&mut self) -> Result<()> {
        self.post("POST", &format!("{ENTITY}?action=provision"), "provision")
            .await
    }

    /// #7: what its client sees.
    ///
    /// # Errors
    /// What its client would get as 404 or 500.
    pub async fn shown(&mut self) -> Result<Vec<(String, String)>> {
        let answer = self
            .request("GET", ENTITY, "text/occi", &[("Content-Type", "text/occi")])
            .await?;
        raise_for_status(&answer)?;
        let header = answer
            .joined("x-occi-attribute")
            .context("404: no X-OCCI-Attribute")?;
        parse(&header)
    }

    /// #8: an update; its status and body, since not every one is taken. Where it is, [`Self::updated`] follows.
    ///
    /// # Errors
    /// No answer.
    pub async fn update(&mut self, change: &[(&str, &str)]) -> Result<WireResponse> {
        let change: Vec<String> = change
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        // Without parameters of the update it begins with a comma.
        let attributes = ["", &self.params.join(","), &change.join(",")].join(", ");
        self.request(
            "POST",
            ENTITY,
            "*/*",
            &[
                ("Content-Type", "text/occi"),
                ("X-OCCI-Attribute", &attributes),
            ],
        )
        .await
    }

    /// Polls until an update is complete.
    ///
    /// # Errors
    /// As [`Self::deployed`].
    pub async fn updated(&mut self) -> Result<()> {
        self.poll(UPDATE_POLL, |_| Ok(())).await
    }

    /// #9: DELETE.
    ///
    /// # Errors
    /// No 2xx: the container would be leaked.
    pub async fn destroy(&mut self) -> Result<()> {
        let attributes = self.params.join(", ");
        let answer = self
            .request(
                "DELETE",
                ENTITY,
                "*/*",
                &[("X-OCCI-Attribute", &attributes)],
            )
            .await?;
        raise_for_status(&answer)
    }

    /// GETs so far.
    pub fn polls(&self) -> usize {
        self.log
            .iter()
            .filter(|line| line.starts_with("GET /orchestrator/"))
            .count()
    }

    async fn poll(&mut self, pause: Duration, look: impl Fn(&str) -> Result<()>) -> Result<()> {
        for _ in 0..self.most_polls {
            let answer = self
                .request("GET", ENTITY, "application/occi+json", &[])
                .await?;
            raise_for_status(&answer)?;
            let json: Value = serde_json::from_str(&answer.body).context("ValueError: no JSON")?;
            let attributes = json
                .get("attributes")
                .and_then(Value::as_object)
                .context("KeyError: attributes")?;
            // Without any attribute it asks on.
            if !attributes.is_empty() {
                let state = attributes
                    .get("occi.mcn.stack.state")
                    .context("KeyError: occi.mcn.stack.state")?;
                let state = state.as_str().context("TypeError: the state is no text")?;
                look(state)?;
                if matches!(state, "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
                    return Ok(());
                }
            }
            tokio::time::sleep(pause.mul_f64(self.pace)).await;
        }
        bail!("it would poll for ever")
    }

    async fn post(&mut self, method: &str, target: &str, term: &str) -> Result<()> {
        let category = format!("{term}; scheme=\"{SCHEME}\"");
        let attributes = self.params.join(", ");
        let mut headers = vec![
            ("Category", category.as_str()),
            ("Content-Type", "text/occi"),
        ];
        if !attributes.is_empty() {
            headers.push(("X-OCCI-Attribute", &attributes));
        }
        let answer = self.request(method, target, "*/*", &headers).await?;
        raise_for_status(&answer)
    }

    /// One request as python-requests 2.11 sends it; tried again on 503 and without a connection,
    /// and on nothing else.
    async fn request(
        &mut self,
        method: &str,
        target: &str,
        accept: &str,
        more: &[(&str, &str)],
    ) -> Result<WireResponse> {
        let (token, tenant) = (self.token.clone(), self.tenant.clone());
        let mut headers = vec![
            ("Connection", "keep-alive"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept", accept),
            ("User-Agent", "python-requests/2.11.0"),
            ("X-Auth-Token", token.as_str()),
            ("X-Tenant-Name", tenant.as_str()),
        ];
        headers.extend_from_slice(more);
        if method != "GET" {
            headers.push(("Content-Length", "0"));
        }
        for _ in 1..ATTEMPTS {
            match wire::ask(&self.address, &format!("{method} {target}"), &headers).await {
                Ok(answer) if answer.status != 503 => {
                    self.log
                        .push(format!("{method} {target} {}", answer.status));
                    return readable(answer);
                }
                _ => self.log.push(format!("{method} {target} again")),
            }
            tokio::time::sleep(RETRY.mul_f64(self.pace)).await;
        }
        wire::ask(&self.address, &format!("{method} {target}"), &headers).await
    }
}

/// What `httplib` takes of an answer.
fn readable(answer: WireResponse) -> Result<WireResponse> {
    let long = answer
        .headers
        .iter()
        .find(|(name, value)| name.len() + value.len() + 4 > LINE_BYTES);
    match long {
        _ if answer.headers.len() > HEADERS => {
            bail!("ConnectionError: {} headers", answer.headers.len())
        }
        Some((name, _)) => bail!("ConnectionError: the header {name} is too long"),
        None => Ok(answer),
    }
}

/// What requests does with every status that is no success, in its words.
fn raise_for_status(answer: &WireResponse) -> Result<()> {
    match answer.status {
        400..500 => bail!(
            "HTTPError: {} Client Error: {}",
            answer.status,
            answer.reason
        ),
        500.. => bail!(
            "HTTPError: {} Server Error: {}",
            answer.status,
            answer.reason
        ),
        _ => Ok(()),
    }
}

/// `header.split(', ')`, then `item.split('=')[1]`, quotes taken off when both are there.
///
/// # Errors
/// An item without `=`, where Python raises.
pub fn parse(header: &str) -> Result<Vec<(String, String)>> {
    let item = |item: &str| {
        let mut parts = item.split('=');
        let name = parts.next().unwrap_or_default();
        let value = parts
            .next()
            .with_context(|| format!("IndexError: list index out of range, at `{item}`"))?;
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        Ok((name.to_owned(), bare.to_owned()))
    };
    header.split(", ").map(item).collect()
}

/// The value of an attribute that its client sees; empty where there is none.
pub fn value<'a>(shown: &'a [(String, String)], name: &str) -> &'a str {
    shown
        .iter()
        .find(|(found, _)| found == name)
        .map_or("", |(_, value)| value.as_str())
}
