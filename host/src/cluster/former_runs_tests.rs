//! What is said of runs by former ones, on each side of each limit.

use super::*;

fn flavors(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    let of = of.iter();
    of.map(|(group, flavor)| ((*group).to_owned(), (*flavor).to_owned()))
        .collect()
}

fn shape(nodes: u32) -> RunShape {
    RunShape {
        kind: RunKind::Create,
        frameworks: "hadoop,spark".to_owned(),
        nodes,
        flavors: flavors(&[("a", "m1.large")]),
    }
}

fn run(took_s: u64, nodes: u32) -> FormerRun {
    FormerRun {
        took_s,
        nodes,
        flavors: flavors(&[("a", "m1.large")]),
    }
}

fn on_other_flavor(run: FormerRun) -> FormerRun {
    let flavors = flavors(&[("a", "m1.small")]);
    FormerRun { flavors, ..run }
}

fn said(nodes: u32, runs: &[FormerRun]) -> (u64, u32, RunLikeness) {
    let said = FormerRuns::like(&shape(nodes), runs).unwrap();
    (said.typical_s, said.runs, said.likeness)
}

#[test]
fn nothing_is_said_where_nothing_was_run_before() {
    assert_eq!(FormerRuns::like(&shape(3), &[]), None);
}

#[test]
fn the_median_is_said_so_that_one_slow_run_does_not_count() {
    let odd = [run(300, 3), run(9_000, 3), run(280, 3)];
    assert_eq!(said(3, &odd), (300, 3, RunLikeness::Same));
    let even = [run(300, 3), run(200, 3), run(100, 3), run(9_000, 3)];
    assert_eq!(said(3, &even), (250, 4, RunLikeness::Same));
}

#[test]
fn a_cluster_of_up_to_twice_the_nodes_is_of_one_size() {
    for (nodes, likeness) in [
        (1, RunLikeness::OtherSizes),
        (2, RunLikeness::Same),
        (4, RunLikeness::Same),
        (8, RunLikeness::Same),
        (9, RunLikeness::OtherSizes),
    ] {
        assert_eq!(said(4, &[run(60, nodes)]), (60, 1, likeness), "{nodes}");
    }
}

#[test]
fn the_closest_count_alone_and_wider_ones_where_there_is_none() {
    let far = run(900, 40);
    let other = on_other_flavor(run(600, 4));
    let same = run(300, 4);
    let all = [far.clone(), other.clone(), same];
    assert_eq!(said(4, &all), (300, 1, RunLikeness::Same));
    let wider = [far.clone(), other];
    assert_eq!(said(4, &wider), (600, 1, RunLikeness::OtherFlavors));
    assert_eq!(said(4, &[far]), (900, 1, RunLikeness::OtherSizes));
}

#[test]
fn so_many_of_the_newest_count_and_no_more() {
    let newest = |count: usize| -> Vec<FormerRun> {
        let new = vec![run(100, 3); count];
        new.into_iter().chain([run(1_000, 3)]).collect()
    };
    let counted = u32::try_from(RUNS_COUNTED).unwrap();
    assert_eq!(said(3, &newest(RUNS_COUNTED - 1)).1, counted);
    assert_eq!(said(3, &newest(RUNS_COUNTED)).1, counted);
    let mut slow_then_fast = vec![run(900, 3); RUNS_COUNTED];
    slow_then_fast.extend(vec![run(1, 3); RUNS_COUNTED * 2]);
    assert_eq!(said(3, &slow_then_fast).0, 900, "the newest");
}

fn forecast(typical_s: u64, passed_s: u64) -> RunForecast {
    RunForecast {
        began_s: 1_000,
        now_s: 1_000 + passed_s,
        former: FormerRuns {
            typical_s,
            runs: 3,
            likeness: RunLikeness::Same,
        },
    }
}

