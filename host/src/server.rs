//! Serves the APIs on their ports: 8080 for clients, 8081 for administration. Starts, limits and stops
//! them; knows no cluster.
//!
//! Layout
//! - [`Server`]: bind, then run until a shutdown
//! - `api_port`: which API a path is of
//! - `connection`: one port; `served_body`: an answer on its way out
//! - [`limits`]: what a connection may cost; `memory_budget`: what requests hold as they come in
//! - `header_timeout`: clients that send no request; `write_timeout`: clients that do not read;
//!   `leave_detection`: clients that leave a stream; `parse_errors`: requests that hyper cannot parse

mod api_port;
mod connection;
mod header_timeout;
mod leave_detection;
pub mod limits;
mod memory_budget;
mod parse_errors;
mod served_body;
mod write_timeout;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, request};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

pub use limits::ServerLimits;

use crate::addressing::{AddressingConfig, ConnectionEnds, ServiceUrl};
use crate::answer::{AnswerBody, EventSlots};
use crate::metrics::HostMetrics;
use crate::orchestrator::Orchestrator;
use crate::system::ending::EndingSignals;
use crate::{admin, api, occi, ui};
use api_port::ApiPort;
use connection::{ConnectionHandler, PortConfig};

/// How the server is configured.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where OCCI is spoken; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where administration is; port 0 takes a free one.
    pub admin_listen: SocketAddr,
    /// The name that hurtle's Cloud Controller gave this instance (`DC_NAME`).
    pub so_name: String,
    /// hurtle's Cloud Controller: its administration's URL (`CC_ADMIN_URL`); none where it did not
    /// start this instance.
    pub controller: Option<String>,
    /// Under which URL clients know the service.
    pub addressing: AddressingConfig,
    /// Of connections.
    pub limits: ServerLimits,
    /// Of what a request may carry.
    pub occi: occi::OcciLimits,
    /// Where the host's work is recorded, and what administration shows of it.
    pub metrics: Arc<HostMetrics>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}: {source}; choose another with --listen or --admin-listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A setting is wrong; says which.
    #[error("{0}")]
    Setting(String),
}

/// The ports, bound: clients can connect already, and are answered as soon as [`Server::run`] is
/// called.
pub struct Server {
    config: ServerConfig,
    controller: Option<admin::CloudController>,
    orchestrator: Option<Orchestrator>,
    api: TcpListener,
    admin: TcpListener,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut server = f.debug_struct("Server");
        server.field("addresses", &self.addresses());
        server.finish_non_exhaustive()
    }
}

impl Server {
    /// Binds both ports.
    ///
    /// # Errors
    /// `Listen`, `Setting`.
    pub async fn bind(config: ServerConfig) -> Result<Self, ServeError> {
        let controller = |url: &String| {
            admin::CloudController::new(
                url,
                &config.so_name,
                admin::controller::ControllerLimits::default(),
            )
        };
        let controller = config
            .controller
            .as_ref()
            .map(controller)
            .transpose()
            .map_err(ServeError::Setting)?;
        let (api, admin) = (
            bind(config.listen, &config.limits)?,
            bind(config.admin_listen, &config.limits)?,
        );
        Ok(Self {
            config,
            controller,
            orchestrator: None,
            api,
            admin,
        })
    }

