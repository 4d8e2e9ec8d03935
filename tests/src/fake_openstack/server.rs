//! The HTTP server: reads a request, has it answered, and applies the fault that is injected into
//! it: a late, cut, padded or lost answer.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use super::{FaultKind, cloud::FakeCloud, lock, reply::FakeReply, request::FakeRequest, routes};

/// Accepts until it is dropped, and all connections with it.
pub(super) async fn serve(listener: TcpListener, cloud: Arc<Mutex<FakeCloud>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let cloud = Arc::clone(&cloud);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&cloud), request));
            // A client that goes away, and a connection that a fault breaks, end here.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

type Answer = Response<Either<Full<Bytes>, Half>>;

async fn answer(cloud: Arc<Mutex<FakeCloud>>, request: Request<Incoming>) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let header = |name: &str| {
        head.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut call = FakeRequest::new(
        head.method.as_str(),
        target,
        header("x-auth-token"),
        header("x-subject-token"),
        body,
    );
    let fault = lock(&cloud).begin(&call);
    match fault {
        Some(FaultKind::Dropped) => return Err(io::Error::other("dropped on purpose")),
        Some(FaultKind::Status(status, retry_after)) => {
            return Ok(whole(FakeReply::injected(
                call.service,
                status,
                retry_after,
            )));
        }
        Some(FaultKind::Proxy(status, body)) => {
            return Ok(whole(FakeReply {
                status,
                headers: vec![("content-type", "text/html".to_owned())],
                body: body.as_bytes().to_vec(),
            }));
        }
        Some(FaultKind::Redirect(to)) => {
            return Ok(whole(FakeReply::empty(302).with("location", to.to_owned())));
        }
        Some(FaultKind::Expired) => call.token = None,
        _ => {}
    }
    let mut reply = routes::answer_request(&mut lock(&cloud), &call);
    match fault {
        Some(FaultKind::Slow(by)) => tokio::time::sleep(by).await,
        Some(FaultKind::Lost) => return Err(io::Error::other("lost on purpose")),
        Some(FaultKind::Padded(bytes)) => reply.body.resize(reply.body.len() + bytes, b' '),
        Some(FaultKind::Html) => {
            reply.body = b"<html><body><h1>It works!</h1></body></html>".to_vec()
        }
        Some(FaultKind::Cut) => {
            return Ok(response(&reply).map(|body| Either::Right(Half::of(&body))));
        }
        _ => {}
    }
    Ok(whole(reply))
}

fn whole(reply: FakeReply) -> Answer {
    response(&reply).map(|body| Either::Left(Full::new(body)))
}

fn response(reply: &FakeReply) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(&reply.body));
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            hyper::header::HeaderName::try_from(*name),
            hyper::header::HeaderValue::try_from(value),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The first half of a body that promises to be whole.
struct Half {
    first: Option<Bytes>,
    promised: u64,
}

impl Half {
    fn of(body: &Bytes) -> Self {
        Self {
            first: Some(body.slice(..body.len() / 2)),
            promised: body.len() as u64,
        }
    }
}

impl Body for Half {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.first.take().map(|first| Ok(Frame::data(first))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
