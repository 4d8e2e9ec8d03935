//! A plugin, ready to be asked.

use std::sync::Arc;

use tracing::{Instrument as _, info_span};

use super::GenerateError;
use super::judged_call::CallDeadline;
use super::sandbox::PluginSandbox;
use super::v0_2_0::{self, LinkedFramework};
use crate::cluster::framework_bundle::FrameworkBundle;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{FrameworkClaims, FrameworkRequest, GenerateQuestion};
use crate::system::clock::monotonic_now;

/// A plugin, compiled and linked. Each call runs in a fresh sandbox.
pub struct LoadedFramework {
    pub(super) descriptor: Arc<FrameworkDescriptor>,
    pub(super) digest: String,
    pub(super) guest: LinkedFramework,
    pub(super) sandbox: Arc<PluginSandbox>,
}

impl LoadedFramework {
    /// What it says of itself; checked when it was loaded.
    pub fn descriptor(&self) -> &FrameworkDescriptor {
        &self.descriptor
    }

    /// SHA-256 of its file, in lower-case hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it needs, of the cluster that is to be; `running` is the one that there is. Needs a
    /// tokio runtime with time.
    ///
    /// # Errors
    /// The request's problems, all at once, or that the plugin broke.
    pub async fn claim(
        &self,
        request: &FrameworkRequest,
        running: Option<&FrameworkRequest>,
    ) -> Result<FrameworkClaims, GenerateError> {
        let start = monotonic_now();
        let span = info_span!("plugin.claim", plugin = %self.descriptor.name);
        let answer = self.call_claim(request, running).instrument(span).await;
        self.sandbox.record_answer(&answer, start);
        answer
    }

    /// What it adds to the cluster. The same question gives the same bundle, byte for byte. Needs a
    /// tokio runtime with time.
    ///
    /// # Errors
    /// The request's problems, all at once, or that the plugin broke.
    pub async fn generate(
        &self,
        question: &Arc<GenerateQuestion>,
    ) -> Result<FrameworkBundle, GenerateError> {
        let start = monotonic_now();
        let nodes = question.node_groups.len();
        let span = info_span!("plugin.generate", plugin = %self.descriptor.name, nodes);
        let answer = self.call_generate(question).instrument(span).await;
        self.sandbox.record_answer(&answer, start);
        answer
    }

    async fn call_claim(
        &self,
        request: &FrameworkRequest,
        running: Option<&FrameworkRequest>,
    ) -> Result<FrameworkClaims, GenerateError> {
        self.check_request(request)?;
        let mut call = self.sandbox.begin_call().await;
        let deadline = CallDeadline::from_now(&self.sandbox);
        let asked = self.guest.claim(&mut call.store, request, running);
        let outcome = tokio::time::timeout_at(deadline.at(), asked).await;
        let descriptor = Arc::clone(&self.descriptor);
        let settings = request.settings.clone();
        let judge = move |answer| {
            v0_2_0::read_answer(answer, |claims| {
                v0_2_0::read_claims(&descriptor, &settings, claims)
            })
        };
        deadline
            .judge(call, &self.descriptor.name, outcome, judge)
            .await
    }

    async fn call_generate(
        &self,
        question: &Arc<GenerateQuestion>,
    ) -> Result<FrameworkBundle, GenerateError> {
        self.check_request(&question.request)?;
        let mut call = self.sandbox.begin_call().await;
        let deadline = CallDeadline::from_now(&self.sandbox);
        let asked = self.guest.generate(&mut call.store, question);
        let outcome = tokio::time::timeout_at(deadline.at(), asked).await;
        let (descriptor, question) = (Arc::clone(&self.descriptor), Arc::clone(question));
        let judge = move |answer| {
            v0_2_0::read_answer(answer, |bundle| {
                v0_2_0::read_bundle(&descriptor, &question, bundle)
            })
        };
        deadline
            .judge(call, &self.descriptor.name, outcome, judge)
            .await
    }

    /// What the contract promises a plugin of its settings.
    fn check_request(&self, request: &FrameworkRequest) -> Result<(), GenerateError> {
        let problems = v0_2_0::refuse_placeholders(&self.descriptor.name, request);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(GenerateError::Problems(problems))
        }
    }
}
