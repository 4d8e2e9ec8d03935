//! Connects a command to the cloud: credentials, store and plugins become an orchestrator in this
//! process, and its login is renewed while the command goes on.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use clap::{Args, builder::FalseyValueParser};

use crate::{
    cluster::request_entry::RequestFace,
    metrics::HostMetrics,
    openstack::{CloudClient, CloudConfig, CloudCredentials, CloudError, CloudSession},
    orchestrator::{Caller, ClusterView, Orchestrator, OrchestratorConfig, OrchestratorLimits},
    store::RecordStore,
    system::{clock::wall_now, environment::read_path},
};

use super::{RefusedRequest, plugins, server_url::ServerUrl};

/// How long before its token ends a login is renewed at the latest.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// Of a token's life, this part is left when it is renewed, where that is later.
const RENEW_AT_PART: u32 = 4;
/// The pause after a renewal that failed while the token is still good.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// The name that clusters of the command line bear in Heat.
const HOST: &str = "command-line";

/// Where the cloud, the plugins and the memory are.
#[derive(Args, Debug)]
pub(super) struct CloudArgs {
    /// Entry of clouds.yaml; without it the OS_* variables
    #[arg(long, env = "OS_CLOUD", value_name = "NAME")]
    os_cloud: Option<String>,
    /// Let Heat be asked with tokens of application credentials, which only a patched Keystone gives
    /// trusts for
    #[arg(long, env = "STAMPEDE_ALLOW_APPLICATION_CREDENTIALS", value_parser = FalseyValueParser::new())]
    allow_application_credentials: bool,
    /// Where stampede remembers its clusters [default: $XDG_STATE_HOME/stampede]
    #[arg(long, env = "STAMPEDE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    plugins: plugins::PluginArgs,
    /// Drive the stampede host at this URL, which looks after clusters of its own, instead of the cloud itself; the
    /// credentials are the cloud's all the same
    #[arg(long, env = "STAMPEDE_SERVER", value_name = "URL", value_parser = read_server)]
    server: Option<ServerChoice>,
}

/// Which host is driven, if any: an empty variable names none.
#[derive(Clone, Debug)]
struct ServerChoice(Option<ServerUrl>);

fn read_server(text: &str) -> Result<ServerChoice, String> {
    if text.trim().is_empty() {
        return Ok(ServerChoice(None));
    }
    Ok(ServerChoice(Some(ServerUrl::parse(text)?)))
}

/// A login that is renewed while a command goes on.
pub(super) struct CloudLogin {
    client: CloudClient,
    credentials: CloudCredentials,
    session: CloudSession,
    /// From when on it is renewed.
    renew_after: Option<SystemTime>,
}

/// An orchestrator of our own, and us as its caller.
pub(super) struct LocalOrchestrator {
    pub(super) orchestrator: Orchestrator,
    pub(super) caller: Caller,
    login: CloudLogin,
    /// Where this process remembers its clusters.
    pub(super) data_dir: PathBuf,
}

/// Why a login was not renewed.
pub(super) enum RenewalFailure {
    /// Nothing will change that: the credentials were refused, or cannot be used twice.
    Ended(String),
    /// Keystone did not answer; a later try may do.
    Later(String),
}

/// The orchestrator of this process whose work has to be ended before the process does.
static OPENED: OnceLock<(Orchestrator, Duration)> = OnceLock::new();

/// How long a command that is about to end waits for the answers to what it has asked of the cloud:
/// after that others have to wait for them.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);
/// How long the service does, beside the second that requests have: whoever ends containers is
/// promised an end within two.
const SERVICE_SETTLE_LIMIT: Duration = Duration::from_millis(500);

/// Has the service's orchestrator end before the process does.
pub(super) fn settle_service_at_end(orchestrator: &Orchestrator) {
    let _ = OPENED.set((orchestrator.clone(), SERVICE_SETTLE_LIMIT));
}

