//! Loads the plugins of a folder and calls them by name. One that cannot be used disables itself
//! and is listed with its reason; the host goes on without it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tracing::{Instrument as _, info_span, warn};
use wasmtime::component::Component;

use super::api_version;
use super::cache::{self, CompileCache};
use super::compile_process::compile_in_process;
use super::compiled_plugin::{CompiledPlugin, compile, file_stem};
use super::compiled_store::{self, CompiledStore, sha256};
use super::judged_call::CallDeadline;
use super::plugin_files::{load_in_parallel, read_file, wasm_files};
use super::plugin_guest::{PluginDescription, PluginGuest};
use super::sandbox::PluginSandbox;
use super::{
    DisabledPlugin, GenerateError, LoadError, LoadFailure, LoadedFramework, PluginLimits, v0_1_0,
    validate,
};
use crate::bundle::PluginBundle;
use crate::cluster::framework::{PluginDescriptor, PluginRequest};
use crate::metrics::HostMetrics;
use crate::system::clock::monotonic_now;

/// All plugins of a folder, by name.
pub struct PluginRegistry {
    sandbox: Arc<PluginSandbox>,
    plugins: BTreeMap<String, LoadedPlugin>,
    frameworks: BTreeMap<String, LoadedFramework>,
    disabled: Vec<DisabledPlugin>,
}

/// A plugin, compiled and linked. Each call runs in a fresh sandbox.
pub struct LoadedPlugin {
    descriptor: Arc<PluginDescriptor>,
    digest: String,
    guest: v0_1_0::LinkedGuest,
    sandbox: Arc<PluginSandbox>,
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
            plugins: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            disabled: Vec::new(),
        };
        for (path, loaded) in load_in_parallel(wasm_files(dir, limits)?, limits.compiles, |path| {
            load_plugin(path, &sandbox, &kept)
        }) {
            match loaded.and_then(|compiled| registry.insert(compiled)) {
                Ok(()) => {}
                Err(reason) => {
                    warn!(plugin.path = %path.display(), "plugin is disabled: it {reason}");
                    registry.disabled.push(DisabledPlugin { path, reason });
                }
            }
        }
        Ok(registry)
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
                .store(&fresh.digest, &fresh.component, &fresh.description, 0o644)
                .map_err(unwritten)?;
            names.push(fresh.description.name().to_owned());
        }
        Ok(names)
    }

    /// From now on each call is recorded there. The first one asked for stays.
    pub fn record_calls(&self, metrics: Arc<HostMetrics>) {
        let _ = self.sandbox.metrics.set(metrics);
    }

    /// Keeps a plugin by its version of the contract.
    fn insert(&mut self, compiled: CompiledPlugin) -> Result<(), LoadFailure> {
        let CompiledPlugin {
            guest,
            description,
            digest,
            ..
        } = compiled;
        let name = description.name().to_owned();
        let sandbox = Arc::clone(&self.sandbox);
        match (guest, description) {
            (PluginGuest::V0_1_0(guest), PluginDescription::V0_1_0(descriptor)) => {
                let descriptor = Arc::new(descriptor);
                let plugin = LoadedPlugin {
                    descriptor,
                    digest,
                    guest,
                    sandbox,
                };
                keep_once(&mut self.plugins, name, plugin)?;
            }
            (PluginGuest::V0_2_0(guest), PluginDescription::V0_2_0(descriptor)) => {
                let descriptor = Arc::new(descriptor);
                let framework = LoadedFramework {
                    descriptor,
                    digest,
                    guest,
                    sandbox,
                };
                keep_once(&mut self.frameworks, name, framework)?;
            }
            // Of one digest both are of one version, unless somebody wrote the note.
            _ => return Err(LoadFailure::Compiler("described another plugin".to_owned())),
        }
        Ok(())
    }

    /// A plugin of the contract 0.2.0 by its name.
    pub fn framework(&self, name: &str) -> Option<&LoadedFramework> {
        self.frameworks.get(name)
    }

    /// All of the contract 0.2.0 that can be used, by name.
    pub fn frameworks(&self) -> impl Iterator<Item = &LoadedFramework> {
        self.frameworks.values()
    }

    /// A plugin of the contract 0.1.0 by its name.
    pub fn get(&self, name: &str) -> Option<&LoadedPlugin> {
        self.plugins.get(name)
    }

    /// All of the contract 0.1.0 that can be used, by name.
    pub fn iter(&self) -> impl Iterator<Item = &LoadedPlugin> {
        self.plugins.values()
    }

    /// Those that cannot, by path.
    pub fn disabled(&self) -> &[DisabledPlugin] {
        &self.disabled
    }
}

