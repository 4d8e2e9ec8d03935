//! Parameters of a plugin: deserialized by serde to the plugin's own type, and the two keywords by
//! which a plugin tells the host how they change. Bounds and defaults stand in the JSON Schema of
//! the descriptor, which the host applies first.

use serde::de::DeserializeOwned;

use crate::{Problem, Request, problem};

/// A keyword of a parameter's JSON Schema: `"x-stampede-fixed": true` says that the parameter is
/// fixed with the cluster, as a volume's size is. The host refuses an update that changes it, by
/// the parameter's name.
pub const FIXED_KEYWORD: &str = "x-stampede-fixed";
/// A keyword of the whole JSON Schema: the oldest and the newest Java that each version runs on,
/// `{"3.5.0": [17, 17]}`. The host refuses images whose distribution packages none of these.
pub const JAVA_KEYWORD: &str = "x-stampede-java";
/// What the name of a service's attribute begins with to say what the plugin has computed for a
/// parameter that was left open: `setting.replication` = `2`. The host keeps that value while nodes
/// come and go, unless the user sets another.
pub const KEPT_SETTING_PREFIX: &str = "setting.";

/// The request's settings as the plugin's own type. `plugin` is the name that problems begin with.
///
/// # Errors
/// One problem when the settings do not have the type's shape: the host's schema check makes that a
/// mistake of the plugin, unless it is called without a host.
pub fn read_settings<T: DeserializeOwned>(
    plugin: &str,
    request: &Request,
) -> Result<T, Vec<Problem>> {
    serde_json::from_str(&request.settings).map_err(|error| {
        vec![problem(
            plugin,
            format!("cannot read the settings: {error}"),
            "",
        )]
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Network;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Settings {
        replication: u32,
    }

    fn request(settings: &str) -> Request {
        Request {
            cluster: "one".into(),
            version: String::new(),
            groups: vec![],
            settings: settings.into(),
            network: Network {
                cidr: "10.77.0.0/22".into(),
                external: None,
                access: vec![],
            },
            mirror: None,
            proxy: None,
            key: None,
            signal_transport: "CFN_SIGNAL".into(),
            timeout_s: 60,
            services: vec![],
            taken: vec![],
        }
    }

    #[test]
    fn settings_are_typed_and_a_wrong_type_is_a_problem_of_the_plugin() {
        assert_eq!(
            read_settings::<Settings>("hadoop", &request(r#"{"replication":2}"#)),
            Ok(Settings { replication: 2 })
        );
        let problems =
            read_settings::<Settings>("hadoop", &request(r#"{"replication":"two"}"#)).unwrap_err();
        assert_eq!(problems[0].path, "hadoop");
        assert!(
            problems[0].message.contains("invalid type: string \"two\""),
            "{}",
            problems[0].message
        );
    }
}
