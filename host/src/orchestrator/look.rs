//! One observation of a cluster for however many ask: at most one at a time, and not before the last one is old.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{Inner, book::Entity, book::lock, observe};
use crate::{
    cluster::Wish,
    openstack::{Error, Event, Session, Stack, StackId},
    store::Record,
};

/// When a cluster was looked at.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Held while Heat is asked.
    asking: tokio::sync::Mutex<()>,
    state: Mutex<Times>,
}

#[derive(Clone, Debug, Default)]
struct Times {
    begun: Option<Instant>,
    ended: Option<Instant>,
    error: Option<String>,
}

impl Look {
    /// Why the last question had no answer.
    pub(super) fn error(&self) -> Option<String> {
        lock(&self.state).error.clone()
    }

    /// Whether what we know is younger than that.
    pub(super) fn is_fresh(&self, age: Duration) -> bool {
        lock(&self.state).ended.is_some_and(|ended| ended.elapsed() < age)
    }

    /// How long a reader still waits: all readers of one slow question give up together.
    fn patience(&self, most: Duration) -> Duration {
        let begun = lock(&self.state).begun;
        begun.map_or(most, |begun| most.saturating_sub(begun.elapsed()))
    }

    fn begin(&self) {
        lock(&self.state).begun = Some(Instant::now());
    }

    fn end(&self, error: Option<String>) {
        *lock(&self.state) = Times { begun: None, ended: Some(Instant::now()), error };
    }

    /// What we did ourselves a moment ago counts as an observation.
    pub(super) fn note(&self, error: Option<String>) {
        let mut state = lock(&self.state);
        (state.ended, state.error) = (Some(Instant::now()), error);
    }
}

/// Sees to it that what we know of the cluster is young, or that its reader has waited as long as readers wait.
pub(super) async fn look(inner: &Arc<Inner>, entity: &Arc<Entity>, session: &Session) {
    let record = entity.record();
    if record.wish != Wish::Deploy || record.stack_id.is_none() || entity.look.is_fresh(inner.limits.observe_every) {
        return;
    }
    let patience = entity.look.patience(inner.limits.patience);
    if patience.is_zero() {
        // Somebody asks already and Heat is slow: no reader adds to the queue.
        return;
    }
    let (inner, entity, session) = (Arc::clone(inner), Arc::clone(entity), session.clone());
    // In a task of its own: a reader that goes away must not end the observation for the others.
    let task = tokio::spawn(async move {
        let _asking = entity.look.asking.lock().await;
        if !entity.look.is_fresh(inner.limits.observe_every) {
            entity.look.begin();
            let error = ask(&inner, &entity, &session).await;
            entity.look.end(error);
        }
    });
    let _ = tokio::time::timeout(patience, task).await;
}

/// Asks Heat and remembers what it shows; the error's words when it does not answer.
pub(super) async fn ask(inner: &Inner, entity: &Entity, session: &Session) -> Option<String> {
    // Another process that shares the store may have gone on meanwhile.
    let record = inner.book.refresh(entity).await.ok()?;
    let id = record.stack_id.clone()?;
    let (known, stack) = (record.seen.marker.clone(), StackId { name: record.stack_name.clone(), id });
    let news = match observe(session, &record, &stack).await {
        Ok(news) => Some(news),
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            if error.is_token() {
                inner.sessions.forget(session);
            }
            tracing::warn!(cluster.id = %record.id, stack.id = %stack.id, "cannot observe `{}`: {error}", record.name);
            return Some(error.to_string());
        }
    };
    // Over what is known by now, which need not be what was known when Heat was asked.
    let take = |record: &mut Record| match &news {
        Some((shown, events)) if record.seen.marker == known => record.seen = observe::fold(&record.seen, shown, events),
        Some(_) => {}
        None => record.seen = observe::lost(&record.seen),
    };
    let after = match inner.book.change(entity, take).await {
        Ok(after) => after,
        Err(error) => return Some(error.to_string()),
    };
    if after.seen.status != record.seen.status {
        let status = after.seen.status.as_deref().unwrap_or_default();
        tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "`{}` is {status}", record.name);
    }
    None
}

/// The stack, then its events: so that what a settled stack's events say is never missed.
async fn observe(session: &Session, record: &Record, stack: &StackId) -> Result<(Stack, Vec<Event>), Error> {
    let shown = session.show_stack(stack).await?;
    let known = &record.seen;
    let settled = record.change.is_none()
        && known.status.as_deref() == Some(&shown.status)
        && !shown.status.ends_with("_IN_PROGRESS")
        && known.marker.is_some();
    let events = if settled { Vec::new() } else { session.events(stack, None, known.marker.as_deref()).await? };
    Ok((shown, events))
}
