//! The grammar of `stampede.idle`, what is told of jobs together, and what is done at which moment.

use super::*;

/// 2026-11-26T18:00:00Z.
const NOW_S: u64 = 1_795_716_000;
const HOUR_S: u64 = 3_600;

#[test]
fn ages_and_never_are_read_and_written_back() {
    for (text, wanted, again) in [
        ("never", IdleLimit::Never, "never"),
        ("1h", IdleLimit::After(HOUR_S), "1h"),
        ("60m", IdleLimit::After(HOUR_S), "1h"),
        (" 90m ", IdleLimit::After(5_400), "90m"),
        ("3d", IdleLimit::After(259_200), "3d"),
        ("366d", IdleLimit::After(MAX_IDLE_S), "366d"),
    ] {
        assert_eq!(IdleLimit::parse(IDLE, text), Ok(wanted), "{text}");
        assert_eq!(wanted.render(), again, "{text}");
    }
}

#[test]
fn what_is_no_age_or_too_short_or_too_long_is_refused_with_what_there_may_be() {
    for text in ["", "2", "2 h", "Never", "soon", "2026-11-26T18:00:00Z"] {
        let refused = IdleLimit::parse("x.y", text).unwrap_err();
        assert_eq!(refused.path, "x.y", "{text}");
        assert!(refused.hint.contains("2h"), "{text}: {refused}");
    }
    for text in ["0h", "59m", "367d", "999999999w"] {
        let refused = IdleLimit::parse(IDLE, text).unwrap_err();
        assert!(refused.hint.contains("1h to 366d"), "{text}: {refused}");
    }
}

#[test]
fn a_cluster_has_no_jobs_when_all_that_tell_say_so() {
    let (busy, early, late) = (
        Some(ToldJobs::Busy),
        Some(ToldJobs::NoneSince(10)),
        Some(ToldJobs::NoneSince(20)),
    );
    for (told, wanted) in [
        (vec![], ClusterJobs::Unknown),
        (vec![None], ClusterJobs::Unknown),
        (vec![early], ClusterJobs::NoneSince(10)),
        (vec![early, late, early], ClusterJobs::NoneSince(20)),
        (vec![early, None], ClusterJobs::Unknown),
        (vec![early, busy, None], ClusterJobs::Busy),
    ] {
        assert_eq!(ClusterJobs::of_all(told.clone()), wanted, "{told:?}");
    }
}

/// One that may be two hours without jobs, and was at rest long before.
fn two_hours() -> ClusterIdle {
    ClusterIdle {
        rest_s: Some(1),
        ..ClusterIdle::new(2 * HOUR_S)
    }
}

fn notice(since_s: u64, at_s: u64) -> IdleNotice {
    IdleNotice {
        since_s,
        at_s,
        is_over: false,
    }
}

#[test]
fn an_end_is_announced_an_hour_before_and_never_comes_sooner_than_that() {
    let idle = two_hours();
    let none = ClusterJobs::NoneSince(NOW_S);
    let announced = |at_s| IdleStep::Announce(notice(NOW_S, at_s));
    let ends_s = NOW_S + 2 * HOUR_S;
    for (now_s, wanted) in [
        (NOW_S, IdleStep::Wait),
        (NOW_S + HOUR_S - 1, IdleStep::Wait),
        (NOW_S + HOUR_S, announced(ends_s)),
        // Nobody has looked in time.
        (NOW_S + HOUR_S + 60, announced(ends_s + 60)),
        (NOW_S + 50 * HOUR_S, announced(NOW_S + 51 * HOUR_S)),
    ] {
        assert_eq!(idle.decide(none, now_s), wanted, "{}", now_s - NOW_S);
    }
    for jobs in [ClusterJobs::Unknown, ClusterJobs::Busy] {
        assert_eq!(idle.decide(jobs, NOW_S + 50 * HOUR_S), IdleStep::Wait);
    }
}

#[test]
fn what_was_announced_comes_or_is_taken_back() {
    let at_s = NOW_S + 2 * HOUR_S;
    let idle = ClusterIdle {
        notice: Some(notice(NOW_S, at_s)),
        ..two_hours()
    };
    let none = ClusterJobs::NoneSince(NOW_S);
    assert_eq!(idle.decide(none, at_s - 1), IdleStep::Wait);
    assert_eq!(idle.decide(none, at_s), IdleStep::Delete);
    // Unknown is not idle, and a job that came and went is one.
    for jobs in [
        ClusterJobs::Unknown,
        ClusterJobs::Busy,
        ClusterJobs::NoneSince(NOW_S + HOUR_S + 1),
    ] {
        assert_eq!(idle.decide(jobs, at_s), IdleStep::TakeBack, "{jobs:?}");
    }
    let again = ClusterJobs::NoneSince(NOW_S + 1);
    let later = IdleStep::Announce(notice(NOW_S + 1, at_s + HOUR_S));
    assert_eq!(idle.decide(again, at_s), later, "announced anew, an hour");
}

#[test]
fn no_time_counts_before_the_host_has_seen_the_cluster_at_rest() {
    let none = ClusterJobs::NoneSince(NOW_S - 50 * HOUR_S);
    let unseen = ClusterIdle::new(2 * HOUR_S);
    assert_eq!(unseen.decide(none, NOW_S), IdleStep::Wait);
    let seen = ClusterIdle {
        rest_s: Some(NOW_S),
        ..unseen
    };
    assert_eq!(seen.since_s(none), Some(NOW_S));
    assert_eq!(seen.ends_s(none), Some(NOW_S + 2 * HOUR_S));
    assert_eq!(seen.decide(none, NOW_S + HOUR_S - 1), IdleStep::Wait);
    let told = IdleStep::Announce(notice(NOW_S, NOW_S + 2 * HOUR_S));
    assert_eq!(seen.decide(none, NOW_S + HOUR_S), told);
}

#[test]
fn nodes_are_asked_when_something_may_be_due_and_not_before() {
    let day = ClusterIdle {
        rest_s: Some(1),
        ..ClusterIdle::new(24 * HOUR_S)
    };
    let none = ClusterJobs::NoneSince(NOW_S - HOUR_S);
    let ahead = |idle: ClusterIdle, jobs| idle.next_look_s(jobs, NOW_S) - NOW_S;
    assert_eq!(ahead(day, none), 22 * HOUR_S);
    // It may have become idle before it is told to.
    assert_eq!(ahead(day, ClusterJobs::Busy), 23 * HOUR_S - TOLD_AFTER_S);
    let hour = ClusterIdle {
        after_s: HOUR_S,
        ..day
    };
    assert_eq!(ahead(hour, ClusterJobs::Busy), LOOK_EVERY_S);
    let unseen = ClusterIdle {
        rest_s: None,
        ..day
    };
    assert_eq!(ahead(unseen, none), LOOK_EVERY_S);
    for (at_s, wanted) in [
        (NOW_S + 10, 10),
        (NOW_S + HOUR_S, LOOK_EVERY_S),
        (NOW_S, LOOK_EVERY_S),
    ] {
        let told = ClusterIdle {
            notice: Some(notice(NOW_S - HOUR_S, at_s)),
            ..day
        };
        assert_eq!(ahead(told, none), wanted, "{}", at_s - NOW_S);
    }
}
