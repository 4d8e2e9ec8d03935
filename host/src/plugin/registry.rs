//! Loads the plugins of a folder and calls them by name. One that cannot be used disables itself
//! and is listed with its reason; the host goes on without it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::{Instrument as _, info_span, warn};
use wasmtime::component::Component;

use super::api_version::{self, ApiVersion};
use super::cache::{self, CompileCache};
use super::compiled_store::{CompiledStore, sha256};
use super::sandbox::PluginSandbox;
use super::{GenerateError, LoadFailure, PluginError, PluginFault, PluginLimits, v0_1_0, validate};
use crate::bundle::PluginBundle;
use crate::cluster::framework::{PluginDescriptor, PluginRequest};
use crate::metrics::{HostMetrics, WorkOutcome};
use crate::system::{clock::monotonic_now, heavy_work::run_heavy};

/// All plugins of a folder, by name.
pub struct PluginRegistry {
    sandbox: Arc<PluginSandbox>,
    plugins: BTreeMap<String, LoadedPlugin>,
    disabled: Vec<DisabledPlugin>,
}

/// A plugin, compiled and linked. Each call runs in a fresh sandbox.
pub struct LoadedPlugin {
    descriptor: Arc<PluginDescriptor>,
    digest: String,
    guest: v0_1_0::LinkedGuest,
    sandbox: Arc<PluginSandbox>,
}

/// A file that could not be used.
#[derive(Debug)]
pub struct DisabledPlugin {
    /// The file.
    pub path: PathBuf,
    /// Why; reads on after the path.
    pub reason: LoadFailure,
}

/// Where compiled plugins may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompiledSources<'a> {
    /// The folder that came with the program, filled by [`PluginRegistry::ship`].
    pub shipped: Option<&'a Path>,
    /// A folder of this host alone.
    pub cache: Option<&'a Path>,
}

/// The same, opened.
struct OpenedSources<'a> {
    shipped: Option<CompiledStore>,
    cache: Option<&'a Path>,
    opened: OnceLock<Option<CompileCache>>,
}

/// Why there is no registry at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder cannot be read.
    #[error("cannot read the plugin folder {}: {source}", .dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too many files.
    #[error("the plugin folder {} holds more than {most} plugins", .dir.display())]
    TooMany {
        /// The folder.
        dir: PathBuf,
        /// The bound.
        most: usize,
    },
    /// A plugin that was to be shipped cannot be used.
    #[error("{} {}", .0.path.display(), .0.reason)]
    Disabled(DisabledPlugin),
    /// What was compiled cannot be written.
    #[error("cannot write compiled plugins to {}: {source}", .dir.display())]
    Ship {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// WebAssembly cannot run here.
    #[error("cannot start the WebAssembly engine")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
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
                shipped: None,
                cache,
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
            opened: OnceLock::new(),
        };
        let mut registry = Self {
            sandbox: Arc::clone(&sandbox),
            plugins: BTreeMap::new(),
            disabled: Vec::new(),
        };
        for (path, loaded) in load_in_parallel(wasm_files(dir, limits)?, |path| {
            LoadedPlugin::load(path, &sandbox, &kept)
        }) {
            match loaded {
                Ok(plugin) => {
                    registry
                        .plugins
                        .insert(plugin.descriptor.name.clone(), plugin);
                }
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
        for (path, compiled) in load_in_parallel(wasm_files(dir, limits)?, |path| {
            CompiledPlugin::compile(path, &sandbox)
        }) {
            let fresh =
                compiled.map_err(|reason| LoadError::Disabled(DisabledPlugin { path, reason }))?;
            folder
                .store(&fresh.digest, &fresh.component, &fresh.descriptor, 0o644)
                .map_err(unwritten)?;
            names.push(fresh.descriptor.name);
        }
        Ok(names)
    }

    /// From now on each call is recorded there. The first one asked for stays.
    pub fn record_calls(&self, metrics: Arc<HostMetrics>) {
        let _ = self.sandbox.metrics.set(metrics);
    }

    /// A plugin by its name.
    pub fn get(&self, name: &str) -> Option<&LoadedPlugin> {
        self.plugins.get(name)
    }

    /// All that can be used, by name.
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
        self.sandbox.record_call(
            match &answer {
                Ok(_) => WorkOutcome::Succeeded,
                Err(GenerateError::Problems(_)) => WorkOutcome::Refused,
                Err(GenerateError::Failed(_)) => WorkOutcome::Failed,
            },
            start.elapsed(),
        );
        answer
    }

    async fn call_generate(&self, request: &PluginRequest) -> Result<PluginBundle, GenerateError> {
        let mut call = self.sandbox.begin_call().await;
        let limit = self.sandbox.limits.time;
        let end = tokio::time::Instant::from_std(monotonic_now()) + limit;
        let outcome =
            tokio::time::timeout_at(end, self.guest.generate(&mut call.store, request)).await;
        let name = &self.descriptor.name;
        let (answer, ended) = call.end(name, outcome)?;
        // What it said takes time to look at, within the time that it has.
        let descriptor = Arc::clone(&self.descriptor);
        let judged = run_heavy(move || {
            let answer = v0_1_0::from_answer(&descriptor.name, answer)?;
            validate::check_answer(&descriptor, &answer)?;
            Ok(answer)
        });
        let answer = match tokio::time::timeout_at(end, judged).await {
            Ok(Ok(judged)) => judged.map_err(PluginFault::Contract),
            Ok(Err(panicked)) => Err(PluginFault::Trap(panicked.to_string())),
            Err(_) => Err(PluginFault::Time {
                limit,
                waited: false,
            }),
        };
        answer
            .map_err(|fault| ended.fault(name, fault))?
            .map_err(GenerateError::Problems)
    }

    /// The reason reads on after the path.
    fn load(
        path: &Path,
        sandbox: &Arc<PluginSandbox>,
        kept: &OpenedSources<'_>,
    ) -> Result<Self, LoadFailure> {
        let bytes = read_file(path, sandbox.limits.file_bytes)?;
        let digest = sha256(&bytes);
        let fresh = match kept.load(sandbox, &digest) {
            Some((component, descriptor)) => {
                CompiledPlugin::of(component, digest, Some(descriptor), sandbox, path)?
            }
            None => {
                let fresh =
                    CompiledPlugin::of(compile(&bytes, sandbox)?, digest, None, sandbox, path)?;
                kept.store(sandbox, &fresh, path);
                fresh
            }
        };
        let CompiledPlugin {
            guest,
            descriptor,
            digest,
            ..
        } = fresh.check_name(path)?;
        Ok(Self {
            descriptor: Arc::new(descriptor),
            digest,
            guest,
            sandbox: Arc::clone(sandbox),
        })
    }
}

