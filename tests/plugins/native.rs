//! A question of the host's in the plugin's own types, so that the same code is asked natively.

use stampede::cluster::component::ComponentPlacement;
use stampede::cluster::framework_request::{FrameworkRequest, GenerateQuestion};
use stampede_framework::{Bundle, Extension, Grant, Guest, Member, Placement, Problem, Request};

/// What the same plugin, compiled for this machine, answers.
pub(crate) fn generate_natively<Plugin: Guest>(
    question: &GenerateQuestion,
) -> Result<Bundle, Vec<Problem>> {
    let grants = question.grants.iter().map(|one| Grant {
        component: one.component.clone(),
        group: one.group.clone(),
        vcpus: one.vcpus,
        memory_mib: one.memory_mib,
        disk_gib: one.disk_gib,
        volume_gib: one.volume_gib,
    });
    let extensions = question.extensions.iter().map(|one| Extension {
        service: one.service.clone(),
        key: one.key.clone(),
        value: one.value.clone(),
    });
    let request = native_request(&question.request);
    Plugin::generate(request, grants.collect(), extensions.collect())
}

fn native_request(request: &FrameworkRequest) -> Request {
    let placement = |one: &ComponentPlacement| Placement {
        component: one.component.clone(),
        members: one
            .members
            .iter()
            .map(|member| Member {
                node: member.node.clone(),
                index: member.index,
            })
            .collect(),
    };
    let services = request.services.iter();
    Request {
        cluster: request.cluster.clone(),
        version: request.version.clone(),
        settings: serde_json::Value::Object(request.settings.clone()).to_string(),
        placements: request.placements.iter().map(placement).collect(),
        services: services
            .map(|one| stampede_framework::Service {
                name: one.name.clone(),
                attributes: one.attributes.clone(),
            })
            .collect(),
    }
}
