//! Puts off the end of a cluster, or takes it away.

use http::Response;

use super::answer::{PageError, redirect};
use super::cluster_view::path_part;
use super::request::SignedIn;
use crate::answer::AnswerBody;
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::end_time::EXPIRES;

/// Gives it another one.
pub(super) async fn change(
    signed_in: &SignedIn,
    name: &str,
) -> Result<Response<AnswerBody>, PageError> {
    let form = signed_in.request.form()?;
    let said = match form.get("other") {
        "" => form.get(EXPIRES),
        other => other,
    };
    let given = vec![(format!("{PREFIX}{EXPIRES}"), said.to_owned())];
    let orchestrator = &signed_in.state.orchestrator;
    orchestrator.update(&signed_in.caller, name, given).await?;
    let path = format!("/clusters/{}", path_part(name));
    Ok(redirect(&signed_in.request.path(&path)))
}
