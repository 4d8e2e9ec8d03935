//! The groups of projects that were read from the store, until one is changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use crate::store::ClusterGroup;

/// The groups of the projects that were here.
#[derive(Debug, Default)]
pub(crate) struct GroupCache {
    pub(crate) known: Mutex<HashMap<String, Arc<Vec<ClusterGroup>>>>,
    /// Held while one is changed.
    pub(crate) turn: tokio::sync::Mutex<()>,
}
