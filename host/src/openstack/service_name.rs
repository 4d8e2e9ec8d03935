//! The OpenStack services that are called, by the names that messages, spans and metrics give them.

/// A service of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceName {
    /// Identity.
    Keystone,
    /// Orchestration.
    Heat,
    /// Compute.
    Nova,
    /// Images.
    Glance,
    /// Networks.
    Neutron,
    /// Volumes.
    Cinder,
}

impl ServiceName {
    /// All of them, for one time series each.
    pub const ALL: [Self; 6] = [
        Self::Keystone,
        Self::Heat,
        Self::Nova,
        Self::Glance,
        Self::Neutron,
        Self::Cinder,
    ];

    /// In lower case: `heat`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keystone => "keystone",
            Self::Heat => "heat",
            Self::Nova => "nova",
            Self::Glance => "glance",
            Self::Neutron => "neutron",
            Self::Cinder => "cinder",
        }
    }
}
