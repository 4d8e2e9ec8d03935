//! Writes a folder of files so that there is all of it or none.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// Writes `files`, by paths relative to `dir`. A folder that is new comes into being in one step. One that is there stays the folder it is
/// (somebody may stand in it, it may be a mount point): files are put into it one by one, each in one step, and others are left alone. It
/// must be empty unless `force` is given.
pub(super) fn write(dir: &Path, files: &BTreeMap<String, String>, force: bool) -> Result<()> {
    let (there, occupied) = match fs::read_dir(dir) {
        Ok(mut entries) => (true, entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (false, false),
        Err(error) => return Err(error).with_context(|| format!("cannot write to `{}`", dir.display())),
    };
    if occupied && !force {
        bail!("`{}` is not empty; choose another folder, or overwrite files of the same name by --force", dir.display());
    }
    let target = absolute(dir)?;
    let parent = target.parent().with_context(|| format!("`{}` cannot be a cluster's folder", dir.display()))?;
    let name = target.file_name().with_context(|| format!("`{}` cannot be a cluster's folder", dir.display()))?;
    if !there {
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
    }
    let beside = if there { target.as_path() } else { parent };
    let staging = beside.join(format!(".{}.stampede-{}", name.to_string_lossy(), std::process::id()));
    let outcome =
        fill(&staging, files).and_then(|()| if there { replace(&staging, &target, files) } else { Ok(fs::rename(&staging, &target)?) });
    if there || outcome.is_err() {
        // What was not moved is of no use to anyone; that it may be left behind is not worth a second error.
        let _ = fs::remove_dir_all(&staging);
    }
    outcome.with_context(|| format!("cannot write to `{}`", dir.display()))
}

fn absolute(dir: &Path) -> Result<PathBuf> {
    match dir.canonicalize() {
        Ok(there) => Ok(there),
        Err(_) => std::path::absolute(dir).with_context(|| format!("`{}` is no path", dir.display())),
    }
}

fn fill(staging: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    fs::create_dir(staging)?;
    for (name, text) in files {
        let path = staging.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)?;
    }
    Ok(())
}

fn replace(staging: &Path, target: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    for name in files.keys() {
        let path = target.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(staging.join(name), path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn files(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("a.txt".to_owned(), text.to_owned()), ("sub/b.txt".to_owned(), text.to_owned())])
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone_without_force() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("new/cluster");
        write(&dir, &files("1"), false).unwrap();
        assert_eq!(fs::read_to_string(dir.join("sub/b.txt")).unwrap(), "1");
        fs::write(dir.join("mine"), "x").unwrap();
        let told = write(&dir, &files("2"), false).unwrap_err().to_string();
        assert!(told.contains("is not empty") && told.contains("--force"), "{told}");
        assert_eq!(fs::read_to_string(dir.join("a.txt")).unwrap(), "1");
        write(&dir, &files("2"), true).unwrap();
        assert_eq!(fs::read_to_string(dir.join("a.txt")).unwrap() + &fs::read_to_string(dir.join("mine")).unwrap(), "2x");
        assert_eq!(fs::read_dir(dir.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn an_empty_folder_is_filled_and_a_file_in_the_way_is_told() {
        let root = tempfile::tempdir().unwrap();
        let before = fs::metadata(root.path()).unwrap();
        write(root.path(), &files("1"), false).unwrap();
        assert!(root.path().join("a.txt").exists());
        let after = fs::metadata(root.path()).unwrap();
        assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()), "the folder is another one");
        let told = format!("{:#}", write(&root.path().join("a.txt"), &files("1"), true).unwrap_err());
        assert!(told.contains("a.txt"), "{told}");
    }
}
