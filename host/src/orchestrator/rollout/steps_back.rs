//! The steps that lead back from wherever a change is. Pure.

use crate::{
    cluster::{
        ClusterChange, ClusterRest, MemberNews, NodeIds, RolloutStep,
        component::{ComponentMember, ComponentPlacement, members_beyond},
    },
    orchestrator::planning::turns::{TurnNode, take_turns},
    orchestrator::rollout::{
        nodes_at_rest::ChangeNodes,
        steps::{
            DRAIN, MEMBERS, TURN_STAGES, nodes_of, number_steps, runner_steps, step_at, step_title,
        },
    },
};

/// The steps back: new members that may hold something already are let go first, of nodes that have
/// `reported` anything; then the stack is as before, and every node that was notified of anything, in
/// turns; then nodes that were let go and are still there, which may have ended what they ran; then
/// those hear of it that had to hear of members before. Nodes that were taken away are told nothing:
/// they are made anew, and boot as they were before.
pub(crate) fn plan_rollback(
    nodes: &ChangeNodes,
    change: &ClusterChange,
    reported: impl Fn(&str) -> bool,
    first: u32,
) -> Vec<RolloutStep> {
    let before = nodes.at(ClusterRest::Before);
    // On the way back already, all of it is to be gone again.
    let is_back = change.rolling_back_because.is_some();
    let begun = if is_back { usize::MAX } else { change.at + 1 };
    let begun = || change.steps.iter().take(begun);
    let reached = begun().map(reached_rest).max().unwrap_or_default();
    let came = members_beyond(&nodes.at(reached).placements, &before.placements);
    let mut steps = steps_that_let_go(nodes, change, &reported, reached, &came);
    let is_taken_away = !is_back && has_taken_away(change, reached, !steps.is_empty());
    let leaving = if is_taken_away {
        Vec::new()
    } else {
        leaving_nodes(nodes, begun())
    };
    // Where only variables went out, only variables come back.
    let ran = begun().any(|step| !step.stages.is_empty());
    let stages: &[&str] = if ran { &TURN_STAGES } else { &[] };
    steps.extend(turns_back(nodes, change, &leaving, stages));
    let rest = ClusterRest::Before;
    if !leaving.is_empty() {
        let title = step_title("taking the change back on", &leaving);
        steps.push(RolloutStep {
            may_be_dead: true,
            ..step_at(nodes, title, rest, leaving.clone(), stages)
        });
    }
    let mut moved = came;
    let is_told_to_leave = |step: &RolloutStep| matches!(step.news, Some(MemberNews::Leaving(..)));
    if reached == ClusterRest::Done || !leaving.is_empty() || begun().any(is_told_to_leave) {
        // They are to stay after all.
        moved.extend(members_beyond(
            &before.placements,
            &nodes.at(ClusterRest::Done).placements,
        ));
    }
    let has_heard = begun().any(|step| step.news.is_some() && !step.told.is_empty());
    if has_heard && !moved.is_empty() {
        let title = "members are as before".to_owned();
        let news = MemberNews::Left(reached, rest);
        let stage = (MEMBERS, &*title);
        steps.extend(runner_steps(nodes, rest, rest, &moved, stage, news));
    }
    number_steps(steps, first)
}

/// Members that came and may hold something let go of it; `came` are all that came.
fn steps_that_let_go(
    nodes: &ChangeNodes,
    change: &ClusterChange,
    reported: &impl Fn(&str) -> bool,
    reached: ClusterRest,
    came: &[ComponentPlacement],
) -> Vec<RolloutStep> {
    let before = nodes.at(ClusterRest::Before);
    let mut steps = Vec::new();
    let holds = |member: &ComponentMember| {
        let node = &member.node;
        let is_told = change.notified_nodes.contains(node);
        reported(node) && !before.has_node(node) || before.has_node(node) && is_told
    };
    let held: Vec<ComponentPlacement> = came
        .iter()
        .map(|one| ComponentPlacement {
            component: one.component.clone(),
            members: one
                .members
                .iter()
                .filter(|member| holds(member))
                .cloned()
                .collect(),
        })
        .filter(|one| !one.members.is_empty())
        .collect();
    if !held.is_empty() {
        let title = step_title("letting go of", &nodes_of(&held));
        let news = MemberNews::Leaving(reached, ClusterRest::Before);
        let drains = runner_steps(nodes, reached, reached, &held, (DRAIN, &title), news);
        // Who says nothing holds nothing, and is not waited for.
        let ids = ids_without(&nodes.at(reached).ids, change, reported);
        let mut leaving = nodes_of(&held);
        leaving.retain(|node| !before.has_node(node));
        steps.extend(drains.into_iter().map(|step| RolloutStep {
            nodes: ids.clone(),
            leaving: leaving.clone(),
            ..step
        }));
    }
    steps
}

