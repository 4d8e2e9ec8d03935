//! A cluster of three node groups, on plans that place something on each of them: what a host makes
//! of groups, from the request to the stack and back. The plugins of today refuse such a cluster.

use serde_json::Value;
use stampede::{
    cluster::{ClusterSpec, ClusterState, NodeIds},
    orchestrator::{Caller, Orchestrator},
};
use stampede_tests::fake_openstack::UpdateFails;

use crate::{
    fixture::{LifecycleFixture, pairs, problems},
    pinning::spec,
    update::{complete, rest, servers},
};

pub(crate) const THREE: (&str, &str) = ("stampede.groups", "master,worker,edge");

async fn deployed(
    world: &LifecycleFixture,
    set: &[(&str, &str)],
) -> (Orchestrator, Caller, String) {
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let set = pairs(&[&[THREE], set].concat());
    host.request(&caller, "default", set).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
    (host, caller, world.cloud.stacks()[0].0.clone())
}

pub(crate) async fn changed(
    world: &LifecycleFixture,
    (host, caller): (&Orchestrator, &Caller),
    set: &[(&str, &str)],
) {
    host.update(caller, "default", pairs(set)).await.unwrap();
    let view = rest(world, host, caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
}

pub(crate) fn server(world: &LifecycleFixture, stack: &str, node: &str) -> Value {
    let (template, _) = world.cloud.template(stack).unwrap();
    template["resources"][format!("{node}_server")]["properties"].clone()
}

fn ids(spec: &ClusterSpec) -> NodeIds {
    spec.node_ids()
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn each_group_grows_and_shrinks_by_itself_and_no_name_comes_back() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = deployed(&world, &[]).await;
    let there = || servers(&world, &stack);
    assert_eq!(there(), ["master", "worker-1", "worker-2", "edge"]);
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.attributes["stampede.groups"], "master,worker,edge");
    assert_eq!(
        (view.node_counts["edge"], view.node_counts["worker"]),
        (1, 2)
    );
    // One grows while the other shrinks.
    let both = [("stampede.edge.count", "2"), ("stampede.workers", "1")];
    let preview = host.preview_update(&caller, "default", pairs(&both)).await;
    let preview = preview.unwrap();
    assert_eq!(
        (preview.added, preview.removed),
        (names(&["edge-2"]), names(&["worker-2"]))
    );
    let titles: Vec<&str> = preview
        .steps
        .iter()
        .map(|step| step.title.as_str())
        .collect();
    assert_eq!(
        titles,
        [
            "adding edge-2",
            "letting go of worker-2",
            "taking away worker-2",
            "going on without worker-2"
        ]
    );
    changed(&world, (&host, &caller), &both).await;
    assert_eq!(there(), ["master", "worker-1", "edge", "edge-2"]);
    // The one with the bare name leaves, and nobody is called so again.
    changed(
        &world,
        (&host, &caller),
        &[("stampede.edge.remove", "edge")],
    )
    .await;
    changed(&world, (&host, &caller), &[("stampede.edge.count", "2")]).await;
    assert_eq!(there(), ["master", "worker-1", "edge-2", "edge-3"]);
}

#[tokio::test]
async fn a_host_with_an_empty_store_finds_every_group_again_as_it_was() {
    let world = LifecycleFixture::new().await;
    let set = [
        ("stampede.edge.image", "debian-12-plain"),
        ("stampede.edge.count", "2"),
    ];
    let (host, caller, stack) = deployed(&world, &set).await;
    changed(
        &world,
        (&host, &caller),
        &[("stampede.edge.remove", "edge-1")],
    )
    .await;
    let known = spec(&world).await;
    let pins = &known.pins.as_ref().unwrap().groups;
    assert_ne!(pins["edge"].image_id, pins["worker"].image_id);
    for (group, node) in [
        ("edge", "edge_2"),
        ("worker", "worker_1"),
        ("worker", "master"),
    ] {
        let image = pins[group].image_id.as_deref();
        assert_eq!(
            server(&world, &stack, node)["image"].as_str(),
            image,
            "{node}"
        );
    }
    drop((host, caller));
    world.ended().await;
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.attributes["stampede.edge.count"], "1");
    assert_eq!(
        (view.node_counts["edge"], view.node_counts["worker"]),
        (1, 2)
    );
    changed(&world, (&host, &caller), &[("stampede.edge.count", "2")]).await;
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "edge-2", "edge-3"],
        "what ids were given out is found again, too"
    );
}

#[tokio::test]
async fn a_group_is_added_to_a_running_cluster_and_no_later_change_makes_its_nodes_anew() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let before = ids(&spec(&world).await);
    let set = [THREE, ("stampede.edge.flavor", "m1.xlarge")];
    changed(&world, (&host, &caller), &set).await;
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "edge"]
    );
    let made = server(&world, &stack, "edge");
    let after = spec(&world).await;
    let pins = after.pins.as_ref().unwrap();
    assert_eq!(
        Some(made["flavor"].as_str().unwrap()),
        pins.groups["edge"].flavor_id.as_deref()
    );
    assert_eq!(pins.flavors.groups["edge"].name, "m1.xlarge");
    assert!(
        before
            .iter()
            .all(|(group, there)| ids(&after)[group] == *there)
    );
    changed(&world, (&host, &caller), &[("stampede.workers", "3")]).await;
    assert_eq!(server(&world, &stack, "edge")["flavor"], made["flavor"]);
    assert_eq!(server(&world, &stack, "edge")["image"], made["image"]);
    let refused = host
        .update(
            &caller,
            "default",
            pairs(&[("stampede.edge.flavor", "m1.large")]),
        )
        .await
        .unwrap_err();
    assert_eq!(
        problems(&refused),
        [
            "edge.flavor: cannot be changed in a running cluster but for new nodes of edge (raise `edge.count` in the same update, or leave it as it is)"
        ]
    );
}

