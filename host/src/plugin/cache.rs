//! Compiled plugins on disk, with what each said of itself, so that a start needs neither the compiler nor a guest.
//!
//! Compiled code is run as it stands, so nothing is taken but what this host's own user wrote into a folder that nobody else can write, with the
//! checksum that was noted then. Whatever else is found is compiled anew, and a cache that cannot be used is only slower.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cluster::framework::Descriptor;

/// A note is a descriptor and a checksum; nothing of that kind is longer.
const NOTE_BYTES: u64 = 1 << 20;
/// `O_NOFOLLOW` of Linux: the last part of the path must not be a symbolic link.
const NO_FOLLOW: i32 = 0o400_000;

/// A folder that belongs to one engine of one version of the host.
pub(super) struct Cache {
    dir: PathBuf,
    most: usize,
}

/// What stands beside a compiled plugin.
#[derive(Serialize, Deserialize)]
struct Note {
    compiled_sha256: String,
    descriptor: Descriptor,
}

impl Cache {
    /// Makes the folder if it is missing. Its name holds the engine's compatibility hash, so that an update starts afresh.
    ///
    /// # Errors
    /// The folder cannot be made, or others may write to it.
    pub(super) fn open(dir: &Path, engine: &Engine, most: usize) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let dir = dir.join(format!("plugins-{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish()));
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let found = fs::symlink_metadata(&dir)?;
        if !found.is_dir() || found.uid() != own_uid()? || found.mode() & 0o077 != 0 {
            return Err(io::Error::other("it must be a folder of this host's user with mode 0700"));
        }
        Ok(Self { dir, most })
    }

    /// The compiled plugin and its descriptor, if both are there and as they were written.
    pub(super) fn load(&self, engine: &Engine, digest: &str) -> Option<(Component, Descriptor)> {
        let note: Note = serde_json::from_slice(&self.read(&self.note(digest), NOTE_BYTES)?).ok()?;
        let compiled = self.read(&self.compiled(digest), u64::MAX)?;
        if sha256(&compiled) != note.compiled_sha256 {
            return None;
        }
        Some((deserialize(engine, &compiled)?, note.descriptor))
    }

    /// Keeps them. The note comes last and each appears whole, so that a host that dies meanwhile leaves nothing that is taken for good.
    pub(super) fn store(&self, digest: &str, component: &Component, descriptor: &Descriptor) -> io::Result<()> {
        let compiled = component.serialize().map_err(io::Error::other)?;
        let note = Note { compiled_sha256: sha256(&compiled), descriptor: descriptor.clone() };
        self.write(&self.compiled(digest), &compiled)?;
        self.write(&self.note(digest), &serde_json::to_vec(&note)?)?;
        self.drop_oldest()
    }

    fn compiled(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.cwasm"))
    }

    fn note(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.json"))
    }

    /// A regular file of our own that only we can write.
    fn read(&self, path: &Path, most: u64) -> Option<Vec<u8>> {
        let mut file = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(path).ok()?;
        let found = file.metadata().ok()?;
        if !found.is_file() || found.uid() != own_uid().ok()? || found.mode() & 0o022 != 0 || found.nlink() != 1 || found.len() > most {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = path.with_extension(format!("{}.{:?}.new", std::process::id(), std::thread::current().id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).custom_flags(NO_FOLLOW).open(&temporary)?;
        let written = file.write_all(bytes).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            fs::remove_file(&temporary).ok();
        }
        written
    }

    fn drop_oldest(&self) -> io::Result<()> {
        let mut notes: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
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

/// The one place where bytes become code: the very bytes that were checked, since a file may change between two reads.
#[expect(
    unsafe_code,
    reason = "the bytes come from a 0700 folder of our own, were written by us, and their checksum is the one noted then"
)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: the caller checked owner, mode and checksum; wasmtime itself checks engine, version and target.
    unsafe { Component::deserialize(engine, compiled) }.ok()
}

/// The user that this process writes files as.
fn own_uid() -> io::Result<u32> {
    Ok(File::open("/proc/self/status")?.metadata()?.uid())
}

/// Lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
