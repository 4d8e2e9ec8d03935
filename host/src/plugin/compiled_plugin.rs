//! A plugin that was compiled, linked, and has said what it is.

use std::path::Path;

use wasmtime::component::Component;

use super::api_version;
use super::compiled_store::sha256;
use super::plugin_files::read_file;
use super::plugin_guest::{PluginDescription, PluginGuest};
use super::sandbox::PluginSandbox;
use super::{LoadFailure, PluginError, PluginFault};

/// A plugin that passed all checks.
pub(super) struct CompiledPlugin {
    pub(super) component: Component,
    pub(super) guest: PluginGuest,
    pub(super) description: PluginDescription,
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
        let name = self.description.name();
        if name == file_stem(path) {
            Ok(self)
        } else {
            Err(LoadFailure::WrongName(name.to_owned()))
        }
    }

    /// What it said of itself when it was compiled, if that is known, is not asked again.
    pub(super) fn of(
        component: Component,
        digest: String,
        said: Option<PluginDescription>,
        sandbox: &PluginSandbox,
        path: &Path,
    ) -> Result<Self, LoadFailure> {
        let guest = PluginGuest::link(&component, sandbox)?;
        let description = match said {
            Some(description) => description,
            None => describe(&guest, sandbox, &file_stem(path))?,
        };
        Ok(Self {
            component,
            guest,
            description,
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
) -> Result<(Component, PluginDescription), LoadFailure> {
    let component = compile(bytes, sandbox)?;
    let path = Path::new(name).with_extension("wasm");
    let fresh = CompiledPlugin::of(component, String::new(), None, sandbox, &path)?;
    Ok((fresh.component, fresh.description))
}

pub(super) fn compile(bytes: &[u8], sandbox: &PluginSandbox) -> Result<Component, LoadFailure> {
    api_version::check_file(bytes)?;
    Component::new(&sandbox.engine, bytes).map_err(|error| LoadFailure::Compile(error.into()))
}

/// Runs a guest's `describe` on this thread, which must not be one of tokio's.
fn describe(
    guest: &PluginGuest,
    sandbox: &PluginSandbox,
    name: &str,
) -> Result<PluginDescription, LoadFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(LoadFailure::Runtime)?;
    let described: Result<PluginDescription, PluginError> = runtime.block_on(async {
        let mut call = sandbox.begin_call().await;
        let outcome =
            tokio::time::timeout(sandbox.limits.time, guest.describe(&mut call.store)).await;
        let (judge, ended) = call.end(name, outcome)?;
        judge().map_err(|breach| ended.fault(name, PluginFault::Contract(breach)))
    });
    described.map_err(LoadFailure::Describe)
}
