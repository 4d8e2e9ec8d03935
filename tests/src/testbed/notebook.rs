//! A notebook session as a browser has it: Jupyter's REST interface, and a kernel's messages over a
//! WebSocket.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A Jupyter server that is reached at `127.0.0.1:PORT`, with its token.
pub struct NotebookServer {
    port: u16,
    token: String,
    http: reqwest::Client,
}

/// How long a cell may run.
const CELL_LIMIT: Duration = Duration::from_secs(240);
/// The most of one message.
const MAX_FRAME_BYTES: u64 = 4 << 20;

impl NotebookServer {
    pub fn new(port: u16, token: &str) -> Result<Self> {
        Ok(Self {
            port,
            token: token.to_owned(),
            http: crate::http_client()?,
        })
    }

    /// What it answers; without a token where there is none.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Result<(StatusCode, Value)> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = self.http.request(method, &url);
        if let Some(token) = token {
            request = request.header("authorization", format!("token {token}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(|| url)?;
        let (status, text) = (answer.status(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Runs a cell in a new kernel of this name; what it printed. The kernel is gone after it.
    pub async fn run_cell(&self, kernel: &str, code: &str) -> Result<String> {
        let token = Some(self.token.as_str());
        let wanted = Some(json!({"name": kernel}));
        let (status, made) = self
            .ask(Method::POST, "/api/kernels", token, wanted)
            .await?;
        let id = made["id"]
            .as_str()
            .with_context(|| format!("no kernel `{kernel}`: {status} {made}"))?;
        let printed = tokio::time::timeout(CELL_LIMIT, self.execute(id, code)).await;
        self.ask(Method::DELETE, &format!("/api/kernels/{id}"), token, None)
            .await?;
        printed.context("the cell did not end")?
    }

    async fn execute(&self, kernel: &str, code: &str) -> Result<String> {
        let mut socket = self.open_channels(kernel).await?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let header = json!({"msg_id": id, "username": "", "session": id, "msg_type": "execute_request", "version": "5.3"});
        let content = json!({"code": code, "silent": false, "store_history": false,
            "user_expressions": {}, "allow_stdin": false, "stop_on_error": true});
        let message = json!({"header": header, "parent_header": {}, "metadata": {},
            "content": content, "channel": "shell"});
        send_frame(&mut socket, TEXT, message.to_string().as_bytes()).await?;
        let mut printed = String::new();
        loop {
            let message: Value = serde_json::from_slice(&next_message(&mut socket).await?)?;
            if message["parent_header"]["msg_id"] != id.as_str() {
                continue;
            }
            let content = &message["content"];
            match message["header"]["msg_type"].as_str().unwrap_or_default() {
                "stream" if content["name"] == "stdout" => {
                    printed.push_str(content["text"].as_str().unwrap_or_default());
                }
                "error" => bail!("{}: {}", content["ename"], content["evalue"]),
                "status" if content["execution_state"] == "idle" => return Ok(printed),
                _ => {}
            }
        }
    }

    async fn open_channels(&self, kernel: &str) -> Result<TcpStream> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let key = base64::engine::general_purpose::STANDARD.encode(uuid::Uuid::new_v4().as_bytes());
        let request = format!(
            "GET /api/kernels/{kernel}/channels HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: token {}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            self.port, self.token
        );
        socket.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        if !head.starts_with("HTTP/1.1 101 ") {
            bail!("no WebSocket: {head}");
        }
        Ok(socket)
    }
}

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// One whole frame. Clients have to mask; by zeros the bytes stay what they are.
async fn send_frame(socket: &mut TcpStream, kind: u8, payload: &[u8]) -> Result<()> {
    let mut frame = vec![0x80 | kind];
    match u16::try_from(payload.len())? {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    socket.write_all(&frame).await?;
    Ok(())
}

/// The next message, put together from its frames; pings are answered.
async fn next_message(socket: &mut TcpStream) -> Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let (first, second) = (socket.read_u8().await?, socket.read_u8().await?);
        let length = match second & 0x7f {
            126 => u64::from(socket.read_u16().await?),
            127 => socket.read_u64().await?,
            short => u64::from(short),
        };
        if length > MAX_FRAME_BYTES {
            bail!("a frame of {length} bytes");
        }
        let mut payload = vec![0; usize::try_from(length)?];
        socket.read_exact(&mut payload).await?;
        match first & 0x0f {
            PING => send_frame(socket, PONG, &payload).await?,
            PONG => {}
            CLOSE => bail!("the kernel's WebSocket was closed"),
            _ => {
                message.extend(payload);
                if first & 0x80 != 0 {
                    return Ok(message);
                }
            }
        }
    }
}
