//! `stampede serve`: builds the service that hurtle starts from store, cloud, plugins and APIs, and
//! runs it until a signal.

use std::{net::SocketAddr, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use anyhow::{Result, anyhow};
use clap::{Args, builder::FalseyValueParser};

use super::{
    cloud::{settle_service_at_end, user_state_dir},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    plugins::PluginArgs,
};
use crate::{
    addressing::AddressingConfig,
    metrics::{HostMetrics, WorkOutcome},
    occi,
    openstack::{CallObserver, CallOutcome, CloudClient, CloudConfig, EndpointInterface},
    orchestrator::{Orchestrator, OrchestratorConfig, OrchestratorLimits},
    server::{self, Server},
    store::{self, RecordStore},
    system::{container::container_memory, environment::read_path},
};

/// The longest history: ten years.
const MAX_HISTORY_DAYS: i64 = 3_660;
const DAY_S: u64 = 86_400;

/// Serve OCCI, and run until SIGTERM, SIGINT or SIGHUP
///
/// Every option can be given by the environment instead, as hurtle does it. Logs go to standard
/// error; STAMPEDE_LOG chooses what is logged (`info`, `warn,stampede=debug`).
#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Address for OCCI; port 0 takes a free one
    #[arg(
        long,
        env = "STAMPEDE_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    listen: SocketAddr,
    /// Address for administration: /self, /update/self, /health, /ready, /metrics
    #[arg(
        long,
        env = "STAMPEDE_ADMIN_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8081"
    )]
    admin_listen: SocketAddr,
    /// Keystone, with or without /v2.0 or /v3
    #[arg(long, env = "DESIGN_URI", value_name = "URL")]
    design_uri: String,
    /// Region of the cloud [default: the only or first one of the catalog]
    #[arg(long, env = "STAMPEDE_REGION", value_name = "NAME")]
    region: Option<String>,
    /// Which of the catalog's endpoints are used: public, internal or admin
    #[arg(
        long,
        env = "STAMPEDE_INTERFACE",
        value_name = "NAME",
        default_value = "public"
    )]
    interface: EndpointInterface,
    /// PEM file with the cloud's own certificate authority
    #[arg(long, env = "STAMPEDE_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Let Heat be asked with tokens of application credentials, which a patched Keystone gives no
    /// trust for
    #[arg(long, env = "STAMPEDE_ALLOW_APPLICATION_CREDENTIALS", value_parser = FalseyValueParser::new())]
    allow_application_credentials: bool,
    /// The URL by which clients reach OCCI, such as that of a TLS proxy: all links begin with it
    /// [default: what the request or a trusted proxy says]
    #[arg(long, env = "STAMPEDE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Address or CIDR of proxies whose `Forwarded` and `X-Forwarded-*` headers count; several are
    /// separated by commas
    #[arg(long, env = "STAMPEDE_TRUSTED_PROXY", value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// This instance's name, which its stacks bear in Heat: with an empty store it finds them again
    /// by it [default: stampede]
    #[arg(long, env = "DC_NAME", value_name = "NAME")]
    so_name: Option<String>,
    /// hurtle's Cloud Controller, which starts this instance anew at POST /update/self; needs
    /// DC_NAME
    #[arg(long, env = "CC_ADMIN_URL", value_name = "URL")]
    cc_admin_url: Option<String>,
    /// Folder of the store [default: $STATE_DIRECTORY, else $XDG_STATE_HOME/stampede/serve; where
    /// that cannot be written, memory]
    #[arg(long, env = "STAMPEDE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How many days it is remembered who has asked for what
    #[arg(long, env = "STAMPEDE_HISTORY_DAYS", value_name = "DAYS", default_value_t = 400,
        value_parser = clap::value_parser!(u32).range(1..=MAX_HISTORY_DAYS))]
    history_days: u32,
    #[command(flatten)]
    plugins: PluginArgs,
}

/// Serves until told to stop; the addresses really bound are the first line on `out`.
pub(super) async fn run(args: &ServeArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let mut stop = pin!(server::wait_for_signal());
    let metrics = Arc::new(HostMetrics::default());
    let addressing = args.addressing()?;
    let client = CloudClient::new(args.cloud_config(&metrics))?;
    // The ports come before what takes time: clients wait for the plugins in the queue instead of
    // being refused.
    let server = Server::bind(args.server_config(addressing, Arc::clone(&metrics))).await?;
    let orchestrator = tokio::select! {
        () = &mut stop => return Ok(CommandExit::Done),
        orchestrator = args.build_orchestrator(client, metrics) => orchestrator?,
    };
    settle_service_at_end(&orchestrator);
    // Said when nothing can go wrong any more: who reads it takes the service for running.
    let (api, admin) = server.addresses();
    writeln!(
        out,
        "stampede: OCCI on http://{api}, administration on http://{admin}"
    )?;
    out.flush()?;
    let server = server.with_orchestrator(orchestrator.clone());
    server.run(orchestrator, stop).await;
    Ok(CommandExit::Done)
}

