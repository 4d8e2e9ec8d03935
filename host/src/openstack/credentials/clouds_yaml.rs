//! Finds and reads clouds.yaml, secure.yaml and clouds-public.yaml as openstacksdk does: the first
//! file that is there and can be read counts, and secure.yaml is laid over clouds.yaml.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    client_environment::ClientEnvironment,
    setting_value::{SettingMap, SettingValue, parse_json, parse_yaml},
};
use crate::openstack::{CloudError, error::SettingProblem};

/// Bytes of a clouds.yaml; more is some other file.
const FILE_BYTES: u64 = 1 << 20;

/// What is written in the user's files.
pub(super) struct CloudFiles {
    /// By name, what secure.yaml says laid over.
    pub(super) clouds: SettingMap,
    /// The clouds.yaml that was read.
    pub(super) file: Option<PathBuf>,
    /// Where it was looked for.
    pub(super) searched: Vec<PathBuf>,
    /// Files that are there and cannot be used, and why.
    pub(super) skipped: Vec<CloudError>,
}

impl CloudFiles {
    /// Reads the files of this environment.
    ///
    /// # Errors
    /// [`CloudError::Credentials`] when a file is a YAML that lists no clouds.
    pub(super) fn load(env: &ClientEnvironment) -> Result<Self, CloudError> {
        let clouds = FoundFile::search("clouds", Some("OS_CLIENT_CONFIG_FILE"), env);
        let secure = FoundFile::search("secure", Some("OS_CLIENT_SECURE_FILE"), env);
        let mut skipped = clouds.skipped;
        skipped.extend(secure.skipped);
        let mut content = SettingMap::default();
        for (path, value) in [&clouds.found, &secure.found].into_iter().flatten() {
            match value {
                SettingValue::Map(map) => content.merge_deep(map.clone()),
                value if value.is_null() => {}
                _ => return Err(wrong(path, "is no clouds.yaml: it has no key `clouds`")),
            }
        }
        let file = clouds.found.or(secure.found).map(|(path, _)| path);
        let clouds_of = |value: Option<SettingValue>| match (value, &file) {
            (None, _) => Ok(SettingMap::default()),
            (Some(SettingValue::Map(map)), _) => Ok(map),
            (Some(value), _) if value.is_null() => Ok(SettingMap::default()),
            (Some(_), Some(path)) => Err(wrong(path, "is no clouds.yaml: `clouds` is no map")),
            (Some(_), None) => Ok(SettingMap::default()),
        };
        Ok(Self {
            clouds: clouds_of(content.remove("clouds"))?,
            file,
            searched: clouds.searched,
            skipped,
        })
    }

    /// The name of the file, for messages.
    pub(super) fn file_name(&self) -> String {
        match &self.file {
            Some(path) => path.display().to_string(),
            None => "clouds.yaml".to_owned(),
        }
    }

    /// What to say where a cloud is not found: the files that were passed over.
    pub(super) fn skipped_files(&self) -> String {
        self.skipped
            .iter()
            .map(|error| format!("; passed over: {error}"))
            .collect()
    }
}

/// The profile of this name in the user's clouds-public.yaml.
pub(super) fn public_cloud(name: &str, env: &ClientEnvironment) -> Option<SettingMap> {
    let (_, file) = FoundFile::search("clouds-public", None, env).found?;
    let profiles = file.as_map()?.get("public-clouds")?.as_map()?;
    profiles.get(name)?.as_map().cloned()
}

/// The first of the files of one kind that can be read.
struct FoundFile {
    found: Option<(PathBuf, SettingValue)>,
    searched: Vec<PathBuf>,
    skipped: Vec<CloudError>,
}

impl FoundFile {
    fn search(stem: &str, variable: Option<&str>, env: &ClientEnvironment) -> Self {
        let named = variable.and_then(|name| env.get(name)).map(PathBuf::from);
        let usual = env.config_dirs().into_iter().flat_map(|dir| {
            ["yaml", "yml", "json"].map(|ending| dir.join(format!("{stem}.{ending}")))
        });
        let searched: Vec<_> = named.into_iter().chain(usual).collect();
        let mut skipped = Vec::new();
        for path in &searched {
            match read_file(path) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let found = Some((path.clone(), value));
                    return Self {
                        found,
                        searched,
                        skipped,
                    };
                }
                Err(error) => {
                    tracing::warn!("{error}; it is passed over");
                    skipped.push(error);
                }
            }
        }
        Self {
            found: None,
            searched,
            skipped,
        }
    }
}

fn wrong(path: &Path, what: &str) -> CloudError {
    CloudError::credentials(format!("{} {what}", path.display()))
}

/// `None` where there is no file.
fn read_file(path: &Path) -> Result<Option<SettingValue>, CloudError> {
    let unreadable = |error: io::Error| {
        let message = format!("{} cannot be read: {error}", path.display());
        CloudError::Credentials(SettingProblem::with_source(message, error))
    };
    let size = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(None),
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if size > FILE_BYTES {
        let what =
            format!("has {size} bytes, more than the limit of {FILE_BYTES} for a clouds.yaml");
        return Err(wrong(path, &what));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let parsed = if path.extension().is_some_and(|ending| ending == "json") {
        parse_json(&text)
    } else {
        parse_yaml(&text)
    };
    // The parser's words are neither shown nor kept: they may quote a password.
    parsed.map(Some).map_err(|error| {
        let what = format!(
            "is no clouds.yaml: wrong YAML at line {}, column {}",
            error.line, error.column
        );
        wrong(path, &what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_parsed_is_named_with_the_place_but_not_quoted() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("clouds.yaml");
        let text = "clouds:\n  one:\n    auth:\n      password: [hunter2\n";
        std::fs::write(&file, text).expect("write");
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
        let error = read_file(&file).err().expect("refused").to_string();
        assert!(error.contains("limit"), "{error}");
    }
}
