//! The steps of a change, as tables.

use super::*;
use crate::{
    bundle::node_script::{NodeContent, NodeFile},
    cluster::{
        ClusterSpec, GroupSpec, NodeGroups,
        change::FileDigests,
        component::{ComponentMember, join_members},
        test_groups::group,
    },
};

/// A cluster at rest in a table: how many nodes each group has, and who has what.
pub(crate) type Row<'a> = (&'a [(&'a str, &'a [u32])], &'a [(&'a str, &'a [&'a str])]);

/// The plugins of the components in the tables: the rest is Hadoop's.
fn plugin(component: &str) -> &str {
    match component {
        "voter" => "zookeeper",
        "gateway" => "jupyter",
        _ => "hadoop",
    }
}

/// Scripts that run on one member for all.
const SCRIPTS: [(&str, &[&str]); 3] = [
    ("namenode", &["drain"]),
    ("resourcemanager", &["drain", "members"]),
    ("voter", &["members", "drain"]),
];

fn spec(groups: &[(&str, &[u32])]) -> ClusterSpec {
    let of = |(name, ids): &(&str, &[u32])| GroupSpec {
        bare_first: matches!(*name, "master" | "edge"),
        ..group(name, 0).with_ids(ids.to_vec())
    };
    ClusterSpec {
        groups: NodeGroups::new(groups.iter().map(of)),
        ..ClusterSpec::default()
    }
}

/// Members as they were, and those that come behind them.
fn placed(all: &[(&str, &[&str])], before: &[ComponentPlacement]) -> Vec<ComponentPlacement> {
    let of = |(component, nodes): &(&str, &[&str])| {
        let known = before.iter().find(|one| one.component == *component);
        let known: &[ComponentMember] = known.map_or(&[], |one| &one.members);
        let mut next = known.iter().map(|one| one.index).max().unwrap_or(0);
        let members = nodes.iter().map(|node| {
            let kept = known.iter().find(|one| one.node == **node);
            let index = kept.map_or_else(
                || {
                    next += 1;
                    next
                },
                |one| one.index,
            );
            ComponentMember {
                node: (*node).to_owned(),
                index,
            }
        });
        ComponentPlacement {
            component: (*component).to_owned(),
            members: members.collect(),
        }
    };
    all.iter().map(of).collect()
}

fn nodes_at(
    groups: &[(&str, &[u32])],
    placements: Vec<ComponentPlacement>,
    conf: &dyn Fn(&str, &[&str]) -> String,
) -> NodesAtRest {
    let mut nodes = NodesAtRest::new(
        &spec(groups),
        placements,
        FileDigests::new(),
        BTreeMap::new(),
    );
    for (node, class) in nodes.classes.clone() {
        let own = nodes.placements.iter().filter(|one| one.has(&node));
        let own: Vec<&str> = own.map(|one| one.component.as_str()).collect();
        let mut manifest = String::new();
        let mut files = BTreeMap::from([
            ("/opt/stampede/manifest".to_owned(), own.join(" ")),
            ("/conf".to_owned(), conf(&class, &own)),
        ]);
        for component in &own {
            manifest.push_str(&format!(
                "component\tname={component}\tplugin={0}\nfile\tfrom=/conf\tplugin={0}\teffect=restart\nunit\tcomponent={component}\n",
                plugin(component)
            ));
            let scripts = SCRIPTS.iter().filter(|(name, _)| name == component);
            for stage in scripts.flat_map(|(_, stages)| *stages) {
                let path = format!("/opt/stampede/scripts/01-x/{stage}.{component}.sh");
                files.insert(path, "same".to_owned());
            }
        }
        let content = NodeContent {
            variables: Vec::new(),
            files: vec![NodeFile {
                mode: 0o644,
                path: "/opt/stampede/manifest".to_owned(),
                content: manifest,
            }],
        };
        nodes.installed.insert(class.clone(), files);
        nodes.contents.insert(class, content);
    }
    nodes
}

/// What stands in a file on a class's nodes.
pub(crate) type ClassText<'a> = &'a dyn Fn(&str, &[&str]) -> String;

