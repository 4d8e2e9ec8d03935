//! Loading a folder of plugins: one that cannot be used disables itself; compiled code is cached,
//! and loaded only where it can be trusted.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use stampede::plugin::{CompiledSources, PluginLimits, PluginRegistry};

use super::{LIMITS, folder, good, load};

/// Why a guest of that name was disabled, beside one that was not.
fn reason(name: &str) -> String {
    let registry = load(folder(&["evil", name]).path());
    assert!(registry.framework("evil").is_some() && registry.framework(name).is_none());
    let [disabled] = registry.disabled() else {
        panic!("{:?}", registry.disabled())
    };
    assert!(disabled.path.ends_with(format!("{name}.wasm")));
    disabled.reason.to_string()
}

#[test]
fn a_plugin_that_cannot_be_used_says_why_and_the_others_work() {
    assert_eq!(
        reason("misnamed"),
        "says that its name is `cluster`: name the file cluster.wasm"
    );
    let future = reason("future");
    assert!(
        future.contains("speaks version 9.9.0 of the contract, this host speaks 0.2.0"),
        "{future}"
    );
    let burglar = reason("burglar");
    assert!(
        burglar.starts_with("wants evil:guest/vault, which a plugin is not given"),
        "{burglar}"
    );
    let schema = reason("badschema");
    assert!(
        schema.contains("its parameters are not a JSON Schema"),
        "{schema}"
    );
    let endless = reason("endless");
    assert!(
        endless.contains("cannot describe itself: plugin `endless` did not answer within 2 s"),
        "{endless}"
    );
    let speechless = reason("speechless");
    assert!(
        speechless.contains("cannot describe itself") && speechless.contains("who am I?"),
        "{speechless}"
    );
}

