//! A guest of whichever version of the contract its component exports, and what it says of itself.

use serde::{Deserialize, Serialize};
use wasmtime::Store;
use wasmtime::component::Component;

use super::api_version::{self, ApiVersion};
use super::sandbox::{GuestState, PluginSandbox};
use super::{ContractBreach, LoadFailure, v0_1_0, v0_2_0, validate};
use crate::cluster::framework::PluginDescriptor;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::parameter_schema::ParameterSchema;

/// A component, linked for its version.
pub(super) enum PluginGuest {
    V0_1_0(v0_1_0::LinkedGuest),
    V0_2_0(v0_2_0::LinkedFramework),
}

/// What a plugin says of itself, in its version's terms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "contract", content = "descriptor")]
pub(super) enum PluginDescription {
    #[serde(rename = "0.1.0")]
    V0_1_0(PluginDescriptor),
    #[serde(rename = "0.2.0")]
    V0_2_0(FrameworkDescriptor),
}

impl PluginGuest {
    pub(super) fn link(
        component: &Component,
        sandbox: &PluginSandbox,
    ) -> Result<Self, LoadFailure> {
        let linked = match api_version::check_component(&sandbox.engine, component)? {
            ApiVersion::V0_1_0 => {
                v0_1_0::LinkedGuest::new(&sandbox.linker, component).map(Self::V0_1_0)
            }
            ApiVersion::V0_2_0 => {
                v0_2_0::LinkedFramework::new(&sandbox.linker, component).map(Self::V0_2_0)
            }
        };
        linked.map_err(|error| LoadFailure::Link(error.into()))
    }

    /// Asks it what it is; the answer is judged by what is given back, outside the call.
    pub(super) async fn describe(
        &self,
        store: &mut Store<GuestState>,
    ) -> wasmtime::Result<Box<dyn FnOnce() -> Result<PluginDescription, ContractBreach>>> {
        Ok(match self {
            Self::V0_1_0(guest) => {
                let theirs = guest.describe(store).await?;
                Box::new(move || {
                    let descriptor = v0_1_0::from_descriptor(theirs)?;
                    validate::check_descriptor(&descriptor)?;
                    Ok(PluginDescription::V0_1_0(descriptor))
                })
            }
            Self::V0_2_0(guest) => {
                let theirs = guest.describe(store).await?;
                Box::new(move || v0_2_0::read_descriptor(theirs).map(PluginDescription::V0_2_0))
            }
        })
    }
}

impl PluginDescription {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::V0_1_0(descriptor) => &descriptor.name,
            Self::V0_2_0(descriptor) => &descriptor.name,
        }
    }

    pub(super) fn parameters(&self) -> &ParameterSchema {
        match self {
            Self::V0_1_0(descriptor) => &descriptor.parameters,
            Self::V0_2_0(descriptor) => &descriptor.parameters,
        }
    }
}