/// Ends the work of this process's orchestrator, if it has one.
pub(super) async fn settle_opened() {
    if let Some((orchestrator, limit)) = OPENED.get() {
        orchestrator.settle(*limit).await;
    }
}

impl CloudArgs {
    /// Logs in and opens the store; what is pending in the project goes on.
    pub(super) async fn connect(&self) -> Result<LocalOrchestrator> {
        let mut cloud = self.connect_read_only().await?;
        let session = cloud.caller.session().clone();
        let _ = OPENED.set((cloud.orchestrator.clone(), SETTLE_LIMIT));
        let caller = cloud.orchestrator.register_session(session).await?;
        cloud.caller = caller.through(RequestFace::CommandLine);
        Ok(cloud)
    }

    /// Where the plugins of this process are.
    pub(super) fn plugins(&self) -> &plugins::PluginArgs {
        &self.plugins
    }

    /// The host that is to be driven instead, if any.
    pub(super) fn server(&self) -> Option<&ServerUrl> {
        self.server.as_ref()?.0.as_ref()
    }

    /// Where this program remembers what it has to.
    pub(super) fn data_dir(&self) -> Result<PathBuf> {
        self.data_dir.clone().map_or_else(default_data_dir, Ok)
    }

    /// Logs in.
    pub(super) async fn log_in(&self) -> Result<CloudLogin> {
        let (client, credentials) = self.read_credentials()?;
        CloudLogin::begin(client, credentials).await
    }

    fn read_credentials(&self) -> Result<(CloudClient, CloudCredentials)> {
        let credentials = CloudCredentials::from_env_or_clouds_yaml(self.os_cloud.as_deref())?;
        let client = CloudClient::new(CloudConfig {
            allow_application_credentials: self.allow_application_credentials,
            ..credentials.config().clone()
        })?;
        Ok((client, credentials))
    }

    /// The same for a preview: nothing goes on.
    pub(super) async fn connect_read_only(&self) -> Result<LocalOrchestrator> {
        if self.server().is_some() {
            let hint = "without --server, and with STAMPEDE_SERVER unset, it does";
            let message = "this command works on the cloud itself";
            return Err(RefusedRequest::of("--server", message, hint));
        }
        let (client, credentials) = self.read_credentials()?;
        let data_dir = self.data_dir()?;
        // Nobody asks a command for its numbers.
        let metrics = Arc::new(HostMetrics::default());
        let (planner, defaults) = self.plugins.load(&metrics).await?;
        let store = RecordStore::open(&data_dir).await?;
        let login = CloudLogin::begin(client, credentials).await?;
        let orchestrator = Orchestrator::new(OrchestratorConfig {
            host: HOST.to_owned(),
            client: login.client.clone(),
            planner,
            store,
            defaults,
            limits: OrchestratorLimits::default(),
            metrics,
            clock: crate::system::clock::HostClock::default(),
        })
        .await?;
        Ok(LocalOrchestrator {
            caller: orchestrator.read_only_caller(login.session.clone()),
            orchestrator,
            login,
            data_dir,
        })
    }
}

impl CloudLogin {
    async fn begin(client: CloudClient, credentials: CloudCredentials) -> Result<Self> {
        let session = client.login(&credentials).await?;
        Ok(Self {
            renew_after: renewal_of(&session, &credentials),
            client,
            credentials,
            session,
        })
    }

    /// How the cloud is reached.
    pub(super) fn config(&self) -> &CloudConfig {
        self.client.config()
    }

    /// The token and its project.
    pub(super) fn session(&self) -> &CloudSession {
        &self.session
    }

    fn is_due(&self) -> bool {
        self.renew_after.is_some_and(|due| wall_now() >= due)
    }

    /// Its token was refused.
    pub(super) fn renew_soon(&mut self) {
        self.renew_after = Some(wall_now());
    }

