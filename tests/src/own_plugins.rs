//! Plugins that a host has for itself, so that one of them can become another behind it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::artifacts;

/// What a script of the plugin hadoop says, and what it says in one of a later day, as long.
const LATER: [&[u8]; 2] = [b"], such as: hdfs dfs", b"], like so: hdfs dfs"];

/// Puts copies of all plugins into a new folder.
pub fn copy_plugins(folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    for file in fs::read_dir(artifacts::plugins_folder()?)? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    Ok(())
}

/// Makes the plugin hadoop in this folder another, for hosts that start from now on.
pub fn replace_hadoop(folder: &Path) -> Result<()> {
    let path = folder.join("hadoop.wasm");
    let mut plugin = fs::read(&path)?;
    let [was, is] = LATER;
    let mut places = plugin.windows(was.len());
    let at = places.position(|bytes| bytes == was);
    let at = at.context("the script of hadoop says something else by now")?;
    plugin
        .get_mut(at..at + was.len())
        .context("it is there")?
        .copy_from_slice(is);
    Ok(fs::write(path, plugin)?)
}
