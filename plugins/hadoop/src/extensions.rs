//! What other frameworks want of Hadoop's configuration: which keys there are, and what cannot go
//! together.
//!
//! | service | key | value |
//! |---|---|---|
//! | `hdfs` | `core-site/PROPERTY`, `hdfs-site/PROPERTY` | its value |
//! | `yarn` | `yarn-site/PROPERTY`, `capacity-scheduler/PROPERTY` | its value |
//! | `yarn` | `aux-service/NAME` | the class of a service inside each NodeManager |
//! | either | `java/oldest`, `java/newest` | the Java that it needs at least, at most |

use std::collections::BTreeMap;

use stampede_framework::{Extension, Problem, problem};

use crate::{
    owned_properties::find_owned,
    releases::HadoopRelease,
    xml::{SiteProperties, is_expressible},
};

/// The property that lists the services inside a NodeManager.
pub const AUX_SERVICES: &str = "yarn.nodemanager.aux-services";

/// A configuration file, and the service whose extensions reach it.
const FILES: [(&str, &str); 4] = [
    ("core-site", "hdfs"),
    ("hdfs-site", "hdfs"),
    ("yarn-site", "yarn"),
    ("capacity-scheduler", "yarn"),
];

/// What all of them come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteExtensions {
    /// Properties by file.
    properties: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// Further services inside each NodeManager, in the order of the plugins.
    pub aux_services: Vec<String>,
    /// The oldest and the newest Java that will do.
    pub java: (u32, u32),
}

/// Reads them.
///
/// # Errors
/// All that Hadoop does not know, owns itself, or is asked for in two ways.
pub fn read_extensions(
    extensions: &[Extension],
    release: &HadoopRelease,
) -> Result<SiteExtensions, Vec<Problem>> {
    let mut read = SiteExtensions {
        properties: BTreeMap::new(),
        aux_services: Vec::new(),
        java: release.java,
    };
    let mut problems = Vec::new();
    for extension in extensions {
        if let Err(why) = read.add(extension) {
            problems.push(refused(&why));
        }
    }
    let (oldest, newest) = read.java;
    if oldest > newest {
        let (own_oldest, own_newest) = release.java;
        problems.push(problem(
            "hadoop.version",
            format!(
                "Hadoop {} runs on Java {own_oldest} to {own_newest}, and with what other frameworks need no Java from \
                 {oldest} to {newest} is left",
                release.version
            ),
            "take another version of one of them",
        ));
    }
    if problems.is_empty() {
        Ok(read)
    } else {
        Err(problems)
    }
}

impl SiteExtensions {
    fn add(&mut self, extension: &Extension) -> Result<(), String> {
        let Extension {
            service,
            key,
            value,
        } = extension;
        let unknown = || format!("Hadoop's `{service}` knows no extension `{key}`");
        let (kind, name) = key.split_once('/').ok_or_else(unknown)?;
        match (kind, name) {
            ("java", "oldest") => self.java.0 = self.java.0.max(java_of(key, value)?),
            ("java", "newest") => self.java.1 = self.java.1.min(java_of(key, value)?),
            ("aux-service", name) if service == "yarn" => {
                if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                {
                    return Err(format!(
                        "`{key}`: a service of YARN's is of letters, digits and `_`"
                    ));
                }
                self.add_aux_service(name);
                self.set("yarn-site", &format!("{AUX_SERVICES}.{name}.class"), value)?;
            }
            ("yarn-site", AUX_SERVICES) if service == "yarn" => {
                for name in value
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                {
                    self.add_aux_service(name);
                }
            }
            (file, name) => {
                let known = FILES
                    .iter()
                    .find(|(known, of)| *known == file && of == service);
                let (file, _) = known.ok_or_else(unknown)?;
                self.set(file, name, value)?;
            }
        }
        Ok(())
    }

    fn add_aux_service(&mut self, name: &str) {
        if !self.aux_services.iter().any(|known| known == name) {
            self.aux_services.push(name.to_owned());
        }
    }

    fn set(&mut self, file: &'static str, name: &str, value: &str) -> Result<(), String> {
        if name.trim().is_empty() || !is_expressible(name) || !is_expressible(value) {
            return Err(format!(
                "Hadoop's {file}.xml cannot carry the property {name:?}"
            ));
        }
        if let Some(owned) = find_owned(name) {
            return Err(format!("`{name}` is not free: {}", owned.reason));
        }
        let known = self.properties.entry(file).or_default();
        match known.insert(name.to_owned(), value.to_owned()) {
            Some(other) if other != value => Err(format!(
                "two frameworks want `{name}` of Hadoop: `{other}` and `{value}`"
            )),
            _ => Ok(()),
        }
    }

    /// Adds a file's properties to Hadoop's own.
    ///
    /// # Errors
    /// One that Hadoop sets otherwise itself.
    pub fn apply(&self, file: &str, site: &mut SiteProperties) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, value) in self.properties.get(file).into_iter().flatten() {
            match site.get(name) {
                Some(own) if own != value => problems.push(refused(&format!(
                    "Hadoop sets `{name}` to `{own}` itself, and a framework wants `{value}`"
                ))),
                _ => {
                    site.set(name, value);
                }
            }
        }
        problems
    }
}

fn java_of(key: &str, value: &str) -> Result<u32, String> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..1_000).contains(number));
    number.ok_or_else(|| format!("`{key}` is a number, and not `{value}`"))
}

fn refused(why: &str) -> Problem {
    problem("framework", why, "leave one of the frameworks out")
}
