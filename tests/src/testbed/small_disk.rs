//! A small disk for one folder of a node, since nodes of the testbed share this machine's: a file
//! with a file system, mounted in the node alone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::testbed::node::TestbedNode;

/// A disk of a node; it and its file are gone when this is dropped and the node has ended.
pub struct SmallDisk {
    device: String,
    file: PathBuf,
}

impl SmallDisk {
    /// Mounts a new, empty disk at `folder` of the node.
    ///
    /// # Errors
    /// This machine has no loop device to give, or the node cannot mount it.
    pub async fn mount(node: &TestbedNode, folder: &str, mib: u64, scratch: &Path) -> Result<Self> {
        let file = scratch.join(format!("disk-{}", node.server));
        std::fs::File::create(&file)?.set_len(mib << 20)?;
        let path = file.to_str().context("a path of text")?;
        run("mkfs.ext4", &["-q", "-m", "0", path]).await?;
        let device = run("losetup", &["--find", "--show", path]).await?;
        let disk = Self { device, file };
        let number = disk
            .device
            .strip_prefix("/dev/loop")
            .context("a loop device")?;
        node.run_script(&format!(
            "set -e; mkdir -p {folder}; mknod /root/disk b 7 {number}; mount /root/disk {folder}; rmdir {folder}/lost+found"
        ))
        .await?;
        Ok(disk)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // the kernel lets it go once nobody has it mounted
        let _ = std::process::Command::new("losetup")
            .args(["--detach", &self.device])
            .status();
        let _ = std::fs::remove_file(&self.file);
    }
}

async fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .output()
        .await?;
    if !output.status.success() {
        bail!(
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