    /// Serves the JSON API and the page too, which need more of the clusters than OCCI does.
    #[must_use]
    pub fn with_orchestrator(mut self, orchestrator: Orchestrator) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// The addresses really bound: OCCI's, administration's.
    pub fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let bound = |listener: &TcpListener, asked| listener.local_addr().unwrap_or(asked);
        (
            bound(&self.api, self.config.listen),
            bound(&self.admin, self.config.admin_listen),
        )
    }

    /// Answers until `shutdown` is done, then lets requests in work end within
    /// [`ServerLimits::grace`].
    pub async fn run<C: occi::ClusterService>(
        self,
        clusters: C,
        shutdown: impl Future<Output = ()>,
    ) {
        let (api, admin) = self.addresses();
        tracing::info!(address.api = %api, address.admin = %admin, "answering on {api}, administration on {admin}");
        let limits = self.config.limits;
        let metrics = self.config.metrics;
        let occi = occi::OcciConfig {
            limits: self.config.occi,
            addressing: self.config.addressing.clone(),
            started_by_hurtle: self.config.controller.is_some(),
        };
        let (stop, stopped) = watch::channel(false);
        let slots = EventSlots::new(limits.streams, limits.streams_of_project, stopped.clone());
        let addressing = || occi.addressing.clone();
        let pages = |one: &Orchestrator| ui::PageApi::new(one.clone(), addressing(), slots.clone());
        let pages = self.orchestrator.as_ref().map(pages);
        let json = |one| api::JsonApi::new(one, addressing(), slots.clone());
        let clusters_of_all = self.orchestrator.clone();
        let apis = ApiPort {
            json: self.orchestrator.map(json),
            pages,
            addressing: occi.addressing.clone(),
            occi: occi::OcciApi::new(clusters.clone(), occi),
        };
        let admin = AdminService {
            api: admin::AdminApi::new(self.config.so_name, self.controller, Arc::clone(&metrics))
                .with_clusters(clusters_of_all),
            clusters,
            addressing: self.config.addressing,
        };
        let apis = PortConfig::new(apis, limits, Arc::clone(&metrics));
        let admin_limits = ServerLimits {
            connections: limits.admin_connections,
            incoming_bytes: limits.incoming_bytes.min(limits::ADMIN_INCOMING_BYTES),
            ..limits
        };
        let admin = PortConfig::new(admin, admin_limits, Arc::new(HostMetrics::default()));

        let graceful = GracefulShutdown::new();
        let serving = async {
            tokio::join!(
                apis.serve(self.api, || graceful.watcher(), stopped.clone()),
                admin.serve(self.admin, || graceful.watcher(), stopped.clone()),
            )
        };
        tokio::select! {
            _ = serving => {}
            () = async { shutdown.await; let _ = stop.send(true); std::future::pending().await } => {}
        }
        tracing::info!("stopping");
        if tokio::time::timeout(limits.grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("stopped with requests still in work");
        }
    }
}

/// Binds and runs; see [`Server`].
///
/// # Errors
/// `Listen`.
pub async fn run<C: occi::ClusterService>(
    config: ServerConfig,
    clusters: C,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    Server::bind(config).await?.run(clusters, shutdown).await;
    Ok(())
}

/// Done at the first SIGTERM or SIGINT; never, where signals cannot be had. From the call on, not
/// from the first poll: as a container's first process we would not even see a signal that nobody
/// waits for.
pub fn wait_for_signal() -> impl Future<Output = ()> {
    let mut signals = EndingSignals::listen();
    async move {
        signals.recv().await;
    }
}

/// Connections take the listener's settings over.
fn bind(address: SocketAddr, limits: &ServerLimits) -> Result<TcpListener, ServeError> {
    let listen = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(limits.send_buffer_bytes)?;
        socket.bind(address)?;
        socket.listen(limits.backlog)
    };
    listen().map_err(|source| ServeError::Listen { address, source })
}

/// Administration's port.
struct AdminService<C> {
    api: admin::AdminApi,
    clusters: C,
    addressing: AddressingConfig,
}

impl<C> AdminService<C> {
    /// The port's own URL: the public one is OCCI's.
    fn address(&self, head: &request::Parts, ends: ConnectionEnds) -> Option<ServiceUrl> {
        let addressing = AddressingConfig {
            public_url: None,
            ..self.addressing.clone()
        };
        addressing.resolve(&head.uri, &head.headers, ends).ok()
    }
}

impl<C: occi::ClusterService> ConnectionHandler for AdminService<C> {
    fn refuse_head(
        &self,
        head: &request::Parts,
        ends: ConnectionEnds,
    ) -> Option<Response<AnswerBody>> {
        let address = self.address(head, ends);
        let refusal = self.api.refuse_head(head, address.as_ref())?;
        Some(refusal.map(AnswerBody::from))
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Bytes>,
        ends: ConnectionEnds,
    ) -> Response<AnswerBody> {
        let (head, _) = request.into_parts();
        let address = self.address(&head, ends);
        self.api
            .answer(&head, address.as_ref(), self.clusters.ready())
            .await
            .map(AnswerBody::from)
    }
}
