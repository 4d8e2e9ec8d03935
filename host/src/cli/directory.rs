//! Replaces a directory as a whole: files are written beside it and moved into place, so that a run
//! that fails leaves what was there. A list of checksums goes with them, by which a later run knows
//! the files that it may replace or remove.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

/// The list of what was written, in the form of `sha256sum`.
pub(super) const SUMS: &str = "SHA256SUMS";
/// Bytes of such a list that are read at most; one of ours has a hundred a file.
const MAX_SUMS_BYTES: u64 = 1 << 20;

/// The list of these files.
pub(super) fn list_checksums(files: &BTreeMap<String, String>) -> String {
    files
        .iter()
        .map(|(name, text)| format!("{}  {name}\n", checksum(text.as_bytes())))
        .collect()
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Writes `files`, by paths relative to `dir`. A folder that is new comes into being in one step.
/// One that is there stays the folder it is (somebody may stand in it, it may be a mount point):
/// files are put into it one by one, each in one step; those that were written before, are as they
/// were then and are not written now are taken away, and others are left alone. It must be empty
/// unless `force` is given.
pub(super) fn write_directory(
    dir: &Path,
    files: &BTreeMap<String, String>,
    force: bool,
) -> Result<()> {
    let (there, occupied) = match fs::read_dir(dir) {
        Ok(mut entries) => (true, entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (false, false),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot write to `{}`", dir.display()));
        }
    };
    if occupied && !force {
        bail!(
            "`{}` is not empty; choose another folder, or overwrite files of the same name by --force",
            dir.display()
        );
    }
    let target = make_absolute(dir)?;
    let parent = target
        .parent()
        .with_context(|| format!("`{}` cannot be a cluster's folder", dir.display()))?;
    let name = target
        .file_name()
        .with_context(|| format!("`{}` cannot be a cluster's folder", dir.display()))?;
    if !there {
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot make `{}`", parent.display()))?;
    }
    let beside = if there { target.as_path() } else { parent };
    let staging = beside.join(format!(
        ".{}.stampede-{}",
        name.to_string_lossy(),
        std::process::id()
    ));
    let former = read_manifest(&target);
    let outcome = write_files(&staging, files).and_then(|()| {
        if there {
            replace_files(&staging, &target, files)
        } else {
            Ok(fs::rename(&staging, &target)?)
        }
    });
    if outcome.is_ok() {
        take_away(
            &target,
            former.iter().filter(|(_, name)| !files.contains_key(name)),
        );
    }
    if there || outcome.is_err() {
        // What was not moved is of no use to anyone; that it may be left behind is not worth a
        // second error.
        let _ = fs::remove_dir_all(&staging);
    }
    outcome.with_context(|| format!("cannot write to `{}`", dir.display()))
}

fn make_absolute(dir: &Path) -> Result<PathBuf> {
    match dir.canonicalize() {
        Ok(there) => Ok(there),
        Err(_) => {
            std::path::absolute(dir).with_context(|| format!("`{}` is no path", dir.display()))
        }
    }
}

fn write_files(staging: &Path, files: &BTreeMap<String, String>) -> Result<()> {
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

fn replace_files(staging: &Path, target: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    for name in files.keys() {
        let path = target.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(staging.join(name), path)?;
    }
    Ok(())
}

/// Sum and name of each file that was written before; none where that is not told.
fn read_manifest(target: &Path) -> Vec<(String, String)> {
    let list = target.join(SUMS);
    let is_ours =
        fs::metadata(&list).is_ok_and(|list| list.is_file() && list.len() <= MAX_SUMS_BYTES);
    let text = if is_ours {
        fs::read_to_string(&list).unwrap_or_default()
    } else {
        String::new()
    };
    let inside = |name: &str| {
        Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
    };
    let named = text
        .lines()
        .filter_map(|line| line.split_once("  "))
        .filter(|(_, name)| inside(name));
    named
        .map(|(sum, name)| (sum.to_owned(), name.to_owned()))
        .collect()
}

/// Takes files away that are still what the list says, and folders that are empty then. What cannot
/// be taken away does no harm.
fn take_away<'a>(target: &Path, files: impl Iterator<Item = &'a (String, String)>) {
    for (known, name) in files {
        let path = target.join(name);
        let is_plain = fs::symlink_metadata(&path).is_ok_and(|file| file.is_file());
        let is_as_written =
            is_plain && fs::read(&path).is_ok_and(|bytes| checksum(&bytes) == *known);
        if !is_as_written || fs::remove_file(&path).is_err() {
            continue;
        }
        let folders = path
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != target);
        folders
            .take_while(|folder| fs::remove_dir(folder).is_ok())
            .for_each(drop);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn files(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("a.txt".to_owned(), text.to_owned()),
            ("sub/b.txt".to_owned(), text.to_owned()),
        ])
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone_without_force() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("new/cluster");
        write_directory(&dir, &files("1"), false).unwrap();
        assert_eq!(fs::read_to_string(dir.join("sub/b.txt")).unwrap(), "1");
        fs::write(dir.join("mine"), "x").unwrap();
        let told = write_directory(&dir, &files("2"), false)
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("is not empty") && told.contains("--force"),
            "{told}"
        );
        assert_eq!(fs::read_to_string(dir.join("a.txt")).unwrap(), "1");
        write_directory(&dir, &files("2"), true).unwrap();
        assert_eq!(
            fs::read_to_string(dir.join("a.txt")).unwrap()
                + &fs::read_to_string(dir.join("mine")).unwrap(),
            "2x"
        );
        assert_eq!(
            fs::read_dir(dir.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_is_no_longer_made_is_taken_away_unless_somebody_changed_it() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("cluster");
        let with_sums = |names: &[&str]| {
            let mut files: BTreeMap<String, String> = names
                .iter()
                .map(|name| ((*name).to_owned(), format!("text of {name}")))
                .collect();
            let sums = list_checksums(&files);
            files.insert(SUMS.to_owned(), sums);
            files
        };
        write_directory(
            &dir,
            &with_sums(&["stays", "old/deep/goes", "old/changed", "goes"]),
            false,
        )
        .unwrap();
        fs::write(dir.join("old/changed"), "by hand").unwrap();
        fs::write(dir.join("mine"), "x").unwrap();
        fs::write(root.path().join("outside"), "text of outside").unwrap();
        let listed = fs::read_to_string(dir.join(SUMS)).unwrap();
        fs::write(
            dir.join(SUMS),
            format!("{listed}{}  ../outside\n", checksum(b"text of outside")),
        )
        .unwrap();
        write_directory(&dir, &with_sums(&["stays"]), true).unwrap();
        let left = |name: &str| dir.join(name).exists();
        assert_eq!(
            [
                "goes",
                "old/deep",
                "old/changed",
                "mine",
                "stays",
                "../outside"
            ]
            .map(left),
            [false, false, true, true, true, true]
        );
        assert_eq!(
            fs::read_to_string(dir.join(SUMS)).unwrap(),
            with_sums(&["stays"])[SUMS]
        );
    }

    #[test]
    fn a_list_of_the_limit_is_believed_and_a_larger_one_is_not() {
        for (more, is_taken) in [(0, true), (1, false)] {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join("old"), "x").unwrap();
            let line = format!("{}  old\n", checksum(b"x"));
            let padding = " ".repeat(usize::try_from(MAX_SUMS_BYTES).unwrap() - line.len() + more);
            fs::write(root.path().join(SUMS), line + &padding).unwrap();
            write_directory(root.path(), &files("1"), true).unwrap();
            assert_eq!(!root.path().join("old").exists(), is_taken, "{more}");
        }
    }

    #[test]
    fn an_empty_folder_is_filled_and_a_file_in_the_way_is_told() {
        let root = tempfile::tempdir().unwrap();
        let before = fs::metadata(root.path()).unwrap();
        write_directory(root.path(), &files("1"), false).unwrap();
        assert!(root.path().join("a.txt").exists());
        let after = fs::metadata(root.path()).unwrap();
        assert_eq!(
            (after.ino(), after.mode()),
            (before.ino(), before.mode()),
            "the folder is another one"
        );
        let told = format!(
            "{:#}",
            write_directory(&root.path().join("a.txt"), &files("1"), true).unwrap_err()
        );
        assert!(told.contains("a.txt"), "{told}");
    }
}
