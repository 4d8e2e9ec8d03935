//! A plugin that was compiled, linked, and has said what it is.

use std::path::Path;

use wasmtime::component::Component;

use super::api_version;
use super::compiled_store::sha256;
use super::plugin_files::read_file;
use super::sandbox::PluginSandbox;
use super::v0_2_0::{LinkedFramework, read_descriptor};
use super::{LoadFailure, PluginError, PluginFault};
use crate::cluster::FrameworkDescriptor;

/// A plugin that passed all checks.
pub(super) struct CompiledPlugin {
    pub(super) component: Component,
    pub(super) guest: LinkedFramework,
    pub(super) descriptor: FrameworkDescriptor,
    pub(super) digest: String,
}

impl CompiledPlugin {
    pub(super) fn compile(path: &Path, sandbox: &PluginSandbox) -> Result<Self, LoadFailure> {
        let bytes = read_file(path, sandbox.limits.file_bytes)?;
        Self::of(
            compile(&bytes, sandbox)?,
            sha256(&bytes),
            None,
            sandbox,
            path,
        )?
        .check_name(path)
    }

    pub(super) fn check_name(self, path: &Path) -> Result<Self, LoadFailure> {
        if self.descriptor.name == file_stem(path) {
            Ok(self)
        } else {
            Err(LoadFailure::WrongName(self.descriptor.name))
        }
    }

    /// What it said of itself when it was compiled, if that is known, is not asked again.
    pub(super) fn of(
        component: Component,
        digest: String,
        said: Option<FrameworkDescriptor>,
        sandbox: &PluginSandbox,
        path: &Path,
    ) -> Result<Self, LoadFailure> {
        api_version::check_component(&sandbox.engine, &component)?;
        let guest = LinkedFramework::new(&sandbox.linker, &component)
            .map_err(|error| LoadFailure::Link(error.into()))?;
        let descriptor = match said {
            Some(descriptor) => descriptor,
            None => describe(&guest, sandbox, &file_stem(path))?,
        };
        Ok(Self {
            component,
            guest,
            descriptor,
            digest,
        })
    }
}

pub(super) fn file_stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// What a process that compiles does with the bytes of one plugin.
pub(super) fn compile_and_describe(
    bytes: &[u8],
    sandbox: &PluginSandbox,
    name: &str,
) -> Result<(Component, FrameworkDescriptor), LoadFailure> {
    let component = compile(bytes, sandbox)?;
    let path = Path::new(name).with_extension("wasm");
    let fresh = CompiledPlugin::of(component, String::new(), None, sandbox, &path)?;
    Ok((fresh.component, fresh.descriptor))
}

pub(super) fn compile(bytes: &[u8], sandbox: &PluginSandbox) -> Result<Component, LoadFailure> {
    api_version::check_file(bytes)?;
    Component::new(&sandbox.engine, bytes).map_err(|error| LoadFailure::Compile(error.into()))
}

/// Runs a guest's `describe` on this thread, which must not be one of tokio's.
fn describe(
    guest: &LinkedFramework,
    sandbox: &PluginSandbox,
    name: &str,
) -> Result<FrameworkDescriptor, LoadFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(LoadFailure::Runtime)?;
    let described: Result<FrameworkDescriptor, PluginError> = runtime.block_on(async {
        let mut call = sandbox.begin_call().await;
        let outcome =
            tokio::time::timeout(sandbox.limits.time, guest.describe(&mut call.store)).await;
        let (theirs, ended) = call.end(name, outcome)?;
        read_descriptor(theirs).map_err(|breach| ended.fault(name, PluginFault::Contract(breach)))
    });
    described.map_err(LoadFailure::Describe)
}
