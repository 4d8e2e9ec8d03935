//! Calls guests of version 0.2.0 of the contract, and reads their answers into the host's types. The
//! only place that knows its types; what cannot be read is told in full, and nothing is made of it.
//!
//! Layout
//! - `descriptor` with `parameters`, `claims`, `bundle` with `bundle_judge` and `node_things`: the three answers
//! - `forms`: names, paths, owners and addresses; `limits`: how much there may be

mod bundle;
mod bundle_judge;
mod claims;
mod descriptor;
mod forms;
mod limits;
mod node_things;
mod parameters;
#[cfg(test)]
mod tests;

use serde_json::Value;
use wasmtime::component::{Component, Linker};
use wasmtime::{Result, Store};

use self::bindings::PluginPre;
use self::bindings::exports::stampede::framework::framework as wit;
pub(super) use self::bundle::read_bundle;
pub(super) use self::claims::read_claims;
pub(super) use self::descriptor::read_descriptor;
use super::ContractBreach;
use super::sandbox::GuestState;
use crate::bundle::placeholders::PLACEHOLDER_START;
use crate::cluster::Problem;
use crate::cluster::framework_request::{
    ComponentGrant, ConfigExtension, FrameworkRequest, GenerateQuestion,
};

mod bindings {
    wasmtime::component::bindgen!({ world: "plugin", path: "../wit/framework/0.2.0", exports: { default: async } });
}

/// A component that speaks this version, linked and ready to be instantiated for each call.
pub(super) struct LinkedFramework(PluginPre<GuestState>);

/// What `claim` and `generate` give: an answer, or what is wrong with the request.
pub(super) type FrameworkAnswer<T> = std::result::Result<T, Vec<wit::Problem>>;

impl LinkedFramework {
    pub(super) fn new(linker: &Linker<GuestState>, component: &Component) -> Result<Self> {
        Ok(Self(PluginPre::new(linker.instantiate_pre(component)?)?))
    }

    pub(super) async fn describe(&self, store: &mut Store<GuestState>) -> Result<wit::Descriptor> {
        let plugin = self.0.instantiate_async(&mut *store).await?;
        let guest = plugin.stampede_framework_framework();
        guest.call_describe(store).await
    }

    pub(super) async fn claim(
        &self,
        store: &mut Store<GuestState>,
        request: &FrameworkRequest,
        running: Option<&FrameworkRequest>,
    ) -> Result<FrameworkAnswer<wit::Claims>> {
        let plugin = self.0.instantiate_async(&mut *store).await?;
        let guest = plugin.stampede_framework_framework();
        let running = running.map(to_request);
        guest
            .call_claim(store, &to_request(request), running.as_ref())
            .await
    }

    pub(super) async fn generate(
        &self,
        store: &mut Store<GuestState>,
        question: &GenerateQuestion,
    ) -> Result<FrameworkAnswer<wit::Bundle>> {
        let plugin = self.0.instantiate_async(&mut *store).await?;
        let guest = plugin.stampede_framework_framework();
        let grants: Vec<wit::Grant> = question.grants.iter().map(to_grant).collect();
        let extensions: Vec<wit::Extension> =
            question.extensions.iter().map(to_extension).collect();
        let request = to_request(&question.request);
        guest
            .call_generate(store, &request, &grants, &extensions)
            .await
    }
}

/// An answer that was read, or the problems.
pub(super) fn read_answer<Theirs, Ours>(
    answer: FrameworkAnswer<Theirs>,
    read: impl FnOnce(Theirs) -> std::result::Result<Ours, ContractBreach>,
) -> std::result::Result<std::result::Result<Ours, Vec<Problem>>, ContractBreach> {
    match answer {
        Ok(theirs) => read(theirs).map(Ok),
        Err(problems) => descriptor::read_problems(problems).map(Err),
    }
}

/// Settings in which a node would see a placeholder: a plugin writes them into files.
pub(super) fn refuse_placeholders(plugin: &str, request: &FrameworkRequest) -> Vec<Problem> {
    let holds = |setting: &&(&String, &Value)| holds_placeholder(setting.1);
    let settings = request.settings.iter();
    let settings: Vec<(&String, &Value)> = settings.collect();
    let found = settings.iter().filter(holds);
    found
        .map(|(name, _)| {
            Problem::new(
                format!("{plugin}.{name}"),
                format!("holds `{PLACEHOLDER_START}`, which nodes take for something of their own"),
                "write it in another way",
            )
        })
        .collect()
}

fn holds_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(PLACEHOLDER_START),
        Value::Array(items) => items.iter().any(holds_placeholder),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key.contains(PLACEHOLDER_START) || holds_placeholder(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn to_request(request: &FrameworkRequest) -> wit::Request {
    let placements = request.placements.iter().map(|placement| wit::Placement {
        component: placement.component.clone(),
        members: placement
            .members
            .iter()
            .map(|member| wit::Member {
                node: member.node.clone(),
                index: member.index,
            })
            .collect(),
    });
    let services = request.services.iter().map(|service| wit::Service {
        name: service.name.clone(),
        attributes: service.attributes.clone(),
    });
    wit::Request {
        cluster: request.cluster.clone(),
        version: request.version.clone(),
        settings: Value::Object(request.settings.clone()).to_string(),
        placements: placements.collect(),
        services: services.collect(),
    }
}

fn to_grant(grant: &ComponentGrant) -> wit::Grant {
    wit::Grant {
        component: grant.component.clone(),
        group: grant.group.clone(),
        vcpus: grant.vcpus,
        memory_mib: grant.memory_mib,
        disk_gib: grant.disk_gib,
        volume_gib: grant.volume_gib,
    }
}

fn to_extension(extension: &ConfigExtension) -> wit::Extension {
    wit::Extension {
        service: extension.service.clone(),
        key: extension.key.clone(),
        value: extension.value.clone(),
    }
}
