//! Tests of the whole plugin: from a request to claims and bundle, or to the problems.

use serde_json::{Value, json};
use stampede_framework::{Need, rehearsal::Rehearsal};

use super::*;

const SUM: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn cluster(workers: u32, memory_mib: u32) -> Rehearsal {
    Rehearsal::new(&[("master", 1, 4_096), ("worker", workers, memory_mib)])
        .placing(&ZookeeperPlugin::describe().components)
}

fn ask(cluster: &Rehearsal, settings: &Value) -> Request {
    cluster.request(&ZookeeperPlugin::describe(), settings, &[])
}

fn needs(cluster: &Rehearsal, settings: &Value) -> Vec<Need> {
    ZookeeperPlugin::claim(ask(cluster, settings), None)
        .unwrap()
        .needs
}

fn bundle(cluster: &Rehearsal, settings: &Value) -> Bundle {
    let grants = cluster.grants(&needs(cluster, settings));
    ZookeeperPlugin::generate(ask(cluster, settings), grants, vec![]).unwrap()
}

/// Each problem as `path: message (hint)`.
fn refused(request: Request, running: Option<Request>) -> Vec<String> {
    let problems = ZookeeperPlugin::claim(request, running).unwrap_err();
    problems
        .iter()
        .map(|one| format!("{}: {} ({})", one.path, one.message, one.hint))
        .collect()
}

#[test]
fn three_servers_vote_whatever_the_number_of_workers() {
    for (workers, voters) in [
        (3, "worker-1:2181,worker-2:2181,worker-3:2181"),
        (250, "worker-1:2181,worker-2:2181,worker-3:2181"),
    ] {
        let bundle = bundle(&cluster(workers, 2_048), &json!({}));
        assert_eq!(bundle.services[0].attribute("connect"), Some(voters));
    }
}

#[test]
fn the_heap_is_what_is_granted_less_the_rest_of_the_jvm_and_no_more_than_it_can_use() {
    let heap = |memory_mib: u32, settings: &Value| {
        let bundle = bundle(&cluster(3, memory_mib), settings);
        let exec = bundle.units[0].exec.clone();
        exec.split(' ')
            .find_map(|word| word.strip_prefix("-Xmx"))
            .unwrap()
            .to_owned()
    };
    let table: Vec<(u32, String)> = [1_024, 2_048, 4_096, 65_536]
        .map(|memory| (memory, heap(memory, &json!({}))))
        .into();
    let expected = [
        (1_024, "384m"),
        (2_048, "1024m"),
        (4_096, "1024m"),
        (65_536, "1024m"),
    ]
    .map(|(memory, heap)| (memory, heap.to_owned()));
    assert_eq!(table, expected);
    assert_eq!(heap(2_048, &json!({"heap_mib": 200})), "200m");
    let own = needs(&cluster(3, 2_048), &json!({"heap_mib": 2_000}));
    assert_eq!((own[0].least_mib, own[0].most_mib), (2_128, 2_128));
}

#[test]
fn fewer_voters_than_were_asked_for_are_refused_with_what_helps() {
    let message = |nodes: &str| {
        format!(
            "zookeeper.least_voters: 3 servers have to vote, {nodes}: their number is odd (give the group of zookeeper_server 3 nodes (worker.count=3), adding one before another goes; zookeeper.least_voters=1 is for trials)"
        )
    };
    let one = message("the nodes there are give 1");
    assert_eq!(
        refused(ask(&cluster(2, 2_048), &json!({})), None),
        std::slice::from_ref(&one)
    );
    assert_eq!(refused(ask(&cluster(1, 2_048), &json!({})), None), [one]);
    let none = message("there is no node for any");
    assert_eq!(refused(ask(&cluster(0, 2_048), &json!({})), None), [none]);
    assert_eq!(
        needs(&cluster(1, 2_048), &json!({"least_voters": 1})).len(),
        1
    );
}

