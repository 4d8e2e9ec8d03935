//! An endpoint of a cluster as its record and its stack keep it: where its URL is, how it is reached,
//! and which secret it asks for, never that itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::framework_bundle::{ComponentEndpoint, EndpointReach};

/// Endpoints by their names.
pub type ClusterEndpoints = BTreeMap<String, ClusterEndpoint>;

/// An endpoint of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredEndpoint")]
pub struct ClusterEndpoint {
    /// The stack's output that holds its URL, or those of several nodes.
    pub output: String,
    /// What it is and how it is used; empty where a former version recorded it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whose it is; empty likewise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub component: String,
    /// Who may reach it at most; none likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<EndpointReach>,
    /// The secret that it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretName>,
}

/// Which secret of a cluster is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretName {
    /// Whose it is.
    pub plugin: String,
    /// What the plugin calls it.
    pub name: String,
}

impl ClusterEndpoint {
    /// One of which no more than its output is known.
    pub fn of_output(output: &str) -> Self {
        Self {
            output: output.to_owned(),
            ..Self::default()
        }
    }

    /// What a plugin says of its endpoint, which is an output of its name.
    pub fn of_plugin(plugin: &str, endpoint: &ComponentEndpoint) -> Self {
        let secret = endpoint.secret.as_ref().map(|name| SecretName {
            plugin: plugin.to_owned(),
            name: name.clone(),
        });
        Self {
            output: endpoint.name.clone(),
            description: endpoint.description.clone(),
            component: endpoint.component.clone(),
            reach: Some(endpoint.reach),
            secret,
        }
    }
}

/// The same as it is stored: former versions kept the output's name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredEndpoint {
    Output(String),
    Endpoint {
        output: String,
        #[serde(default)]
        description: String,
        #[serde(default)]
        component: String,
        #[serde(default)]
        reach: Option<EndpointReach>,
        #[serde(default)]
        secret: Option<SecretName>,
    },
}

impl From<StoredEndpoint> for ClusterEndpoint {
    fn from(stored: StoredEndpoint) -> Self {
        match stored {
            StoredEndpoint::Output(output) => Self::of_output(&output),
            StoredEndpoint::Endpoint {
                output,
                description,
                component,
                reach,
                secret,
            } => Self {
                output,
                description,
                component,
                reach,
                secret,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_former_version_kept_is_read() {
        let read: ClusterEndpoints =
            serde_json::from_value(json!({"namenode_ui": "namenode_ui"})).unwrap();
        let wanted = ClusterEndpoint::of_output("namenode_ui");
        assert_eq!(read, [("namenode_ui".to_owned(), wanted.clone())].into());
        let written = serde_json::to_value(&wanted).unwrap();
        assert_eq!(written, json!({"output": "namenode_ui"}));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let endpoint = ComponentEndpoint {
            name: "jupyterlab".to_owned(),
            description: "notebooks".to_owned(),
            component: "jupyterlab_server".to_owned(),
            scheme: "http".to_owned(),
            port: 8888,
            path: "/lab".to_owned(),
            reach: EndpointReach::Outside,
            secret: Some("token".to_owned()),
        };
        let kept = ClusterEndpoint::of_plugin("jupyterlab", &endpoint);
        let written = serde_json::to_string(&kept).unwrap();
        assert!(written.contains(r#""secret":{"plugin":"jupyterlab","name":"token"}"#));
        assert_eq!(
            serde_json::from_str::<ClusterEndpoint>(&written).unwrap(),
            kept
        );
    }
}
