//! Calls guests of version 0.1.0 of the contract, and converts its types to and from those that the
//! host speaks. The only place that knows them.

use serde_json::Value;
use wasmtime::component::{Component, Linker};
use wasmtime::{Result, Store};

use self::bindings::PluginPre;
use self::bindings::exports::stampede::framework::framework as wit;
use super::ContractBreach;
use super::counts::{self, check_counts, check_length};
use super::sandbox::GuestState;
use crate::bundle::{NodeScript, PluginBundle, PluginFile, ScriptStage};
use crate::cluster::Problem;
use crate::cluster::framework::{self as host, PortAudience, RoleCardinality};

mod bindings {
    wasmtime::component::bindgen!({ world: "plugin", path: "../wit/framework/0.1.0", exports: { default: async } });
}

/// A component that speaks this version, linked and ready to be instantiated for each call.
pub(super) struct LinkedGuest(PluginPre<GuestState>);

/// What `generate` gives: a bundle, or what is wrong with the request.
pub(super) type GuestAnswer = std::result::Result<wit::Bundle, Vec<wit::Problem>>;

impl LinkedGuest {
    pub(super) fn new(linker: &Linker<GuestState>, component: &Component) -> Result<Self> {
        Ok(Self(PluginPre::new(linker.instantiate_pre(component)?)?))
    }

    pub(super) async fn describe(&self, store: &mut Store<GuestState>) -> Result<wit::Descriptor> {
        let plugin = self.0.instantiate_async(&mut *store).await?;
        plugin
            .stampede_framework_framework()
            .call_describe(store)
            .await
    }

    pub(super) async fn generate(
        &self,
        store: &mut Store<GuestState>,
        request: &host::PluginRequest,
    ) -> Result<GuestAnswer> {
        let plugin = self.0.instantiate_async(&mut *store).await?;
        plugin
            .stampede_framework_framework()
            .call_generate(store, &to_request(request))
            .await
    }
}

/// The host's descriptor, or what in it breaks the contract.
pub(super) fn from_descriptor(
    theirs: wit::Descriptor,
) -> std::result::Result<host::PluginDescriptor, ContractBreach> {
    check_counts(&[
        ("versions", theirs.versions.len(), counts::PARTS),
        (
            "services that it requires",
            theirs.requires.len(),
            counts::PARTS,
        ),
        ("services", theirs.provides.len(), counts::PARTS),
        ("roles", theirs.roles.len(), counts::PARTS),
        ("ports", theirs.ports.len(), counts::ITEMS),
        ("resource types", theirs.resource_types.len(), counts::PARTS),
    ])?;
    check_length("parameters are", &theirs.parameters, counts::SCHEMA_BYTES)?;
    let parameters: Value =
        serde_json::from_str(&theirs.parameters).map_err(|source| ContractBreach::NotJson {
            what: "parameters are",
            source,
        })?;
    let roles = theirs.roles.into_iter().map(|role| host::NodeRole {
        name: role.name,
        cardinality: match role.cardinality {
            wit::Cardinality::ExactlyOne => RoleCardinality::ExactlyOne,
            wit::Cardinality::OneOrMore => RoleCardinality::OneOrMore,
            wit::Cardinality::Odd => RoleCardinality::Odd,
        },
        smallest: host::NodeResources {
            vcpus: role.smallest.vcpus,
            ram_mib: role.smallest.ram_mib,
            disk_gib: role.smallest.disk_gib,
        },
    });
    let ports = theirs.ports.into_iter().map(|port| host::FrameworkPort {
        number: port.number,
        role: port.role,
        purpose: port.purpose,
        audience: from_audience(port.audience),
    });
    Ok(host::PluginDescriptor {
        name: theirs.name,
        title: theirs.title,
        description: theirs.description,
        versions: theirs.versions,
        default_version: theirs.default_version,
        requires: theirs.requires,
        provides: theirs.provides,
        roles: roles.collect(),
        parameters: parameters.into(),
        ports: ports.collect(),
        resource_types: theirs.resource_types,
    })
}

