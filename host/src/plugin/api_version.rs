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

/// A version of the contract that this host speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApiVersion {
    V0_1_0,
    V0_2_0,
}

/// All that this host speaks, oldest first.
const SPOKEN: [(&str, ApiVersion); 2] =
    [("0.1.0", ApiVersion::V0_1_0), ("0.2.0", ApiVersion::V0_2_0)];

/// Says in plain words what is not a component, since the compiler's message does not.
pub(super) fn check_file(bytes: &[u8]) -> Result<(), LoadFailure> {
    match bytes.get(..8) {
        Some(start) if start == COMPONENT => Ok(()),
        Some([0, b'a', b's', b'm', ..]) => Err(LoadFailure::CoreModule),
        _ => Err(LoadFailure::NotWebAssembly),
    }
}

/// The version that the component exports; and that it wants nothing which the host does not give.
pub(super) fn check_component(
    engine: &Engine,
    component: &Component,
) -> Result<ApiVersion, LoadFailure> {
    let kind = component.component_type();
    let exports: Vec<&str> = kind.exports(engine).map(|(name, _)| name).collect();
    let imports: Vec<&str> = kind.imports(engine).map(|(name, _)| name).collect();
    let version = choose_version(&exports)?;
    refuse_unknown(&imports)?;
    Ok(version)
}

fn choose_version(exports: &[&str]) -> Result<ApiVersion, LoadFailure> {
    let theirs: Vec<&str> = exports
        .iter()
        .filter_map(|name| name.strip_prefix(FRAMEWORK))
        .collect();
    let spoken = || SPOKEN.map(|(name, _)| name).join(", ");
    if theirs.is_empty() {
        return Err(LoadFailure::NotAPlugin {
            interface: FRAMEWORK,
            spoken: spoken(),
        });
    }
    let newest = SPOKEN.iter().rev().find(|(name, _)| theirs.contains(name));
    newest
        .map(|(_, version)| *version)
        .ok_or_else(|| LoadFailure::UnknownVersion {
            theirs: theirs.join(", "),
            spoken: spoken(),
        })
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
    fn the_newest_version_that_both_speak_is_taken() {
        assert_eq!(
            choose_version(&["stampede:framework/framework@0.1.0", "other:thing/x"]).unwrap(),
            ApiVersion::V0_1_0
        );
        assert_eq!(
            choose_version(&[
                "stampede:framework/framework@0.9.0",
                "stampede:framework/framework@0.1.0"
            ])
            .unwrap(),
            ApiVersion::V0_1_0
        );
        assert_eq!(
            choose_version(&[
                "stampede:framework/framework@0.2.0",
                "stampede:framework/framework@0.1.0"
            ])
            .unwrap(),
            ApiVersion::V0_2_0
        );
        let error = choose_version(&["stampede:framework/framework@0.9.0"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("speaks version 0.9.0")
                && error.contains("this host speaks 0.1.0, 0.2.0"),
            "{error}"
        );
        assert!(
            choose_version(&["wasi:cli/run@0.2.0"])
                .unwrap_err()
                .to_string()
                .contains("is not a Stampede plugin")
        );
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
