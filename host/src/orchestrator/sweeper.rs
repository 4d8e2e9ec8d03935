//! Lets go of what has had its time, also in a host that nobody calls: clusters at rest, validations
//! of tokens, sessions whose token has expired, groups, and old requests in the journal. Looks at the
//! ends of clusters.

use std::sync::{Arc, atomic::Ordering};

use futures_util::future::BoxFuture;

use super::{context::Context, state::request_settlement::settle_left};
use crate::system::clock::wall_now;

/// Begins to look now and then, at the ends of clusters by `follow_ends`, once in a host's life and for
/// as long as it lives.
pub(crate) fn start_sweeper(
    context: &Arc<Context>,
    follow_ends: fn(Arc<Context>) -> BoxFuture<'static, ()>,
) {
    if context.state.is_swept.swap(true, Ordering::Relaxed) {
        return;
    }
    let (every, context) = (context.state.limits.sweep_every, Arc::downgrade(context));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            let Some(context) = context.upgrade() else {
                return;
            };
            sweep(&context);
            prune_journal(&context).await;
            follow_ends(context).await;
        }
    });
}

fn sweep(context: &Context) {
    let state = &context.state;
    let in_use = state.registry.let_go();
    let sessions = state.sessions.let_go(wall_now());
    let tokens = context.client.forget_old_tokens();
    context
        .groups
        .let_go(state.clock.monotonic_now(), state.limits.rest);
    tracing::debug!(
        in_use,
        sessions,
        tokens,
        "what had its time has left memory"
    );
}

/// Forgets requests that have had their time, and settles those that a host has left, now and then.
async fn prune_journal(context: &Context) {
    let (state, limits) = (&context.state, &context.state.limits.journal);
    let now_s = state.clock.unix_now_s();
    let last_s = state.pruned_s.load(Ordering::Relaxed);
    if now_s.saturating_sub(last_s) < limits.prune_every.as_secs() {
        return;
    }
    state.pruned_s.store(now_s, Ordering::Relaxed);
    settle_left(state.registry.store(), now_s, None).await;
    match state.registry.store().prune_requests(now_s, limits).await {
        Ok(dropped) => tracing::debug!(dropped, "the journal has let go of old requests"),
        Err(error) => tracing::warn!("the journal keeps what has had its time: {error}"),
    }
}
