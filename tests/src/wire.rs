//! Sends HTTP requests byte for byte, and parses answers without any leniency. One connection a
//! request, as Python's clients have it.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WireResponse {
    /// Its status.
    pub status: u16,
    /// What stands behind it.
    pub reason: String,
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: String,
}

impl WireResponse {
    /// All lines of a header, joined as Python's `httplib` does it; `None` where there is none.
    pub fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// Sends a request of this first line and these header lines, without a body, and reads the answer
/// until its length is there.
///
/// # Errors
/// No connection, or no whole answer.
pub async fn ask(address: &str, line: &str, headers: &[(&str, &str)]) -> Result<WireResponse> {
    let mut stream = TcpStream::connect(address)
        .await
        .context("ConnectionError")?;
    let mut head = format!("{line} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all((head + "\r\n").as_bytes())
        .await
        .context("ConnectionError")?;
    let mut bytes = Vec::new();
    loop {
        let answer = parse(&bytes)?;
        if let Some(answer) = answer {
            return Ok(answer);
        }
        let mut more = [0; 16 * 1024];
        let read = stream.read(&mut more).await.context("ConnectionError")?;
        if read == 0 && line.starts_with("HEAD ") {
            bail!("ConnectionError: a HEAD without an answer");
        }
        if read == 0 {
            bail!("ConnectionError: the answer ends in the middle");
        }
        bytes.extend_from_slice(&more[..read]);
        if line.starts_with("HEAD ")
            && let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n")
        {
            return head_of(&bytes[..end]).map(|(answer, _)| answer);
        }
    }
}

/// The answer, once its body is as long as its head says.
fn parse(bytes: &[u8]) -> Result<Option<WireResponse>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (mut answer, length) = head_of(&bytes[..end])?;
    let body = &bytes[end + 4..];
    if body.len() < length {
        return Ok(None);
    }
    answer.body = String::from_utf8(body[..length].to_vec())?;
    Ok(Some(answer))
}

fn head_of(bytes: &[u8]) -> Result<(WireResponse, usize)> {
    let text = std::str::from_utf8(bytes)?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().splitn(3, ' ').skip(1);
    let status = first
        .next()
        .and_then(|text| text.parse().ok())
        .context("no status")?;
    let reason = first.next().unwrap_or_default().to_owned();
    let pair = |line: &str| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
    };
    let headers: Vec<(String, String)> = lines
        .map(|line| pair(line).with_context(|| format!("no header: {line}")))
        .collect::<Result<_>>()?;
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok());
    Ok((
        WireResponse {
            status,
            reason,
            headers,
            body: String::new(),
        },
        length.context("no Content-Length")?,
    ))
}
