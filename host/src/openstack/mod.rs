//! The client of the cloud: Keystone, Heat and what a request is checked against in Nova, Glance,
//! Neutron and Cinder. Knows no plugin, no store, no OCCI. Tokens and passwords are
//! `SecretString`s; neither they nor bodies are logged or shown in an error.
//!
//! Layout
//! - [`client`]: [`Client`]: from a token or credentials to a [`Session`]
//! - [`session`]: who is asking, and the catalog
//! - [`heat`], [`lookup`], [`quotas`]: what a session can ask
//! - [`credentials`], `clouds_yaml`: who the command line's user is
//! - `keystone`, `tokens`, `catalog`: what a token is good for
//! - `http`, `fault`: one call, and what can be wrong with its answer
//! - [`types`], [`config`], [`error`]: the nouns

mod catalog;
pub mod client;
mod clouds_yaml;
pub mod config;
pub mod credentials;
pub mod error;
mod error_response;
pub mod heat;
mod heat_wire;
mod keystone;
pub mod lookup;
pub mod quotas;
pub mod session;
mod timestamp;
mod tokens;
mod transport;
pub mod types;

pub use client::CloudClient;
pub use config::{ClientLimits, CloudConfig, EndpointInterface};
pub use credentials::CloudCredentials;
pub use error::CloudError;
pub use session::CloudSession;
pub use types::{
    CloudFlavor, CloudImage, CloudNetwork, CreateStack, HeatStack, Project, ProjectQuotas,
    ResourceQuota, StackEvent, StackId, StackOutput, StackResource, User,
};