impl LoadedPlugin {
    /// What it says of itself; checked when it was loaded.
    pub fn descriptor(&self) -> &PluginDescriptor {
        &self.descriptor
    }

    /// SHA-256 of its file, in lower-case hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Its part of a cluster. The same request gives the same part, byte for byte. Needs a tokio
    /// runtime with time.
    ///
    /// # Errors
    /// The request's problems, all at once, or that the plugin broke.
    pub async fn generate(&self, request: &PluginRequest) -> Result<PluginBundle, GenerateError> {
        let start = monotonic_now();
        let nodes: usize = request.groups.iter().map(|group| group.nodes.len()).sum();
        let span = info_span!("plugin.generate", plugin = %self.descriptor.name, nodes);
        let answer = self.call_generate(request).instrument(span).await;
        self.sandbox.record_answer(&answer, start);
        answer
    }

    async fn call_generate(&self, request: &PluginRequest) -> Result<PluginBundle, GenerateError> {
        let mut call = self.sandbox.begin_call().await;
        let deadline = CallDeadline::from_now(&self.sandbox);
        let asked = self.guest.generate(&mut call.store, request);
        let outcome = tokio::time::timeout_at(deadline.at(), asked).await;
        let descriptor = Arc::clone(&self.descriptor);
        let judge = move |answer| {
            let answer = v0_1_0::from_answer(&descriptor.name, answer)?;
            validate::check_answer(&descriptor, &answer)?;
            Ok(answer)
        };
        deadline
            .judge(call, &self.descriptor.name, outcome, judge)
            .await
    }
}

/// The first of a name is kept.
fn keep_once<Plugin>(
    plugins: &mut BTreeMap<String, Plugin>,
    name: String,
    plugin: Plugin,
) -> Result<(), LoadFailure> {
    match plugins.entry(name) {
        Entry::Vacant(free) => {
            free.insert(plugin);
            Ok(())
        }
        Entry::Occupied(taken) => Err(LoadFailure::Twice(taken.key().clone())),
    }
}

/// The reason reads on after the path.
fn load_plugin(
    path: &Path,
    sandbox: &Arc<PluginSandbox>,
    kept: &OpenedSources<'_>,
) -> Result<CompiledPlugin, LoadFailure> {
    let bytes = read_file(path, sandbox.limits.file_bytes)?;
    let digest = sha256(&bytes);
    let fresh = match kept.load(sandbox, &digest) {
        Some((component, description)) => {
            CompiledPlugin::of(component, digest, Some(description), sandbox, path)?
        }
        None => {
            let (component, description) = kept.compile(bytes, sandbox, path)?;
            let fresh = CompiledPlugin::of(component, digest, description, sandbox, path)?;
            kept.store(sandbox, &fresh, path);
            fresh
        }
    };
    let compiled = fresh.check_name(path)?;
    // Here is a thread that may take its time. What came compiled, or was kept, was held to the
    // rules of another day.
    validate::check_schema(compiled.description.parameters()).map_err(LoadFailure::Schema)?;
    Ok(compiled)
}

impl OpenedSources<'_> {
    fn load(
        &self,
        sandbox: &PluginSandbox,
        digest: &str,
    ) -> Option<(Component, PluginDescription)> {
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
    ) -> Result<(Component, Option<PluginDescription>), LoadFailure> {
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
            .map(|cache| cache.store(&fresh.digest, &fresh.component, &fresh.description))
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
