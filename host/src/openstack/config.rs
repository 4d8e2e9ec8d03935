//! Configuration of the client: Keystone's address, region, interface, trusted certificates, and
//! every limit on attempts, times and sizes. Nothing here does I/O.

use std::{collections::BTreeMap, fmt::Debug, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use super::{CallObserver, ServiceName};

/// Where and how to reach the cloud.
#[derive(Clone, Debug)]
pub struct CloudConfig {
    /// Keystone's address, with or without `/v3` or `/v2.0` and trailing slashes.
    pub auth_url: String,
    /// The region whose endpoints are used; `None`: the only one where the catalog has Heat.
    pub region: Option<String>,
    /// Which endpoints are used.
    pub interface: EndpointInterface,
    /// Which ones where those are not in the catalog, the best one first.
    pub other_interfaces: Vec<EndpointInterface>,
    /// What is said of single services.
    pub services: BTreeMap<ServiceName, ServiceSettings>,
    /// PEM certificates of the cloud's own authority, trusted besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// Whether that file was named for this cloud. One that is this machine's for all that it reaches
    /// is for nodes only where it is small enough.
    pub is_ca_file_named: bool,
    /// Whether servers must prove who they are. Off only where the command line's user says so.
    pub verify_certificates: bool,
    /// What this host proves itself with to servers that ask for it.
    pub client_certificate: Option<ClientCertificate>,
    /// Tokens of application credentials are refused before Heat is asked for a trust, unless this
    /// says that the cloud allows them.
    pub allow_application_credentials: bool,
    /// Attempts, sizes, times.
    pub limits: ClientLimits,
    /// Called once for each HTTP call that has ended, for the metrics; none by default.
    pub call_observer: Option<CallObserver>,
    /// Brings requests to the cloud in the place of connections: for a cloud in this process.
    pub carrier: Option<Arc<dyn RequestCarrier>>,
}

/// Brings requests to the cloud, and its answers back.
pub trait RequestCarrier: Debug + Send + Sync {
    /// One request; the cloud always answers.
    fn carry(
        &self,
        request: reqwest::Request,
    ) -> Pin<Box<dyn Future<Output = reqwest::Response> + Send + '_>>;
}

impl CloudConfig {
    /// The defaults for a Keystone at `auth_url`.
    pub fn new(auth_url: impl Into<String>) -> Self {
        Self {
            auth_url: auth_url.into(),
            region: None,
            interface: EndpointInterface::Public,
            other_interfaces: Vec::new(),
            services: BTreeMap::new(),
            ca_file: None,
            is_ca_file_named: true,
            verify_certificates: true,
            client_certificate: None,
            allow_application_credentials: false,
            limits: ClientLimits::default(),
            call_observer: None,
            carrier: None,
        }
    }
}

/// What is said of one service's endpoints, in place of what holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Its address, whatever the catalog says.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// The type under which the catalog has it, in place of the usual ones.
    pub service_type: Option<String>,
    /// Its name in the catalog, where several are of its type.
    pub service_name: Option<String>,
    /// Which of its endpoints are used, the best one first; empty: as for all services.
    pub interfaces: Vec<EndpointInterface>,
}

impl ServiceSettings {
    /// What is said of this service, if anything.
    pub(super) fn of(service: ServiceName, config: &CloudConfig) -> Option<&Self> {
        config.services.get(&service)
    }
}

/// PEM files of a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and where no file is named for it the key too.
    pub certificate: PathBuf,
    /// The key.
    pub key: Option<PathBuf>,
}

/// The interface of an endpoint in the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointInterface {
    /// For everybody.
    #[default]
    Public,
    /// Inside the cloud's management network.
    Internal,
    /// For operators.
    Admin,
}

impl EndpointInterface {
    /// As it stands in a v3 catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for EndpointInterface {
    type Err = super::CloudError;

    /// Takes `public`, `internal`, `admin` and the old `publicURL` forms.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim_end_matches("URL") {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "admin" => Ok(Self::Admin),
            _ => Err(super::CloudError::config(format!(
                "the interface must be public, internal or admin, got `{text}`"
            ))),
        }
    }
}

/// Every limit of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Attempts of a call that may be repeated, the first included.
    pub attempts: u32,
    /// The pause before the second attempt; doubled each time, jittered to between half and all of
    /// it.
    pub backoff: Duration,
    /// The longest pause, also when `Retry-After` names a longer one.
    pub backoff_max: Duration,
    /// Until a connection stands.
    pub connect: Duration,
    /// Until an answer is there, body included.
    pub answer: Duration,
    /// Until the answer to a create, update or validate is there; Heat parses the whole template
    /// meanwhile.
    pub answer_heat_write: Duration,
    /// Calls in a row of one project to one service without any answer, after which no more are made
    /// for a while.
    pub circuit_failures: u32,
    /// How long; then one call finds out.
    pub circuit_pause: Duration,
    /// When those are told to come again who find that call under way.
    pub circuit_probe: Duration,
    /// Bytes of an answer.
    pub body_bytes: usize,
    /// Bytes of an answer that is an error.
    pub fault_bytes: usize,
    /// Characters of a service's explanation in our message.
    pub fault_chars: usize,
    /// Characters of a service's explanation about a mistake in what it was sent (400): whoever has
    /// to mend it needs them all.
    pub refusal_chars: usize,
    /// How long a validated token is taken for good without asking Keystone again.
    pub token_ttl: Duration,
    /// How long a token stays refused, or Keystone failed, without asking it again.
    pub token_error_ttl: Duration,
    /// How many validated tokens are remembered.
    pub tokens: usize,
    /// Pages of a list that are followed.
    pub pages: usize,
    /// Items on a page.
    pub page_items: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            attempts: 4,
            backoff: Duration::from_millis(250),
            backoff_max: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            answer_heat_write: Duration::from_secs(120),
            circuit_failures: 5,
            circuit_pause: Duration::from_secs(10),
            circuit_probe: Duration::from_secs(1),
            body_bytes: 16 << 20,
            fault_bytes: 64 << 10,
            fault_chars: 400,
            refusal_chars: 8_000,
            token_ttl: Duration::from_secs(60),
            token_error_ttl: Duration::from_secs(1),
            tokens: 1024,
            pages: 50,
            page_items: 200,
        }
    }
}
