//! What plugins look up in a request, and in grants, again and again. Pure reading; it decides
//! nothing.

use crate::{Grant, Member, Request, Service};

impl Request {
    /// The members of a component by index; none where it is not in the cluster.
    pub fn members(&self, component: &str) -> &[Member] {
        let placement = self
            .placements
            .iter()
            .find(|placement| placement.component == component);
        placement.map_or(&[], |placement| &placement.members)
    }

    /// The names of a component's nodes by index.
    pub fn nodes<'a>(&'a self, component: &str) -> impl Iterator<Item = &'a str> {
        self.members(component)
            .iter()
            .map(|member| member.node.as_str())
    }

    /// The node of a component's lowest index.
    pub fn first_node(&self, component: &str) -> Option<&str> {
        Some(self.members(component).first()?.node.as_str())
    }

    /// A service of another plugin.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Whether the cluster has a service of another plugin.
    pub fn has_service(&self, name: &str) -> bool {
        self.service(name).is_some()
    }

    /// An attribute of a service of another plugin.
    pub fn attribute(&self, service: &str, name: &str) -> Option<&str> {
        self.service(service)?.attribute(name)
    }
}

impl Service {
    /// An attribute's value: `url`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The grants of a component, one a group.
pub fn grants_of<'a>(grants: &'a [Grant], component: &str) -> impl Iterator<Item = &'a Grant> {
    grants
        .iter()
        .filter(move |grant| grant.component == component)
}

/// The first grant of a component: for those that are in one group alone.
pub fn first_grant<'a>(grants: &'a [Grant], component: &str) -> Option<&'a Grant> {
    grants_of(grants, component).next()
}
