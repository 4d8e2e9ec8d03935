//! Lets go of what has had its time, also in a host that nobody calls: clusters at rest, validations
//! of tokens, sessions whose token has expired, groups; and looks at the ends of clusters.

use std::sync::{Arc, atomic::Ordering};

use futures_util::future::BoxFuture;

use super::context::Context;
use crate::system::clock::wall_now;

/// Begins to look now and then, at the ends of clusters by `follow_ends`, once in a host's life and for as long as it lives.
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
