//! The JSON of Heat's answers, and its conversion to the types of `types`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{HeatStack, StackEvent, StackOutput, StackResource, session::ListPage};

#[derive(Deserialize)]
pub(super) struct CreateStackResponse {
    pub(super) stack: CreatedStack,
}

#[derive(Deserialize)]
pub(super) struct CreatedStack {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct ShowStackResponse {
    pub(super) stack: RawStack,
}

#[derive(Deserialize)]
pub(super) struct StacksResponse {
    stacks: Vec<RawStack>,
}

impl ListPage for StacksResponse {
    type Item = RawStack;

    fn items(self) -> Vec<RawStack> {
        self.stacks
    }

    fn id(item: &RawStack) -> &str {
        &item.id
    }
}

#[derive(Deserialize)]
pub(super) struct RawStack {
    id: String,
    stack_name: String,
    stack_status: String,
    stack_status_reason: Option<String>,
    #[serde(default)]
    outputs: Vec<RawOutput>,
    #[serde(default)]
    parameters: Map<String, Value>,
    tags: Option<Vec<String>>,
    description: Option<String>,
    creation_time: Option<String>,
    updated_time: Option<String>,
}

#[derive(Deserialize)]
struct RawOutput {
    output_key: String,
    #[serde(default)]
    output_value: Value,
    description: Option<String>,
    output_error: Option<String>,
}

impl From<RawStack> for HeatStack {
    fn from(raw: RawStack) -> Self {
        Self {
            id: raw.id,
            name: raw.stack_name,
            status: raw.stack_status,
            status_reason: raw.stack_status_reason.unwrap_or_default(),
            outputs: raw.outputs.into_iter().map(StackOutput::from).collect(),
            parameters: raw.parameters,
            tags: raw.tags.unwrap_or_default(),
            description: raw.description.unwrap_or_default(),
            created: raw.creation_time,
            updated: raw.updated_time,
        }
    }
}

impl From<RawOutput> for StackOutput {
    fn from(raw: RawOutput) -> Self {
        let (key, value, error) = (raw.output_key, raw.output_value, raw.output_error);
        Self {
            key,
            value,
            description: raw.description.unwrap_or_default(),
            error,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ResourcesResponse {
    pub(super) resources: Vec<RawResource>,
}

#[derive(Deserialize)]
pub(super) struct RawResource {
    resource_name: String,
    resource_type: String,
    resource_status: String,
    resource_status_reason: Option<String>,
    physical_resource_id: Option<String>,
    updated_time: Option<String>,
}

impl From<RawResource> for StackResource {
    fn from(raw: RawResource) -> Self {
        Self {
            name: raw.resource_name,
            kind: raw.resource_type,
            status: raw.resource_status,
            status_reason: raw.resource_status_reason.unwrap_or_default(),
            physical_id: raw.physical_resource_id.unwrap_or_default(),
            updated: raw.updated_time,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct EventsResponse {
    events: Vec<RawEvent>,
}

impl ListPage for EventsResponse {
    type Item = RawEvent;

    fn items(self) -> Vec<RawEvent> {
        self.events
    }

    fn id(item: &RawEvent) -> &str {
        &item.id
    }
}

#[derive(Deserialize)]
pub(super) struct RawEvent {
    id: String,
    resource_name: String,
    resource_status: String,
    resource_status_reason: Option<String>,
    event_time: String,
}

impl From<RawEvent> for StackEvent {
    fn from(raw: RawEvent) -> Self {
        let reason = raw.resource_status_reason.unwrap_or_default();
        Self {
            id: raw.id,
            resource: raw.resource_name,
            status: raw.resource_status,
            reason,
            time: raw.event_time,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct MetadataResponse {
    #[serde(default)]
    pub(super) metadata: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct ShowResourceResponse {
    pub(super) resource: ShownResource,
}

#[derive(Deserialize)]
pub(super) struct ShownResource {
    /// As it comes: an error of its form would quote it, and it may hold a secret.
    #[serde(default)]
    pub(super) attributes: Value,
}
