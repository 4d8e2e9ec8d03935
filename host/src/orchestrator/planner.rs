//! What the orchestrator needs to know of a plan, and how it asks for one. The plan itself is
//! `plan`.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    bundle::{assemble::Content, news},
    cluster::{
        Flavor, Problem, Spec,
        change::Installed,
        framework::{Descriptor, Size},
    },
};

/// Makes plans: the frameworks that are there and what they generate.
pub trait Planner: Send + Sync {
    /// Every framework that can be asked for, and the plugin `cluster`, by name.
    fn descriptors(&self) -> Vec<&Descriptor>;

    /// What is wrong with the spec in itself, whatever the cloud: the chain, the parameters of its
    /// plugins. All at once.
    fn check(&self, spec: &Spec) -> Vec<Problem>;

    /// The smallest size of a node of each role, over the whole chain of what the spec asks for.
    ///
    /// # Errors
    /// The chain cannot be made: a requirement is missing or circular.
    fn smallest(&self, spec: &Spec) -> Result<BTreeMap<String, Size>, Vec<Problem>>;

    /// What Heat is to be given. Every name in `spec` is one that the cloud knows.
    fn plan<'a>(
        &'a self,
        spec: &'a Spec,
        facts: &'a Chosen,
    ) -> BoxFuture<'a, Result<Planned, Vec<Problem>>>;
}

/// What was looked up for a spec whose open names are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// All flavors of the cloud, smallest first, so that one that fits can be named.
    pub flavors: Vec<Flavor>,
    /// The master's flavor.
    pub master: Flavor,
    /// The workers' flavor.
    pub worker: Flavor,
    /// How nodes signal Heat: `HEAT_SIGNAL`.
    pub signal_transport: String,
}

/// What Heat is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// HOT as JSON.
    pub template: Value,
    /// What `get_file` names.
    pub files: BTreeMap<String, String>,
    /// Values of the template's parameters.
    pub parameters: Map<String, Value>,
    /// Endpoint names, each with the output that holds its URL.
    pub endpoints: BTreeMap<String, String>,
    /// What stands on the nodes of each role.
    pub contents: BTreeMap<String, Content>,
    /// Parameters by plugin whose computed values are to stay while nodes come and go.
    pub computed: BTreeMap<String, BTreeMap<String, String>>,
}

impl Planned {
    /// Digests of what stands on the nodes.
    pub fn installed(&self) -> Installed {
        self.contents
            .iter()
            .map(|(role, content)| (role.clone(), news::digests(content)))
            .collect()
    }
}
