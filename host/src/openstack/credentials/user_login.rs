//! What a person types to sign in, as Keystone is asked. Reads no file and no variable.

use secrecy::SecretString;

use super::{AuthMethod, CredentialRef, DomainRef, LoginScope, ProjectRef, UserRef};

/// The id that Keystone gives the domain that is there from the start.
const FIRST_DOMAIN_ID: &str = "default";

/// Who signs in, and for which project.
#[derive(Clone)]
pub struct UserLogin {
    auth: AuthMethod,
    scope: LoginScope,
}

impl UserLogin {
    /// By password. Domains are named; an empty one is the cloud's first for the user, and the
    /// user's for the project. Without a project it is the user's default one.
    pub fn with_password(
        (user, user_domain): (&str, &str),
        password: SecretString,
        (project, project_domain): (&str, &str),
    ) -> Self {
        let user_domain = domain(user_domain);
        let project_domain = match project_domain {
            "" => user_domain.clone(),
            name => domain(name),
        };
        Self {
            auth: AuthMethod::Password {
                user: UserRef::Name(user.to_owned(), user_domain),
                password,
            },
            scope: match project {
                "" => LoginScope::Unnamed,
                name => LoginScope::Project(ProjectRef::Name(name.to_owned(), project_domain)),
            },
        }
    }

    /// By an application credential's id and secret, for the project that it is of.
    pub fn with_application_credential(id: &str, secret: SecretString) -> Self {
        Self {
            auth: AuthMethod::ApplicationCredential {
                credential: CredentialRef::Id(id.to_owned()),
                secret,
            },
            scope: LoginScope::Unnamed,
        }
    }

    /// By a token that the user has, whose project it is.
    pub fn with_token(token: SecretString) -> Self {
        Self {
            auth: AuthMethod::Token { token },
            scope: LoginScope::Unnamed,
        }
    }

    pub(in crate::openstack) fn auth(&self) -> &AuthMethod {
        &self.auth
    }

    pub(in crate::openstack) fn scope(&self) -> &LoginScope {
        &self.scope
    }
}

fn domain(name: &str) -> DomainRef {
    match name {
        "" => DomainRef::Id(FIRST_DOMAIN_ID.to_owned()),
        name => DomainRef::Name(name.to_owned()),
    }
}
