//! What `describe` and `claim` answer, made in few words.

use crate::{
    Claims, Component, Descriptor, Extension, Need, Problem, owned, parameters::ParameterList,
};

/// A descriptor without versions, services, components and parameters: the rest by the methods
/// below, or with `..`.
pub fn descriptor(name: &str, title: &str, description: &str) -> Descriptor {
    Descriptor {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        versions: Vec::new(),
        requires: Vec::new(),
        uses: Vec::new(),
        provides: Vec::new(),
        components: Vec::new(),
        parameters: ParameterList::new().into_json(),
        resource_types: Vec::new(),
    }
}

impl Descriptor {
    /// Its components, in the order in which they are set up.
    #[must_use]
    pub fn with_components(mut self, components: impl IntoIterator<Item = Component>) -> Self {
        self.components = components.into_iter().collect();
        self
    }

    /// The framework's versions, the one that is taken unasked first.
    #[must_use]
    pub fn with_versions(mut self, versions: &[&str]) -> Self {
        self.versions = owned(versions.iter().copied());
        self
    }

    /// What users may set.
    #[must_use]
    pub fn with_parameters(mut self, parameters: ParameterList) -> Self {
        self.parameters = parameters.into_json();
        self
    }

    /// Services that must be there.
    #[must_use]
    pub fn requiring(mut self, services: &[&str]) -> Self {
        self.requires = owned(services.iter().copied());
        self
    }

    /// Services that it takes where they are.
    #[must_use]
    pub fn using(mut self, services: &[&str]) -> Self {
        self.uses = owned(services.iter().copied());
        self
    }

    /// Services that it brings.
    #[must_use]
    pub fn providing(mut self, services: &[&str]) -> Self {
        self.provides = owned(services.iter().copied());
        self
    }
}

/// A component on every node of these groups.
pub fn component(name: &str, groups: &[&str]) -> Component {
    Component {
        name: name.to_owned(),
        groups: owned(groups.iter().copied()),
        nodes: 0,
        most: 0,
        odd: false,
    }
}

impl Component {
    /// On so many nodes of the first of its groups that has as many.
    #[must_use]
    pub fn on_nodes(mut self, nodes: u32) -> Self {
        self.nodes = nodes;
        self
    }

    /// On no more nodes than this.
    #[must_use]
    pub fn at_most(mut self, most: u32) -> Self {
        self.most = most;
        self
    }

    /// It votes.
    #[must_use]
    pub fn voting(mut self) -> Self {
        self.odd = true;
        self
    }
}

/// A component that is to be there and needs nothing yet.
pub fn need(component: &str) -> Need {
    Need {
        component: component.to_owned(),
        least_mib: 0,
        most_mib: 0,
        weight: 0,
        disk_gib: 0,
        ports: Vec::new(),
    }
}

impl Need {
    /// The memory that it takes at least, in MiB.
    #[must_use]
    pub fn least(mut self, mib: u32) -> Self {
        self.least_mib = mib;
        self
    }

    /// The memory that it can use, in MiB.
    #[must_use]
    pub fn most(mut self, mib: u32) -> Self {
        self.most_mib = mib;
        self
    }

    /// Its weight beside others where there is more than all take at least.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// What it takes of the root disk, in GiB.
    #[must_use]
    pub fn disk(mut self, gib: u32) -> Self {
        self.disk_gib = gib;
        self
    }

    /// The ports that it listens on.
    #[must_use]
    pub fn ports(mut self, ports: &[u16]) -> Self {
        self.ports = ports.to_vec();
        self
    }
}

impl Claims {
    /// These components, and nothing of others' configuration.
    pub fn of(needs: impl IntoIterator<Item = Need>) -> Self {
        Self {
            needs: needs.into_iter().collect(),
            extensions: Vec::new(),
            computed: Vec::new(),
        }
    }

    /// What a parameter comes to that is not in the settings.
    #[must_use]
    pub fn computing(mut self, parameter: &str, value: impl ToString) -> Self {
        self.computed
            .push((parameter.to_owned(), value.to_string()));
        self
    }

    /// An addition to the configuration of whoever provides a service.
    #[must_use]
    pub fn extending(mut self, service: &str, key: &str, value: impl ToString) -> Self {
        self.extensions.push(extension(service, key, value));
        self
    }
}

/// An addition to the configuration of whoever provides a service.
pub fn extension(service: &str, key: &str, value: impl ToString) -> Extension {
    Extension {
        service: service.to_owned(),
        key: key.to_owned(),
        value: value.to_string(),
    }
}

/// A problem: the setting as the user writes it, what is wrong (a lowercase fragment), what to do
/// (may be empty).
pub fn problem(
    path: impl Into<String>,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Problem {
    Problem {
        path: path.into(),
        message: message.into(),
        hint: hint.into(),
    }
}
