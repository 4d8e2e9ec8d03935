//! Every verb that changes something, each through the journal. The verbs themselves are visible in this
//! folder alone, so that nobody gets at them around the journal.

use std::sync::Arc;

use super::{
    create,
    decide_again::decide_again,
    delete::{self, DeletionAnswer},
    deploy,
    groups::{self, MembershipChange},
    journaled::{AskedRequest, journaled},
    orphans, provision, update,
};
use crate::cluster::request_entry::RequestVerb;
use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    state::view::{ClusterView, CreateOutcome},
};
use crate::store::{ClusterGroup, RequestMark};

type Outcome<T> = Result<T, OrchestratorError>;

pub(crate) async fn create(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    attributes: ClientAttributes,
    mark: Option<&RequestMark>,
) -> Outcome<CreateOutcome> {
    let mut asked = AskedRequest::new(RequestVerb::Create, name, attributes.clone());
    asked.request_id = mark.map(|mark| mark.id.clone());
    let (by, name, mark) = (caller.clone(), name.to_owned(), mark.cloned());
    let here = Arc::clone(context);
    let work =
        async move { create::create_cluster(&here, &by, &name, attributes, mark.as_ref()).await };
    journaled(context, caller, asked, work).await
}

pub(crate) async fn deploy(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    attributes: ClientAttributes,
) -> Outcome<ClusterView> {
    let asked = AskedRequest::new(RequestVerb::Deploy, name, attributes.clone());
    let (by, name) = (caller.clone(), name.to_owned());
    let work = decided(context, move |context| {
        deploy::deploy_cluster(context, by.clone(), name.clone(), attributes.clone())
    });
    journaled(context, caller, asked, work).await
}

pub(crate) async fn provision(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    attributes: ClientAttributes,
) -> Outcome<ClusterView> {
    let asked = AskedRequest::new(RequestVerb::Provision, name, attributes.clone());
    let (by, name) = (caller.clone(), name.to_owned());
    let work = decided(context, move |context| {
        provision::provision_cluster(context, by.clone(), name.clone(), attributes.clone())
    });
    journaled(context, caller, asked, work).await
}

pub(crate) async fn update(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    attributes: ClientAttributes,
    revision: Option<&str>,
) -> Outcome<ClusterView> {
    let asked = AskedRequest::new(RequestVerb::Change, name, attributes.clone());
    let (by, name, revision) = (caller.clone(), name.to_owned(), revision.map(str::to_owned));
    let work = decided(context, move |context| {
        let (name, attributes, revision) = (name.clone(), attributes.clone(), revision.clone());
        update::update_cluster(context, by.clone(), name, attributes, revision)
    });
    journaled(context, caller, asked, work).await
}

pub(crate) async fn delete(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
) -> Outcome<DeletionAnswer> {
    let asked = AskedRequest::new(RequestVerb::Delete, name, Vec::new());
    let (by, name) = (caller.clone(), name.to_owned());
    let work = decided(context, move |context| {
        delete::delete_cluster(context, by.clone(), name.clone())
    });
    journaled(context, caller, asked, work).await
}

pub(crate) async fn adopt_orphan(
    context: &Arc<Context>,
    caller: &Caller,
    named: &str,
) -> Outcome<ClusterView> {
    let asked = AskedRequest::new(RequestVerb::Adopt, named, Vec::new());
    let (by, named) = (caller.clone(), named.to_owned());
    let here = Arc::clone(context);
    let work = async move { orphans::adopt_orphan(&here, &by, &named).await };
    journaled(context, caller, asked, work).await
}

pub(crate) async fn delete_orphan(
    context: &Arc<Context>,
    caller: &Caller,
    named: &str,
) -> Outcome<String> {
    let mut asked = AskedRequest::new(RequestVerb::Delete, named, Vec::new());
    asked.is_of_orphan = true;
    let (by, named) = (caller.clone(), named.to_owned());
    let work = decided(context, move |context| {
        orphans::delete_orphan(context, by.clone(), named.clone())
    });
    journaled(context, caller, asked, work).await
}

pub(crate) async fn define_group(
    context: &Arc<Context>,
    caller: &Caller,
    group: ClusterGroup,
) -> Outcome<()> {
    let asked = AskedRequest::of_group(&group.name, "define", &[]);
    let by = caller.clone();
    let here = Arc::clone(context);
    let work = async move { groups::define_group(&here, &by, group).await };
    journaled(context, caller, asked, work).await
}

pub(crate) async fn remove_group(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
) -> Outcome<()> {
    let asked = AskedRequest::of_group(name, "remove", &[]);
    let (by, name) = (caller.clone(), name.to_owned());
    let here = Arc::clone(context);
    let work = async move { groups::remove_group(&here, &by, &name).await };
    journaled(context, caller, asked, work).await
}

pub(crate) async fn change_members(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    how: MembershipChange,
    clusters: &[String],
) -> Outcome<()> {
    let word = match how {
        MembershipChange::Add => "add",
        MembershipChange::Remove => "drop",
        MembershipChange::Only => "only",
    };
    let asked = AskedRequest::of_group(name, word, clusters);
    let (by, name, clusters) = (caller.clone(), name.to_owned(), clusters.to_vec());
    let here = Arc::clone(context);
    let work = async move { groups::change_members(&here, &by, &name, how, &clusters).await };
    journaled(context, caller, asked, work).await
}

/// [`decide_again`], as work that borrows nothing.
fn decided<T: Send + 'static, F>(
    context: &Arc<Context>,
    decide: impl FnMut(Arc<Context>) -> F + Send + 'static,
) -> impl Future<Output = Outcome<T>> + Send + 'static
where
    F: Future<Output = Outcome<T>> + Send + 'static,
{
    let context = Arc::clone(context);
    async move { decide_again(&context, decide).await }
}
