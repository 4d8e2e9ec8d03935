//! The client of the cloud: Keystone, Heat and what a request is checked against in Nova, Glance and Neutron. Knows no plugin, no store,
//! no OCCI. Tokens and passwords are `SecretString`s; neither they nor bodies are logged or shown in an error.
//!
//! Layout
//! - [`client`]: [`Client`]: from a token or credentials to a [`Session`]
//! - [`session`]: who is asking, and the catalog
//! - [`heat`], [`lookup`]: what a session can ask
//! - [`types`], [`config`], [`error`]: the nouns

pub mod client;
pub mod config;
pub mod credentials;
pub mod error;
pub mod heat;
pub mod lookup;
pub mod session;
pub mod types;

pub use client::Client;
pub use config::{Config, Interface, Limits};
pub use credentials::Credentials;
pub use error::Error;
pub use session::Session;
pub use types::{CreateStack, Event, Flavor, Image, Network, Output, Project, Quota, Quotas, Resource, Stack, StackId, User};
