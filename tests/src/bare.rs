//! `bare FILE`: answers every request with the headers and the body of that file, by hyper as the
//! host uses it and nothing behind it. The lower bound that load on the host is measured against.
//! Prints its address, and ends when it is killed.
#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::convert::Infallible;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// The same as the host's.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("bare FILE")?;
    let (headers, body) = read(&std::fs::read_to_string(file)?)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, headers.clone(), body.clone()));
    }
}

/// Headers and body; what hyper writes by itself is left out.
fn read(answer: &str) -> Result<(HeaderMap, Bytes)> {
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("no end of the headers")?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").context("no header")?;
        let name = HeaderName::from_bytes(name.as_bytes())?;
        if name != DATE && name != CONTENT_LENGTH {
            headers.append(name, HeaderValue::from_str(value)?);
        }
    }
    Ok((headers, Bytes::copy_from_slice(body.as_bytes())))
}

async fn serve(stream: TcpStream, headers: HeaderMap, body: Bytes) {
    let service = service_fn(|_| {
        let mut response = Response::new(Full::new(body.clone()));
        response.headers_mut().clone_from(&headers);
        async { Ok::<_, Infallible>(response) }
    });
    // A client that goes away is no error here.
    let _ = stream.set_nodelay(true);
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
