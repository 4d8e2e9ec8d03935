//! GET of the secret that an endpoint asks for: its digits alone, as text. It is made for each request
//! anew, and cached nowhere.

use secrecy::ExposeSecret as _;

use super::super::cluster_service::ClusterService;
use super::super::render::text_response;
use super::context::{HandlerContext, HandlerResult, entity_error};

/// GET of a secret of the caller's cluster of that name.
pub(super) async fn get_secret<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    cluster: &str,
    endpoint: &str,
) -> HandlerResult {
    let secret = context
        .clusters
        .endpoint_secret(&context.caller, cluster, Some(endpoint))
        .await
        .map_err(|error| entity_error(error, cluster))?;
    let body = format!("{}\n", secret.expose_secret());
    Ok(text_response(body))
}
