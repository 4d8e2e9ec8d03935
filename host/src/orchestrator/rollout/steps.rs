//! From what a cluster is to what it is to be: the steps, by way of the clusters at rest. Pure.

use std::collections::BTreeMap;

use crate::{
    bundle::node_update::VARIABLES,
    cluster::{
        ClusterRest, MemberNews, RolloutStep,
        change::ChangeReport,
        component::{ComponentPlacement, members_beyond},
        node_group::NodeIds,
    },
    orchestrator::planning::turns::{TurnNode, take_turns},
    orchestrator::rollout::nodes_at_rest::{ChangeNodes, NodesAtRest},
};

/// What nodes run that have something new.
pub(super) const TURN_STAGES: [&str; 2] = ["setup", "ready"];
/// Lets members go.
pub(super) const DRAIN: &str = "drain";
/// Hears of members that have come or gone.
pub(super) const MEMBERS: &str = "members";

/// The steps there. `first` is the first generation to give out.
///
/// New settings come first, in turns, each turn only when the one before works again. Then nodes are
/// added, and components to nodes that stay. Then members are let go by one that stays, the others
/// are told what that means to them, and who leaves is taken away; those are not asked themselves,
/// since who leaves may be dead. Steps that tell nobody only change the stack.
pub(crate) fn plan_steps(nodes: &ChangeNodes, first: u32) -> Vec<RolloutStep> {
    let mut steps = match nodes.upgrade {
        Some(upgrade) => upgrading_steps(nodes, upgrade),
        None => settling_steps(nodes),
    };
    steps.extend(joining_steps(nodes));
    steps.extend(leaving_steps(nodes));
    if nodes.upgrade.is_some() && steps.iter().all(|step| step.stack != ClusterRest::Done) {
        // When nodes do without what the stack has no more.
        let title = "what the cloud has of it".to_owned();
        steps.push(step_at(nodes, title, ClusterRest::Done, Vec::new(), &[]));
    }
    if steps.is_empty() {
        // Nothing that a node knows: who may reach the cluster.
        let title = "new settings of the cloud".to_owned();
        steps.push(step_at(nodes, title, ClusterRest::Done, Vec::new(), &[]));
    }
    number_steps(steps, first)
}

fn settling_steps(nodes: &ChangeNodes) -> Vec<RolloutStep> {
    let (rest, news) = (ClusterRest::Settled, |_: &str| true);
    let mut steps = turns(nodes, (rest, rest), "new settings on", news);
    let told = knowing_others(nodes, rest);
    if !told.is_empty() {
        // Nothing that a running daemon reads: mirror, proxy, how long a node may take.
        let title = "new settings of the cloud".to_owned();
        steps.push(step_at(nodes, title, rest, told, &[]));
    }
    steps
}

/// What is new is brought to all nodes, and put into its place in turns. The stack is as before until
/// all of them have it.
fn upgrading_steps(nodes: &ChangeNodes, upgrade: u32) -> Vec<RolloutStep> {
    let (stack, files) = (ClusterRest::Before, ClusterRest::Settled);
    let turns = turns(nodes, (stack, files), "new plugins on", |_| true);
    let told: Vec<&String> = turns.iter().flat_map(|turn| &turn.told).collect();
    let parts = nodes.new_parts(upgrade, &told);
    let count = parts.values().copied().max().unwrap_or(0);
    let bring = |part: usize| {
        let title = match count {
            1 => "bringing what is new".to_owned(),
            _ => format!("bringing what is new ({} of {count})", part + 1),
        };
        let is_told = |node: &&&String| parts.get(node.as_str()).is_some_and(|own| *own > part);
        let told = told.iter().filter(is_told).map(|node| (*node).clone());
        RolloutStep {
            files,
            brings: u32::try_from(part).ok(),
            ..step_at(nodes, title, stack, told.collect(), &[])
        }
    };
    let mut steps: Vec<RolloutStep> = (0..count).map(bring).collect();
    steps.extend(turns);
    let told = knowing_others(nodes, files);
    if !told.is_empty() {
        let title = "new settings of the cloud".to_owned();
        steps.push(RolloutStep {
            files,
            ..step_at(nodes, title, stack, told, &[])
        });
    }
    steps
}