const TWO: (&str, &str) = ("stampede.groups", "master,worker");

#[tokio::test]
async fn a_group_is_taken_away_whole_and_comes_again_under_other_names_of_what_is_said_then() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let set = [
        THREE,
        ("stampede.edge.count", "2"),
        ("stampede.edge.flavor", "m1.xlarge"),
    ];
    changed(&world, (&host, &caller), &set).await;
    let there = || servers(&world, &stack);
    let before = there();
    assert_eq!(before[3..], ["edge-1", "edge-2"]);
    let preview = host.preview_update(&caller, "default", pairs(&[TWO])).await;
    let preview = preview.unwrap();
    assert_eq!(preview.removed, names(&["edge-1", "edge-2"]));
    assert_eq!((preview.added.len(), preview.notified.len()), (0, 0));
    changed(&world, (&host, &caller), &[TWO]).await;
    assert_eq!(there(), before[..3]);
    let view = host.view(&caller, "default").await.unwrap();
    let of_edge = |name: &String| name.contains(".edge.");
    assert!(
        !view.attributes.keys().any(of_edge),
        "{:?}",
        view.attributes
    );
    assert!(!view.node_counts.contains_key("edge"));
    let left = spec(&world).await;
    let pins = left.pins.as_ref().unwrap();
    assert!(!pins.groups.contains_key("edge") && !pins.flavors.groups.contains_key("edge"));
    // What was its own is not the next one's, though it is asked for as before.
    changed(
        &world,
        (&host, &caller),
        &[THREE, ("stampede.edge.count", "2")],
    )
    .await;
    assert_eq!(there()[3..], ["edge-3", "edge-4"]);
    let again = spec(&world).await;
    assert_ne!(
        again.groups.get("edge").unwrap().flavor.as_deref(),
        Some("m1.xlarge")
    );
    // Beside another's growth, and found again by a host that knows nothing.
    let both = [TWO, ("stampede.workers", "3")];
    changed(&world, (&host, &caller), &both).await;
    drop((host, caller));
    world.ended().await;
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    rest(&world, &host, &caller).await;
    changed(&world, (&host, &caller), &[THREE]).await;
    assert_eq!(there()[1..], ["worker-1", "worker-2", "worker-3", "edge-5"]);
}

#[tokio::test]
async fn a_group_that_cannot_be_taken_away_is_there_again_as_it_was() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = deployed(&world, &[("stampede.edge.flavor", "m1.xlarge")]).await;
    let before = spec(&world).await;
    world.cloud.next_update_fails(UpdateFails::Answer {
        node: "master".into(),
        text: "hadoop drain line 42: no".into(),
    });
    host.update(&caller, "default", pairs(&[TWO, ("stampede.workers", "1")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.state, ClusterState::Active);
    assert!(view.change.unwrap().contains("as it was before"));
    assert_eq!(servers(&world, &stack)[3..], ["edge"]);
    let after = spec(&world).await;
    assert_eq!(ids(&after), ids(&before));
    let flavor = |spec: &ClusterSpec| spec.groups.get("edge").unwrap().flavor.clone();
    assert_eq!(flavor(&after), flavor(&before));
    assert_eq!(after.pins.unwrap().groups, before.pins.unwrap().groups);
    assert_eq!(view.attributes["stampede.edge.flavor"], "m1.xlarge");
}

#[tokio::test]
async fn a_group_that_fails_is_taken_away_and_its_ids_never_come_back() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "edge".into(),
        text: "hadoop setup line 42: no".into(),
    });
    host.update(&caller, "default", pairs(&[THREE]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    let why = "failed, and the cluster is as it was before: edge: hadoop setup line 42: no";
    assert_eq!(
        (view.state, view.change.as_deref()),
        (ClusterState::Active, Some(why))
    );
    assert_eq!(servers(&world, &stack), ["master", "worker-1", "worker-2"]);
    assert!(!view.node_counts.contains_key("edge"));
    changed(&world, (&host, &caller), &[THREE]).await;
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "edge-2"]
    );
}

#[tokio::test]
async fn a_group_of_a_cluster_that_is_not_deployed_goes_with_what_was_said_of_it() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let set = [THREE, ("stampede.edge.count", "2")];
    host.request(&caller, "default", pairs(&set)).await.unwrap();
    let view = host
        .update(&caller, "default", pairs(&[TWO]))
        .await
        .unwrap();
    assert!(!view.attributes.contains_key("stampede.edge.count"));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let stack = world.cloud.stacks()[0].0.clone();
    assert_eq!(servers(&world, &stack), ["master", "worker-1", "worker-2"]);
}