/// The host's part, the problems, or what breaks the contract.
pub(super) fn from_answer(
    plugin: &str,
    answer: GuestAnswer,
) -> std::result::Result<std::result::Result<PluginBundle, Vec<Problem>>, ContractBreach> {
    let bundle = match answer {
        Ok(bundle) => bundle,
        Err(problems) => {
            return Ok(Err(problems
                .into_iter()
                .map(|p| Problem::new(p.path, p.message, p.hint))
                .collect()));
        }
    };
    check_bundle_counts(&bundle)?;
    let template: Value =
        serde_json::from_str(&bundle.template).map_err(|source| ContractBreach::NotJson {
            what: "template is",
            source,
        })?;
    let files = bundle.files.into_iter().map(|file| PluginFile {
        roles: file.roles,
        path: file.path,
        mode: file.mode,
        content: file.content,
    });
    let scripts = bundle.scripts.into_iter().map(|script| NodeScript {
        role: script.role,
        stage: match script.stage {
            wit::Stage::Setup => ScriptStage::Setup,
            wit::Stage::Ready => ScriptStage::Ready,
            wit::Stage::Smoke => ScriptStage::Smoke,
            wit::Stage::Drain => ScriptStage::Drain,
        },
        name: script.name,
        body: script.body,
    });
    let endpoints = bundle
        .endpoints
        .into_iter()
        .map(|endpoint| host::FrameworkEndpoint {
            name: endpoint.name,
            description: endpoint.description,
            role: endpoint.role,
            scheme: endpoint.scheme,
            port: endpoint.port,
            path: endpoint.path,
            audience: from_audience(endpoint.audience),
        });
    let services = bundle.services.into_iter().map(|s| host::ProvidedService {
        name: s.name,
        plugin: s.plugin,
        node: s.node,
        attributes: s.attributes,
    });
    let taken = bundle.taken.into_iter().map(|t| host::ResourceClaim {
        role: t.role,
        plugin: t.plugin,
        memory_mib: t.memory_mib,
        ports: t.ports,
    });
    Ok(Ok(PluginBundle {
        plugin: plugin.to_owned(),
        template,
        files: files.collect(),
        scripts: scripts.collect(),
        endpoints: endpoints.collect(),
        services: services.collect(),
        taken: taken.collect(),
    }))
}

fn check_bundle_counts(bundle: &wit::Bundle) -> std::result::Result<(), ContractBreach> {
    let roles = bundle.files.iter().map(|file| file.roles.len());
    let attributes = bundle.services.iter().map(|one| one.attributes.len());
    let ports = bundle.taken.iter().map(|share| share.ports.len());
    check_counts(&[
        ("files", bundle.files.len(), counts::FILES),
        ("roles of files", roles.sum(), counts::ITEMS),
        ("scripts", bundle.scripts.len(), counts::PARTS),
        ("endpoints", bundle.endpoints.len(), counts::PARTS),
        ("services", bundle.services.len(), counts::PARTS),
        ("attributes of services", attributes.sum(), counts::ITEMS),
        ("shares", bundle.taken.len(), counts::PARTS),
        ("ports of shares", ports.sum(), counts::ITEMS),
    ])?;
    check_length("template is", &bundle.template, counts::TEMPLATE_BYTES)
}

fn from_audience(audience: wit::Audience) -> PortAudience {
    match audience {
        wit::Audience::Cluster => PortAudience::Cluster,
        wit::Audience::Admin => PortAudience::Admin,
        wit::Audience::Public => PortAudience::Public,
    }
}

fn to_request(request: &host::PluginRequest) -> wit::Request {
    let services = request.services.iter().map(|service| wit::Service {
        name: service.name.clone(),
        plugin: service.plugin.clone(),
        node: service.node.clone(),
        attributes: service.attributes.clone(),
    });
    let taken = request.taken.iter().map(|share| wit::Share {
        role: share.role.clone(),
        plugin: share.plugin.clone(),
        memory_mib: share.memory_mib,
        ports: share.ports.clone(),
    });
    wit::Request {
        cluster: request.cluster.clone(),
        version: request.version.clone(),
        groups: request.groups.iter().map(to_group).collect(),
        settings: Value::Object(request.settings.clone()).to_string(),
        network: wit::Network {
            cidr: request.network.cidr.clone(),
            external: request.network.external.clone(),
            access: request.network.access.clone(),
        },
        mirror: request.mirror.clone(),
        proxy: request.proxy.clone(),
        key: request.key.clone(),
        signal_transport: request.signal_transport.clone(),
        timeout_s: request.timeout_s,
        services: services.collect(),
        taken: taken.collect(),
    }
}

fn to_group(group: &host::NodeGroup) -> wit::NodeGroup {
    let flavor = &group.flavor;
    wit::NodeGroup {
        role: group.role.clone(),
        flavor: wit::Flavor {
            name: flavor.name.clone(),
            vcpus: flavor.vcpus,
            ram_mib: flavor.ram_mib,
            disk_gib: flavor.disk_gib,
        },
        image: group.image.clone(),
        nodes: group
            .nodes
            .iter()
            .map(|node| wit::Node {
                id: node.id,
                name: node.name.clone(),
                address: node.address.clone(),
            })
            .collect(),
    }
}