fn joining_steps(nodes: &ChangeNodes) -> Vec<RolloutStep> {
    let rest = ClusterRest::Joined;
    let [settled, joined] = [ClusterRest::Settled, rest].map(|rest| nodes.at(rest));
    let coming = members_beyond(&joined.placements, &settled.placements);
    let news = MemberNews::Joined(rest, ClusterRest::Settled);
    let joining: Vec<String> = names_beyond(joined, settled);
    let told = if joining.is_empty() {
        knowing_others(nodes, rest)
    } else {
        knowing_more(nodes, rest)
    };
    let mut steps = Vec::new();
    if !joining.is_empty() || !told.is_empty() {
        // Names and addresses of a group that is new, before its nodes have come up.
        let title = match joining.as_slice() {
            [] => "new settings of the cloud".to_owned(),
            joining => step_title("adding", joining),
        };
        steps.push(step_at(nodes, title, rest, told, &[]));
    }
    let gains = |node: &str| coming.iter().any(|one| one.has(node));
    let gaining = turns(nodes, (rest, rest), "setting up what is new on", gains);
    let others = turns(nodes, (rest, rest), "news of members on", |node| {
        !gains(node)
    });
    steps.extend(gaining.into_iter().chain(others));
    for step in &mut steps {
        step.news = Some(news);
    }
    let title = step_title("taking in", &nodes_of(&coming));
    steps.extend(runner_steps(
        nodes,
        rest,
        rest,
        &coming,
        (MEMBERS, &title),
        news,
    ));
    steps
}

fn leaving_steps(nodes: &ChangeNodes) -> Vec<RolloutStep> {
    let rest = ClusterRest::Done;
    let [joined, done] = [ClusterRest::Joined, rest].map(|rest| nodes.at(rest));
    let going = members_beyond(&joined.placements, &done.placements);
    let leaving: Vec<String> = names_beyond(joined, done);
    let news = MemberNews::Leaving(ClusterRest::Joined, rest);
    let (from, title) = (
        ClusterRest::Joined,
        step_title("letting go of", &nodes_of(&going)),
    );
    let mut steps = runner_steps(nodes, from, from, &going, (DRAIN, &title), news);
    for step in &mut steps {
        step.leaving.clone_from(&leaving);
    }
    // Who leaves is there until nobody counts on it.
    let loses = |node: &str| going.iter().any(|one| one.has(node));
    let others = |node: &str| !loses(node);
    steps.extend(turns(nodes, (from, rest), "news of members on", others));
    if !leaving.is_empty() {
        // That there is a group no more is nothing that others need to know.
        let title = step_title("taking away", &leaving);
        steps.push(step_at(nodes, title, rest, Vec::new(), &[]));
    }
    steps.extend(turns(nodes, (rest, rest), "taking components from", loses));
    let (title, news) = (
        step_title("going on without", &nodes_of(&going)),
        MemberNews::Left(ClusterRest::Joined, rest),
    );
    steps.extend(runner_steps(
        nodes,
        rest,
        rest,
        &going,
        (MEMBERS, &title),
        news,
    ));
    steps
}