/// A change from one to the other; `conf` is what stands in a file on each class's nodes, before and
/// with the new settings.
pub(crate) fn change(from: Row<'_>, to: Row<'_>, conf: [ClassText<'_>; 2]) -> ChangeNodes {
    let before = placed(from.1, &[]);
    let done = placed(to.1, &before);
    let joined = join_members(&before, &done);
    let mut all: Vec<(&str, Vec<u32>)> = Vec::new();
    for (name, ids) in from.0.iter().chain(to.0) {
        match all.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.extend(ids.iter().filter(|id| {
                !from
                    .0
                    .iter()
                    .any(|(group, ids)| group == name && ids.contains(id))
            })),
            None => all.push((name, ids.to_vec())),
        }
    }
    let all: Vec<(&str, &[u32])> = all
        .iter()
        .map(|(name, ids)| (*name, ids.as_slice()))
        .collect();
    let components: Vec<String> = joined.iter().map(|one| one.component.clone()).collect();
    ChangeNodes {
        rests: [
            nodes_at(from.0, before.clone(), conf[0]),
            nodes_at(from.0, before, conf[1]),
            nodes_at(&all, joined, conf[1]),
            nodes_at(to.0, done, conf[1]),
        ],
        plugins: components
            .into_iter()
            .map(|name| (name.clone(), plugin(&name).to_owned()))
            .collect(),
        deaf: Default::default(),
        upgrade: None,
    }
}

/// A line a step: title, who is told, what they run and for which components, whose nodes and files.
pub(crate) fn lines(steps: &[RolloutStep]) -> Vec<String> {
    let line = |step: &RolloutStep| {
        let told = step.told.join(" ");
        let stages = step.stages.join(" ");
        let (components, rests) = (step.components.join(" "), (step.stack, step.files));
        let rests = match rests {
            (stack, files) if stack == files => format!("{stack:?}"),
            (stack, files) => format!("{stack:?}/{files:?}"),
        };
        format!(
            "{} | {told} | {stages} | {components} | {rests}",
            step.title
        )
    };
    steps.iter().map(line).collect()
}

pub(crate) fn planned(nodes: &ChangeNodes) -> Vec<String> {
    let steps = plan_steps(nodes, 5);
    let generations: Vec<u32> = steps.iter().map(|step| step.generation).collect();
    let wanted: Vec<u32> = (5..).take(steps.len()).collect();
    assert_eq!(generations, wanted);
    lines(&steps)
}

pub(crate) const ALIKE: ClassText<'static> = &|_, _| "a".to_owned();
pub(crate) const OTHER: ClassText<'static> = &|_, _| "b".to_owned();

pub(crate) const THREE: Row<'_> = (
    &[("master", &[1]), ("worker", &[1, 2])],
    &[
        ("namenode", &["master"]),
        ("datanode", &["worker-1", "worker-2"]),
        ("resourcemanager", &["master"]),
    ],
);
pub(crate) const FOUR: Row<'_> = (
    &[("master", &[1]), ("worker", &[1, 2, 3])],
    &[
        ("namenode", &["master"]),
        ("datanode", &["worker-1", "worker-2", "worker-3"]),
        ("resourcemanager", &["master"]),
    ],
);

#[test]
fn who_comes_is_taken_in_by_one_that_stays_and_touches_nobody_else() {
    assert_eq!(
        planned(&change(THREE, FOUR, [ALIKE, ALIKE])),
        [
            "adding worker-3 |  |  |  | Joined",
            "taking in worker-3 | master | members | resourcemanager | Joined"
        ]
    );
}

#[test]
fn who_leaves_is_let_go_backwards_taken_away_and_not_asked() {
    let steps = plan_steps(&change(FOUR, THREE, [ALIKE, ALIKE]), 1);
    assert_eq!(
        lines(&steps),
        [
            "letting go of worker-3 | master | drain | resourcemanager namenode | Joined",
            "taking away worker-3 |  |  |  | Done",
            "going on without worker-3 | master | members | resourcemanager | Done"
        ]
    );
    assert_eq!(steps[0].leaving, ["worker-3"]);
    assert_eq!(
        steps[0].news,
        Some(MemberNews::Leaving(ClusterRest::Joined, ClusterRest::Done))
    );
}

