//! Stores compiled plugins in a folder, each with its descriptor, so that a start needs neither the
//! compiler nor a guest.
//!
//! Loading compiled code is running it: wasmtime maps the bytes as machine code and checks only its
//! own version and target. So nothing is taken but regular files of one owner that nobody else can
//! write, whose checksum is the one that was noted when they were made. The caller says whose files
//! are trusted. Anything else that is found counts as missing, and the plugin is compiled again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cluster::FrameworkDescriptor;

/// A note is a descriptor and a checksum; nothing of that kind is longer.
const NOTE_BYTES: u64 = 1 << 20;
/// `O_NOFOLLOW` of Linux: the last part of the path must not be a symbolic link.
const NO_FOLLOW: i32 = 0o400_000;
/// What others may not have of a file or folder whose content is run.
const OTHERS_WRITE: u32 = 0o022;

/// A folder of compiled plugins.
pub(super) struct CompiledStore {
    dir: PathBuf,
    owner: u32,
}

/// What stands beside a compiled plugin.
#[derive(Serialize, Deserialize)]
struct CompiledNote {
    compiled_sha256: String,
    descriptor: FrameworkDescriptor,
}

impl CompiledStore {
    /// The folder as its owner has filled it, if it is theirs and nobody else can write there.
    pub(super) fn open(dir: PathBuf, owner: u32) -> Option<Self> {
        let found = fs::symlink_metadata(&dir).ok()?;
        (found.is_dir() && found.uid() == owner && found.mode() & OTHERS_WRITE == 0)
            .then_some(Self { dir, owner })
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The compiled plugin and its descriptor, if both are there and as they were written.
    pub(super) fn load(
        &self,
        engine: &Engine,
        digest: &str,
    ) -> Option<(Component, FrameworkDescriptor)> {
        let note: CompiledNote =
            serde_json::from_slice(&self.read_trusted(&self.note_path(digest), NOTE_BYTES)?)
                .ok()?;
        let compiled = self.read_trusted(&self.compiled_path(digest), u64::MAX)?;
        if sha256(&compiled) != note.compiled_sha256 {
            return None;
        }
        Some((deserialize(engine, &compiled)?, note.descriptor))
    }

    /// Keeps them in files of that mode. The note comes last and each appears whole, so that a host
    /// that dies meanwhile leaves nothing that is taken for good.
    pub(super) fn store(
        &self,
        digest: &str,
        component: &Component,
        descriptor: &FrameworkDescriptor,
        mode: u32,
    ) -> io::Result<()> {
        let compiled = component.serialize().map_err(io::Error::other)?;
        let note = CompiledNote {
            compiled_sha256: sha256(&compiled),
            descriptor: descriptor.clone(),
        };
        write_whole(&self.compiled_path(digest), &compiled, mode)?;
        write_whole(&self.note_path(digest), &serde_json::to_vec(&note)?, mode)
    }

    fn compiled_path(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.cwasm"))
    }

    fn note_path(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.json"))
    }

    /// The content of a regular file of the owner's that nobody else can write.
    fn read_trusted(&self, path: &Path, most: u64) -> Option<Vec<u8>> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(NO_FOLLOW)
            .open(path)
            .ok()?;
        let found = file.metadata().ok()?;
        if !found.is_file()
            || found.uid() != self.owner
            || found.mode() & OTHERS_WRITE != 0
            || found.nlink() != 1
            || found.len() > most
        {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = path.with_extension(format!(
        "{}.{:?}.new",
        std::process::id(),
        std::thread::current().id()
    ));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .custom_flags(NO_FOLLOW)
        .open(&temporary)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written
}

/// The one place where bytes become code: the very bytes that were checked, since a file may change
/// between two reads, or those that a process of this very program has just compiled.
#[expect(
    unsafe_code,
    reason = "the bytes are those of a trusted owner's file that only he can write, and their checksum is the one noted"
)]
pub(super) fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: the caller checked owner, mode and checksum; wasmtime itself checks engine, version
    // and target.
    unsafe { Component::deserialize(engine, compiled) }.ok()
}

/// The user that this process writes files as.
pub(super) fn own_uid() -> io::Result<u32> {
    Ok(File::open("/proc/self/status")?.metadata()?.uid())
}

/// The user whose program this process runs, and so is trusted with code.
pub(super) fn program_uid() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self/exe")?.uid())
}

/// Lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
