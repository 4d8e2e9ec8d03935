//! Loads the plugins of a folder and calls them by name. One that cannot be used disables itself
//! and is listed with its reason; the host goes on without it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tracing::warn;
use wasmtime::component::Component;

use super::api_version;
use super::cache::{self, CompileCache};
use super::compile_process::compile_in_process;
use super::compiled_plugin::{CompiledPlugin, compile, file_stem};
use super::compiled_store::{self, CompiledStore, sha256};
use super::plugin_files::{load_in_parallel, read_file, wasm_files};
use super::sandbox::PluginSandbox;
use super::schema_rules::check_schema;
use super::{DisabledPlugin, LoadError, LoadFailure, LoadedFramework, PluginLimits};
use crate::cluster::FrameworkDescriptor;
use crate::metrics::HostMetrics;

/// All plugins of a folder, by name.
pub struct PluginRegistry {
    sandbox: Arc<PluginSandbox>,
    frameworks: BTreeMap<String, LoadedFramework>,
    disabled: Vec<DisabledPlugin>,
}

/// Where compiled plugins may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompiledSources<'a> {
    /// The folder that came with the program, filled by [`PluginRegistry::ship`].
    pub shipped: Option<&'a Path>,
    /// A folder of this host alone.
    pub cache: Option<&'a Path>,
    /// The program whose processes compile what is in neither: this very program. Without one it is
    /// compiled in this process.
    pub compiler: Option<&'a Path>,
}

/// The same, opened.
struct OpenedSources<'a> {
    shipped: Option<CompiledStore>,
    cache: Option<&'a Path>,
    compiler: Option<&'a Path>,
    opened: OnceLock<Option<CompileCache>>,
}

impl PluginRegistry {
    /// Loads every `*.wasm` of `dir`. What was compiled is kept in `cache`, a folder of this host
    /// alone; without one every start compiles. Blocks: milliseconds from the cache, seconds
    /// without.
    ///
    /// # Errors
    /// Only when the folder cannot be read or WebAssembly cannot run at all; a plugin that cannot
    /// be used is in [`PluginRegistry::disabled`].
    pub fn load(dir: &Path, cache: Option<&Path>, limits: PluginLimits) -> Result<Self, LoadError> {
        Self::load_compiled(
            dir,
            CompiledSources {
                cache,
                ..CompiledSources::default()
            },
            limits,
        )
    }

    /// As [`Self::load`], first from what came compiled with the program; the cache is touched only
    /// for what did not.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_compiled(
        dir: &Path,
        compiled: CompiledSources<'_>,
        limits: PluginLimits,
    ) -> Result<Self, LoadError> {
        let sandbox =
            Arc::new(PluginSandbox::new(limits).map_err(|error| LoadError::Engine(error.into()))?);
        let kept = OpenedSources {
            shipped: compiled.shipped.and_then(cache::open_shipped),
            cache: compiled.cache,
            compiler: compiled.compiler,
            opened: OnceLock::new(),
        };
        let mut registry = Self {
            sandbox: Arc::clone(&sandbox),
            frameworks: BTreeMap::new(),
            disabled: Vec::new(),
        };
        // One after the other: each takes a few milliseconds, and threads leave memory behind.
        let files = wasm_files(dir, limits)?;
        let mut lacking = Vec::new();
        for (path, loaded) in
            load_in_parallel(files, 1, |path| load_compiled_plugin(path, &sandbox, &kept))
        {
            match loaded {
                Ok(Some(compiled)) => registry.keep(compiled),
                Ok(None) => lacking.push(path),
                Err(reason) => registry.disable(path, reason),
            }
        }
        for (path, loaded) in load_in_parallel(lacking, limits.compiles, |path| {
            load_plugin(path, &sandbox, &kept)
        }) {
            match loaded {
                Ok(compiled) => registry.keep(compiled),
                Err(reason) => registry.disable(path, reason),
            }
        }
        registry
            .disabled
            .sort_by(|one, other| one.path.cmp(&other.path));
        Ok(registry)
    }

    fn disable(&mut self, path: PathBuf, reason: LoadFailure) {
        warn!(plugin.path = %path.display(), "plugin is disabled: it {reason}");
        self.disabled.push(DisabledPlugin { path, reason });
    }

    /// Compiles every `*.wasm` of `dir` into the folder that comes with the program, for hosts of
    /// this very program on any machine of this architecture; their names.
    ///
    /// # Errors
    /// As [`Self::load`]; and a plugin that cannot be used, or a folder that cannot be written.
    pub fn ship(dir: &Path, into: &Path, limits: PluginLimits) -> Result<Vec<String>, LoadError> {
        let sandbox =
            Arc::new(PluginSandbox::new(limits).map_err(|error| LoadError::Engine(error.into()))?);
        let unwritten = |source| LoadError::Ship {
            dir: into.to_owned(),
            source,
        };
        let folder = cache::create_shipped(into).map_err(unwritten)?;
        let mut names = Vec::new();
        for (path, compiled) in
            load_in_parallel(wasm_files(dir, limits)?, limits.compiles, |path| {
                CompiledPlugin::compile(path, &sandbox)
            })
        {
            let fresh =
                compiled.map_err(|reason| LoadError::Disabled(DisabledPlugin { path, reason }))?;
            folder
                .store(&fresh.digest, &fresh.component, &fresh.descriptor, 0o644)
                .map_err(unwritten)?;
            names.push(fresh.descriptor.name.clone());
        }
        Ok(names)
    }

    /// From now on each call is recorded there. The first one asked for stays.
    pub fn record_calls(&self, metrics: Arc<HostMetrics>) {
        let _ = self.sandbox.metrics.set(metrics);
    }

    fn keep(&mut self, compiled: CompiledPlugin) {
        let framework = LoadedFramework {
            descriptor: Arc::new(compiled.descriptor),
            digest: compiled.digest,
            guest: compiled.guest,
            sandbox: Arc::clone(&self.sandbox),
        };
        // A name is that of the file, so there is one of each.
        let name = framework.descriptor.name.clone();
        self.frameworks.insert(name, framework);
    }

    /// A plugin by its name.
    pub fn framework(&self, name: &str) -> Option<&LoadedFramework> {
        self.frameworks.get(name)
    }

    /// All that can be used, by name.
    pub fn frameworks(&self) -> impl Iterator<Item = &LoadedFramework> {
        self.frameworks.values()
    }

    /// Those that cannot, by path.
    pub fn disabled(&self) -> &[DisabledPlugin] {
        &self.disabled
    }
}

