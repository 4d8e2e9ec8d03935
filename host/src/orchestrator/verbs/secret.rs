//! Shows a secret of a cluster to who asks for it: what an endpoint wants to know of its users. It is
//! recorded nowhere: with the caller's own rights Heat tells what the nodes signal with, of which they
//! have made it.

use secrecy::SecretString;
use serde_json::Value;

use crate::{
    cluster::{Problem, cluster_endpoint::SecretName, shared_secret::shared_secret},
    openstack::StackId,
    orchestrator::{
        Orchestrator,
        context::Caller,
        error::OrchestratorError,
        state::{node_access::secret_endpoints, status::READY_HANDLE},
        verbs::find,
    },
    store::ClusterRecord,
};

/// What is wrong is told of this argument.
const ENDPOINT: &str = "ENDPOINT";

impl Orchestrator {
    /// The secret that an endpoint of the cluster asks for; without a name that of the only one that
    /// asks for any.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where it asks for none, and where several are meant; `NotApplicable`
    /// while there is no stack; `Forbidden`, `Unauthorized`, `Cloud`: Heat does not tell it.
    pub async fn endpoint_secret(
        &self,
        caller: &Caller,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<SecretString, OrchestratorError> {
        let handle = find::find_cluster(&self.context, caller, name).await?;
        let record = handle.record();
        let secret = find_secret(&record, endpoint)?;
        let Some(id) = record.stack_id() else {
            let words = format!("`{name}` has no stack yet, so its nodes have no secret");
            return Err(OrchestratorError::NotApplicable(words));
        };
        let stack = StackId {
            name: record.stack_name.clone(),
            id: id.to_owned(),
        };
        let session = caller.session().in_region(&record.region);
        let told = session
            .resource_attribute(&stack, READY_HANDLE, "signal")
            .await?;
        let signal = told.as_ref().and_then(Value::as_str).unwrap_or_default();
        shared_secret(signal, &secret).ok_or_else(|| {
            let words = format!(
                "heat does not tell what the nodes of `{name}` signal with, so their secret is not known; `stampede ssh {name}` leads to it, in /etc/stampede/secrets"
            );
            OrchestratorError::cloud(words)
        })
    }
}

fn find_secret(
    record: &ClusterRecord,
    endpoint: Option<&str>,
) -> Result<SecretName, OrchestratorError> {
    let asking = secret_endpoints(record);
    let refuse = |message: String, hint: String| {
        let problem = Problem::new(ENDPOINT, message, hint);
        Err(OrchestratorError::Invalid(vec![problem]))
    };
    let one_of = || match asking.as_slice() {
        [] => "no endpoint of this cluster does".to_owned(),
        names => format!("one of {}", names.join(", ")),
    };
    let name = &record.name;
    let Some(endpoint) = endpoint else {
        let mut secrets: Vec<&SecretName> = Vec::new();
        for secret in record
            .endpoints
            .values()
            .filter_map(|one| one.secret.as_ref())
        {
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        return match secrets.as_slice() {
            [] => refuse(
                format!("no endpoint of `{name}` asks for a secret"),
                String::new(),
            ),
            [secret] => Ok((*secret).clone()),
            _ => refuse(
                format!("several endpoints of `{name}` ask for secrets of their own"),
                one_of(),
            ),
        };
    };
    match record.endpoints.get(endpoint) {
        None => refuse(format!("`{name}` has no endpoint `{endpoint}`"), one_of()),
        Some(found) => match &found.secret {
            Some(secret) => Ok(secret.clone()),
            None => refuse(format!("`{endpoint}` asks for no secret"), one_of()),
        },
    }
}
