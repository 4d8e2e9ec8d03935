//! What nodes say of their components, well and badly, and what comes of it.

use serde_json::json;

use super::*;

fn handle(signals: &[(&str, &str, &str)]) -> Map<String, Value> {
    let signal = |(id, reason, data): &(&str, &str, &str)| {
        let said = json!({"status": "SUCCESS", "reason": reason, "data": data});
        ((*id).to_owned(), said)
    };
    signals.iter().map(signal).collect()
}

fn read(signals: &[(&str, &str, &str)]) -> NodeHealth {
    read_handle(&handle(signals), &NodeHealth::new(), |_, _| true)
}

fn told(health: &NodeHealth) -> Vec<String> {
    let lines = health.iter().flat_map(|(node, components)| {
        components.iter().map(move |(component, health)| {
            let ComponentHealth {
                colour,
                sentence,
                looked_s,
                since_s,
                jobs: _,
            } = health;
            let colour = colour.as_str();
            format!("{node} {component} {colour} {looked_s} {since_s} {sentence}")
        })
    });
    lines.collect()
}

#[test]
fn the_latest_word_of_each_node_is_read() {
    let health = read(&[
        (
            "master",
            "master hadoop ready done 3 s",
            "master hadoop ready done 3 s",
        ),
        (
            "change-worker-1",
            "worker-1 change 3 done",
            "worker-1 change 3 done",
        ),
        (
            "health-worker-1",
            "worker-1 health datanode red hadoop-datanode is failed",
            "datanode red 1700000000 hadoop-datanode is failed;nodemanager green 1700000001 works; ;",
        ),
        (
            "health-master",
            "",
            "namenode yellow 1700000002 in safe mode;",
        ),
    ]);
    assert_eq!(
        told(&health),
        [
            "master namenode yellow 1700000002 1700000002 in safe mode",
            "worker-1 datanode red 1700000000 1700000000 hadoop-datanode is failed",
            "worker-1 nodemanager green 1700000001 1700000001 works",
        ]
    );
}

#[test]
fn what_is_not_of_the_form_is_left_out_and_the_rest_is_read() {
    for bad in [
        "",
        "datanode",
        "datanode red",
        "datanode RED 17 x",
        "datanode red soon x",
        "datanode red -1 x",
        "datanode red 253402300800 x",
        "datanode red 99999999999999999999999 x",
        "Data-Node red 17 x",
        "<b> red 17 x",
        "datanode red 17 cut off",
    ] {
        let cut = bad.ends_with("off");
        let data = format!("zoo green 18 fine;{bad}{}", if cut { "" } else { ";" });
        let health = read(&[("health-master", "", &data)]);
        assert_eq!(told(&health), ["master zoo green 18 18 fine"], "{bad}");
    }
    let latest = read(&[("health-master", "", "zoo green 253402300799 x;")]);
    assert_eq!(latest.len(), 1);
    assert!(read_handle(&handle(&[]), &NodeHealth::new(), |_, _| true).is_empty());
    let no_texts = Map::from_iter([(
        "health-master".to_owned(),
        json!({"data": [1], "reason": 2}),
    )]);
    assert!(read_handle(&no_texts, &NodeHealth::new(), |_, _| true).is_empty());
    let no_signal = Map::from_iter([("health-master".to_owned(), json!(null))]);
    assert!(read_handle(&no_signal, &NodeHealth::new(), |_, _| true).is_empty());
}

#[test]
fn nothing_is_kept_of_nodes_and_components_that_the_cluster_has_not() {
    let signals = handle(&[
        ("health-worker-1", "", "datanode red 1 x;made_up red 1 x;"),
        ("health-worker-9", "", "datanode red 1 x;"),
        ("health-", "", "datanode red 1 x;"),
    ]);
    let has = |node: &str, component: &str| (node, component) == ("worker-1", "datanode");
    let health = read_handle(&signals, &NodeHealth::new(), has);
    assert_eq!(told(&health), ["worker-1 datanode red 1 1 x"]);
}

#[test]
fn components_and_sentences_are_bounded() {
    let many = |count: usize| -> usize {
        let data: String = (0..count).map(|n| format!("c{n} green 1 x;")).collect();
        read(&[("health-master", "", &data)])["master"].len()
    };
    assert_eq!(many(MAX_NODE_COMPONENTS), MAX_NODE_COMPONENTS);
    assert_eq!(many(MAX_NODE_COMPONENTS + 1), MAX_NODE_COMPONENTS);
    let sentence = |chars: usize| -> usize {
        let data = format!("zoo green 1 {};", "é".repeat(chars));
        let health = read(&[("health-master", "", &data)]);
        health["master"]["zoo"].sentence.chars().count()
    };
    assert_eq!(sentence(MAX_SENTENCE_CHARS), MAX_SENTENCE_CHARS);
    assert_eq!(sentence(MAX_SENTENCE_CHARS + 1), MAX_SENTENCE_CHARS);
    let health = read(&[("health-master", "", "zoo red 1 a\u{1b}[2J\nb\r\0;")]);
    assert_eq!(health["master"]["zoo"].sentence, "a [2J b");
}