/// Nodes that are to stay and have something new in their files at this rest, in their turns;
/// `is_wanted` chooses among them. The stack has the resources of the first of the two rests, nodes
/// the files of the second.
fn turns(
    nodes: &ChangeNodes,
    (stack, rest): (ClusterRest, ClusterRest),
    title: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<RolloutStep> {
    let there = nodes.at(rest);
    let told = news_of(nodes, rest).filter(|(node, paths)| has_files(paths) && is_wanted(node));
    let told = told.map(|(name, paths)| TurnNode {
        restarts: there.restarts(&name, &paths),
        name,
    });
    take_turns(told.collect(), &there.placements)
        .into_iter()
        .map(|turn| RolloutStep {
            files: rest,
            ..step_at(nodes, step_title(title, &turn), stack, turn, &TURN_STAGES)
        })
        .collect()
}

/// Nodes that stay and have nothing new but what their scripts know of the cluster around them.
fn knowing_others(nodes: &ChangeNodes, rest: ClusterRest) -> Vec<String> {
    let told = news_of(nodes, rest).filter(|(_, paths)| !has_files(paths));
    told.map(|(node, _)| node).collect()
}

/// Nodes whose scripts know something new of the cluster around them, also those with new files.
fn knowing_more(nodes: &ChangeNodes, rest: ClusterRest) -> Vec<String> {
    let is_variables = |path: &String| path == VARIABLES;
    let told = news_of(nodes, rest).filter(|(_, paths)| paths.iter().any(is_variables));
    told.map(|(node, _)| node).collect()
}

/// What is new on each node that is there after the change, against the cluster at rest before this
/// one: also on nodes that have come in the change.
fn news_of(nodes: &ChangeNodes, rest: ClusterRest) -> impl Iterator<Item = (String, Vec<String>)> {
    let (before, after) = (nodes.at(rest_before(rest)), nodes.at(rest));
    let done = nodes.at(ClusterRest::Done);
    let there = before.names.iter().filter(|node| done.has_node(node));
    there
        .map(|node| (node.clone(), after.changed_paths(before, node)))
        .filter(|(_, paths)| !paths.is_empty())
}

fn has_files(paths: &[String]) -> bool {
    paths.iter().any(|path| path != VARIABLES)
}

/// The cluster at rest that a change comes from when it gets to this one.
pub(crate) fn rest_before(rest: ClusterRest) -> ClusterRest {
    match rest {
        ClusterRest::Before | ClusterRest::Settled => ClusterRest::Before,
        ClusterRest::Joined => ClusterRest::Settled,
        ClusterRest::Done => ClusterRest::Joined,
    }
}

/// The steps in which one member runs what concerns `members` of its plugin, of each component that
/// has a script for that: the lowest index of those that stay and can be told. What comes together
/// and runs on one node is one step; `drain` goes backwards.
pub(super) fn runner_steps(
    nodes: &ChangeNodes,
    stack: ClusterRest,
    files: ClusterRest,
    members: &[ComponentPlacement],
    (stage, title): (&str, &str),
    news: MemberNews,
) -> Vec<RolloutStep> {
    let plugins: Vec<&str> = members
        .iter()
        .map(|one| nodes.plugin_of(&one.component))
        .collect();
    let there = nodes.at(files);
    let concerned = there.placements.iter();
    let mut concerned: Vec<&ComponentPlacement> = concerned
        .filter(|one| plugins.contains(&nodes.plugin_of(&one.component)))
        .collect();
    if stage == DRAIN {
        concerned.reverse();
    }
    let mut steps: Vec<RolloutStep> = Vec::new();
    for placement in concerned {
        let component = &placement.component;
        let Some(runner) = choose_runner(nodes, there, placement, members, stage) else {
            continue;
        };
        match steps
            .last_mut()
            .filter(|last| last.told == [runner.clone()])
        {
            Some(last) => last.components.push(component.clone()),
            None => steps.push(RolloutStep {
                files,
                components: vec![component.clone()],
                news: Some(news),
                ..step_at(nodes, title.to_owned(), stack, vec![runner], &[stage])
            }),
        }
    }
    steps
}

/// Those that were there before and are there after it come first; who has just come knows all of
/// it, and who leaves is asked nothing.
fn choose_runner(
    nodes: &ChangeNodes,
    there: &NodesAtRest,
    placement: &ComponentPlacement,
    members: &[ComponentPlacement],
    stage: &str,
) -> Option<String> {
    let component = &placement.component;
    let own = members.iter().find(|one| one.component == *component);
    let is_concerned = |node: &str| own.is_some_and(|own| own.has(node));
    let [before, done] = [ClusterRest::Before, ClusterRest::Done].map(|rest| nodes.at(rest));
    let able = placement.members.iter().filter(|member| {
        !nodes.deaf.contains(&member.node)
            && there.has_script(&member.node, component, stage)
            && there.has_node(&member.node)
    });
    let able: Vec<&String> = able.map(|member| &member.node).collect();
    let stays = |node: &&&String| before.has_node(node) && done.has_node(node);
    let has_stayed = able.iter().find(|node| stays(node) && !is_concerned(node));
    let comes = || {
        let mut coming = able.iter();
        coming.find(|node| done.has_node(node) && (stage != DRAIN || !is_concerned(node)))
    };
    has_stayed.or_else(comes).map(|node| (*node).clone())
}

/// A step with the stack of this rest; its generation is given with all of them.
pub(super) fn step_at(
    nodes: &ChangeNodes,
    title: String,
    rest: ClusterRest,
    told: Vec<String>,
    stages: &[&str],
) -> RolloutStep {
    let ids: NodeIds = nodes.at(rest).ids.clone();
    RolloutStep {
        title,
        generation: 0,
        nodes: ids,
        stack: rest,
        files: rest,
        told,
        stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
        components: Vec::new(),
        news: None,
        leaving: Vec::new(),
        is_postponed: false,
        brings: None,
        may_be_dead: false,
        digest: None,
    }
}

/// Gives out generations from `first` on.
pub(super) fn number_steps(mut steps: Vec<RolloutStep>, first: u32) -> Vec<RolloutStep> {
    let mut next = first;
    for step in &mut steps {
        step.generation = next;
        next = next.saturating_add(1);
    }
    steps
}

fn names_beyond(of: &NodesAtRest, without: &NodesAtRest) -> Vec<String> {
    let names = of.names.iter().filter(|name| !without.has_node(name));
    names.cloned().collect()
}

/// Each node once.
pub(super) fn nodes_of(members: &[ComponentPlacement]) -> Vec<String> {
    let mut nodes: Vec<String> = Vec::new();
    for member in members.iter().flat_map(|one| &one.members) {
        if !nodes.contains(&member.node) {
            nodes.push(member.node.clone());
        }
    }
    nodes
}

/// What the nodes answered to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepStatus {
    /// All that were notified have done it; these want to take their turn later.
    Done(Vec<String>),
    /// These have not answered yet.
    Missing(Vec<String>),
    /// One has failed, and why.
    Failed(String),
}

