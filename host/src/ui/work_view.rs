//! What goes on with a cluster, in the page's words: what a node does, how long it will take, since when
//! the cloud is silent, and what of it is another by now. No I/O.

use super::texts::{say, say_ago, say_number};
use crate::cluster::NewerPlugins;
use crate::cluster::former_runs::{FormerRuns, RoughTime, RunForecast, RunLikeness};
use crate::cluster::progress::StageOutcome;
use crate::orchestrator::ClusterView;

/// Since when the cloud has not answered, where it does not.
pub(super) fn cloud_since(view: &ClusterView, now_s: u64) -> Option<String> {
    let since_s = view.silent_since_s?;
    let time = crate::system::utc_time::format_utc(since_s);
    let ago = say_ago(now_s.saturating_sub(since_s));
    Some(say(
        "cluster.cloud_since",
        &[("time", &time), ("ago", &ago)],
    ))
}

/// What made a cluster and is another by now.
pub(super) fn say_newer(newer: &NewerPlugins) -> String {
    let name = match (newer.plugins.len(), newer.frame) {
        (0, _) => "upgrade.frame",
        (1, false) => "upgrade.plugins_one",
        (_, false) => "upgrade.plugins",
        (1, true) => "upgrade.frame_and_plugins_one",
        (_, true) => "upgrade.frame_and_plugins",
    };
    let plugins = match newer.plugins.as_slice() {
        [first @ .., before, last] => {
            let pair = format!("{before}{}{last}", say("form.and", &[]));
            [first, &[pair]].concat().join(", ")
        }
        few => few.concat(),
    };
    say(name, &[("plugins", &plugins)])
}

/// What goes on now, of the nodes where something does.
pub(super) fn describe_work(view: &ClusterView) -> Option<String> {
    if !view.state.is_moving() {
        return None;
    }
    let newest = view
        .progress
        .iter()
        .filter(|one| one.outcome == StageOutcome::Note);
    let newest = newest.max_by_key(|one| one.told_s)?;
    Some(format!("{}: {}", newest.node, newest.text))
}

/// How long it will take.
pub(super) fn say_time_left(forecast: &RunForecast) -> String {
    let runs = say_runs(&forecast.former);
    match forecast.left_s() {
        Some(left_s) => {
            let name = match RoughTime::new(left_s) {
                RoughTime::Soon => "time_left.left_soon",
                _ => "time_left.left",
            };
            say(name, &[("time", &say_rough(left_s)), ("runs", &runs)])
        }
        None => {
            let time = say_rough(forecast.former.typical_s);
            say("time_left.over", &[("time", &time), ("runs", &runs)])
        }
    }
}

/// How long it took before.
pub(super) fn say_took(former: &FormerRuns) -> String {
    let (time, runs) = (say_rough(former.typical_s), say_runs(former));
    say("time_left.before", &[("time", &time), ("runs", &runs)])
}

fn say_runs(former: &FormerRuns) -> String {
    let runs = say_number("time_left.runs", u64::from(former.runs));
    let name = match former.likeness {
        RunLikeness::Same => return runs,
        RunLikeness::OtherFlavors => "time_left.on_other_flavors",
        RunLikeness::OtherSizes => "time_left.of_other_sizes",
    };
    say(name, &[("runs", &runs)])
}

fn say_rough(seconds: u64) -> String {
    match RoughTime::new(seconds) {
        RoughTime::Soon => say("time_left.soon", &[]),
        RoughTime::Minutes(number) => say("time_left.minutes", &[("number", &number)]),
        RoughTime::Hours(number) => say("time_left.hours", &[("number", &number)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_by_now_is_told_in_one_sentence() {
        let said = |plugins: &[&str], frame| {
            let plugins = plugins.iter().map(|name| (*name).to_owned()).collect();
            say_newer(&NewerPlugins { plugins, frame })
        };
        for (plugins, frame, begin) in [
            (
                &["hadoop"][..],
                false,
                "The plugin hadoop is another by now",
            ),
            (
                &["hadoop", "spark"],
                false,
                "The plugins hadoop and spark are others by now",
            ),
            (
                &["cluster", "hadoop", "spark"],
                false,
                "The plugins cluster, hadoop and spark are others by now",
            ),
            (&[], true, "Stampede’s own scripts on its nodes are others"),
            (
                &["hadoop"],
                true,
                "The plugin hadoop and Stampede’s own scripts on its nodes are others",
            ),
            (
                &["hadoop", "spark"],
                true,
                "The plugins hadoop and spark, and Stampede’s own scripts on its nodes, are others",
            ),
        ] {
            let told = said(plugins, frame);
            assert!(told.starts_with(begin), "{told}");
            assert!(told.ends_with("than when this cluster was made."), "{told}");
        }
    }

    #[test]
    fn what_is_left_and_what_was_is_told_with_the_runs_that_say_so() {
        let former = FormerRuns {
            typical_s: 300,
            runs: 3,
            likeness: RunLikeness::Same,
        };
        let forecast = |now_s| RunForecast {
            began_s: 0,
            now_s,
            former,
        };
        let said = |now_s| say_time_left(&forecast(now_s));
        assert_eq!(said(61), "About 4 min left, from 3 former runs.");
        assert_eq!(said(270), "Less than a minute left, from 3 former runs.");
        assert_eq!(
            said(300),
            "It takes longer than 3 former runs: about 5 min."
        );
        let wide = FormerRuns {
            typical_s: 9_000,
            runs: 1,
            likeness: RunLikeness::OtherSizes,
        };
        assert_eq!(
            say_took(&wide),
            "It took about 3 h before (1 former run of other sizes)."
        );
        let flavors = FormerRuns {
            likeness: RunLikeness::OtherFlavors,
            ..former
        };
        assert_eq!(
            say_took(&flavors),
            "It took about 5 min before (3 former runs on other flavors)."
        );
    }
}