/// One that came compiled, or was kept; none where it has to be compiled. The reason reads on after
/// the path.
fn load_compiled_plugin(
    path: &Path,
    sandbox: &Arc<PluginSandbox>,
    kept: &OpenedSources<'_>,
) -> Result<Option<CompiledPlugin>, LoadFailure> {
    let bytes = read_file(path, sandbox.limits.file_bytes)?;
    let digest = sha256(&bytes);
    let Some((component, descriptor)) = kept.load(sandbox, &digest) else {
        return Ok(None);
    };
    let compiled = CompiledPlugin::of(component, digest, Some(descriptor), sandbox, path)?;
    check_plugin(compiled, path).map(Some)
}

/// Compiles one. The reason reads on after the path.
fn load_plugin(
    path: &Path,
    sandbox: &Arc<PluginSandbox>,
    kept: &OpenedSources<'_>,
) -> Result<CompiledPlugin, LoadFailure> {
    let bytes = read_file(path, sandbox.limits.file_bytes)?;
    let digest = sha256(&bytes);
    let (component, descriptor) = kept.compile(bytes, sandbox, path)?;
    let fresh = CompiledPlugin::of(component, digest, descriptor, sandbox, path)?;
    kept.store(sandbox, &fresh, path);
    check_plugin(fresh, path)
}

/// Here is a thread that may take its time. What came compiled, or was kept, was held to the rules of
/// another day.
fn check_plugin(compiled: CompiledPlugin, path: &Path) -> Result<CompiledPlugin, LoadFailure> {
    let compiled = compiled.check_name(path)?;
    check_schema(&compiled.descriptor.parameters).map_err(LoadFailure::Schema)?;
    Ok(compiled)
}

impl OpenedSources<'_> {
    fn load(
        &self,
        sandbox: &PluginSandbox,
        digest: &str,
    ) -> Option<(Component, FrameworkDescriptor)> {
        let shipped = self
            .shipped
            .as_ref()
            .and_then(|folder| folder.load(&sandbox.engine, digest));
        shipped.or_else(|| self.cache(sandbox)?.load(&sandbox.engine, digest))
    }

    /// In a process of its own, where there is a program for it; that one is asked too what the
    /// plugin is.
    fn compile(
        &self,
        bytes: Vec<u8>,
        sandbox: &PluginSandbox,
        path: &Path,
    ) -> Result<(Component, Option<FrameworkDescriptor>), LoadFailure> {
        let Some(program) = self.compiler else {
            return Ok((compile(&bytes, sandbox)?, None));
        };
        api_version::check_file(&bytes)?;
        let name = file_stem(path);
        let (compiled, descriptor) = compile_in_process(program, bytes, &name, sandbox.limits)?;
        // A program that was replaced meanwhile compiles for another engine.
        let component =
            compiled_store::deserialize(&sandbox.engine, &compiled).ok_or_else(|| {
                LoadFailure::Compiler("is not of this program: start it anew".to_owned())
            })?;
        Ok((component, Some(descriptor)))
    }

    fn store(&self, sandbox: &PluginSandbox, fresh: &CompiledPlugin, path: &Path) {
        if let Some(Err(error)) = self
            .cache(sandbox)
            .map(|cache| cache.store(&fresh.digest, &fresh.component, &fresh.descriptor))
        {
            warn!(plugin.path = %path.display(), "plugin is compiled at every start: cannot write the cache: {error}");
        }
    }

    /// Opened when it is needed: a host whose plugins all came compiled may write nowhere.
    fn cache(&self, sandbox: &PluginSandbox) -> Option<&CompileCache> {
        let open = || {
            let opened = CompileCache::open(self.cache?, &sandbox.engine, sandbox.limits.cached);
            let path = self.cache?.display();
            opened.inspect_err(|error| warn!(cache.path = %path, "plugins are compiled at every start: cannot use the cache: {error}")).ok()
        };
        self.opened.get_or_init(open).as_ref()
    }
}
