//! Situations that many tests begin or end with.

use serde_json::Value;
use sqlx::Connection as _;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator},
};

use super::fixture::{LifecycleFixture, eventually};

impl LifecycleFixture {
    /// A cluster `default` of the user alice's that runs.
    pub(crate) async fn complete_of_alice(&self) -> (Orchestrator, Caller) {
        let host = self.host().await;
        let alice = self.user(&host, "alice").await;
        host.request(&alice, "default", vec![]).await.unwrap();
        host.deploy(&alice, "default", vec![]).await.unwrap();
        self.cloud.finish();
        let view = host.view(&alice, "default").await.unwrap();
        assert_eq!(view.state, ClusterState::Active);
        (host, alice)
    }

    /// Until no cluster of the project is left that is being deleted; the cloud does its part.
    pub(crate) async fn until_deleted(&self, host: &Orchestrator, caller: &Caller) {
        eventually("nothing is left that is being deleted", async || {
            self.cloud.finish();
            let left = host.list_deleting(caller).await.unwrap();
            left.is_empty().then_some(())
        })
        .await;
    }

    /// A cloud with room for hundreds of nodes.
    pub(crate) fn give_room(&self) {
        self.cloud.edit(|fixtures| {
            fixtures.quota.instances = 1_000;
            fixtures.quota.cores = 10_000;
            fixtures.quota.ram = 10_000_000;
        });
    }

    /// Makes of the only record what no version of now would write.
    pub(crate) async fn edit_record(&self, edit: impl FnOnce(&mut Value)) {
        let mut db = self.database().await;
        let text: String = sqlx::query_scalar("SELECT record FROM cluster")
            .fetch_one(&mut db)
            .await
            .unwrap();
        let mut record: Value = serde_json::from_str(&text).unwrap();
        edit(&mut record);
        sqlx::query("UPDATE cluster SET record = ?")
            .bind(record.to_string())
            .execute(&mut db)
            .await
            .unwrap();
        db.close().await.unwrap();
    }
}
