//! Groups that projects make of their clusters outlive the host, and have their limits.

use stampede::orchestrator::{
    ClusterGroup, MembershipChange, OrchestratorError, OrchestratorLimits,
};

use crate::fixture::{LifecycleFixture, limits};

fn group(name: &str) -> ClusterGroup {
    ClusterGroup {
        name: name.to_owned(),
        place: format!("/{name}/"),
        definition: "{}".to_owned(),
        ..ClusterGroup::default()
    }
}

#[tokio::test]
async fn they_outlive_the_host_and_end_with_their_clusters() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "a", vec![]).await.unwrap();
    host.request(&caller, "b", vec![]).await.unwrap();
    host.define_group(&caller, group("mine")).await.unwrap();
    host.define_group(&caller, group("mine")).await.unwrap();
    host.group_members(
        &caller,
        "mine",
        MembershipChange::Add,
        &["a".to_owned(), "b".to_owned()],
    )
    .await
    .unwrap();
    let ids = [
        host.view(&caller, "a").await.unwrap().id,
        host.view(&caller, "b").await.unwrap().id,
    ];
    drop((host, caller));

    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let clusters = async || {
        host.groups(&caller).await.unwrap()[0]
            .clusters
            .iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(clusters().await.len(), 2);
    host.delete(&caller, "a").await.unwrap();
    host.group_members(&caller, "mine", MembershipChange::Add, &["b".to_owned()])
        .await
        .unwrap();
    assert_eq!(clusters().await, [ids[1].clone()]);
    let missing = host
        .group_members(&caller, "mine", MembershipChange::Only, &["a".to_owned()])
        .await;
    assert_eq!(missing, Err(OrchestratorError::NotFound("a".to_owned())));
    host.remove_group(&caller, "mine").await.unwrap();
    assert!(host.groups(&caller).await.unwrap().is_empty());
    assert!(host.view(&caller, "b").await.is_ok(), "the clusters stay");
}

#[tokio::test]
async fn names_and_places_are_one_in_a_project_and_each_project_has_its_own() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let (demo, other) = (
        world.caller(&host, "demo").await,
        world.caller(&host, "other").await,
    );
    host.define_group(&demo, group("mine")).await.unwrap();
    for taken in [
        ClusterGroup {
            place: "/else/".to_owned(),
            ..group("mine")
        },
        ClusterGroup {
            name: "else".to_owned(),
            ..group("mine")
        },
    ] {
        assert!(matches!(
            host.define_group(&demo, taken).await,
            Err(OrchestratorError::Conflict(_))
        ));
    }
    assert!(host.groups(&other).await.unwrap().is_empty());
    host.define_group(&other, group("mine")).await.unwrap();
    host.remove_group(&other, "mine").await.unwrap();
    assert_eq!(host.groups(&demo).await.unwrap().len(), 1);
}

#[tokio::test]
async fn number_and_bytes_have_limits() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            groups_per_project: 2,
            group_bytes: 10,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    host.define_group(&caller, group("abc")).await.unwrap();
    let large = host.define_group(&caller, group("abcd")).await;
    assert!(
        matches!(large, Err(OrchestratorError::TooMany(_))),
        "{large:?}: 4 + 6 + 2 bytes"
    );
    host.define_group(&caller, group("xyz")).await.unwrap();
    assert!(matches!(
        host.define_group(&caller, group("a")).await,
        Err(OrchestratorError::TooMany(_))
    ));
    assert!(
        host.define_group(&caller, group("abc")).await.is_ok(),
        "the same once more is none more"
    );
}