#[test]
fn what_was_cut_off_is_in_the_line_that_came_with_it() {
    let data = "a green 5 x;b green 5 x;cut red 5 no";
    let line = "master health cut red not any more";
    let health = read(&[("health-master", line, data)]);
    assert_eq!(
        told(&health),
        [
            "master a green 5 5 x",
            "master b green 5 5 x",
            "master cut red 5 5 not any more"
        ]
    );
    // Of another node, or of what is there: the data is right.
    for line in [
        "worker-1 health cut red x",
        "master setup cut red x",
        "master health a red x",
    ] {
        let health = read(&[("health-master", line, data)]);
        assert_eq!(told(&health).len(), 2, "{line}");
    }
}

#[test]
fn a_colour_is_had_since_it_was_told_first() {
    let read = |known: &NodeHealth, data: &str| {
        read_handle(&handle(&[("health-master", "", data)]), known, |_, _| true)
    };
    let first = read(&NodeHealth::new(), "a red 10 x;b green 10 y;");
    let second = read(&first, "a red 70 z;b yellow 70 y;");
    assert_eq!(
        told(&second),
        ["master a red 70 10 z", "master b yellow 70 70 y"]
    );
    // A clock that was set back.
    let third = read(&second, "a red 5 z;b yellow 80 y;");
    assert_eq!(
        told(&third),
        ["master a red 5 5 z", "master b yellow 80 70 y"]
    );
}

#[test]
fn a_service_is_as_well_as_on_its_worst_node() {
    let said = read(&[
        ("health-worker-1", "", "datanode green 1 works;"),
        ("health-worker-2", "", "datanode red 2 is gone;"),
        ("health-worker-3", "", "datanode red 3 is gone too;"),
        ("health-master", "", "namenode yellow 4 misses two;"),
    ]);
    let workers: Vec<String> = (1..=4).map(|n| format!("worker-{n}")).collect();
    let datanode = ServiceHealth::of_component("datanode", &workers, &said).unwrap();
    assert_eq!(
        (
            datanode.node.as_str(),
            datanode.worst.colour,
            datanode.members
        ),
        ("worker-2", HealthColour::Red, 4)
    );
    assert_eq!((datanode.nodes.len(), datanode.ailing().count()), (3, 2));
    let master = ["master".to_owned()];
    let namenode = ServiceHealth::of_component("namenode", &master, &said).unwrap();
    assert_eq!(ServiceHealth::of_component("zoo", &workers, &said), None);
    assert_eq!(
        cluster_colour(std::slice::from_ref(&namenode)),
        Some(HealthColour::Yellow)
    );
    assert_eq!(
        cluster_colour(&[namenode, datanode]),
        Some(HealthColour::Red)
    );
    assert_eq!(cluster_colour(&[]), None);
}

#[test]
fn lines_of_health_are_told_from_progress() {
    assert!(is_health_line("worker-1 health datanode red gone"));
    assert!(!is_health_line(
        "worker-1 hadoop ready detail health of all"
    ));
    assert!(!is_health_line("health"));
}

#[test]
fn what_a_node_tells_of_jobs_stands_beside_its_time() {
    for (word, wanted) in [
        ("1700000000", None),
        ("1700000000/busy", Some(ToldJobs::Busy)),
        (
            "1700000000/idle=1699999000",
            Some(ToldJobs::NoneSince(1_699_999_000)),
        ),
        // What is none says nothing, and nothing else of the component is lost.
        ("1700000000/idle=soon", None),
        ("1700000000/idle=253402300800", None),
        ("1700000000/idle=", None),
        ("1700000000/asleep", None),
        ("1700000000/", None),
    ] {
        let data = format!("resourcemanager green {word} 2 NodeManagers;");
        let health = read(&[("health-master", "", &data)]);
        let told = &health["master"]["resourcemanager"];
        assert_eq!(told.jobs, wanted, "{word}");
        assert_eq!(
            (told.looked_s, told.sentence.as_str()),
            (1_700_000_000, "2 NodeManagers")
        );
    }
}
