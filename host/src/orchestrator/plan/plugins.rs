//! The plan as the orchestrator asks for it.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::{Plugins, chain, nodes, plan};
use crate::{
    cluster::{
        Problem, Spec,
        framework::{Descriptor, Size},
    },
    orchestrator::planner::{Chosen, Planned, Planner},
};

/// Plans on these plugins.
pub struct PluginPlanner<P>(pub P);

impl<P: Plugins> Planner for PluginPlanner<P> {
    fn descriptors(&self) -> Vec<&Descriptor> {
        self.0.descriptors()
    }

    fn smallest(&self, spec: &Spec) -> Result<BTreeMap<String, Size>, Vec<Problem>> {
        Ok(nodes::smallest(&chain::chain(&spec.frameworks, &self.0.descriptors())?))
    }

    fn plan<'a>(&'a self, spec: &'a Spec, facts: &'a Chosen) -> BoxFuture<'a, Result<Planned, Vec<Problem>>> {
        Box::pin(async move {
            let made = plan(spec, facts, &self.0).await.map_err(super::PlanError::into_problems)?;
            let endpoints = made.bundle.parts.iter().flat_map(|part| &part.endpoints);
            Ok(Planned {
                endpoints: endpoints.map(|endpoint| (endpoint.name.clone(), endpoint.name.clone())).collect(),
                template: made.bundle.template,
                files: made.bundle.files,
                // The request's values are the defaults of the template's parameters.
                parameters: serde_json::Map::new(),
            })
        })
    }
}