impl OpenedSources<'_> {
    fn load(&self, sandbox: &PluginSandbox, digest: &str) -> Option<(Component, PluginDescriptor)> {
        let shipped = self
            .shipped
            .as_ref()
            .and_then(|folder| folder.load(&sandbox.engine, digest));
        shipped.or_else(|| self.cache(sandbox)?.load(&sandbox.engine, digest))
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

/// A plugin that passed all checks.
struct CompiledPlugin {
    component: Component,
    guest: v0_1_0::LinkedGuest,
    descriptor: PluginDescriptor,
    digest: String,
}

impl CompiledPlugin {
    fn compile(path: &Path, sandbox: &PluginSandbox) -> Result<Self, LoadFailure> {
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

    fn check_name(self, path: &Path) -> Result<Self, LoadFailure> {
        let name = &self.descriptor.name;
        if *name == file_stem(path) {
            Ok(self)
        } else {
            Err(LoadFailure::WrongName(name.clone()))
        }
    }

    /// What it said of itself when it was compiled, if that is known, is not asked again.
    fn of(
        component: Component,
        digest: String,
        said: Option<PluginDescriptor>,
        sandbox: &PluginSandbox,
        path: &Path,
    ) -> Result<Self, LoadFailure> {
        let ApiVersion::V0_1_0 = api_version::check_component(&sandbox.engine, &component)?;
        let guest = v0_1_0::LinkedGuest::new(&sandbox.linker, &component)
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

fn file_stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn compile(bytes: &[u8], sandbox: &PluginSandbox) -> Result<Component, LoadFailure> {
    api_version::check_file(bytes)?;
    Component::new(&sandbox.engine, bytes).map_err(|error| LoadFailure::Compile(error.into()))
}

/// Runs a guest's `describe` on this thread, which must not be one of tokio's.
fn describe(
    guest: &v0_1_0::LinkedGuest,
    sandbox: &PluginSandbox,
    name: &str,
) -> Result<PluginDescriptor, LoadFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(LoadFailure::Runtime)?;
    let described: Result<PluginDescriptor, PluginError> = runtime.block_on(async {
        let mut call = sandbox.begin_call().await;
        let outcome =
            tokio::time::timeout(sandbox.limits.time, guest.describe(&mut call.store)).await;
        let (theirs, ended) = call.end(name, outcome)?;
        let judge = || {
            let descriptor = v0_1_0::from_descriptor(theirs)?;
            validate::check_descriptor(&descriptor)?;
            Ok(descriptor)
        };
        judge().map_err(|breach| ended.fault(name, PluginFault::Contract(breach)))
    });
    described.map_err(LoadFailure::Describe)
}

fn wasm_files(dir: &Path, limits: PluginLimits) -> Result<Vec<PathBuf>, LoadError> {
    let unread = |source| LoadError::Folder {
        dir: dir.to_owned(),
        source,
    };
    let paths: io::Result<Vec<PathBuf>> = fs::read_dir(dir)
        .map_err(unread)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut files: Vec<PathBuf> = paths
        .map_err(unread)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "wasm") && path.is_file())
        .collect();
    if files.len() > limits.plugins {
        return Err(LoadError::TooMany {
            dir: dir.to_owned(),
            most: limits.plugins,
        });
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, LoadFailure> {
    let file = File::open(path).map_err(LoadFailure::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(LoadFailure::Unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes)
    } else {
        Err(LoadFailure::TooLarge { limit_bytes: most })
    }
}

/// Every file's outcome in the order of the files; as many at once as there are processors. On
/// threads of its own, since a caller may be tokio's.
fn load_in_parallel<T: Send>(
    files: Vec<PathBuf>,
    load: impl Fn(&Path) -> T + Sync,
) -> Vec<(PathBuf, T)> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(files.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, path)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|i| Some((i, files.get(i)?)))
                {
                    let outcome = load(path);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    files
        .into_iter()
        .zip(done.into_iter().map(|(_, outcome)| outcome))
        .collect()
}
