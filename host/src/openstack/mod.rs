//! The client of the cloud: Keystone, Heat and what a request is checked against in Nova, Glance,
//! Neutron and Cinder. Knows no plugin, no store, no OCCI. Tokens and passwords are
//! `SecretString`s; neither they nor bodies are logged or shown in an error.
//!
//! Layout, from top to bottom; a file uses only those in lines below its own, and in its own line
//! only what stands to its right
//! - [`client`]: [`CloudClient`], from a token or credentials to a [`CloudSession`]
//! - [`quotas`]; [`heat`], [`nova`], [`glance`], [`neutron`], [`cinder`]: what a session can ask,
//!   one file a service; `heat_wire`: Heat's JSON
//! - `access_for_nodes`: what nodes are given to reach the cloud
//! - [`session`]: a validated token with its project, and the calls that it makes possible
//! - `answer_memory`: what forms ask again and again; `token_cache`: validations that are still good
//! - `keystone`; `keystone_discovery`, `keystone_address`; `keystone_wire`, `catalog_wire`: tokens
//!   are validated and got, the version is found, Keystone's JSON
//! - `service_catalog`, `service_address`: the base URL of each service; [`credentials`]: who the
//!   command line's user is
//! - `transport`: one HTTP call, its span and its observation; `tls_files`: certificates;
//!   `circuit_breaker`: none to a service that does not answer
//! - `error_response`: what an error status means
//! - `api_request`, `retry`: a request and its answer; when it may be repeated
//! - [`config`], [`call_observer`], [`error`], [`types`], [`service_name`], `timestamp`: plain data

mod access_for_nodes;
pub mod answer_memory;
mod api_request;
pub mod call_observer;
mod catalog_wire;
pub mod cinder;
mod circuit_breaker;
pub mod client;
pub mod config;
pub mod credentials;
pub mod error;
mod error_response;
pub mod glance;
pub mod heat;
mod heat_wire;
mod keystone;
mod keystone_address;
mod keystone_discovery;
mod keystone_wire;
pub mod neutron;
pub mod nova;
pub mod quotas;
mod retry;
mod service_address;
mod service_catalog;
pub mod service_name;
pub mod session;
mod timestamp;
mod tls_files;
mod token_cache;
mod transport;
pub mod types;

pub use call_observer::{CallObserver, CallOutcome};
pub use client::CloudClient;
pub use config::{
    ClientCertificate, ClientLimits, CloudConfig, EndpointInterface, RequestCarrier,
    ServiceSettings,
};
pub use credentials::{ClientEnvironment, CloudCredentials, UserLogin};
pub use error::{CloudError, ErrorCause, SettingProblem};
pub use service_name::ServiceName;
pub use session::CloudSession;
pub use tls_files::build_client_beside_cloud;
pub use types::{
    CloudFlavor, CloudImage, CloudNetwork, CreateStack, HeatStack, Project, ProjectQuotas,
    ResourceQuota, StackEvent, StackId, StackOutput, StackResource, User,
};
