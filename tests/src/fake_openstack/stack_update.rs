//! The steps of a stack's update: new resources are made, new nodes come up, and nodes whose
//! metadata announces a change signal its outcome.

use std::time::SystemTime;

use serde_json::Value;

use super::{
    hot_functions,
    stack::{FakeStack, StackStep},
    values::format_timestamp,
};

/// How an update fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateFails {
    /// This new node (`worker-3`) signals its failure with this text.
    Node {
        /// Its name.
        node: String,
        /// What it signals, without its name.
        text: String,
    },
    /// This node, notified of a change, signals that it failed, with this text.
    Answer {
        /// Its name.
        node: String,
        /// Why.
        text: String,
    },
    /// This node, notified of a change, signals that it takes its turn later.
    Later {
        /// Its name.
        node: String,
    },
    /// Nodes that are notified of a change signal nothing.
    Silence,
}

impl FakeStack {
    /// Replaces the template: new resources are made, new nodes come up, those that are notified of
    /// a change signal its outcome.
    pub(super) fn update(&mut self, request: &Value, fails: Option<UpdateFails>) {
        let old = self.nodes();
        self.take(request);
        self.updated = Some(format_timestamp(SystemTime::now(), "Z"));
        self.begin("UPDATE");
        let new = self
            .nodes()
            .into_iter()
            .filter(|node| !old.contains(node))
            .collect();
        self.plan = [StackStep::Network, StackStep::Servers].into();
        match fails {
            Some(UpdateFails::Node { node, text }) => {
                self.plan.push_back(StackStep::NodeFails(node, text))
            }
            Some(UpdateFails::Answer { node, text }) => {
                self.plan.extend([
                    StackStep::Ready(new),
                    StackStep::Answers(Some((node, format!("failed {text}")))),
                    StackStep::End,
                ]);
            }
            Some(UpdateFails::Later { node }) => {
                self.plan.extend([
                    StackStep::Ready(new),
                    StackStep::Answers(Some((node, "later".to_owned()))),
                    StackStep::End,
                ]);
            }
            Some(UpdateFails::Silence) => self.plan.extend([StackStep::Ready(new), StackStep::End]),
            None => self.plan.extend([
                StackStep::Ready(new),
                StackStep::Answers(None),
                StackStep::End,
            ]),
        }
    }

    /// A check by which nothing changes, and which fails.
    pub(super) fn check_fails(&mut self) {
        self.begin("CHECK");
        self.end(
            "FAILED",
            "Resource CHECK failed: Error: resources.worker_1_server: it is shut off",
        );
    }

    /// The generation that each node's metadata shows.
    fn generations(&self) -> Vec<(String, u64)> {
        let metadata = |node: &String| {
            let server = format!("{}_server", node.replace('-', "_"));
            let metadata = hot_functions::resolve_value(
                self,
                &self.template["resources"][&server]["properties"]["metadata"],
            );
            metadata["stampede_generation"]
                .as_str()
                .and_then(|text| text.parse().ok())
        };
        self.nodes()
            .into_iter()
            .filter_map(|node| Some((node.clone(), metadata(&node)?)))
            .collect()
    }

    /// Every node whose metadata announces a change that it has not signalled yet does so.
    pub(super) fn answer(&mut self, other: Option<&(String, String)>) {
        for (node, generation) in self.generations() {
            if self
                .answered
                .get(&node)
                .is_some_and(|answered| *answered >= generation)
            {
                continue;
            }
            let outcome = match other {
                Some((other, outcome)) if *other == node => outcome.clone(),
                _ => "done".to_owned(),
            };
            let line = format!("{node} change {generation} {outcome}");
            self.signal(
                "progress_handle",
                &format!("change-{node}"),
                "SUCCESS",
                &line,
                &line,
            );
            self.answered.insert(node, generation);
        }
    }
}
