//! The life of a cluster: what the faces call. It plans, acts on the cloud, observes, and remembers. It knows no HTTP,
//! no OCCI and no HTML.
//!
//! Layout
//! - [`decide`]: the next step (pure)
//! - [`observe`]: what Heat shows, in words (pure)
//! - [`view`]: what the faces are shown
//! - [`refused`]: why a wish was not taken

pub mod decide;
pub mod observe;
pub mod refused;
pub mod view;

use secrecy::SecretString;

use crate::cluster::framework::Descriptor;

pub use refused::Refused;
pub use view::{Phase, Requested, View};

/// The life of all clusters. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Orchestrator {}

/// Who asks: one user in one project, proved by a token.
#[derive(Clone)]
pub struct Caller {
    project_id: String,
    project_name: String,
}

impl Caller {
    /// The project's id.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The project's name.
    pub fn project_name(&self) -> &str {
        &self.project_name
    }
}

/// Names and texts of clients: attribute and value.
pub type Attributes = Vec<(String, String)>;

impl Orchestrator {
    /// Proves that the token is good for the project (its name or id).
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden` (another project's token), `Cloud` (Keystone cannot be asked).
    pub async fn authenticate(&self, token: SecretString, project: &str) -> Result<Caller, Refused> {
        let _ = (token, project);
        Err(pending())
    }

    /// OCCI's PUT: the entity is there afterwards. On an existing one nothing changes and the attributes are dropped.
    ///
    /// # Errors
    /// `Invalid`, `TooMany`.
    pub async fn request(&self, caller: &Caller, name: &str, attributes: Attributes) -> Result<Requested, Refused> {
        let _ = (caller, name, attributes);
        Err(pending())
    }

    /// One cluster, observed at most once a second however many ask.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn view(&self, caller: &Caller, name: &str) -> Result<View, Refused> {
        let _ = (caller, name);
        Err(pending())
    }

    /// All clusters of the caller's project, by name.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<View>, Refused> {
        let _ = caller;
        Err(pending())
    }

    /// Plans, checks everything with the cloud, and has Heat create the stack before it returns.
    ///
    /// # Errors
    /// `NotFound`, `NotApplicable` (deployed already), `Invalid` (all problems, nothing was created), `Cloud`.
    pub async fn deploy(&self, caller: &Caller, name: &str, attributes: Attributes) -> Result<View, Refused> {
        let _ = (caller, name, attributes);
        Err(pending())
    }

    /// The last step of hurtle's life cycle: allowed once, after deploy.
    ///
    /// # Errors
    /// `NotFound`, `NotApplicable`, `Invalid`.
    pub async fn provision(&self, caller: &Caller, name: &str, attributes: Attributes) -> Result<View, Refused> {
        let _ = (caller, name, attributes);
        Err(pending())
    }

    /// Merges attributes. What cannot be changed in a running cluster is refused by name and nothing is changed.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`.
    pub async fn update(&self, caller: &Caller, name: &str, attributes: Attributes) -> Result<View, Refused> {
        let _ = (caller, name, attributes);
        Err(pending())
    }

    /// Takes the cluster away: Heat is asked before it returns, and the entity is gone for clients.
    ///
    /// # Errors
    /// `NotFound`, `Cloud` (the wish is kept and tried again).
    pub async fn delete(&self, caller: &Caller, name: &str) -> Result<(), Refused> {
        let _ = (caller, name);
        Err(pending())
    }

    /// The frameworks that can be asked for, by name; for OCCI's query interface and for forms.
    pub fn frameworks(&self) -> Vec<&Descriptor> {
        Vec::new()
    }

    /// Whether requests can be served: plugins are loaded and the store answers.
    ///
    /// # Errors
    /// `Internal` with what is not ready.
    pub async fn ready(&self) -> Result<(), Refused> {
        Err(pending())
    }
}

fn pending() -> Refused {
    Refused::Cloud("not built yet".to_owned())
}
