//! What each verb does. Everything that can be wrong with a request's form was found before.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use uuid::Uuid;

use super::clusters::{Clusters, Shown as _};
use super::entity::{self, Entity};
use super::model::{Action, FRAMEWORK_SCHEME, Listed, Mixin, Model, is_shown_only};
use super::negotiate::Rendering;
use super::own::Own;
use super::refusal::Refusal;
use super::render::Style;
use super::request::{Carried, query_value};
use super::syntax::category::{Category, Described};
use super::{Face, service_manager, syntax};
use crate::cluster::vocabulary::CLUSTER;
use crate::orchestrator::{Attributes, Members, Refused, Requested, View};

/// The attribute that a framework's mixin stands for.
const FRAMEWORK: &str = "stampede.framework";

/// What a request wants, its categories resolved.
#[derive(Default)]
pub(super) struct Wish {
    kind: bool,
    pub(super) action: Option<Action>,
    pub(super) attributes: Attributes,
    /// Identifiers of the project's own mixins.
    tags: Vec<String>,
}

impl<C: Clusters> Face<C> {
    /// Resolves the categories. A framework's mixin means that framework, unless an attribute says
    /// which.
    pub(super) fn wish(&self, own: &[Own], carried: &Carried) -> Result<Wish, Refusal> {
        let (mut kind, mut action, mut frameworks, mut tags) =
            (false, None, Vec::new(), Vec::new());
        for Described { category, .. } in &carried.categories {
            match self
                .model
                .find(own, category)
                .ok_or_else(|| Refusal::UnknownCategory(category.identifier()))?
            {
                Listed::Kind => kind = true,
                Listed::Action(one) => action = action.or(Some(one)),
                Listed::Mixin(mixin) if mixin.term == CLUSTER => {}
                Listed::Mixin(mixin) => frameworks.push(mixin.term.as_str()),
                Listed::Own(own) => tags.push(own.category.identifier()),
            }
        }
        let mut attributes: Attributes = carried
            .attributes
            .iter()
            .filter(|(name, _)| !is_shown_only(name))
            .cloned()
            .collect();
        if !frameworks.is_empty() && !attributes.iter().any(|(name, _)| name == FRAMEWORK) {
            attributes.push((FRAMEWORK.to_owned(), frameworks.join(",")));
        }
        Ok(Wish {
            kind,
            action,
            attributes,
            tags,
        })
    }
}

/// One request's handlers.
pub(super) struct Handlers<'a, C: Clusters> {
    pub(super) clusters: &'a C,
    pub(super) model: &'a Model,
    /// The mixins of the caller's project.
    pub(super) own: Vec<Own>,
    pub(super) caller: C::Caller,
    pub(super) style: Style<'a>,
    pub(super) wish: Wish,
    /// Whether it is the Service Manager who asks.
    pub(super) service_manager: bool,
}

pub(super) type Answer = Result<Response<Bytes>, Refusal>;