/// What the nodes answered to a step.
pub(crate) fn step_status(step: &RolloutStep, said: &BTreeMap<String, ChangeReport>) -> StepStatus {
    let (mut missing, mut later) = (Vec::new(), Vec::new());
    for node in &step.told {
        match said
            .get(node)
            .filter(|answer| answer.generation == step.generation)
        {
            Some(ChangeReport {
                error: Some(error), ..
            }) => return StepStatus::Failed(format!("{node}: {error}")),
            Some(answer) if answer.is_later && step.is_postponed => {
                let why = "wants its turn later once more";
                return StepStatus::Failed(format!("{node}: {why}"));
            }
            Some(answer) if answer.is_later => later.push(node.clone()),
            Some(_) => {}
            None => missing.push(node.clone()),
        }
    }
    if missing.is_empty() {
        StepStatus::Done(later)
    } else {
        StepStatus::Missing(missing)
    }
}

/// The steps with a turn more for each of these nodes of the step `at`, behind the turns that it is
/// one of. Those that come after have not been sent: they are numbered anew, and planned anew.
pub(crate) fn postpone_turns(
    steps: &[RolloutStep],
    at: usize,
    nodes: &[String],
) -> Vec<RolloutStep> {
    let Some(step) = steps.get(at) else {
        return steps.to_vec();
    };
    let is_same = |other: &&RolloutStep| {
        (other.stack, other.files, &other.stages) == (step.stack, step.files, &step.stages)
            && !other.may_be_dead
    };
    let (taken, ahead) = steps.split_at(at + 1);
    let others = ahead.iter().take_while(is_same).count();
    let (turns, rest) = ahead.split_at(others);
    let later = nodes.iter().map(|node| RolloutStep {
        title: format!(
            "{} once more",
            step_title(turn_words(&step.title), std::slice::from_ref(node))
        ),
        told: vec![node.clone()],
        is_postponed: true,
        ..step.clone()
    });
    let ahead = turns
        .iter()
        .cloned()
        .chain(later)
        .chain(rest.iter().cloned());
    let mut ahead = number_steps(ahead.collect(), step.generation.saturating_add(1));
    for step in &mut ahead {
        step.digest = None;
    }
    taken.iter().cloned().chain(ahead).collect()
}

/// `new settings on` of `new settings on worker-1`.
fn turn_words(title: &str) -> &str {
    title.split_once(" on ").map_or(title, |(words, _)| {
        title.get(..words.len() + " on".len()).unwrap_or(title)
    })
}

/// `adding worker-3, worker-4 and 7 more`.
pub(super) fn step_title(what: &str, nodes: &[String]) -> String {
    let shown = nodes.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = nodes.len().saturating_sub(3);
    if more == 0 {
        format!("{what} {shown}").trim_end().to_owned()
    } else {
        format!("{what} {shown} and {more} more")
    }
}

#[cfg(test)]
#[path = "steps_tests.rs"]
pub(crate) mod tests;

#[cfg(test)]
#[path = "upgrade_steps_tests.rs"]
mod upgrade_tests;
