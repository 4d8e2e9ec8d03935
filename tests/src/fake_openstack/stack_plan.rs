//! The steps of a create, derived from the template: its servers are the nodes, and the scripts in
//! its files are their stages.

use std::collections::VecDeque;

use super::stack::{CreateFails, FakeStack, StackStep};

impl FakeStack {
    /// The steps until the stack is complete, or has failed as `fails` says.
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
