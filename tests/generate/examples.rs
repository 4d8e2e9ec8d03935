//! The clusters in `templates/examples` are what the plugins make today.
//! `STAMPEDE_UPDATE_EXAMPLES=1` writes them anew.

use std::{fs, path::PathBuf};

use super::{generated, read};

const EXAMPLES: [(&str, &[&str]); 2] = [
    (
        "hadoop-1-worker",
        &["hadoop", "--name", "hadoop", "--workers", "1"],
    ),
    (
        "hadoop-3-workers",
        &[
            "hadoop",
            "--name",
            "hadoop",
            "--workers",
            "3",
            "--set",
            "network.access=198.51.100.0/24",
        ],
    ),
];

#[test]
fn the_examples_are_what_the_plugins_make() {
    for (name, arguments) in EXAMPLES {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../templates/examples")
            .join(name);
        let made = generated(arguments);
        if std::env::var_os("STAMPEDE_UPDATE_EXAMPLES").is_some() {
            let _ = fs::remove_dir_all(&dir);
            for (path, text) in &made {
                fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
                fs::write(dir.join(path), text).unwrap();
            }
        }
        let kept = read(&dir);
        for (path, text) in &made {
            let old = kept
                .get(path)
                .unwrap_or_else(|| panic!("templates/examples/{name}/{path} is missing: STAMPEDE_UPDATE_EXAMPLES=1 writes it"));
            let differs = text
                .lines()
                .zip(old.lines())
                .enumerate()
                .find(|(_, (new, old))| new != old);
            assert!(
                old == text,
                "templates/examples/{name}/{path} is not what is made today, first at {differs:?}; STAMPEDE_UPDATE_EXAMPLES=1 writes it"
            );
        }
        assert_eq!(
            kept.keys().collect::<Vec<_>>(),
            made.keys().collect::<Vec<_>>(),
            "templates/examples/{name}"
        );
    }
}
