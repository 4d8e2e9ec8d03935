//! Stores the groups that projects make of their clusters. What a group means is for its maker to
//! know.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{RecordStore, StoreError, outcome_of_insert};

/// One group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterGroup {
    /// One among the project's.
    pub name: String,
    /// Where it is found; one among the project's too.
    pub place: String,
    /// What else its maker wants to know again.
    pub definition: String,
    /// The ids of its clusters.
    pub clusters: BTreeSet<String>,
}

/// What a change makes of the clusters that a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// These too.
    Add,
    /// These no longer.
    Remove,
    /// These and no others.
    Only,
}

impl RecordStore {
    /// A project's groups by name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn groups(&self, project_id: &str) -> Result<Vec<ClusterGroup>, StoreError> {
        let query = sqlx::query(
            "SELECT name, place, definition FROM cluster_group WHERE project_id = ? ORDER BY name",
        );
        let mut groups = Vec::new();
        for row in self
            .call(query.bind(project_id).fetch_all(&self.pool))
            .await?
        {
            groups.push(ClusterGroup {
                name: row.try_get(0)?,
                place: row.try_get(1)?,
                definition: row.try_get(2)?,
                ..ClusterGroup::default()
            });
        }
        let members =
            sqlx::query("SELECT name, cluster_id FROM cluster_group_member WHERE project_id = ?");
        for row in self
            .call(members.bind(project_id).fetch_all(&self.pool))
            .await?
        {
            let (name, id): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if let Some(group) = groups.iter_mut().find(|group| group.name == name) {
                group.clusters.insert(id);
            }
        }
        Ok(groups)
    }

    /// Writes a new group, without clusters.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the project has one of that name or place; [`StoreError::Full`]
    /// when it has `most`, whoever else writes some.
    pub async fn insert_group(
        &self,
        project_id: &str,
        group: &ClusterGroup,
        most: usize,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO cluster_group (project_id, name, place, definition) SELECT ?1, ?2, ?3, ?4 \
             WHERE (SELECT count(*) FROM cluster_group WHERE project_id = ?1) < ?5",
        );
        let query = query
            .bind(project_id)
            .bind(&group.name)
            .bind(&group.place)
            .bind(&group.definition)
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
        outcome_of_insert(self.call(query.execute(&self.pool)).await)
    }

    /// Drops a group; one that is gone is no error.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn remove_group(&self, project_id: &str, name: &str) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM cluster_group WHERE project_id = ? AND name = ?");
        let query = query.bind(project_id).bind(name);
        self.call(query.execute(&self.pool)).await?;
        Ok(())
    }

    /// Changes which clusters a group has; those that are gone are left out.
    ///
    /// # Errors
    /// When it cannot be written, or the group is gone.
    pub async fn change_members(
        &self,
        project_id: &str,
        name: &str,
        how: MembershipChange,
        clusters: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let write = async {
            let mut all = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            if how == MembershipChange::Only {
                let old = sqlx::query(
                    "DELETE FROM cluster_group_member WHERE project_id = ? AND name = ?",
                );
                old.bind(project_id).bind(name).execute(&mut *all).await?;
            }
            let each = match how {
                MembershipChange::Remove => {
                    "DELETE FROM cluster_group_member WHERE project_id = ? AND name = ? AND cluster_id = ?"
                }
                MembershipChange::Add | MembershipChange::Only => {
                    "INSERT OR IGNORE INTO cluster_group_member (project_id, name, cluster_id) SELECT ?, ?, id FROM cluster WHERE id = ?"
                }
            };
            for id in clusters {
                let query = sqlx::query(each).bind(project_id).bind(name).bind(id);
                query.execute(&mut *all).await?;
            }
            all.commit().await
        };
        self.call(write).await
    }
}
