//! What each verb does with the mixins of a project: at the query interface they are defined and
//! deleted, at a mixin's location clusters get it and lose it.

use http::{Method, StatusCode};

use super::clusters::Clusters;
use super::handlers::{Answer, Handlers};
use super::model::Listed;
use super::own::{self, Own};
use super::refusal::Refusal;
use super::request::Carried;
use super::syntax::category::Described;
use crate::orchestrator::{Members, Refused};

impl<C: Clusters> Handlers<'_, C> {
    /// POST to the query interface: each category is a mixin's definition. All are looked at before
    /// the first is kept.
    pub(super) async fn define(self, described: &[Described], host: &str) -> Answer {
        if described.is_empty() {
            return Err(nothing());
        }
        let groups = described
            .iter()
            .map(|described| Own::define(described, host))
            .collect::<Result<Vec<_>, _>>()?;
        let defined: Vec<Own> = groups.iter().map(Own::of).collect();
        for group in groups {
            self.clusters.define_group(&self.caller, group).await?;
        }
        self.style.query(defined.iter().map(Listed::Own))
    }

    /// DELETE at the query interface: the mixins that are named; their clusters stay.
    pub(super) async fn undefine(self, described: &[Described]) -> Answer {
        if described.is_empty() {
            return Err(nothing());
        }
        let mut names = Vec::new();
        for Described { category, .. } in described {
            match self.model.find(&self.own, category) {
                Some(Listed::Own(_)) => names.push(category.identifier()),
                Some(_) => return Err(Refusal::Reserved(category.identifier())),
                None => return Err(Refusal::UnknownCategory(category.identifier())),
            }
        }
        for name in names {
            self.clusters.remove_group(&self.caller, &name).await?;
        }
        Ok(self.style.ok(StatusCode::OK))
    }

    /// Every verb at the location of the project's mixin number `at`.
    pub(super) async fn tagged(
        self,
        method: &Method,
        at: usize,
        query: &str,
        carried: &Carried,
        host: &str,
    ) -> Answer {
        let mixin = self.own.get(at).ok_or(Refusal::Defect)?;
        if method == Method::GET {
            return self
                .list_at(&mixin.location, carried, |view| mixin.has(&view.id))
                .await;
        }
        if method == Method::POST
            && let Some(action) = self.action(query)?
        {
            return self
                .act_on_all(&mixin.location, action, |view| mixin.has(&view.id))
                .await;
        }
        let how = match *method {
            Method::PUT => Members::Only,
            Method::DELETE => Members::Remove,
            _ => Members::Add,
        };
        let names = own::names(&carried.locations, host)?;
        // All of them at once only where a PUT says so: a forgotten header is no wish.
        if names.is_empty() && how != Members::Only {
            return Err(Refusal::Malformed(
                "no X-OCCI-Location: name the clusters that are meant".to_owned(),
            ));
        }
        let done = self
            .clusters
            .group_members(&self.caller, &mixin.category.identifier(), how, &names)
            .await;
        done.map_err(|refused| match refused {
            Refused::NotFound(name) => Refusal::NotFound(super::entity::path(&name)),
            other => other.into(),
        })?;
        Ok(self.style.ok(StatusCode::OK))
    }
}

fn nothing() -> Refusal {
    Refusal::Malformed("no Category: name the mixin that is meant".to_owned())
}
