//! Which page of a form a path is of. Pure.

use http::Method;

/// A page of a form, or what its buttons ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormPath {
    /// The form for a new cluster.
    New,
    /// The same, filled from a file.
    Import,
    /// What would be made.
    Preview,
    /// A file of that, by its name.
    PreviewFile(String),
    /// Makes it.
    Create,
    /// What this cluster was asked for, as a file.
    Export(String),
    /// The form for a change of this cluster.
    Change(String),
    /// Makes the change.
    Apply(String),
    /// What an upgrade of this cluster would change.
    Upgrade(String),
    /// Begins it.
    BeginUpgrade(String),
}

impl FormPath {
    /// The page of a path behind the base of all pages: `/new`, `/clusters/demo/change`.
    pub fn from_path(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let name = |name: &str| name.to_owned();
        Some(match parts.as_slice() {
            ["new"] => Self::New,
            ["new", "import"] => Self::Import,
            ["new", "preview"] => Self::Preview,
            ["new", "file", file] => Self::PreviewFile(name(file)),
            ["new", "create"] => Self::Create,
            ["clusters", cluster, "request.toml"] => Self::Export(name(cluster)),
            ["clusters", cluster, "change"] => Self::Change(name(cluster)),
            ["clusters", cluster, "change", "apply"] => Self::Apply(name(cluster)),
            ["clusters", cluster, "upgrade"] => Self::Upgrade(name(cluster)),
            ["clusters", cluster, "upgrade", "begin"] => Self::BeginUpgrade(name(cluster)),
            _ => return None,
        })
    }

    /// The path of the form itself, behind the base of all pages.
    pub fn form(&self) -> String {
        match self {
            Self::New
            | Self::Import
            | Self::Preview
            | Self::PreviewFile(_)
            | Self::Create
            | Self::Export(_) => "/new".to_owned(),
            Self::Change(cluster) | Self::Apply(cluster) => format!("/clusters/{cluster}/change"),
            Self::Upgrade(cluster) | Self::BeginUpgrade(cluster) => {
                format!("/clusters/{cluster}/upgrade")
            }
        }
    }

    /// How it is asked for.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Self::New | Self::Change(_) => &[Method::GET, Method::POST],
            Self::Export(_) | Self::Upgrade(_) => &[Method::GET],
            Self::Import
            | Self::Preview
            | Self::PreviewFile(_)
            | Self::Create
            | Self::Apply(_)
            | Self::BeginUpgrade(_) => &[Method::POST],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_one_page_or_of_none() {
        let of = FormPath::from_path;
        assert_eq!(of("/new"), Some(FormPath::New));
        assert_eq!(of("/new/create").unwrap().methods(), [Method::POST]);
        assert_eq!(of("/new/create").unwrap().form(), "/new");
        let apply = of("/clusters/demo/change/apply").unwrap();
        assert_eq!(apply.form(), "/clusters/demo/change");
        let file = Some(FormPath::PreviewFile("node-worker.sh".to_owned()));
        assert_eq!(of("/new/file/node-worker.sh"), file);
        assert_eq!(
            of("/clusters/demo/change"),
            Some(FormPath::Change("demo".to_owned()))
        );
        let upgrade = of("/clusters/demo/upgrade").unwrap();
        assert_eq!(upgrade, FormPath::Upgrade("demo".to_owned()));
        assert_eq!(upgrade.methods(), [Method::GET]);
        let begin = of("/clusters/demo/upgrade/begin").unwrap();
        assert_eq!(begin, FormPath::BeginUpgrade("demo".to_owned()));
        assert_eq!(begin.methods(), [Method::POST]);
        // Who signs in again is shown it, and begins nothing by that.
        assert_eq!(begin.form(), "/clusters/demo/upgrade");
        for none in [
            "",
            "/",
            "/new/",
            "/new/x",
            "/clusters/demo",
            "/clusters/demo/change/x",
            "/clusters/demo/upgrade/",
            "/clusters/demo/upgrade/apply",
            "new",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
