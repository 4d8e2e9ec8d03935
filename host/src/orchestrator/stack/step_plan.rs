//! The plan of a change, rendered as Heat will be given it. What was checked is what is sent: a
//! step is rendered once and kept as text until it is sent. A plan that is made again, by another
//! process or after it was dropped, is compared by its digests. Pure.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    bundle::to_hex,
    cluster::{ClusterChange, RolloutStep, change::NodeFlavors},
};

/// A change as it will be carried out. Made before the change is recorded, and not changed after.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChangePlan {
    /// What it was planned on.
    pub(crate) resolved: NodeFlavors,
    /// Its steps, from the one that was under way when it was planned.
    pub(crate) steps: Vec<StepPlan>,
}

/// What Heat is given in one step, but for the parameter that carries the record.
#[derive(Clone, Debug, PartialEq)]
pub struct StepPlan {
    /// The step's, by which it is found.
    pub(crate) generation: u32,
    /// SHA-256 of all below, in hexadecimal.
    pub digest: String,
    /// HOT as JSON, as text: a tenth of the memory of a tree.
    template: String,
    /// What `get_file` names; steps of one plan share it.
    pub(crate) files: Arc<BTreeMap<String, String>>,
    /// Values of the template's parameters.
    pub(crate) parameters: Map<String, Value>,
}

impl StepPlan {
    /// Keeps a step as it was rendered.
    pub fn new(
        generation: u32,
        template: &Value,
        files: Arc<BTreeMap<String, String>>,
        parameters: Map<String, Value>,
    ) -> Self {
        let template = template.to_string();
        let mut hash = Sha256::new();
        // Lengths in front, so that no two steps are one text.
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        add(&template);
        for (name, content) in files.as_ref() {
            add(name);
            add(content);
        }
        add(&Value::Object(parameters.clone()).to_string());
        let digest = hash.finalize();
        Self {
            generation,
            digest: to_hex(&digest),
            template,
            files,
            parameters,
        }
    }

    /// The template as a tree: the order of its keys, and so its text, is what it was.
    pub(crate) fn template(&self) -> Value {
        serde_json::from_str(&self.template).unwrap_or_default()
    }

    /// Bytes of the template as JSON.
    pub(crate) fn template_bytes(&self) -> usize {
        self.template.len()
    }

    fn bytes(&self) -> usize {
        // Files are shared; counted for each step, they only make the cache smaller than it may be.
        let files = self
            .files
            .iter()
            .map(|(name, text)| name.len() + text.len());
        self.template.len() + files.sum::<usize>()
    }
}

impl ChangePlan {
    /// The plan of a step.
    pub(crate) fn step(&self, step: &RolloutStep) -> Option<&StepPlan> {
        self.steps
            .iter()
            .find(|plan| plan.generation == step.generation)
    }

    /// Whether the step that is under way is planned here as the record says.
    pub(crate) fn covers(&self, change: &ClusterChange) -> bool {
        change.step().is_some_and(|step| {
            let planned = self.step(step).map(|plan| &plan.digest);
            planned.is_some() && planned == step.digest.as_ref()
        })
    }

    /// Bytes that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.steps.iter().map(StepPlan::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(template: Value, file: &str) -> StepPlan {
        let files = BTreeMap::from([("node.sh".to_owned(), file.to_owned())]);
        StepPlan::new(1, &template, Arc::new(files), Map::new())
    }

    #[test]
    fn a_digest_is_of_the_template_and_its_files_and_the_text_comes_back_as_it_was() {
        let template = json!({ "z": 1, "a": [1.5, "ü"], "m": { "y": null, "b": true } });
        let one = step(template.clone(), "a");
        assert_eq!(one.template().to_string(), template.to_string());
        assert_eq!((one.digest.len(), &one), (64, &step(template.clone(), "a")));
        assert_ne!(one.digest, step(template.clone(), "b").digest);
        assert_ne!(one.digest, step(json!({ "z": 2 }), "a").digest);
    }
}
