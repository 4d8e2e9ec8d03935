//! What the `openstack` client reads of the process that it runs in: variables, the user's home and
//! the working folder. A value, so that tests and services can read credentials as another process
//! would.

use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::system::environment;

/// The system's list of users, with their homes.
const USERS: &str = "/etc/passwd";

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

    /// A path as the user writes it: `~` is the home, `~name` another user's. Where the system knows
    /// no such user, it stays as it is.
    pub(super) fn expand_home(&self, path: &str) -> PathBuf {
        let expand = || {
            let (user, rest) = path.strip_prefix('~').map(|behind| {
                let end = behind.find('/').unwrap_or(behind.len());
                behind.split_at(end)
            })?;
            let home = if user.is_empty() {
                self.home()?
            } else {
                UserEntry::Named(user).find_home()?
            };
            Some(home.join(rest.trim_start_matches('/')))
        };
        expand().unwrap_or_else(|| PathBuf::from(path))
    }

    /// The user's home: `HOME`, or where there is none what the system says.
    fn home(&self) -> Option<PathBuf> {
        let named = self.get("HOME").map(PathBuf::from);
        named.or_else(|| UserEntry::OfProcess.find_home())
    }

    /// The folders of OpenStack's configuration, the first one first.
    pub(super) fn config_dirs(&self) -> Vec<PathBuf> {
        let home = |base: &str| self.get(base).map(PathBuf::from);
        let dot_config = |home: PathBuf| home.join(".config");
        let user = home("XDG_CONFIG_HOME").or_else(|| self.home().map(dot_config));
        let unix = home("SNAP_REAL_HOME")
            .or_else(|| self.home())
            .map(dot_config);
        let sites = self.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
        let mut sites = sites.split(':').filter(|dir| !dir.trim().is_empty());
        // Of several the client makes one path, where nothing is: what is in them must not be taken
        // for a cloud that the client does not see.
        let site = sites.next().filter(|_| sites.next().is_none());
        let mut dirs = vec![self.working_dir.clone()];
        dirs.extend(user.map(|dir| dir.join("openstack")));
        dirs.extend(unix.map(|dir| dir.join("openstack")));
        dirs.extend(site.map(|dir| Path::new(dir).join("openstack")));
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

/// A line of the system's list of users.
enum UserEntry<'a> {
    Named(&'a str),
    OfProcess,
}

impl UserEntry<'_> {
    fn find_home(&self) -> Option<PathBuf> {
        let users = std::fs::read_to_string(USERS).ok()?;
        self.home_in(&users)
    }

    fn home_in(&self, users: &str) -> Option<PathBuf> {
        let uid = match self {
            Self::Named(_) => None,
            Self::OfProcess => Some(std::fs::metadata("/proc/self").ok()?.uid().to_string()),
        };
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, id) = (fields.next()?, fields.nth(1)?);
            let home = fields.nth(2).filter(|home| !home.is_empty())?;
            let is_meant = match self {
                Self::Named(wanted) => *wanted == name,
                Self::OfProcess => uid.as_deref() == Some(id),
            };
            is_meant.then(|| PathBuf::from(home))
        })
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
                "/etc/openstack"
            ]
        );
        let one = [("HOME", "/h"), ("XDG_CONFIG_DIRS", ":/a:")];
        assert_eq!(
            dirs(&one),
            [
                ".",
                "/h/.config/openstack",
                "/a/openstack",
                "/etc/openstack"
            ]
        );
    }

    #[test]
    fn a_tilde_is_the_home_at_the_beginning_alone() {
        let at = |path: &str| environment(&[("HOME", "/h")]).expand_home(path);
        assert_eq!(at("~/ca.pem"), PathBuf::from("/h/ca.pem"));
        assert_eq!(at("~"), PathBuf::from("/h"));
        assert_eq!(at("/a/~/b"), PathBuf::from("/a/~/b"));
        assert_eq!(
            at("~nobody-has-this-name/ca.pem"),
            PathBuf::from("~nobody-has-this-name/ca.pem")
        );
        assert_eq!(at("~root/ca.pem"), PathBuf::from("/root/ca.pem"));
    }

    #[test]
    fn the_system_says_whose_home_is_where() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nodd\nann:x:1000:1000::/home/a:/bin/sh\nnone:x:9:9:::\n";
        let home = |name: &str| UserEntry::Named(name).home_in(users);
        assert_eq!(home("ann"), Some("/home/a".into()));
        assert_eq!(home("root"), Some("/root".into()));
        for nowhere in ["none", "odd", "", "an"] {
            assert_eq!(home(nowhere), None, "{nowhere}");
        }
    }
}