/// Records each HTTP call to the cloud: the client knows no metrics, and the metrics no HTTP.
fn observe_cloud_calls(metrics: &Arc<HostMetrics>) -> CallObserver {
    let metrics = Arc::clone(metrics);
    CallObserver::new(move |service, took, outcome| {
        let outcome = match outcome {
            CallOutcome::Done => WorkOutcome::Succeeded,
            CallOutcome::Refused => WorkOutcome::Refused,
            CallOutcome::Failed | CallOutcome::Unreachable => WorkOutcome::Failed,
        };
        metrics.observe_cloud_call(service.as_str(), outcome, took);
    })
}

impl ServeArgs {
    fn so_name(&self) -> String {
        self.so_name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "stampede".to_owned())
    }

    /// Under which URL clients know the service.
    fn addressing(&self) -> Result<AddressingConfig> {
        let public_url = self.public_url.as_deref().filter(|url| !url.is_empty());
        let named = |option: &'static str| move |why: String| anyhow!("{option}: {why}");
        Ok(AddressingConfig {
            public_url: public_url
                .map(str::parse)
                .transpose()
                .map_err(named("--public-url"))?,
            trusted_proxies: self
                .trusted_proxy
                .join(",")
                .parse()
                .map_err(named("--trusted-proxy"))?,
        })
    }

    fn server_config(
        &self,
        addressing: AddressingConfig,
        metrics: Arc<HostMetrics>,
    ) -> server::ServerConfig {
        server::ServerConfig {
            listen: self.listen,
            admin_listen: self.admin_listen,
            so_name: self.so_name(),
            controller: self
                .cc_admin_url
                .clone()
                .filter(|url| !url.is_empty() && is_given(self.so_name.as_ref())),
            addressing,
            limits: server_limits(),
            occi: occi::OcciLimits::default(),
            metrics,
        }
    }

    fn cloud_config(&self, metrics: &Arc<HostMetrics>) -> CloudConfig {
        CloudConfig {
            call_observer: Some(observe_cloud_calls(metrics)),
            region: self.region.clone().filter(|region| !region.is_empty()),
            interface: self.interface,
            ca_file: self
                .ca_file
                .clone()
                .filter(|path| !path.as_os_str().is_empty()),
            allow_application_credentials: self.allow_application_credentials,
            ..CloudConfig::new(self.design_uri.as_str())
        }
    }

    async fn build_orchestrator(
        &self,
        client: CloudClient,
        metrics: Arc<HostMetrics>,
    ) -> Result<Orchestrator> {
        let (planner, defaults) = self.plugins.load_checked(&metrics).await?;
        let store = self.open_store().await?;
        Ok(Orchestrator::new(OrchestratorConfig {
            host: self.so_name(),
            client,
            planner,
            store,
            defaults,
            limits: self.orchestrator_limits(),
            metrics,
            clock: crate::system::clock::HostClock::default(),
        })
        .await?)
    }

    fn orchestrator_limits(&self) -> OrchestratorLimits {
        let mut limits = OrchestratorLimits::default();
        limits.journal.kept = Duration::from_secs(u64::from(self.history_days) * DAY_S);
        match container_memory() {
            Some(bytes) => limits.limit_to_memory(bytes),
            None => limits,
        }
    }

    /// A folder that was named must do; where only the environment suggests one, as it does in
    /// containers too, memory does as well.
    async fn open_store(&self) -> Result<RecordStore> {
        if let Some(dir) = self
            .data_dir
            .clone()
            .or_else(|| read_path("STATE_DIRECTORY"))
        {
            return Ok(RecordStore::open(&dir).await?);
        }
        let why = match home_data_dir() {
            None => "no data directory is named".to_owned(),
            Some(dir) => match RecordStore::open(&dir).await {
                Err(error @ store::StoreError::Open { .. }) => error.to_string(),
                opened => return Ok(opened?),
            },
        };
        tracing::warn!(
            "clusters are remembered in memory only, and found again in Heat after a restart: {why}"
        );
        Ok(RecordStore::in_memory().await?)
    }
}

fn is_given(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

/// Within what the system lets this process have.
fn server_limits() -> server::ServerLimits {
    let limits = server::ServerLimits::default();
    let limits = open_files().map_or(limits, |files| limits.limit_to_files(files));
    container_memory().map_or(limits, |bytes| limits.limit_to_memory(bytes))
}

/// How many files this process may open; `None` where the system does not say.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Where the user's environment keeps the state of services.
fn home_data_dir() -> Option<PathBuf> {
    Some(user_state_dir()?.join("stampede/serve"))
}
