//! Carries a request out, again where what it was decided on was changed meanwhile.

use std::sync::Arc;

use crate::orchestrator::{context::Context, error::OrchestratorError};

/// Carries a request out, again where what it was decided on was changed meanwhile by somebody else;
/// to its end, even when whoever asked goes away in the middle.
pub(super) async fn decide_again<T: Send + 'static, F>(
    context: &Arc<Context>,
    mut decide: impl FnMut(Arc<Context>) -> F + Send + 'static,
) -> Result<T, OrchestratorError>
where
    F: Future<Output = Result<T, OrchestratorError>> + Send + 'static,
{
    let context = Arc::clone(context);
    let work = async move {
        for _ in 0..context.state.limits.decisions {
            match decide(Arc::clone(&context)).await {
                Err(OrchestratorError::Outdated(name)) => {
                    tracing::info!("`{name}` was changed by somebody else meanwhile");
                }
                other => return other,
            }
        }
        Err(OrchestratorError::Busy { retry_after_s: 1 })
    };
    let failed = "the host failed at this request; its log says why";
    tokio::spawn(work)
        .await
        .unwrap_or_else(|_| Err(OrchestratorError::internal(failed)))
}
