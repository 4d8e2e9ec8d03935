//! Finds and parses clouds.yaml and secure.yaml, merges them, and looks up one cloud's settings by
//! name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{CloudError, error::SettingProblem};

/// Bytes of a clouds.yaml; more is some other file.
const FILE_BYTES: u64 = 1 << 20;

/// One cloud's settings.
pub(super) struct CloudSettings {
    name: String,
    file: PathBuf,
    entry: CloudEntry,
}

#[derive(Deserialize)]
struct CloudsFile {
    #[serde(default)]
    clouds: BTreeMap<String, CloudEntry>,
}

/// Scalars are read as they are written, whatever type YAML would give them: a password may be
/// `0123`.
#[derive(Clone, Default, Deserialize)]
struct CloudEntry {
    #[serde(default)]
    auth: BTreeMap<String, Option<String>>,
    #[serde(alias = "auth-type")]
    auth_type: Option<String>,
    #[serde(alias = "region-name", alias = "region")]
    region_name: Option<String>,
    interface: Option<String>,
    #[serde(alias = "endpoint-type")]
    endpoint_type: Option<String>,
    cacert: Option<String>,
    verify: Option<String>,
    insecure: Option<String>,
}

impl CloudEntry {
    fn top(&self, key: &str) -> Option<&Option<String>> {
        Some(match key {
            "auth_type" => &self.auth_type,
            "region_name" => &self.region_name,
            "interface" => &self.interface,
            "endpoint_type" => &self.endpoint_type,
            "cacert" => &self.cacert,
            "verify" => &self.verify,
            "insecure" => &self.insecure,
            _ => return None,
        })
    }

    fn merge(&mut self, secure: Self) {
        self.auth
            .extend(secure.auth.into_iter().filter(|(_, value)| value.is_some()));
    }
}

impl CloudSettings {
    /// The setting, from the cloud's top level or its `auth`.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        match self.entry.top(key) {
            Some(value) => value.clone(),
            None => self
                .entry
                .auth
                .get(key)
                .or_else(|| self.entry.auth.get(&key.replace('_', "-")))
                .cloned()
                .flatten(),
        }
    }

    /// How to name the setting to the user.
    pub(super) fn describe(&self, key: &str) -> String {
        let key = if self.entry.top(key).is_some() {
            key.to_owned()
        } else {
            format!("auth.{key}")
        };
        format!(
            "`{key}` of cloud `{}` in {}",
            self.name,
            self.file.display()
        )
    }
}

/// The cloud of this name, or the only one.
pub(super) fn load_cloud(
    name: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<CloudSettings, CloudError> {
    let wrong = |message: String| Err(CloudError::credentials(message));
    let candidates = candidates("clouds", env("OS_CLIENT_CONFIG_FILE"), env("HOME"));
    let Some(file) = candidates.iter().find(|path| path.is_file()).cloned() else {
        let searched = candidates
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join(", ");
        return wrong(format!(
            "there is neither OS_AUTH_URL nor a clouds.yaml (searched: {searched}); set OS_* or write one"
        ));
    };
    let mut clouds = read_file(&file)?.clouds;
    let all = clouds.keys().cloned().collect::<Vec<_>>().join(", ");
    let name = match (name, clouds.len()) {
        (Some(name), _) => name.to_owned(),
        (None, 1) => all.clone(),
        (None, _) => {
            return wrong(format!(
                "{} has the clouds {all}; choose one with OS_CLOUD or --os-cloud",
                file.display()
            ));
        }
    };
    let Some(mut entry) = clouds.remove(&name) else {
        return wrong(format!(
            "{} has no cloud `{name}`; it has: {all}",
            file.display()
        ));
    };
    let secure = self::candidates("secure", env("OS_CLIENT_SECURE_FILE"), env("HOME"));
    if let Some(secure) = secure.iter().find(|path| path.is_file())
        && let Some(secret) = read_file(secure)?.clouds.remove(&name)
    {
        entry.merge(secret);
    }
    Ok(CloudSettings { name, file, entry })
}

/// Where OpenStack's own clients look; a file named outright is the only one.
fn candidates(stem: &str, named: Option<String>, home: Option<String>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![PathBuf::from(named)];
    }
    let folders = [
        Some(PathBuf::from(".")),
        home.map(|home| Path::new(&home).join(".config/openstack")),
        Some("/etc/openstack".into()),
    ];
    let names = [format!("{stem}.yaml"), format!("{stem}.yml")];
    folders
        .into_iter()
        .flatten()
        .flat_map(|folder| names.clone().map(|name| folder.join(name)))
        .collect()
}

fn read_file(file: &Path) -> Result<CloudsFile, CloudError> {
    let wrong = |what: String| CloudError::credentials(format!("{} {what}", file.display()));
    let unreadable = |error: std::io::Error| {
        let message = format!("{} cannot be read: {error}", file.display());
        CloudError::Credentials(SettingProblem::with_source(message, error))
    };
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > FILE_BYTES {
        return Err(wrong(format!(
            "has {size} bytes, more than the limit of {FILE_BYTES} for a clouds.yaml"
        )));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    // The parser's error may quote the lines around, and with them a password: it is neither shown
    // nor kept as a source.
    serde_saphyr::from_str(&text).map_err(|e| {
        let place = e
            .location()
            .map(|at| format!(" at line {}, column {}", at.line(), at.column()))
            .unwrap_or_default();
        wrong(format!("is no clouds.yaml: wrong YAML{place}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_parsed_is_named_with_the_place_but_not_quoted() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("clouds.yaml");
        std::fs::write(
            &file,
            "clouds:\n  one:\n    auth:\n      password: [hunter2\n",
        )
        .expect("write");
        let message = read_file(&file).err().expect("refused").to_string();
        assert!(
            message.contains("clouds.yaml")
                && message.contains("line")
                && !message.contains("hunter2"),
            "{message}"
        );
    }

    #[test]
    fn a_file_of_the_limit_is_read_and_one_above_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("clouds.yaml");
        let limit = usize::try_from(FILE_BYTES).expect("small");
        let text = |bytes: usize| format!("clouds: {{}} #{}\n", "x".repeat(bytes - 13));
        assert_eq!(text(limit).len(), limit);
        std::fs::write(&file, text(limit)).expect("write");
        assert!(read_file(&file).is_ok());
        std::fs::write(&file, text(limit + 1)).expect("write");
        assert!(
            read_file(&file)
                .err()
                .expect("refused")
                .to_string()
                .contains("limit")
        );
    }
}
