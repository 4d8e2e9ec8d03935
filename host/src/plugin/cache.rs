//! Opens the two folders of compiled plugins, this host's own cache and the one that came with the
//! program, and bounds the cache. A cache that cannot be used only makes the start slower.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::compiled_store::{CompiledStore, own_uid, program_uid};
use crate::cluster::FrameworkDescriptor;

/// The compiled plugins that came with this program, if it is its own owner who put them there:
/// whoever can write the program is trusted with code already. Never a folder beside plugins, which
/// come from others.
pub(super) fn open_shipped(dir: &Path) -> Option<CompiledStore> {
    CompiledStore::open(dir.to_owned(), program_uid().ok()?)
}

/// Makes the folder that comes with a program, to be filled.
///
/// # Errors
/// It cannot be made, or somebody else than this user may write there.
pub(super) fn create_shipped(dir: &Path) -> io::Result<CompiledStore> {
    DirBuilder::new().recursive(true).mode(0o755).create(dir)?;
    CompiledStore::open(dir.to_owned(), own_uid()?).ok_or_else(|| {
        io::Error::other("it must be a folder of this user that nobody else can write")
    })
}

/// A folder that belongs to one engine of one version of the host.
pub(super) struct CompileCache {
    folder: CompiledStore,
    most: usize,
}

impl CompileCache {
    /// Makes the folder if it is missing. Its name holds the engine's compatibility hash, so that
    /// an update starts afresh.
    ///
    /// # Errors
    /// The folder cannot be made, or others may enter it.
    pub(super) fn open(dir: &Path, engine: &Engine, most: usize) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let dir = dir.join(format!(
            "plugins-{}-{:016x}",
            env!("CARGO_PKG_VERSION"),
            hasher.finish()
        ));
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let private = fs::symlink_metadata(&dir)?.mode() & 0o077 == 0;
        let folder = CompiledStore::open(dir, own_uid()?).filter(|_| private);
        let folder = folder.ok_or_else(|| {
            io::Error::other("it must be a folder of this host's user with mode 0700")
        })?;
        Ok(Self { folder, most })
    }

    /// The compiled plugin and its descriptor, if both are there and as they were written.
    pub(super) fn load(
        &self,
        engine: &Engine,
        digest: &str,
    ) -> Option<(Component, FrameworkDescriptor)> {
        self.folder.load(engine, digest)
    }

    /// Keeps them, and no more than the cache may hold.
    pub(super) fn store(
        &self,
        digest: &str,
        component: &Component,
        descriptor: &FrameworkDescriptor,
    ) -> io::Result<()> {
        self.folder.store(digest, component, descriptor, 0o600)?;
        self.drop_oldest()
    }

    fn drop_oldest(&self) -> io::Result<()> {
        let mut notes: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(self.folder.dir())? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                notes.push((fs::symlink_metadata(&path)?.modified()?, path));
            }
        }
        notes.sort();
        for (_, note) in notes.iter().take(notes.len().saturating_sub(self.most)) {
            fs::remove_file(note)?;
            fs::remove_file(note.with_extension("cwasm"))?;
        }
        Ok(())
    }
}
