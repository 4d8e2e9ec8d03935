//! Reads from a component's type which version of the contract it exports and what it imports,
//! before anything of it runs.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::LoadFailure;

/// The interface that every plugin exports, without its version.
const FRAMEWORK: &str = "stampede:framework/framework@";
/// The packages of WASI 0.2 that are given, each closed or frozen.
const GIVEN: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
/// How a component's file begins; a core module has another layer number in the same place.
const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// The versions of the contract that this host speaks.
const SPOKEN: [&str; 1] = ["0.2.0"];

/// Says in plain words what is not a component, since the compiler's message does not.
pub(super) fn check_file(bytes: &[u8]) -> Result<(), LoadFailure> {
    match bytes.get(..8) {
        Some(start) if start == COMPONENT => Ok(()),
        Some([0, b'a', b's', b'm', ..]) => Err(LoadFailure::CoreModule),
        _ => Err(LoadFailure::NotWebAssembly),
    }
}

/// Whether the component exports a version that is spoken, and wants nothing which the host does
/// not give.
pub(super) fn check_component(engine: &Engine, component: &Component) -> Result<(), LoadFailure> {
    let kind = component.component_type();
    let exports: Vec<&str> = kind.exports(engine).map(|(name, _)| name).collect();
    let imports: Vec<&str> = kind.imports(engine).map(|(name, _)| name).collect();
    check_versions(&exports)?;
    refuse_unknown(&imports)
}

fn check_versions(exports: &[&str]) -> Result<(), LoadFailure> {
    let theirs: Vec<&str> = exports
        .iter()
        .filter_map(|name| name.strip_prefix(FRAMEWORK))
        .collect();
    let spoken = SPOKEN.join(", ");
    if theirs.is_empty() {
        let interface = FRAMEWORK;
        return Err(LoadFailure::NotAPlugin { interface, spoken });
    }
    if theirs.iter().any(|version| SPOKEN.contains(version)) {
        return Ok(());
    }
    let theirs = theirs.join(", ");
    Err(LoadFailure::UnknownVersion { theirs, spoken })
}

fn refuse_unknown(imports: &[&str]) -> Result<(), LoadFailure> {
    let unknown: Vec<&str> = imports
        .iter()
        .copied()
        .filter(|name| !GIVEN.iter().any(|given| name.starts_with(given)))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(LoadFailure::UnknownImports(unknown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_spoken_is_refused_by_both_their_numbers() {
        check_versions(&["stampede:framework/framework@0.2.0", "other:thing/x"]).unwrap();
        check_versions(&[
            "stampede:framework/framework@0.9.0",
            "stampede:framework/framework@0.2.0",
        ])
        .unwrap();
        for version in ["0.1.0", "0.9.0"] {
            let export = format!("stampede:framework/framework@{version}");
            let error = check_versions(&[&export]).unwrap_err().to_string();
            assert!(
                error.contains(&format!("speaks version {version}"))
                    && error.contains("this host speaks 0.2.0"),
                "{error}"
            );
        }
        let error = check_versions(&["wasi:cli/run@0.2.0"]).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("is not a Stampede plugin"), "{error}");
    }

    #[test]
    fn whatever_is_not_closed_wasi_is_refused_by_name() {
        refuse_unknown(&["wasi:cli/stderr@0.2.6", "wasi:sockets/tcp@0.2.0"]).unwrap();
        let error = refuse_unknown(&["wasi:io/poll@0.2.6", "wasi:http/outgoing-handler@0.2.6"])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("wants wasi:http/outgoing-handler@0.2.6, which"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_no_component_is_told_from_its_first_bytes() {
        check_file(b"\0asm\x0d\0\x01\0rest").unwrap();
        assert!(
            check_file(b"\0asm\x01\0\0\0rest")
                .unwrap_err()
                .to_string()
                .contains("wasm32-wasip2")
        );
        assert_eq!(
            check_file(b"#!/bin/sh").unwrap_err().to_string(),
            "is not WebAssembly"
        );
        assert_eq!(
            check_file(b"").unwrap_err().to_string(),
            "is not WebAssembly"
        );
    }
}