    /// Logs in again where the token is about to end or was refused.
    pub(super) async fn renew_where_due(&mut self) -> Result<(), RenewalFailure> {
        if self.is_due() {
            self.renew().await?;
        }
        Ok(())
    }

    async fn renew(&mut self) -> Result<(), RenewalFailure> {
        if !self.credentials.can_log_in_again() {
            return Err(RenewalFailure::Ended(
                "the token has ended, and a login by token cannot be renewed; log in with a password or an application credential"
                    .to_owned(),
            ));
        }
        let session = self.client.login(&self.credentials).await;
        self.session = session.map_err(RenewalFailure::of_cloud)?;
        self.renew_after = renewal_of(&self.session, &self.credentials);
        Ok(())
    }
}

impl LocalOrchestrator {
    /// The cluster of this id, living or not; none where nothing is left of it.
    pub(super) async fn find_by_id(&self, id: &str) -> Result<Option<ClusterView>> {
        Ok(self.orchestrator.find_by_id(&self.caller, id).await?)
    }

    /// Sees to it that the login is good: logs in again before the token ends, and after a service
    /// has refused it. What waits for the user's token goes on with the new one.
    pub(super) async fn keep_login(&mut self) -> Result<(), RenewalFailure> {
        let is_known = self.orchestrator.knows_session(&self.caller);
        if is_known && !self.login.is_due() {
            return Ok(());
        }
        match self.log_in_again().await {
            // The token that there is may last until a later try.
            Err(_) if is_known => {
                self.login.renew_after = wall_now().checked_add(RENEW_AGAIN);
                Ok(())
            }
            outcome => outcome,
        }
    }

    async fn log_in_again(&mut self) -> Result<(), RenewalFailure> {
        self.login.renew().await?;
        let session = self.login.session.clone();
        let caller = self.orchestrator.register_session(session).await;
        self.caller = caller.map_err(|error| RenewalFailure::Later(error.to_string()))?;
        Ok(())
    }
}

impl RenewalFailure {
    fn of_cloud(error: CloudError) -> Self {
        if error.is_transient() {
            Self::Later(error.to_string())
        } else {
            Self::Ended(error.to_string())
        }
    }
}

/// When a login that was made now is to be renewed.
fn renewal_of(session: &CloudSession, credentials: &CloudCredentials) -> Option<SystemTime> {
    let ends = session.expires_at()?;
    renewal_time(wall_now(), ends, credentials.can_log_in_again())
}

/// The same of a token that ends then: one that cannot be renewed is used up to its end.
fn renewal_time(now: SystemTime, ends: SystemTime, can_be_renewed: bool) -> Option<SystemTime> {
    if !can_be_renewed {
        return Some(ends);
    }
    let life = ends.duration_since(now).unwrap_or_default();
    ends.checked_sub(RENEW_BEFORE.min(life / RENEW_AT_PART))
}

/// Where the user's programs keep their state (XDG Base Directory Specification).
pub(super) fn user_state_dir() -> Option<PathBuf> {
    read_path("XDG_STATE_HOME").or_else(|| Some(read_path("HOME")?.join(".local/state")))
}

fn default_data_dir() -> Result<PathBuf> {
    let state = user_state_dir()
        .context("neither XDG_STATE_HOME nor HOME is set; name a folder with --data-dir")?;
    Ok(state.join("stampede"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_renewed_before_its_token_ends_unless_it_cannot_be() {
        let now = SystemTime::UNIX_EPOCH;
        for (life_s, can_be_renewed, renewed_s) in [
            (3_600, true, 3_300),
            (1_200, true, 900),
            (400, true, 300),
            (3_600, false, 3_600),
            (400, false, 400),
        ] {
            let at = |s| now + Duration::from_secs(s);
            let renewed = renewal_time(now, at(life_s), can_be_renewed);
            assert_eq!(renewed, Some(at(renewed_s)), "{life_s} {can_be_renewed}");
        }
    }
}