/// The stack is as before, and every node that was notified of anything, in turns.
fn turns_back(
    nodes: &ChangeNodes,
    change: &ClusterChange,
    leaving: &[String],
    stages: &[&str],
) -> Vec<RolloutStep> {
    let before = nodes.at(ClusterRest::Before);
    let told = |node: &&String| before.has_node(node) && !leaving.contains(node);
    // In an upgrade nodes that were only brought something have nothing to put back.
    let begun = match change.rolling_back_because {
        Some(_) => change.steps.as_slice(),
        None => change.steps.get(..=change.at).unwrap_or(&change.steps),
    };
    let has_replaced = |node: &&String| {
        let told = |step: &RolloutStep| step.brings.is_none() && step.told.contains(node);
        change.upgrade.is_none() || begun.iter().any(told)
    };
    let told = change
        .notified_nodes
        .iter()
        .filter(told)
        .filter(has_replaced);
    let told: Vec<TurnNode> = told
        .map(|name| TurnNode {
            restarts: before.components_of(name),
            name: name.clone(),
        })
        .collect();
    let mut turns = if stages.is_empty() {
        vec![told.into_iter().map(|node| node.name).collect()]
    } else {
        take_turns(told, &before.placements)
    };
    if turns.is_empty() {
        // The stack at least is as before.
        turns.push(Vec::new());
    }
    let title = |at: usize, turn: &[String]| match at {
        0 => "taking the change back".to_owned(),
        _ => step_title("taking the change back on", turn),
    };
    let rest = ClusterRest::Before;
    let turns = turns.into_iter().enumerate();
    turns
        .map(|(at, turn)| step_at(nodes, title(at, &turn), rest, turn, stages))
        .collect()
}

/// How far a step has gone; one on the way back tells it by whom it names.
fn reached_rest(step: &RolloutStep) -> ClusterRest {
    let told = match step.news {
        Some(MemberNews::Joined(of, _) | MemberNews::Leaving(of, _) | MemberNews::Left(of, _)) => {
            of
        }
        None => ClusterRest::Before,
    };
    told.max(step.stack)
}

/// Whether nodes that were to leave are gone: Heat was given a stack without them, or is given it
/// by the first steps back. A step that Heat has refused has taken away nobody.
fn has_taken_away(change: &ClusterChange, reached: ClusterRest, is_sent_again: bool) -> bool {
    let sent = change.at + usize::from(change.sent_s.is_some());
    let mut sent = change.steps.iter().take(sent);
    reached == ClusterRest::Done
        && (is_sent_again || sent.any(|step| step.stack == ClusterRest::Done))
}

/// Nodes that a begun step has let go or called back.
fn leaving_nodes<'a>(
    nodes: &ChangeNodes,
    begun: impl Iterator<Item = &'a RolloutStep>,
) -> Vec<String> {
    let before = nodes.at(ClusterRest::Before);
    let mut leaving: Vec<String> = Vec::new();
    for node in begun.flat_map(RolloutStep::leaves) {
        if before.has_node(node) && !leaving.contains(node) {
            leaving.push(node.clone());
        }
    }
    leaving
}

/// The nodes of a cluster at rest, without those that the change has added and that have never said
/// anything.
fn ids_without(
    there: &NodeIds,
    change: &ClusterChange,
    reported: &impl Fn(&str) -> bool,
) -> NodeIds {
    let mut ids = there.clone();
    for (group, ids) in &mut ids {
        let Some(spec) = change.to.groups.get(group) else {
            continue;
        };
        let added = change.added.get(group);
        ids.retain(|id| {
            let is_added = added.is_some_and(|added| added.contains(id));
            !is_added || reported(&spec.node_name(*id))
        });
    }
    ids
}

#[cfg(test)]
#[path = "steps_back_tests.rs"]
pub(crate) mod tests;
