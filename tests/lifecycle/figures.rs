//! The figures of clusters that an operator's scrapes are told: all of them, each as the store has it now,
//! and none read again that has not changed.

use stampede::orchestrator::{Orchestrator, OrchestratorLimits};

use crate::{
    fixture::{LifecycleFixture, limits},
    update::rest,
};

/// Name, state and nodes of each, by name.
async fn told(host: &Orchestrator) -> Vec<(String, &'static str, u64)> {
    let figures = host.cluster_figures().await.unwrap().into_iter();
    let mut told: Vec<_> = figures
        .map(|one| (one.name, one.state, one.nodes))
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_scrape_reads_those_clusters_alone_that_have_changed() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            clusters_per_project: 200,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    // More than are read at once.
    for number in 0..101 {
        let name = format!("asked-{number:03}");
        host.request(&caller, &name, vec![]).await.unwrap();
    }
    let before = told(&host).await;
    assert_eq!(before.len(), 102);
    assert_eq!(before[101], ("default".to_owned(), "deploying", 3));
    // A record that nobody can read is not read, since it is as it was.
    let mut database = world.database().await;
    let damage = "UPDATE cluster SET record = 'damaged' WHERE name = 'asked-007'";
    sqlx::query(damage).execute(&mut database).await.unwrap();
    assert_eq!(told(&host).await, before);
    rest(&world, &host, &caller).await;
    host.delete(&caller, "asked-000").await.unwrap();
    let now = told(&host).await;
    assert_eq!(now[..100], before[1..101]);
    assert_eq!(now[100], ("default".to_owned(), "active", 3));
    // It is, once it is written again.
    let write = "UPDATE cluster SET revision = revision + 1 WHERE name = 'asked-007'";
    sqlx::query(write).execute(&mut database).await.unwrap();
    for _ in 0..2 {
        let left = told(&host).await;
        assert_eq!(left.len(), 100);
        assert!(left.iter().all(|(name, ..)| name != "asked-007"));
    }
}