#[test]
fn settings_go_in_turns_those_of_earlier_components_first_and_to_nobody_who_leaves() {
    assert_eq!(
        planned(&change(THREE, THREE, [ALIKE, OTHER])),
        [
            "new settings on master | master | setup ready |  | Settled",
            "new settings on worker-1 | worker-1 | setup ready |  | Settled",
            "new settings on worker-2 | worker-2 | setup ready |  | Settled",
        ]
    );
    let of_workers = |class: &str, _: &[&str]| {
        let new = if class == "worker" { "b" } else { "a" };
        new.to_owned()
    };
    assert_eq!(
        planned(&change(FOUR, THREE, [ALIKE, &of_workers]))[..3],
        [
            "new settings on worker-1 | worker-1 | setup ready |  | Settled",
            "new settings on worker-2 | worker-2 | setup ready |  | Settled",
            "letting go of worker-3 | master | drain | resourcemanager namenode | Joined",
        ]
    );
}

#[test]
fn a_component_that_moves_is_set_up_where_it_comes_before_it_goes_where_it_was() {
    let groups: &[(&str, &[u32])] = &[("master", &[1]), ("edge", &[1])];
    let on = |gateway: &'static [&'static str]| -> [(&'static str, &'static [&'static str]); 3] {
        [
            ("namenode", &["master"]),
            ("resourcemanager", &["master"]),
            ("gateway", gateway),
        ]
    };
    let (from, to) = (on(&["master"]), on(&["edge"]));
    assert_eq!(
        planned(&change((groups, &from), (groups, &to), [ALIKE, ALIKE])),
        [
            "setting up what is new on edge | edge | setup ready |  | Joined",
            "taking components from master | master | setup ready |  | Done",
        ]
    );
}

#[test]
fn others_that_members_mean_something_to_take_turns_before_who_leaves_is_taken_away() {
    let voters = |nodes: &'static [&'static str]| -> [(&'static str, &'static [&'static str]); 2] {
        [("voter", nodes), ("gateway", &["edge"])]
    };
    let groups: &[(&str, &[u32])] = &[("worker", &[1, 2, 3, 4]), ("edge", &[1])];
    let (from, to) = (
        voters(&["worker-1", "worker-2", "worker-3"]),
        voters(&["worker-2", "worker-3", "worker-4"]),
    );
    let mut nodes = change((groups, &from), (groups, &to), [ALIKE, ALIKE]);
    // The gateway names the voters in a file.
    for (at, voters) in [(2, "1 2 3 4"), (3, "2 3 4")] {
        let files = nodes.rests[at].installed.get_mut("edge").unwrap();
        files.insert("/conf".to_owned(), voters.to_owned());
    }
    let steps = plan_steps(&nodes, 1);
    assert_eq!(
        lines(&steps),
        [
            "setting up what is new on worker-4 | worker-4 | setup ready |  | Joined",
            "news of members on edge | edge | setup ready |  | Joined",
            "taking in worker-4 | worker-1 | members | voter | Joined",
            "letting go of worker-1 | worker-2 | drain | voter | Joined",
            "news of members on edge | edge | setup ready |  | Joined/Done",
            "taking components from worker-1 | worker-1 | setup ready |  | Done",
            "going on without worker-1 | worker-2 | members | voter | Done",
        ]
    );
    // Whoever cannot be told runs nothing for the others.
    nodes.deaf.insert("worker-2".to_owned());
    let told: Vec<String> = plan_steps(&nodes, 1)
        .into_iter()
        .filter(|step| !step.components.is_empty())
        .flat_map(|step| step.told)
        .collect();
    assert_eq!(told, ["worker-1", "worker-3", "worker-3"]);
}

#[test]
fn who_has_come_is_told_what_is_new_once_others_leave() {
    let from: Row<'_> = (
        &[("master", &[1]), ("worker", &[1])],
        &[("namenode", &["master"]), ("gateway", &["master"])],
    );
    let to: Row<'_> = (
        &[("master", &[1]), ("worker", &[1]), ("edge", &[1])],
        &[("namenode", &["master"]), ("gateway", &["edge"])],
    );
    let mut nodes = change(from, to, [ALIKE, ALIKE]);
    // It booted while the gateway was still on the master, too.
    let files = nodes.rests[3].installed.get_mut("edge").unwrap();
    files.insert("/conf".to_owned(), "the gateway is on edge".to_owned());
    assert_eq!(
        planned(&nodes),
        [
            "adding edge |  |  |  | Joined",
            "news of members on edge | edge | setup ready |  | Joined/Done",
            "taking components from master | master | setup ready |  | Done",
        ]
    );
}

