//! The plugins of a folder. One that cannot be used disables itself and is listed with its reason; the host goes on without it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;
use wasmtime::component::Component;

use super::cache::{Cache, sha256};
use super::interface::{self, Version};
use super::sandbox::Sandbox;
use super::{GenerateError, Limits, PluginError, contract, v0_1_0};
use crate::bundle::Part;
use crate::cluster::framework::{Descriptor, Request};

/// All plugins of a folder, by name.
pub struct Catalogue {
    plugins: BTreeMap<String, Plugin>,
    broken: Vec<Broken>,
}

/// A plugin, compiled and linked. Each call runs in a fresh sandbox.
pub struct Plugin {
    descriptor: Descriptor,
    digest: String,
    guest: v0_1_0::Guest,
    sandbox: Arc<Sandbox>,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: PathBuf,
    /// Why; reads on after the path.
    pub reason: String,
}

/// Why there is no catalogue at all.
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
    /// WebAssembly cannot run here.
    #[error("cannot start the WebAssembly engine: {0}")]
    Engine(String),
}

impl Catalogue {
    /// Loads every `*.wasm` of `dir`. What was compiled is kept in `cache`, a folder of this host alone; without one every start compiles.
    /// Blocks: milliseconds from the cache, seconds without.
    ///
    /// # Errors
    /// Only when the folder cannot be read or WebAssembly cannot run at all; a plugin that cannot be used is in [`Catalogue::broken`].
    pub fn load(dir: &Path, cache: Option<&Path>, limits: Limits) -> Result<Self, LoadError> {
        let sandbox = Arc::new(Sandbox::new(limits).map_err(|error| LoadError::Engine(format!("{error:#}")))?);
        let cache = cache.and_then(|path| {
            let opened = Cache::open(path, &sandbox.engine, limits.cached);
            opened
                .inspect_err(
                    |error| warn!(cache.path = %path.display(), "plugins are compiled at every start: cannot use the cache: {error}"),
                )
                .ok()
        });
        let files = wasm_files(dir).map_err(|source| LoadError::Folder { dir: dir.to_owned(), source })?;
        if files.len() > limits.plugins {
            return Err(LoadError::TooMany { dir: dir.to_owned(), most: limits.plugins });
        }
        let mut catalogue = Self { plugins: BTreeMap::new(), broken: Vec::new() };
        for (path, loaded) in in_parallel(files, |path| Plugin::load(path, &sandbox, cache.as_ref())) {
            match loaded {
                Ok(plugin) => {
                    catalogue.plugins.insert(plugin.descriptor.name.clone(), plugin);
                }
                Err(reason) => {
                    warn!(plugin.path = %path.display(), "plugin is disabled: it {reason}");
                    catalogue.broken.push(Broken { path, reason });
                }
            }
        }
        Ok(catalogue)
    }

    /// A plugin by its name.
    pub fn get(&self, name: &str) -> Option<&Plugin> {
        self.plugins.get(name)
    }

    /// All that can be used, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.values()
    }

    /// Those that cannot, by path.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }
}

impl Plugin {
    /// What it says of itself; checked when it was loaded.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// SHA-256 of its file, in lower-case hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Its part of a cluster. The same request gives the same part, byte for byte. Needs a tokio runtime with time.
    ///
    /// # Errors
    /// The request's problems, all at once, or that the plugin broke.
    pub async fn generate(&self, request: &Request) -> Result<Part, GenerateError> {
        let mut call = self.sandbox.begin().await;
        let outcome = tokio::time::timeout(self.sandbox.limits.time, self.guest.generate(&mut call.store, request)).await;
        let name = &self.descriptor.name;
        let answer = call.end(name, outcome, |answer| {
            let answer = v0_1_0::from_answer(name, answer)?;
            contract::check_answer(&self.descriptor, &answer)?;
            Ok(answer)
        })?;
        answer.map_err(GenerateError::Problems)
    }

    /// The reason reads on after the path.
    fn load(path: &Path, sandbox: &Arc<Sandbox>, cache: Option<&Cache>) -> Result<Self, String> {
        let bytes = read(path, sandbox.limits.file_bytes)?;
        let digest = sha256(&bytes);
        let (component, described) = match cache.and_then(|cache| cache.load(&sandbox.engine, &digest)) {
            Some((component, descriptor)) => (component, Some(descriptor)),
            None => {
                interface::check_file(&bytes)?;
                let component = Component::new(&sandbox.engine, &bytes).map_err(|error| format!("cannot be compiled: {error:#}"))?;
                (component, None)
            }
        };
        let Version::V0_1_0 = interface::check(&sandbox.engine, &component)?;
        let guest = v0_1_0::Guest::new(&sandbox.linker, &component).map_err(|error| format!("cannot be linked: {error:#}"))?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let descriptor = match described {
            Some(descriptor) => descriptor,
            None => {
                let descriptor = describe(&guest, sandbox, &stem)?;
                if let Some(Err(error)) = cache.map(|cache| cache.store(&digest, &component, &descriptor)) {
                    warn!(plugin.path = %path.display(), "plugin is compiled at every start: cannot write the cache: {error}");
                }
                descriptor
            }
        };
        if descriptor.name != stem {
            return Err(format!("says that its name is `{}`: name the file {}.wasm", descriptor.name, descriptor.name));
        }
        Ok(Self { descriptor, digest, guest, sandbox: Arc::clone(sandbox) })
    }
}

/// Runs a guest's `describe` on this thread, which must not be one of tokio's.
fn describe(guest: &v0_1_0::Guest, sandbox: &Sandbox, name: &str) -> Result<Descriptor, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| format!("cannot be asked: {error}"))?;
    let described: Result<Descriptor, PluginError> = runtime.block_on(async {
        let mut call = sandbox.begin().await;
        let outcome = tokio::time::timeout(sandbox.limits.time, guest.describe(&mut call.store)).await;
        call.end(name, outcome, |theirs| {
            let descriptor = v0_1_0::from_descriptor(theirs)?;
            contract::check_descriptor(&descriptor)?;
            Ok(descriptor)
        })
    });
    described.map_err(|error| format!("cannot describe itself: {error}"))
}

fn wasm_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let paths: io::Result<Vec<PathBuf>> = fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files: Vec<PathBuf> =
        paths?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "wasm") && path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) { Ok(bytes) } else { Err(format!("is larger than {most} bytes")) }
}

/// Every file's outcome in the order of the files; as many at once as there are processors. On threads of its own, since a caller may be tokio's.
fn in_parallel<T: Send>(files: Vec<PathBuf>, load: impl Fn(&Path) -> T + Sync) -> Vec<(PathBuf, T)> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, path)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, files.get(i)?))) {
                    let outcome = load(path);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    files.into_iter().zip(done.into_iter().map(|(_, outcome)| outcome)).collect()
}
