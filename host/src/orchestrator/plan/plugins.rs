//! The plan as the orchestrator asks for it.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::{PlanError, Plugins, chain, nodes, plan, settings};
use crate::{
    bundle::Part,
    cluster::{
        Problem, Spec,
        framework::{Descriptor, Request, Size},
    },
    orchestrator::planner::{Chosen, Planned, Planner},
    plugin::{Catalogue, GenerateError},
};

/// Plans on these plugins.
pub struct PluginPlanner<P>(pub P);

impl<P: Plugins> Planner for PluginPlanner<P> {
    fn descriptors(&self) -> Vec<&Descriptor> {
        self.0.descriptors()
    }

    fn check(&self, spec: &Spec) -> Vec<Problem> {
        let there = self.0.descriptors();
        match chain::chain(&spec.frameworks, &there) {
            Err(problems) => problems,
            Ok(chain) => {
                let typed = |descriptor: &&Descriptor| {
                    settings::typed(descriptor, &spec.settings_of(&descriptor.name))
                };
                chain
                    .iter()
                    .filter_map(|descriptor| typed(descriptor).err())
                    .flatten()
                    .collect()
            }
        }
    }

    fn smallest(&self, spec: &Spec) -> Result<BTreeMap<String, Size>, Vec<Problem>> {
        Ok(nodes::smallest(&chain::chain(
            &spec.frameworks,
            &self.0.descriptors(),
        )?))
    }

    fn plan<'a>(
        &'a self,
        spec: &'a Spec,
        facts: &'a Chosen,
    ) -> BoxFuture<'a, Result<Planned, Vec<Problem>>> {
        Box::pin(async move {
            let made = plan(spec, facts, &self.0)
                .await
                .map_err(PlanError::into_problems)?;
            let endpoints = made.bundle.parts.iter().flat_map(|part| &part.endpoints);
            Ok(Planned {
                endpoints: endpoints
                    .map(|endpoint| (endpoint.name.clone(), endpoint.name.clone()))
                    .collect(),
                template: made.bundle.template,
                files: made.bundle.files,
                contents: made.bundle.contents,
                computed: computed(&made.bundle.parts),
                // The request's values are the defaults of the template's parameters.
                parameters: serde_json::Map::new(),
            })
        })
    }
}

/// What services say of their plugin's parameters: the attribute `setting.replication` = `2` keeps
/// `replication` at that.
fn computed(parts: &[Part]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for part in parts {
        for (name, value) in part.services.iter().flat_map(|service| &service.attributes) {
            if let Some(parameter) = name.strip_prefix("setting.") {
                all.entry(part.plugin.clone())
                    .or_default()
                    .insert(parameter.to_owned(), value.clone());
            }
        }
    }
    all
}

impl Plugins for Catalogue {
    fn descriptors(&self) -> Vec<&Descriptor> {
        self.iter().map(|plugin| plugin.descriptor()).collect()
    }

    fn generate<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Part, PlanError>> {
        Box::pin(async move {
            let Some(plugin) = self.get(plugin) else {
                return Err(PlanError::Broken(format!("there is no plugin `{plugin}`")));
            };
            plugin.generate(request).await.map_err(|error| match error {
                GenerateError::Problems(problems) => PlanError::Problems(problems),
                GenerateError::Failed(error) => PlanError::Broken(error.to_string()),
            })
        })
    }
}
