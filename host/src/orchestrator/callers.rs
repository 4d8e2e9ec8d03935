//! Who asks: takes tokens and logins, and has what waits for a user go on with them.

use secrecy::SecretString;

use super::{Orchestrator, context::Caller, error::OrchestratorError, reconcile, sweeper};
use crate::openstack::{CloudSession, UserLogin};

impl Orchestrator {
    /// Checks with Keystone that the token is good for the project (its name or id).
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden` (another project's token), `Cloud` (Keystone cannot be asked).
    pub async fn authenticate(
        &self,
        token: SecretString,
        project: &str,
    ) -> Result<Caller, OrchestratorError> {
        let session = self.context.client.session(token, project).await?;
        self.register_session(session).await
    }

    /// The same, with the same errors, for the project that the token is scoped to.
    pub async fn authenticate_scoped(
        &self,
        token: SecretString,
    ) -> Result<Caller, OrchestratorError> {
        let session = self.context.client.own_session(token).await?;
        self.register_session(session).await
    }

    /// Takes what a user signs in with.
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden` (a token of no project), `Cloud` (Keystone cannot be asked).
    pub async fn sign_in(&self, login: &UserLogin) -> Result<Caller, OrchestratorError> {
        let session = self.context.client.login_user(login).await?;
        self.register_session(session).await
    }

    /// Ends the caller's token: what waits for it goes on with the next one.
    ///
    /// # Errors
    /// `Cloud`: Keystone cannot be asked, and the token lasts until its time is up.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), OrchestratorError> {
        self.context.state.sessions.forget_session(&caller.session);
        Ok(self.context.client.revoke(&caller.session).await?)
    }

    /// A caller who has logged in already; for the command line.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub async fn register_session(
        &self,
        session: CloudSession,
    ) -> Result<Caller, OrchestratorError> {
        sweeper::start_sweeper(&self.context);
        if self.context.state.sessions.remember_session(&session) {
            let project = &session.project().id;
            if let Err(error) =
                Box::pin(reconcile::worker::resume_project(&self.context, project)).await
            {
                tracing::warn!(
                    "cannot go on with what is pending in project {project}, its next request tries again: {error}"
                );
                self.context.state.sessions.forget_session(&session);
                self.context
                    .state
                    .sessions
                    .add_waits([(project.clone(), None)]);
            }
        }
        Ok(Caller { session })
    }

    /// A caller who only looks: nothing that is pending goes on with the session.
    pub fn read_only_caller(&self, session: CloudSession) -> Caller {
        Caller { session }
    }

    /// Whether no service has refused the caller's login: what waits for this user goes on with it.
    pub fn knows_session(&self, caller: &Caller) -> bool {
        self.context.state.sessions.knows(&caller.session)
    }
}