#[test]
fn what_is_left_is_told_until_the_time_is_over() {
    assert_eq!(forecast(300, 0).left_s(), Some(300));
    assert_eq!(forecast(300, 299).left_s(), Some(1));
    assert_eq!(forecast(300, 300).left_s(), None);
    assert_eq!(forecast(300, 301).left_s(), None);
    assert_eq!(forecast(300, 0).after(100).left_s(), Some(200));
    // A clock that was set back.
    let early = RunForecast {
        now_s: 0,
        ..forecast(300, 0)
    };
    assert_eq!(early.left_s(), Some(300));
    assert_eq!(
        forecast(300, 61).sentence(),
        "about 4 min left, from 3 former runs"
    );
    assert_eq!(
        forecast(300, 300).sentence(),
        "longer than 3 former runs, which took about 5 min"
    );
}

#[test]
fn one_run_and_runs_that_are_less_alike_are_told_so() {
    let former = FormerRuns {
        typical_s: 200,
        runs: 1,
        likeness: RunLikeness::OtherSizes,
    };
    let one = RunForecast {
        former,
        ..forecast(0, 0)
    };
    assert_eq!(
        one.sentence(),
        "about 4 min left, from 1 former run of other sizes"
    );
    assert_eq!(
        former.sentence(),
        "about 4 min before (1 run of other sizes)"
    );
    let other = FormerRuns {
        runs: 2,
        likeness: RunLikeness::OtherFlavors,
        ..former
    };
    assert_eq!(
        other.sentence(),
        "about 4 min before (2 runs on other flavors)"
    );
    for likeness in RunLikeness::ALL {
        assert_eq!(RunLikeness::from_word(likeness.as_str()), likeness);
    }
}

#[test]
fn times_are_told_in_full_minutes_and_many_of_them_in_hours() {
    for (seconds, words) in [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "about 1 min"),
        (61, "about 2 min"),
        (HOURS_FROM_MIN * 60 - 60, "about 119 min"),
        (HOURS_FROM_MIN * 60, "about 2 h"),
        (HOURS_FROM_MIN * 60 + 1, "about 3 h"),
    ] {
        assert_eq!(about(seconds), words, "{seconds}");
    }
}

#[test]
fn a_change_is_told_by_what_becomes_of_nodes() {
    let change = |added: &[u32], leaving: &[&str]| {
        let step = super::super::RolloutStep {
            leaving: leaving.iter().map(|node| (*node).to_owned()).collect(),
            ..super::super::RolloutStep::default()
        };
        ClusterChange {
            attributes: BTreeMap::new(),
            to: ClusterSpec::default(),
            installed: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            steps: vec![step],
            at: 0,
            sent_s: None,
            notified_nodes: Vec::new(),
            added: [("a".to_owned(), added.to_vec())].into(),
            rolling_back_because: None,
            resolved: None,
            upgrade: None,
            replaced: BTreeMap::new(),
        }
    };
    let kind = |added: &[u32], leaving: &[&str]| RunKind::of_change(&change(added, leaving));
    assert_eq!(kind(&[3], &[]), RunKind::Grow);
    assert_eq!(kind(&[3], &["a-1"]), RunKind::Grow);
    assert_eq!(kind(&[], &["a-1"]), RunKind::Shrink);
    assert_eq!(kind(&[], &[]), RunKind::Settings);
    assert!(!RunKind::Create.is_change() && RunKind::Shrink.is_change());
}

#[test]
fn a_shape_names_the_frameworks_whatever_their_order() {
    let choice = |name: &str| super::super::spec::FrameworkChoice {
        name: name.to_owned(),
        version: Some("1".to_owned()),
    };
    let of = |names: [&str; 2]| {
        let frameworks = names.map(choice).into();
        let spec = ClusterSpec {
            frameworks,
            ..ClusterSpec::default()
        };
        RunShape::new(RunKind::Create, &spec)
    };
    assert_eq!(of(["spark", "hadoop"]).frameworks, "hadoop,spark");
    assert_eq!(of(["spark", "hadoop"]), of(["hadoop", "spark"]));
    assert_eq!(
        of(["spark", "hadoop"]).nodes,
        ClusterSpec::default().groups.node_count()
    );
}