#[test]
fn half_of_the_voters_cannot_leave_at_once() {
    let with = |nodes: &[&str]| cluster(9, 2_048).with_members(SERVER, nodes);
    let claim = |had: &[&str], have: &[&str], settings: Value| {
        let request = ask(&with(have), &settings);
        ZookeeperPlugin::claim(request, Some(ask(&with(had), &settings)))
            .err()
            .map(|problems| problems[0].message.clone())
    };
    let three = ["worker-1", "worker-2", "worker-3"];
    let table = [
        // replaced, grown, shrunk
        (&three[..], &["worker-1", "worker-3", "worker-4"][..], None),
        (
            &three,
            &["worker-1", "worker-2", "worker-3", "worker-4", "worker-5"],
            None,
        ),
        (
            &["worker-1", "worker-2", "worker-3", "worker-4", "worker-5"],
            &three,
            None,
        ),
        (
            &three,
            &["worker-1", "worker-4", "worker-5"],
            Some("2 of 3 servers would leave at once, and no majority of them would be left"),
        ),
        (
            &three,
            &["worker-4", "worker-5", "worker-6"],
            Some("3 of 3 servers would leave at once, and no majority of them would be left"),
        ),
    ];
    for (had, have, message) in table {
        assert_eq!(
            claim(had, have, json!({})).as_deref(),
            message,
            "{had:?} to {have:?}"
        );
    }
    // one that is alone hands over
    assert_eq!(
        claim(&["worker-1"], &["worker-2"], json!({"least_voters": 1})),
        None
    );
}

#[test]
fn a_release_whose_checksum_nobody_told_wants_one_and_all_problems_come_at_once() {
    let mut request = ask(&cluster(2, 2_048), &json!({}));
    request.version = "3.9.5".to_owned();
    let problems = refused(request.clone(), None);
    assert_eq!(problems.len(), 2);
    assert_eq!(
        problems[1],
        "zookeeper.sha512: the checksum of ZooKeeper 3.9.5 is not known here (set it to what https://archive.apache.org/dist/zookeeper/zookeeper-3.9.5/apache-zookeeper-3.9.5-bin.tar.gz.sha512 says, or to that of your mirror's file)"
    );
    let mut told = ask(&cluster(3, 2_048), &json!({"sha512": SUM}));
    told.version = "3.9.5".to_owned();
    let claims = ZookeeperPlugin::claim(told.clone(), None).unwrap();
    let grants = cluster(3, 2_048).grants(&claims.needs);
    let bundle = ZookeeperPlugin::generate(told, grants, vec![]).unwrap();
    assert_eq!(bundle.artifacts[0].sha512, SUM);
}

#[test]
fn no_file_and_no_unit_of_a_server_says_who_the_others_are() {
    let (three, more) = (
        bundle(&cluster(3, 2_048), &json!({})),
        bundle(
            &cluster(9, 2_048).with_members(SERVER, &["worker-1", "worker-5", "worker-9"]),
            &json!({}),
        ),
    );
    assert_eq!(three.files, more.files);
    assert_eq!(three.units, more.units);
}

#[test]
fn another_plugins_addition_is_refused() {
    let extension = stampede_framework::extension(NAME, "zoo.cfg/x", "1");
    let request = ask(&cluster(3, 2_048), &json!({}));
    let problems = ZookeeperPlugin::generate(request, vec![], vec![extension]).unwrap_err();
    assert_eq!(problems[0].message, "zookeeper knows no zoo.cfg/x");
}

#[test]
fn the_smoke_can_be_left_out() {
    let stages = |smoke: bool| {
        bundle(&cluster(3, 2_048), &json!({"smoke": smoke}))
            .scripts
            .len()
    };
    assert_eq!((stages(true), stages(false)), (5, 4));
}

#[test]
fn what_three_voters_are_made_of() {
    let bundle = bundle(&cluster(4, 2_048), &json!({"tick_ms": 500}));
    let unit = &bundle.units[0];
    let mut text = format!("{}\n{:?}\n", unit.exec, unit.directives);
    for file in &bundle.files[..1] {
        text += &format!(
            "{} {} {:o}\n{}",
            file.path, file.owner, file.mode, file.content
        );
    }
    insta::assert_snapshot!(text);
}