impl<C: Clusters> Handlers<'_, C> {
    /// The query interface; categories in the request are a filter.
    pub(super) fn query(self, filter: &[Described]) -> Answer {
        let filter: Vec<Listed<'_>> = filter
            .iter()
            .filter_map(|described| self.model.find(&self.own, &described.category))
            .collect();
        let listed = self.model.listed().chain(self.own.iter().map(Listed::Own));
        self.style
            .query(listed.filter(|listed| filter.is_empty() || filter.contains(listed)))
    }

    /// PUT: the entity is there afterwards.
    pub(super) async fn put(self, name: &str) -> Answer {
        if !self.wish.kind {
            return Err(Refusal::NoKind);
        }
        match self
            .clusters
            .request(&self.caller, name, self.wish.attributes.clone())
            .await?
        {
            Requested::Existing(view) => self.show(view),
            Requested::New(view) => self.created(view).await,
        }
    }

    /// POST with a query is an action, without one an update.
    pub(super) async fn post(self, name: &str, query: &str) -> Answer {
        let Some(action) = self.action(query)? else {
            let mut attributes = self.wish.attributes.clone();
            if self.service_manager {
                let found = self
                    .clusters
                    .find(&self.caller, name)
                    .await
                    .map_err(|refused| missing(refused, name))?;
                attributes = service_manager::wishes(attributes, &found.view().brought);
            }
            let view = self
                .clusters
                .update(&self.caller, name, attributes)
                .await
                .map_err(|refused| missing(refused, name))?;
            let own = self.tag(name).await?;
            return self.style.entity(&Entity::of(view, &own));
        };
        let attributes = self.wish.attributes.clone();
        let view = self.act(action, name, attributes).await?;
        self.show(view)
    }

    /// DELETE of one.
    pub(super) async fn delete(self, name: &str) -> Answer {
        self.clusters
            .delete(&self.caller, name)
            .await
            .map_err(|refused| missing(refused, name))?;
        Ok(self.style.ok(StatusCode::OK))
    }

    /// GET of the collection; categories and attributes in the request are a filter.
    pub(super) async fn list(self, carried: &Carried) -> Answer {
        self.list_at(super::model::LOCATION, carried, |_| true)
            .await
    }

    /// GET of those that `wanted` finds.
    pub(super) async fn list_at(
        &self,
        path: &str,
        carried: &Carried,
        wanted: impl Fn(&View) -> bool + Send,
    ) -> Answer {
        let mixins: Vec<&Mixin> = carried
            .categories
            .iter()
            .filter_map(|described| self.mixin(&described.category))
            .collect();
        let views = self.clusters.list(&self.caller).await?;
        let entities: Vec<Entity> = views
            .into_iter()
            .filter(wanted)
            .map(|view| Entity::of(view, &self.own))
            .filter(|entity| {
                self.wish.tags.iter().all(|tag| {
                    entity
                        .mixins
                        .iter()
                        .any(|own| own.category.identifier() == *tag)
                })
            })
            .filter(|entity| {
                carried
                    .attributes
                    .iter()
                    .all(|(name, value)| has(entity, name, value))
            })
            .filter(|entity| {
                mixins
                    .iter()
                    .all(|mixin| mixin.term == CLUSTER || runs(entity, &mixin.term))
            })
            .filter(|entity| self.wish.action.is_none() || entity.action == self.wish.action)
            .collect();
        self.style.collection(path, &entities)
    }

    /// POST to the collection: an action on all of them, or a new one with a name of ours.
    pub(super) async fn post_collection(self, path: &str, query: &str) -> Answer {
        if let Some(action) = self.action(query)? {
            return self.act_on_all(path, action, |_| true).await;
        }
        if !self.wish.kind {
            return Err(Refusal::NoKind);
        }
        match self
            .clusters
            .request(&self.caller, &new_name(), self.wish.attributes.clone())
            .await?
        {
            Requested::New(view) | Requested::Existing(view) => self.created(view).await,
        }
    }

    /// An action on all that `wanted` finds.
    pub(super) async fn act_on_all(
        &self,
        path: &str,
        action: Action,
        wanted: impl Fn(&View) -> bool + Send,
    ) -> Answer {
        let mut entities = Vec::new();
        for view in self
            .clusters
            .list(&self.caller)
            .await?
            .into_iter()
            .filter(wanted)
        {
            let view = self
                .act(action, &view.name, self.wish.attributes.clone())
                .await?;
            entities.push(Entity::of(view, &self.own));
        }
        self.style.collection(path, &entities)
    }

    /// DELETE of all of them.
    pub(super) async fn delete_all(self) -> Answer {
        for view in self.clusters.list(&self.caller).await? {
            match self.clusters.delete(&self.caller, &view.name).await {
                // Somebody else was faster.
                Ok(()) | Err(Refused::NotFound(_)) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(self.style.ok(StatusCode::OK))
    }

    /// The action that a POST means, if it means one: a query with `=` says that it does, the
    /// Category says which, and where there is none the query does.
    pub(super) fn action(&self, query: &str) -> Result<Option<Action>, Refusal> {
        if !query.contains('=') {
            return Ok(None);
        }
        let named = || query_value(query, "action").and_then(|term| Action::by_term(&term));
        self.wish
            .action
            .or_else(named)
            .map(Some)
            .ok_or(Refusal::NoAction)
    }

    async fn act(
        &self,
        action: Action,
        name: &str,
        attributes: Attributes,
    ) -> Result<View, Refusal> {
        let done = match action {
            Action::Deploy => self.clusters.deploy(&self.caller, name, attributes).await,
            Action::Provision => {
                self.clusters
                    .provision(&self.caller, name, attributes)
                    .await
            }
        };
        done.map_err(|refused| missing(refused, name))
    }

    fn show(&self, view: View) -> Answer {
        self.style.entity(&Entity::of(view, &self.own))
    }

    /// Gives the cluster the project's mixins that the request names; the mixins as they are then.
    async fn tag(&self, name: &str) -> Result<Vec<Own>, Refusal> {
        for tag in &self.wish.tags {
            self.clusters
                .group_members(&self.caller, tag, Members::Add, &[name.to_owned()])
                .await?;
        }
        if self.wish.tags.is_empty() {
            return Ok(self.own.clone());
        }
        Ok(Own::all(&self.clusters.groups(&self.caller).await?))
    }

    /// 201, where it is, and `OK` or, in JSON and HTML, the entity.
    async fn created(&self, view: View) -> Answer {
        let own = self.tag(&view.name).await?;
        let location = format!(
            "{}{}",
            self.style.base,
            syntax::escape::name(&entity::path(&view.name))
        );
        let mut response = match self.style.rendering {
            Rendering::Json | Rendering::Html => self.style.entity(&Entity::of(view, &own))?,
            _ => self.style.ok(StatusCode::CREATED),
        };
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().insert(
            LOCATION,
            HeaderValue::try_from(location).map_err(|_| Refusal::Defect)?,
        );
        Ok(response)
    }

    fn mixin(&self, category: &Category) -> Option<&Mixin> {
        match self.model.find(&self.own, category) {
            Some(Listed::Mixin(mixin)) if category.scheme == FRAMEWORK_SCHEME => Some(mixin),
            _ => None,
        }
    }
}

/// The recorded sentence for what is not there.
pub(super) fn missing(refused: Refused, name: &str) -> Refusal {
    match refused {
        Refused::NotFound(_) => Refusal::NotFound(entity::path(name)),
        other => other.into(),
    }
}

fn has(entity: &Entity, name: &str, value: &str) -> bool {
    entity
        .attributes
        .get(name)
        .is_some_and(|found| super::render::text(found) == value)
}

fn runs(entity: &Entity, framework: &str) -> bool {
    let asked = entity
        .attributes
        .get(FRAMEWORK)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    asked.split([',', ' ']).any(|name| name == framework)
}

/// A UUID that begins with a letter, as names of clusters do.
fn new_name() -> String {
    loop {
        let name = Uuid::new_v4().to_string();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return name;
        }
    }
}
