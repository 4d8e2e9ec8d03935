//! What a plan does not depend on, and whose fault is whose.

use super::*;

#[test]
fn a_plan_is_the_same_whatever_other_flavors_the_cloud_has() {
    let all = chosen();
    let two = ResolvedFlavors {
        flavors: all.groups.values().cloned().collect(),
        ..all.clone()
    };
    let plan = |chosen| planned(&fakes(), chosen, &[]).unwrap();
    assert_eq!(
        plan(&all),
        plan(&two),
        "a record keeps only the flavors of its nodes"
    );
}

/// With a framework that places something on the group `edge`.
fn with_edge() -> (Fakes, ResolvedFlavors) {
    let mut fakes = fakes();
    let roles = &mut fakes.0[1].descriptor.roles;
    let mut edge = roles[1].clone();
    edge.name = "edge".to_owned();
    roles.push(edge);
    let mut chosen = chosen();
    chosen
        .groups
        .insert("edge".to_owned(), flavor("tiny", 2048));
    (fakes, chosen)
}

#[test]
fn three_groups_are_planned_with_blocks_of_their_own_and_said_in_their_order() {
    let (fakes, chosen) = with_edge();
    let set = [
        ("groups", "master,worker,edge"),
        ("workers", "3"),
        ("edge.image", "other"),
    ];
    let made = planned(&fakes, &chosen, &set).unwrap();
    let description = made.bundle.template["description"].as_str().unwrap();
    assert!(
        description.ends_with(" on a master, 3 workers and a node of edge. Made by Stampede."),
        "{description}"
    );
    let groups = &made.requests[0].groups;
    let told: Vec<_> = groups
        .iter()
        .map(|group| {
            let first = &group.nodes[0];
            (
                group.role.as_str(),
                first.name.as_str(),
                first.address.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("master", "master", "10.77.0.10"),
            ("worker", "worker-1", "10.77.0.11"),
            ("edge", "edge", "10.77.2.67"),
        ]
    );
    assert_eq!(
        (groups[2].image.as_str(), groups[2].flavor.name.as_str()),
        ("other", "tiny")
    );
    assert!(made.bundle.files.contains_key("node-edge.sh"));
}

#[test]
fn groups_and_numbers_that_no_framework_runs_on_are_refused_in_words() {
    let told = |set: &[(&str, &str)]| {
        let mut chosen = chosen();
        chosen
            .groups
            .insert("edge".to_owned(), flavor("tiny", 2048));
        planned(&fakes(), &chosen, set).unwrap_err()
    };
    assert_eq!(
        told(&[("groups", "master,worker,edge")]),
        "groups: no framework of this cluster places anything on group `edge` (leave it out)"
    );
    assert_eq!(
        told(&[("master.count", "3")]),
        "master.count: frameworks run on exactly one master, not on 3 (1)"
    );
    let (mut odd, chosen) = with_edge();
    odd.0[1].descriptor.roles[2].cardinality = RoleCardinality::Odd;
    let even = [("groups", "master,worker,edge"), ("edge.count", "2")];
    assert_eq!(
        planned(&odd, &chosen, &even).unwrap_err(),
        "edge.count: `hadoop` needs an odd number of nodes of edge, not 2 (1 or 3)"
    );
    let absent = planned(&odd, &chosen, &[]).unwrap_err();
    assert_eq!(
        absent,
        "framework: `hadoop` runs on nodes of the role `edge`; there are masters and workers (name \
         the group `edge` in `groups`, or leave `hadoop` out)"
    );
    let mut small = chosen.clone();
    small.groups.insert("edge".to_owned(), flavor("small", 100));
    let told = planned(&with_edge().0, &small, &[("groups", "master,worker,edge")]).unwrap_err();
    assert!(
        told.starts_with("edge.flavor: `small` has 100 MiB"),
        "{told}"
    );
    assert!(told.contains("a node of edge needs 1024 MiB"), "{told}");
}

#[test]
fn what_plugins_do_wrong_is_not_put_on_the_user() {
    let mut all = fakes();
    all.0[1].descriptor.name = "hadoop".to_owned();
    all.0[1].taken = vec![share("hadoop", "zookeeper", 0, &[])];
    let spec = spec(&all, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let error = runtime
        .block_on(order_and_plan(&spec, &chosen(), &all))
        .unwrap_err();
    assert!(matches!(error, PlanError::Faults(_)), "{error}");
    let told = lines(&error.into_problems());
    assert!(
        told.contains("plugin `hadoop`: takes memory")
            && told.contains("not a mistake of the request"),
        "{told}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// From an attribute to the template, its YAML, and the node's script: the same text, or a
    /// refusal.
    #[test]
    fn any_accepted_text_reaches_template_and_file_exactly(value in "\\PC{0,40}|[ -~]{0,20}|[-{}\\[\\]'\"$`#:&*!|>%@\\\\]{0,8}") {
        let made = planned(&fakes(), &chosen(), &[("hadoop.text", &value)]).unwrap();
        prop_assert_eq!(&made.bundle.parts[1].files[0].content, &value);
        let wanted = json!([&value, {"data": {value.as_str(): &value}}]);
        prop_assert_eq!(&made.bundle.template["outputs"]["hadoop_text"]["value"], &wanted);
        let again: Value = serde_saphyr::from_str(&crate::bundle::yaml::to_yaml(&made.bundle.template).unwrap()).unwrap();
        prop_assert_eq!(&again["outputs"]["hadoop_text"]["value"], &wanted);
    }
}
