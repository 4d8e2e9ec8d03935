//! Derives the steps of a create from its template: the servers are nodes, and the scripts in the
//! files are their stages, which report as real nodes do.

use std::collections::VecDeque;

use super::stack::FakeStack;

/// How a create fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateFails {
    /// This node (`worker-1`) fails in the first stage of its last plugin, with this text: `hadoop
    /// setup line 42: curl: 404`.
    Node {
        /// Its name.
        node: String,
        /// What it signals, without its name.
        text: String,
    },
    /// The server of this node does not come up, with Nova's reason: `No valid host was found.`
    Server {
        /// Its name.
        node: String,
        /// Nova's reason.
        reason: String,
    },
    /// Nodes say nothing more after they are up; the wait condition times out.
    Silence,
}

/// What happens in one step.
#[derive(Clone, Debug)]
pub(super) enum StackStep {
    /// All that is neither server nor wait condition is made.
    Network,
    /// Servers are made; wait conditions begin to wait.
    Servers,
    /// A server ends in ERROR instead.
    ServerFails { node: String, reason: String },
    /// Nodes report progress: `(node, line)`.
    Progress(Vec<(String, String)>),
    /// A node reports its failure: `(node, text)`.
    NodeFails(String, String),
    /// Nodes say that they are ready.
    Ready(Vec<String>),
    /// Nodes that were told of a change say that it is done; one may say that it failed, and why.
    Answers(Option<(String, String)>),
    /// The wait conditions end, and with them the action.
    End,
    /// Everything is taken away.
    Gone,
    /// Something cannot be taken away.
    Stuck,
}

impl FakeStack {
    /// What a create does, step by step.
    pub(super) fn create_plan(&self, fails: Option<CreateFails>) -> VecDeque<StackStep> {
        let nodes = self.nodes();
        let mut plan = VecDeque::from([StackStep::Network]);
        if let Some(CreateFails::Server { node, reason }) = fails {
            plan.push_back(StackStep::ServerFails { node, reason });
            return plan;
        }
        plan.push_back(StackStep::Servers);
        if fails == Some(CreateFails::Silence) {
            plan.push_back(StackStep::End);
            return plan;
        }
        let stages = self.stages();
        if let Some((plugin, stage)) = stages.first() {
            plan.push_back(StackStep::Progress(
                nodes
                    .iter()
                    .map(|node| (node.clone(), format!("{node} {plugin} {stage} began")))
                    .collect(),
            ));
        }
        if let Some(CreateFails::Node { node, text }) = fails {
            plan.push_back(StackStep::NodeFails(node, text));
            return plan;
        }
        for (plugin, stage) in &stages {
            let doers = nodes
                .iter()
                .filter(|node| stage != "smoke" || *node == "master");
            let line = |(at, node): (usize, &String)| {
                (
                    node.clone(),
                    format!("{node} {plugin} {stage} done {} s", 3 + at + plugin.len()),
                )
            };
            plan.push_back(StackStep::Progress(doers.enumerate().map(line).collect()));
        }
        let (masters, workers) = nodes.into_iter().partition(|node| node == "master");
        plan.extend([
            StackStep::Ready(workers),
            StackStep::Ready(masters),
            StackStep::End,
        ]);
        plan
    }

    /// Plugin and stage of every script in the files, in the order of the frame: all `setup`, all
    /// `ready`, all `smoke`.
    fn stages(&self) -> Vec<(String, String)> {
        const FOLDER: &str = "/opt/stampede/scripts/";
        let mut found: Vec<(usize, String, String)> = Vec::new();
        for part in self
            .files
            .values()
            .flat_map(|file| file.split(FOLDER).skip(1))
        {
            let (folder, rest) = part.split_once('/').unwrap_or_default();
            let stage = rest.split('.').next().unwrap_or_default();
            let place = ["setup", "ready", "smoke"]
                .iter()
                .position(|known| *known == stage);
            if let (Some(place), false) = (place, folder.is_empty()) {
                found.push((place, folder.to_owned(), stage.to_owned()));
            }
        }
        found.sort();
        found.dedup();
        if found.is_empty() {
            found.push((0, "00-node".to_owned(), "setup".to_owned()));
        }
        let plugin = |folder: &str| {
            folder
                .split_once('-')
                .map_or(folder, |(_, name)| name)
                .to_owned()
        };
        found
            .into_iter()
            .map(|(_, folder, stage)| (plugin(&folder), stage))
            .collect()
    }
}
