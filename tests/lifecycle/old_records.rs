//! What former versions have left behind, stores and stacks: their clusters are shown and deleted, and
//! requests that were not deployed yet are.

use serde_json::{Value, json};
use sqlx::Connection;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, LifecyclePhase, Orchestrator},
};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::complete,
};

/// Records as that version has written them, for clusters of this fixture's plans.
const REQUESTED: &str = include_str!("../../host/src/store/fixtures/requested.json");
const PROVISIONED: &str = include_str!("../../host/src/store/fixtures/provisioned.json");
const CHANGING: &str = include_str!("../../host/src/store/fixtures/changing.json");

/// From today's layout back to that of that time.
const LAYOUT_2: &str = "
DROP INDEX cluster_by_name;
ALTER TABLE cluster DROP COLUMN region;
CREATE UNIQUE INDEX cluster_by_name ON cluster (project_id, name) WHERE live = 1;
DROP TABLE request_journal;
PRAGMA user_version = 2;
";

/// Puts an old record in the place of the one that the store has, in the layout of that time. What
/// belongs to the cloud of the test, such as ids, is kept.
async fn write_old_record(world: &LifecycleFixture, old: &str) {
    let mut db = world.database().await;
    let (id, new): (String, String) = sqlx::query_as("SELECT id, record FROM cluster")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let new: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(new["version"], 3);
    let mut old: Value = serde_json::from_str(old).unwrap();
    assert_eq!(old.get("version"), None);
    for name in [
        "id",
        "project_id",
        "project_name",
        "name",
        "owner",
        "stack_name",
        "revision",
    ] {
        old[name] = new[name].clone();
    }
    if let Some(stack_id) = new["lifecycle"].get("stack_id") {
        old["stack_id"] = stack_id.clone();
        old["seen"]["marker"] = json!(null);
    }
    sqlx::query("UPDATE cluster SET record = ? WHERE id = ?")
        .bind(old.to_string())
        .bind(id)
        .execute(&mut db)
        .await
        .unwrap();
    sqlx::raw_sql(LAYOUT_2).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

/// What a change of a cluster of the contract 0.1.0 is told.
const REFUSED: &str =
    "`default` was made by the plugin contract 0.1.0, which this Stampede no longer speaks";

/// A change is refused in words, before Heat is asked for it, and nothing of the cluster is another;
/// then it is deleted.
async fn check_former(world: &LifecycleFixture, host: &Orchestrator, caller: &Caller) {
    let before = host.view(caller, "default").await.unwrap();
    assert_eq!(before.state, ClusterState::Active);
    let (stack, _) = world.cloud.stacks()[0].clone();
    let template = world.cloud.template(&stack);
    for set in [
        ("stampede.workers", "3"),
        ("stampede.hadoop.replication", "1"),
        ("stampede.network.access", "192.0.2.0/24"),
    ] {
        let refused = [
            host.update(caller, "default", pairs(&[set]))
                .await
                .map(drop),
            host.preview_update(caller, "default", pairs(&[set]))
                .await
                .map(drop),
        ];
        for refused in refused {
            let told = refused.unwrap_err().to_string();
            assert!(
                told.contains(REFUSED) && told.ends_with("deploy a new cluster"),
                "{set:?}: {told}"
            );
        }
    }
    let after = host.view(caller, "default").await.unwrap();
    assert_eq!(
        (after.state, &after.stack_id, &after.endpoints),
        (before.state, &before.stack_id, &before.endpoints)
    );
    assert_eq!(after.change, None);
    assert_eq!(world.cloud.template(&stack), template);
    // What is the client's own is kept as before.
    let own = pairs(&[("my.note", "old")]);
    host.update(caller, "default", own).await.unwrap();
    delete(world, host, caller).await;
}

async fn delete(world: &LifecycleFixture, host: &Orchestrator, caller: &Caller) {
    host.delete(caller, "default").await.unwrap();
    eventually("nothing is left", async || {
        world.cloud.step();
        let gone = host.view(caller, "default").await.is_err();
        (gone && world.deletes() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_cluster_of_an_old_store_is_shown_and_deleted_and_its_change_refused() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let before = host.view(&caller, "default").await.unwrap();
    drop((host, caller));
    world.idle().await;
    write_old_record(&world, PROVISIONED).await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.phase, view.stack_id),
        (LifecyclePhase::Provisioned, before.stack_id)
    );
    check_former(&world, &host, &caller).await;
}

#[tokio::test]
async fn a_stack_of_the_contract_before_is_recovered_shown_and_deleted_and_its_change_refused() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    drop((host, caller));
    world.idle().await;
    // As a host of that contract wrote it: no word of the contract, nor of components.
    world
        .cloud
        .edit_parameter(&stack, "stampede_request", |text| {
            let mut carried: Value = serde_json::from_str(text).unwrap();
            let pins = carried["spec"]["pins"].as_object_mut().unwrap();
            assert_eq!(pins.remove("contract"), Some(json!("0.2.0")));
            for name in ["placements", "needs", "grants"] {
                pins.remove(name);
            }
            carried.to_string()
        });
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    check_former(&world, &host, &caller).await;
}

#[tokio::test]
async fn a_change_of_an_old_store_that_is_under_way_goes_no_further_and_says_why() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    drop((host, caller));
    world.idle().await;
    let template = world.cloud.template(&stack);
    write_old_record(&world, CHANGING).await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    eventually("it says why", async || {
        let view = host.view(&caller, "default").await.ok()?;
        format!("{view:?}").contains(REFUSED).then_some(())
    })
    .await;
    assert_eq!(world.cloud.template(&stack), template);
    let again = host
        .update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await;
    let told = again.unwrap_err().to_string();
    assert!(told.contains(REFUSED), "{told}");
    delete(&world, &host, &caller).await;
}

#[tokio::test]
async fn a_request_of_an_old_store_is_deployed() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    drop((host, caller));
    world.idle().await;
    write_old_record(&world, REQUESTED).await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.phase),
        (ClusterState::Requested, LifecyclePhase::Initialised)
    );
    let view = host.deploy(&caller, "default", vec![]).await.unwrap();
    assert_eq!(view.phase, LifecyclePhase::Deployed);
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
}