#[test]
fn what_no_file_says_is_told_to_all_at_once_and_runs_nothing() {
    let mut nodes = change(THREE, THREE, [ALIKE, ALIKE]);
    for rest in &mut nodes.rests[1..] {
        for files in rest.installed.values_mut() {
            files.insert(VARIABLES.to_owned(), "new".to_owned());
        }
    }
    assert_eq!(
        planned(&nodes),
        ["new settings of the cloud | master worker-1 worker-2 |  |  | Settled"]
    );
    assert_eq!(
        planned(&change(THREE, THREE, [ALIKE, ALIKE])),
        ["new settings of the cloud |  |  |  | Done"],
        "only the stack changes"
    );
}

#[test]
fn names_of_those_who_come_are_known_before_them_also_where_files_follow() {
    let groups: &[(&str, &[u32])] = &[("master", &[1]), ("worker", &[1, 2]), ("edge", &[1])];
    let placed = [THREE.1, &[("gateway", &["edge"])]].concat();
    let mut nodes = change(THREE, (groups, &placed), [ALIKE, ALIKE]);
    for rest in &mut nodes.rests[2..] {
        for (class, files) in &mut rest.installed {
            files.insert(VARIABLES.to_owned(), "new".to_owned());
            if class == "master" {
                files.insert("/conf".to_owned(), "new".to_owned());
            }
        }
    }
    assert_eq!(
        planned(&nodes),
        [
            "adding edge | master worker-1 worker-2 |  |  | Joined",
            "news of members on master | master | setup ready |  | Joined",
        ]
    );
}

#[test]
fn answers_count_when_they_are_of_this_step() {
    let step = RolloutStep {
        told: vec!["master".into(), "worker-1".into()],
        generation: 4,
        ..RolloutStep::default()
    };
    let answer = |generation, error: Option<&str>| ChangeReport {
        generation,
        error: error.map(str::to_owned),
        is_later: false,
    };
    let said = |pairs: &[(&str, ChangeReport)]| {
        pairs
            .iter()
            .map(|(node, answer)| ((*node).to_owned(), answer.clone()))
            .collect()
    };
    assert_eq!(
        step_status(&step, &said(&[("master", answer(4, None))])),
        StepStatus::Missing(vec!["worker-1".into()])
    );
    let old = said(&[
        ("master", answer(4, None)),
        ("worker-1", answer(3, Some("old"))),
    ]);
    assert_eq!(
        step_status(&step, &old),
        StepStatus::Missing(vec!["worker-1".into()])
    );
    let later = ChangeReport {
        is_later: true,
        ..answer(4, None)
    };
    assert_eq!(
        step_status(
            &step,
            &said(&[("master", answer(4, None)), ("worker-1", later.clone())])
        ),
        StepStatus::Done(vec!["worker-1".into()])
    );
    let last = RolloutStep {
        told: vec!["worker-1".into()],
        is_postponed: true,
        ..step.clone()
    };
    assert!(matches!(
        step_status(&last, &said(&[("worker-1", later)])),
        StepStatus::Failed(_)
    ));
    assert_eq!(
        step_status(&step, &said(&[("worker-1", answer(4, Some("no")))])),
        StepStatus::Failed("worker-1: no".into())
    );
}

#[test]
fn who_wants_its_turn_later_has_it_behind_the_turns_that_it_is_one_of() {
    let mut steps = plan_steps(&change(FOUR, THREE, [ALIKE, OTHER]), 1);
    for step in &mut steps {
        step.digest = Some("planned".to_owned());
    }
    let before = lines(&steps);
    let after = postpone_turns(&steps, 0, &["master".to_owned()]);
    assert_eq!(after.len(), steps.len() + 1);
    assert_eq!(after[..1], steps[..1], "what is done stays");
    let shown = lines(&after);
    assert_eq!(shown[..3], before[..3]);
    assert_eq!(
        shown[3],
        "new settings on master once more | master | setup ready |  | Settled"
    );
    assert!(after[3].is_postponed);
    assert_eq!(shown[4..], before[3..]);
    let generations: Vec<u32> = after.iter().map(|step| step.generation).collect();
    assert_eq!(generations, (1..=7).collect::<Vec<u32>>());
    assert!(after[1..].iter().all(|step| step.digest.is_none()));
}
