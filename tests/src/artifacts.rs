//! Finds what `tests/build` has built: the plugins and the binaries that the tests run.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The folder that cargo builds into.
pub fn target_folder() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| here.join("../target"), PathBuf::from)
}

/// The host's binary.
pub fn stampede_binary() -> Result<PathBuf> {
    require_file(
        std::env::var_os("STAMPEDE_BIN")
            .map_or_else(|| target_folder().join("debug/stampede"), PathBuf::from),
    )
}

/// The folder with the plugins, `<name>.wasm`.
pub fn plugins_folder() -> Result<PathBuf> {
    require_file(target_folder().join("plugins"))
}

fn require_file(path: PathBuf) -> Result<PathBuf> {
    if !path.exists() {
        bail!("{} is not there: run tests/build first", path.display());
    }
    Ok(path)
}
