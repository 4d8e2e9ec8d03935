//! Who is asking, for which project, and the catalog.

use std::time::SystemTime;

use super::{Error, Project, User};

/// A validated token with its project. Cheap to clone; `Debug` never shows the token.
#[derive(Clone, Debug)]
pub struct Session {
    project: Project,
    user: User,
    roles: Vec<String>,
}

impl Session {
    /// The token's project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The token's user.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The names of the user's roles in the project.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Whether the token was got by an application credential, which cannot create the trust that Heat needs.
    pub fn application_credential(&self) -> bool {
        false
    }

    /// When the token ends, where Keystone says so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        None
    }

    /// The region whose endpoints are used, for names in renderings.
    pub fn region(&self) -> &str {
        ""
    }

    /// Whether the catalog has a service of this type in our region: `cloudformation`, `object-store`.
    pub fn has_service(&self, _service_type: &str) -> bool {
        false
    }
}

pub(super) fn unfinished() -> Error {
    Error::Config("not written yet".to_owned())
}