#[test]
fn what_is_no_component_is_told_apart() {
    let folder = folder(&["evil"]);
    fs::write(folder.path().join("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(folder.path().join("empty.wasm"), b"").unwrap();
    fs::write(
        folder.path().join("half.wasm"),
        &fs::read(folder.path().join("evil.wasm")).unwrap()[..5_000],
    )
    .unwrap();
    fs::write(folder.path().join("notes.txt"), b"left alone").unwrap();
    let registry = load(folder.path());
    let reasons: Vec<_> = registry
        .disabled()
        .iter()
        .map(|disabled| disabled.reason.to_string())
        .collect();
    assert_eq!(
        reasons[..2],
        [
            "is a core WebAssembly module, not a component: build it for wasm32-wasip2",
            "is not WebAssembly"
        ]
    );
    assert!(
        reasons[2].starts_with("cannot be compiled: "),
        "{}",
        reasons[2]
    );
    assert_eq!((reasons.len(), registry.frameworks().count()), (3, 1));
}

#[test]
fn a_folder_that_is_not_there_is_the_only_end() {
    let error = PluginRegistry::load(Path::new("/nonexistent/plugins"), None, LIMITS)
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the plugin folder /nonexistent/plugins: "),
        "{error}"
    );
}

/// The files of the cache with that ending.
fn kept(cache: &Path, ending: &str) -> Vec<PathBuf> {
    let [engine] = fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    fs::read_dir(engine)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect()
}

/// When a file was written and what it holds: whether it is the one that was there.
fn state(path: &Path) -> (std::time::SystemTime, Vec<u8>) {
    (
        fs::metadata(path).unwrap().modified().unwrap(),
        fs::read(path).unwrap(),
    )
}

#[tokio::test]
async fn compiled_code_is_kept_for_the_host_alone_and_used_again() {
    let (plugins, cache) = (folder(&["evil"]), tempfile::tempdir().unwrap());
    let first = PluginRegistry::load(plugins.path(), Some(cache.path()), LIMITS).unwrap();
    let [compiled] = kept(cache.path(), "cwasm").try_into().unwrap();
    assert_eq!(
        fs::metadata(compiled.parent().unwrap())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    assert_eq!(
        fs::metadata(&compiled).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let before = state(&compiled);
    let second = PluginRegistry::load(plugins.path(), Some(cache.path()), LIMITS).unwrap();
    assert!(state(&compiled) == before, "it was not compiled again");
    let (one, other) = (
        first.framework("evil").unwrap(),
        second.framework("evil").unwrap(),
    );
    assert_eq!(
        (one.descriptor(), one.digest()),
        (other.descriptor(), other.digest())
    );
    assert_eq!(good(&second, "good", 0).await, "good");
}

#[tokio::test]
async fn what_was_tampered_with_is_compiled_anew() {
    let (plugins, cache) = (folder(&["evil"]), tempfile::tempdir().unwrap());
    let load = || PluginRegistry::load(plugins.path(), Some(cache.path()), LIMITS).unwrap();
    load();
    let [compiled] = kept(cache.path(), "cwasm").try_into().unwrap();
    let [note] = kept(cache.path(), "json").try_into().unwrap();
    let genuine = fs::read(&compiled).unwrap();
    let tampering: [(&str, &dyn Fn()); 6] = [
        ("a flipped bit", &|| {
            let mut bytes = genuine.clone();
            bytes[genuine.len() / 2] ^= 1;
            fs::write(&compiled, bytes).unwrap();
        }),
        ("half a file", &|| {
            fs::write(&compiled, &genuine[..genuine.len() / 2]).unwrap()
        }),
        ("others may write", &|| {
            fs::write(&compiled, [&genuine[..], b"x"].concat()).unwrap();
            fs::set_permissions(&compiled, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("a link to elsewhere", &|| {
            let elsewhere = cache
                .path()
                .parent()
                .unwrap()
                .join(format!("elsewhere-{}", std::process::id()));
            fs::write(&elsewhere, b"elsewhere").unwrap();
            fs::remove_file(&compiled).unwrap();
            symlink(&elsewhere, &compiled).unwrap();
        }),
        ("no note", &|| fs::remove_file(&note).unwrap()),
        ("a note that is none", &|| fs::write(&note, b"{}").unwrap()),
    ];
    for (what, tamper) in tampering {
        tamper();
        let registry = load();
        assert_eq!(good(&registry, "good", 0).await, "good", "{what}");
        assert!(
            fs::symlink_metadata(&compiled).unwrap().is_file()
                && fs::read(&compiled).unwrap() == genuine,
            "{what}: not written anew"
        );
    }
    let elsewhere = cache
        .path()
        .parent()
        .unwrap()
        .join(format!("elsewhere-{}", std::process::id()));
    assert_eq!(
        fs::read(&elsewhere).unwrap(),
        b"elsewhere",
        "the link was not followed"
    );
    fs::remove_file(elsewhere).unwrap();
}

#[tokio::test]
async fn a_cache_that_others_may_enter_is_not_used() {
    let (plugins, cache) = (folder(&["evil"]), tempfile::tempdir().unwrap());
    PluginRegistry::load(plugins.path(), Some(cache.path()), LIMITS).unwrap();
    let [compiled] = kept(cache.path(), "cwasm").try_into().unwrap();
    fs::set_permissions(
        compiled.parent().unwrap(),
        fs::Permissions::from_mode(0o770),
    )
    .unwrap();
    fs::remove_file(&compiled).unwrap();
    let registry = PluginRegistry::load(plugins.path(), Some(cache.path()), LIMITS).unwrap();
    assert_eq!(good(&registry, "good", 0).await, "good", "only slower");
    assert!(!compiled.exists());
}

#[test]
fn the_cache_keeps_as_many_as_it_may() {
    let cache = tempfile::tempdir().unwrap();
    let limits = PluginLimits {
        cached: 1,
        ..LIMITS
    };
    for name in ["evil", "misnamed"] {
        PluginRegistry::load(folder(&[name]).path(), Some(cache.path()), limits).unwrap();
    }
    assert_eq!(
        (
            kept(cache.path(), "cwasm").len(),
            kept(cache.path(), "json").len()
        ),
        (1, 1)
    );
}

/// Loads as a host does whose plugins came compiled, and that can write to no cache.
fn shipped(plugins: &Path, shipped: &Path) -> PluginRegistry {
    let compiled = CompiledSources {
        shipped: Some(shipped),
        cache: Some(Path::new("/proc/no/cache/here")),
        compiler: None,
    };
    PluginRegistry::load_compiled(plugins, compiled, LIMITS).unwrap()
}

#[tokio::test]
async fn what_came_compiled_with_the_program_is_used_without_a_cache() {
    let (plugins, program, cache) = (
        folder(&["evil"]),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let into = program.path().join("compiled");
    assert_eq!(
        PluginRegistry::ship(plugins.path(), &into, LIMITS).unwrap(),
        ["evil"]
    );
    let registry = shipped(plugins.path(), &into);
    assert_eq!(good(&registry, "good", 0).await, "good");
    let both = CompiledSources {
        shipped: Some(&into),
        cache: Some(cache.path()),
        compiler: None,
    };
    PluginRegistry::load_compiled(plugins.path(), both, LIMITS).unwrap();
    assert_eq!(
        fs::read_dir(cache.path()).unwrap().count(),
        0,
        "nothing was compiled, so nothing is kept"
    );
    for file in fs::read_dir(&into).unwrap().map(|entry| entry.unwrap()) {
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o644,
            "a host of any user reads {}",
            file.path().display()
        );
    }
}

#[tokio::test]
async fn what_others_can_write_did_not_come_with_the_program() {
    let (plugins, program, cache) = (
        folder(&["evil"]),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let into = program.path().join("compiled");
    PluginRegistry::ship(plugins.path(), &into, LIMITS).unwrap();
    let file = fs::read_dir(&into)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().unwrap() == "cwasm")
        .unwrap();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (path, closed, open) in [(into.as_path(), 0o755, 0o775), (&file, 0o644, 0o666)] {
        mode(path, open);
        let compiled = CompiledSources {
            shipped: Some(&into),
            cache: Some(cache.path()),
            compiler: None,
        };
        let registry = PluginRegistry::load_compiled(plugins.path(), compiled, LIMITS).unwrap();
        assert_eq!(good(&registry, "good", 0).await, "good");
        let [kept] = kept(cache.path(), "cwasm").try_into().unwrap();
        fs::remove_file(kept).unwrap();
        mode(path, closed);
    }
}

#[test]
fn a_plugin_that_cannot_be_used_is_not_shipped() {
    let program = tempfile::tempdir().unwrap();
    let error =
        PluginRegistry::ship(folder(&["misnamed"]).path(), program.path(), LIMITS).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("says that its name is `cluster`: name the file cluster.wasm"),
        "{error}"
    );
    assert_eq!(fs::read_dir(program.path()).unwrap().count(), 0);
}
