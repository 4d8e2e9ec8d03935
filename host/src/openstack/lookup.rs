//! What a request is checked against: flavors, keys, images, networks, quotas.

use super::{Error, Flavor, Image, Network, Quotas, Session, session::unfinished};

impl Session {
    /// The flavors that the project may use, smallest first (memory, then processors, then disk); disabled ones left out.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn flavors(&self) -> Result<Vec<Flavor>, Error> {
        Err(unfinished())
    }

    /// The names of the user's key pairs.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn keypairs(&self) -> Result<Vec<String>, Error> {
        Err(unfinished())
    }

    /// The active images that the project sees, by name.
    ///
    /// # Errors
    /// When Glance cannot be asked.
    pub async fn images(&self) -> Result<Vec<Image>, Error> {
        Err(unfinished())
    }

    /// The image with this id, or else the one with this name, whatever its status; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several active ones bear the name.
    pub async fn find_image(&self, _name_or_id: &str) -> Result<Option<Image>, Error> {
        Err(unfinished())
    }

    /// The external networks that the project sees.
    ///
    /// # Errors
    /// When Neutron cannot be asked.
    pub async fn external_networks(&self) -> Result<Vec<Network>, Error> {
        Err(unfinished())
    }

    /// The network with this id or name; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several bear the name.
    pub async fn find_network(&self, _name_or_id: &str) -> Result<Option<Network>, Error> {
        Err(unfinished())
    }

    /// What the project may still have, of Nova and Neutron.
    ///
    /// # Errors
    /// When neither can be asked.
    pub async fn quotas(&self) -> Result<Quotas, Error> {
        Err(unfinished())
    }
}
