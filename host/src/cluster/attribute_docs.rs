//! What each of Stampede's own attributes is when nobody says anything, and what it may be: for
//! people, from the same constants that requests are read with.

use super::{
    attributes::{DEFAULT_CIDR, DEFAULT_FRAMEWORK, DEFAULT_TIMEOUT_S, DEFAULT_WORKERS},
    limits,
};

/// About one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeDoc {
    /// `integer`, `string`.
    pub kind: &'static str,
    /// Its value when neither request nor operator gives one, in words where it is found in the
    /// cloud.
    pub default: String,
    /// What it may be; empty where there is no bound to name.
    pub range: String,
}

/// About the attribute of this name, without `stampede.`; nothing about one that is not Stampede's
/// own.
pub fn about(name: &str) -> AttributeDoc {
    let (kind, default, range) = match name {
        "framework" => (
            "string",
            DEFAULT_FRAMEWORK.to_owned(),
            format!("1 to {} of the plugins", limits::MAX_FRAMEWORKS),
        ),
        "framework.version" => (
            "string",
            "the framework's own".to_owned(),
            "one of the plugin's versions".to_owned(),
        ),
        "workers" => (
            "integer",
            DEFAULT_WORKERS.to_string(),
            format!("{} to {}", limits::MIN_WORKERS, limits::MAX_WORKERS),
        ),
        "workers.remove" => (
            "string",
            "the last ones".to_owned(),
            "names of workers, in an update".to_owned(),
        ),
        "master.flavor" | "worker.flavor" => {
            ("string", "the smallest that fits".to_owned(), in_cloud())
        }
        "image" => ("string", "a Debian, else an Ubuntu".to_owned(), in_cloud()),
        "key" => ("string", "none".to_owned(), in_cloud()),
        "network.external" => ("string", "the only or default one".to_owned(), in_cloud()),
        "network.cidr" => (
            "string",
            DEFAULT_CIDR.to_owned(),
            format!(
                "private, /{} to /{}",
                limits::MIN_PREFIX,
                limits::MAX_PREFIX
            ),
        ),
        "network.access" => (
            "string",
            "nobody".to_owned(),
            format!("0 to {} networks", limits::MAX_ACCESS_CIDRS),
        ),
        "mirror" => ("string", "the framework's own".to_owned(), url()),
        "proxy" => ("string", "none".to_owned(), url()),
        "timeout" => (
            "integer",
            DEFAULT_TIMEOUT_S.to_string(),
            format!("{} to {}", limits::MIN_TIMEOUT_S, limits::MAX_TIMEOUT_S),
        ),
        _ => return AttributeDoc::default(),
    };
    AttributeDoc {
        kind,
        default,
        range,
    }
}

fn in_cloud() -> String {
    format!("up to {} characters", limits::MAX_CLOUD_NAME_CHARS)
}

fn url() -> String {
    format!("http(s), up to {} bytes", limits::MAX_URL_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{AttributeNames, OperatorDefaults, attribute_names::OWN, attributes};

    #[test]
    fn every_attribute_of_our_own_has_a_default_and_a_range() {
        for (name, _) in OWN {
            let about = about(name);
            assert!(
                !about.kind.is_empty() && !about.default.is_empty() && !about.range.is_empty(),
                "{name}"
            );
        }
        assert_eq!(about("hadoop.replication"), AttributeDoc::default());
    }

    #[test]
    fn what_is_told_is_what_requests_are_read_with() {
        let words = AttributeNames::default();
        let read = |name: &str, value: &str| {
            let given = [("stampede.framework", "cluster"), (name, value)]
                .map(|(n, v)| (n.to_owned(), v.to_owned()));
            attributes::parse("demo", &given, &OperatorDefaults::default(), &words)
                .map_err(|problems| problems.into_iter().map(|p| p.path).collect())
        };
        for name in ["workers", "timeout"] {
            let told = about(name).range;
            let (least, most) = told.split_once(" to ").unwrap();
            let is_taken = |number: u32| {
                let problems: Vec<String> = read(&format!("stampede.{name}"), &number.to_string())
                    .err()
                    .unwrap_or_default();
                !problems.iter().any(|path| path == name)
            };
            let (least, most): (u32, u32) = (least.parse().unwrap(), most.parse().unwrap());
            assert_eq!(
                [least - 1, least, most, most + 1].map(is_taken),
                [false, true, true, false],
                "{name}"
            );
        }
    }
}
