//! What `generate` answers, made in few words. The defaults are those that most frameworks want.

use crate::{
    Artifact, Bundle, Check, Effect, Endpoint, File, Reach, Script, Secret, Service, Software,
    Stage, Unit, owned,
};

/// Where Apache's projects are downloaded from: the present releases, then all there ever were.
const APACHE: [&str; 2] = [
    "https://dlcdn.apache.org",
    "https://archive.apache.org/dist",
];
/// Permissions of a file that anybody may read.
const READABLE: u32 = 0o644;

impl Default for Bundle {
    /// Nothing at all: the rest with `..`.
    fn default() -> Self {
        Self {
            template: String::new(),
            software: Vec::new(),
            artifacts: Vec::new(),
            secrets: Vec::new(),
            files: Vec::new(),
            units: Vec::new(),
            checks: Vec::new(),
            scripts: Vec::new(),
            endpoints: Vec::new(),
            services: Vec::new(),
        }
    }
}

fn software(kind: &str, names: Vec<String>, to: &str) -> Software {
    Software {
        components: Vec::new(),
        kind: kind.to_owned(),
        names,
        to: to.to_owned(),
    }
}

/// A Java from the oldest to the newest that will do: `@{java}`.
pub fn java(oldest: u32, newest: u32) -> Software {
    software("java", vec![oldest.to_string(), newest.to_string()], "")
}

/// Packages of the distribution.
pub fn apt(packages: &[&str]) -> Software {
    software("apt", owned(packages.iter().copied()), "")
}

/// A Python environment with pinned requirements: `rich==14.0.0`, each with hashes (`--hash=sha256:...`) or none.
pub fn pip<Line: Into<String>>(to: &str, lines: impl IntoIterator<Item = Line>) -> Software {
    software("pip", lines.into_iter().map(Into::into).collect(), to)
}

impl Software {
    /// For nodes with these components alone.
    #[must_use]
    pub fn on(mut self, components: &[&str]) -> Self {
        self.components = owned(components.iter().copied());
        self
    }
}

/// A download for all machines.
pub fn archive(to: &str, path: impl Into<String>, bases: &[&str], sha512: &str) -> Artifact {
    Artifact {
        components: Vec::new(),
        path: path.into(),
        bases: owned(bases.iter().copied()),
        sha512: sha512.to_owned(),
        machine: String::new(),
        to: to.to_owned(),
    }
}

/// A release of one of Apache's projects, by its path below `dist`.
pub fn apache(to: &str, path: impl Into<String>, sha512: &str) -> Artifact {
    archive(to, path, &APACHE, sha512)
}

impl Artifact {
    /// For nodes with these components alone.
    #[must_use]
    pub fn on(mut self, components: &[&str]) -> Self {
        self.components = owned(components.iter().copied());
        self
    }

    /// For nodes whose `uname -m` says this.
    #[must_use]
    pub fn for_machine(mut self, machine: &str) -> Self {
        machine.clone_into(&mut self.machine);
        self
    }
}

/// A secret of each node, or one that all share.
pub fn secret(name: &str, shared: bool) -> Secret {
    Secret {
        name: name.to_owned(),
        shared,
    }
}

/// A file of root's that anybody may read, and whose change restarts the plugin's units.
pub fn file(path: impl Into<String>, content: impl Into<String>) -> File {
    File {
        components: Vec::new(),
        groups: Vec::new(),
        path: path.into(),
        owner: "root".to_owned(),
        mode: READABLE,
        effect: Effect::Restart,
        content: content.into(),
    }
}

impl File {
    /// For nodes with these components alone.
    #[must_use]
    pub fn on(mut self, components: &[&str]) -> Self {
        self.components = owned(components.iter().copied());
        self
    }

    /// For nodes of this group, and of others that were named before.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.groups.push(group.to_owned());
        self
    }

    /// `user` or `user:group`, and its permissions.
    #[must_use]
    pub fn owned_by(mut self, owner: &str, mode: u32) -> Self {
        owner.clone_into(&mut self.owner);
        self.mode = mode;
        self
    }

    /// What its change means to units.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}

/// A daemon of a component on all its nodes.
pub fn unit(component: &str, name: &str, owner: &str, exec: impl Into<String>) -> Unit {
    Unit {
        component: component.to_owned(),
        groups: Vec::new(),
        name: name.to_owned(),
        owner: owner.to_owned(),
        member_of: Vec::new(),
        exec: exec.into(),
        data: Vec::new(),
        directives: Vec::new(),
    }
}

impl Unit {
    /// For nodes of this group, and of others that were named before.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.groups.push(group.to_owned());
        self
    }

    /// Its owner is in these groups of the system, too.
    #[must_use]
    pub fn member_of(mut self, groups: &[&str]) -> Self {
        self.member_of.extend(owned(groups.iter().copied()));
        self
    }

    /// A folder of its data.
    #[must_use]
    pub fn with_data(mut self, folder: impl Into<String>) -> Self {
        self.data.push(folder.into());
        self
    }

    /// A line of the section `Service`.
    #[must_use]
    pub fn with(mut self, directive: &str, value: impl Into<String>) -> Self {
        self.directives.push((directive.to_owned(), value.into()));
        self
    }
}

/// Whether a component works: `tcp://:PORT`, `http://:PORT/PATH`, `exec:COMMAND`.
pub fn check(component: &str, probe: impl Into<String>) -> Check {
    Check {
        component: component.to_owned(),
        probe: probe.into(),
    }
}

/// Bash of a component.
pub fn script(component: &str, stage: Stage, body: impl Into<String>) -> Script {
    Script {
        component: component.to_owned(),
        stage,
        body: body.into(),
    }
}

/// A page on each node of a component, reached through a tunnel.
pub fn endpoint(name: &str, component: &str, port: u16, description: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        description: description.to_owned(),
        component: component.to_owned(),
        scheme: "http".to_owned(),
        port,
        path: String::new(),
        reach: Reach::Tunnel,
        secret: String::new(),
    }
}

impl Endpoint {
    /// With another scheme than `http`.
    #[must_use]
    pub fn by(mut self, scheme: &str) -> Self {
        scheme.clone_into(&mut self.scheme);
        self
    }

    /// At a path of the page.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// For those.
    #[must_use]
    pub fn reached_by(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// It asks for this secret of the plugin's.
    #[must_use]
    pub fn asking_for(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }
}

/// What others need to know to use it.
pub fn service<'a>(name: &str, attributes: impl IntoIterator<Item = (&'a str, String)>) -> Service {
    let attributes = attributes.into_iter();
    Service {
        name: name.to_owned(),
        attributes: attributes
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// Lines of a configuration, `key` and `value` with something between them.
pub fn config_lines<'a>(
    pairs: impl IntoIterator<Item = (&'a str, String)>,
    between: &str,
) -> String {
    pairs
        .into_iter()
        .map(|(key, value)| format!("{key}{between}{value}\n"))
        .collect()
}
