//! Updates a stack: makes what is new, and lets the nodes that are notified of a change answer.

use std::time::SystemTime;

use serde_json::Value;

use super::{cloud::iso, create_plan::StackStep, resolve, stack::FakeStack};
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
    /// This node, told of a change, answers that it failed, with this text.
    Answer {
        /// Its name.
        node: String,
        /// Why.
        text: String,
    },
    /// Nodes that are told of a change answer nothing.
    Silence,
}

impl FakeStack {
    /// Replaces the template: what is new is made, new nodes come up, those that are told of a
    /// change answer.
    pub(super) fn update(&mut self, request: &Value, fails: Option<UpdateFails>) {
        let old = self.nodes();
        self.take(request);
        self.updated = Some(iso(SystemTime::now(), "Z"));
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
                    StackStep::Answers(Some((node, text))),
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
            let metadata = resolve::value(
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

    /// Every node whose metadata shows a change that it has not answered to does so.
    pub(super) fn answer(&mut self, fails: Option<&(String, String)>) {
        for (node, generation) in self.generations() {
            if self
                .answered
                .get(&node)
                .is_some_and(|answered| *answered >= generation)
            {
                continue;
            }
            let outcome = match fails {
                Some((failing, text)) if *failing == node => format!("failed {text}"),
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
