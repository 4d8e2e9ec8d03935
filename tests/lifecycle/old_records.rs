//! A store that the last version without versioned records has left behind: its clusters go on.

use serde_json::{Value, json};
use sqlx::Connection;
use stampede::{cluster::ClusterState, orchestrator::LifecyclePhase};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::{complete, rest, servers},
};

/// Records as that version has written them, for clusters of this fixture's plans.
const REQUESTED: &str = include_str!("../../host/src/store/fixtures/requested.json");
const PROVISIONED: &str = include_str!("../../host/src/store/fixtures/provisioned.json");

/// From today's layout back to that of that time.
const LAYOUT_2: &str = "
DROP INDEX cluster_by_name;
ALTER TABLE cluster DROP COLUMN region;
CREATE UNIQUE INDEX cluster_by_name ON cluster (project_id, name) WHERE live = 1;
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

#[tokio::test]
async fn a_cluster_of_an_old_store_is_shown_changed_and_deleted() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let before = host.view(&caller, "default").await.unwrap();
    drop((host, caller));
    world.idle().await;
    write_old_record(&world, PROVISIONED).await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.phase, view.stack_id),
        (
            ClusterState::Active,
            LifecyclePhase::Provisioned,
            before.stack_id
        )
    );
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.state, ClusterState::Active);
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "worker-3"]
    );
    host.delete(&caller, "default").await.unwrap();
    eventually("nothing is left", async || {
        world.cloud.step();
        let records = world.records().await;
        records.is_empty().then_some(())
    })
    .await;
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
