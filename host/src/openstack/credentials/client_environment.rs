//! What the `openstack` client reads of the process that it runs in: variables, the user's home and
//! the working folder. A value, so that tests and services can read credentials as another process
//! would.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::system::environment;

/// Variables and the working folder.
#[derive(Clone)]
pub struct ClientEnvironment {
    variables: BTreeMap<String, String>,
    working_dir: PathBuf,
}

impl ClientEnvironment {
    /// This process's.
    pub fn of_process() -> Self {
        let texts = environment::read_all().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::new(texts, ".")
    }

    /// These variables, in this folder.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        working_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            working_dir: working_dir.into(),
        }
    }

    /// The variable; an empty one is as good as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All variables of OpenStack's clients.
    pub(super) fn openstack_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter();
        variables.filter_map(|(name, value)| Some((name.strip_prefix("OS_")?, value.as_str())))
    }

    /// A path as the user writes it, with `~` for the home.
    pub(super) fn expand_home(&self, path: &str) -> PathBuf {
        let home = self.get("HOME");
        match (home, path.strip_prefix('~')) {
            (Some(home), Some("")) => PathBuf::from(home),
            (Some(home), Some(rest)) if rest.starts_with('/') => {
                Path::new(home).join(rest.trim_start_matches('/'))
            }
            _ => PathBuf::from(path),
        }
    }

    /// The folders of OpenStack's configuration, the first one first.
    pub(super) fn config_dirs(&self) -> Vec<PathBuf> {
        let home = |base: &str| self.get(base).map(PathBuf::from);
        let dot_config = |home: PathBuf| home.join(".config");
        let user = home("XDG_CONFIG_HOME").or_else(|| home("HOME").map(dot_config));
        let unix = home("SNAP_REAL_HOME")
            .or_else(|| home("HOME"))
            .map(dot_config);
        let sites = self.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
        let sites = sites.split(':').filter(|dir| !dir.is_empty());
        let mut dirs = vec![self.working_dir.clone()];
        dirs.extend(user.map(|dir| dir.join("openstack")));
        dirs.extend(unix.map(|dir| dir.join("openstack")));
        dirs.extend(sites.map(|dir| Path::new(dir).join("openstack")));
        dirs.push("/etc/openstack".into());
        let mut seen = Vec::new();
        dirs.retain(|dir| {
            !seen.contains(dir) && {
                seen.push(dir.clone());
                true
            }
        });
        dirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> ClientEnvironment {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ClientEnvironment::new(variables, ".")
    }

    #[test]
    fn configuration_is_looked_for_where_the_openstack_client_does() {
        let dirs = |variables: &[(&str, &str)]| {
            environment(variables)
                .config_dirs()
                .iter()
                .map(|dir| dir.display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            dirs(&[("HOME", "/h")]),
            [
                ".",
                "/h/.config/openstack",
                "/etc/xdg/openstack",
                "/etc/openstack"
            ]
        );
        assert_eq!(
            dirs(&[
                ("HOME", "/h"),
                ("XDG_CONFIG_HOME", "/x"),
                ("XDG_CONFIG_DIRS", "/a:/b")
            ]),
            [
                ".",
                "/x/openstack",
                "/h/.config/openstack",
                "/a/openstack",
                "/b/openstack",
                "/etc/openstack"
            ]
        );
        assert_eq!(dirs(&[]), [".", "/etc/xdg/openstack", "/etc/openstack"]);
    }

    #[test]
    fn a_tilde_is_the_home_at_the_beginning_alone() {
        let at = |path: &str| environment(&[("HOME", "/h")]).expand_home(path);
        assert_eq!(at("~/ca.pem"), PathBuf::from("/h/ca.pem"));
        assert_eq!(at("~"), PathBuf::from("/h"));
        assert_eq!(at("/a/~/b"), PathBuf::from("/a/~/b"));
        assert_eq!(at("~other/ca.pem"), PathBuf::from("~other/ca.pem"));
        assert_eq!(
            environment(&[]).expand_home("~/ca.pem"),
            PathBuf::from("~/ca.pem")
        );
    }
}
