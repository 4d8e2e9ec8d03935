//! Plugins that are compiled in a process of their own: what goes wrong there is one plugin's
//! failure, and the host starts with the others.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use stampede::plugin::{CompiledSources, PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

use super::{LIMITS, folder, good};

/// Loads without a cache: each plugin is compiled.
fn load_by(program: &Path, dir: &Path, limits: PluginLimits) -> PluginRegistry {
    let compiled = CompiledSources {
        compiler: Some(program),
        ..CompiledSources::default()
    };
    PluginRegistry::load_compiled(dir, compiled, limits).unwrap()
}

fn only_reason(registry: &PluginRegistry) -> String {
    let [disabled] = registry.disabled() else {
        panic!("{:?}", registry.disabled())
    };
    disabled.reason.to_string()
}

#[tokio::test]
async fn what_another_process_has_compiled_runs_here_and_what_it_refuses_is_told_in_its_words() {
    let program = artifacts::stampede_binary().unwrap();
    let dir = folder(&["evil", "speechless"]);
    let registry = load_by(&program, dir.path(), LIMITS);
    assert_eq!(good(&registry, "good", 0).await, "good");
    let reason = only_reason(&registry);
    assert!(
        reason.starts_with("cannot describe itself: plugin `speechless` broke down")
            && reason.contains("who am I?"),
        "{reason}"
    );
}

#[test]
fn in_a_container_of_128_mib_a_plugin_is_compiled() {
    let program = artifacts::stampede_binary().unwrap();
    let limits = PluginLimits::default().limit_to_memory(128 << 20);
    let folder = artifacts::plugins_folder().unwrap();
    let registry = load_by(&program, &folder, limits);
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    assert!(registry.framework("cluster").is_some());
}

#[test]
fn a_compiler_that_takes_too_long_or_too_much_is_ended_and_told() {
    let program = artifacts::stampede_binary().unwrap();
    let dir = folder(&["future"]);
    let late = PluginLimits {
        compile_time: Duration::from_millis(1),
        ..LIMITS
    };
    let reason = only_reason(&load_by(&program, dir.path(), late));
    assert_eq!(
        reason,
        "cannot be compiled: the compiler took longer than 0.001 s"
    );
    let small = PluginLimits {
        compile_bytes: 4 << 20,
        ..LIMITS
    };
    let reason = only_reason(&load_by(&program, dir.path(), small));
    assert!(
        reason.starts_with("cannot be compiled: the compiler "),
        "{reason}"
    );
    let missing = only_reason(&load_by(Path::new("/nonexistent"), dir.path(), LIMITS));
    assert!(
        missing.starts_with("cannot be compiled: the compiler cannot be started: "),
        "{missing}"
    );
    // As where /proc is not mounted.
    let missing = only_reason(&load_by(Path::new("/proc/self/no"), dir.path(), LIMITS));
    assert!(
        missing.contains("cannot be started: ") && missing.contains("mount /proc, or compile"),
        "{missing}"
    );
    // Within both bounds it is the plugin that is at fault.
    let reason = only_reason(&load_by(&program, dir.path(), LIMITS));
    assert!(
        reason.contains("speaks version 9.9.0 of the contract"),
        "{reason}"
    );
}

/// A component around a core module with one function of so many nested loops, each of which the
/// compiler keeps in memory.
fn bomb(loops: usize) -> Vec<u8> {
    let number = |mut value: usize| {
        let mut bytes = Vec::new();
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            bytes.push(if value == 0 { low } else { low | 0x80 });
            if value == 0 {
                return bytes;
            }
        }
    };
    let section = |id: u8, content: Vec<u8>| [vec![id], number(content.len()), content].concat();
    // 200 locals that live through all loops.
    let mut code = vec![1, 0xc8, 1, 0x7e];
    for at in 0..loops {
        let local = number(at % 200);
        // local.get, local.get, i64.add, local.set; a branch out of a block
        code.extend(
            [
                [vec![0x02, 0x40, 0x20], local.clone()].concat(),
                vec![0xa7, 0x0d, 0x00, 0x20],
                number((at + 7) % 200),
                [
                    vec![0x20],
                    local.clone(),
                    vec![0x7c, 0x21],
                    local,
                    vec![0x0b],
                ]
                .concat(),
            ]
            .concat(),
        );
    }
    code.push(0x0b);
    let body = [number(code.len()), code].concat();
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, vec![1, 0x60, 0, 0]),
        section(3, vec![1, 0]),
        section(10, [vec![1], body].concat()),
    ]
    .concat();
    [b"\0asm\x0d\0\x01\0".to_vec(), section(1, module)].concat()
}

#[test]
fn a_plugin_that_is_a_bomb_for_the_compiler_is_one_plugins_failure_and_the_program_goes_on() {
    let program = artifacts::stampede_binary().unwrap();
    let dir = folder(&["future"]);
    let limits = PluginLimits {
        compile_bytes: 96 << 20,
        compiles: 1,
        ..LIMITS
    };
    fs::write(dir.path().join("small.wasm"), bomb(10)).unwrap();
    fs::write(dir.path().join("bomb.wasm"), bomb(400_000)).unwrap();
    let registry = load_by(&program, dir.path(), limits);
    let reasons: Vec<String> = registry
        .disabled()
        .iter()
        .map(|disabled| disabled.reason.to_string())
        .collect();
    assert!(
        reasons[0].starts_with("cannot be compiled: the compiler broke down"),
        "{reasons:?}"
    );
    assert!(
        reasons[0].contains("give the container more memory (128 MiB"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("speaks version 9.9.0"), "{reasons:?}");
    assert!(
        reasons[2].starts_with("is not a Stampede plugin"),
        "{reasons:?}"
    );
}

#[test]
fn the_program_lists_what_works_beside_what_does_not_and_hands_on_nothing_of_its_environment() {
    let dir = folder(&["evil", "endless"]);
    fs::write(dir.path().join("half.wasm"), &bomb(10)[..40]).unwrap();
    let output = Command::new(artifacts::stampede_binary().unwrap())
        .args(["plugins", "--plugins"])
        .arg(dir.path())
        .arg("--cache")
        .arg(dir.path().join("cache"))
        .env("OS_PASSWORD", "secret")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("Does what it should not."), "{text}");
    assert!(
        text.contains("endless.wasm is disabled: it cannot describe itself: plugin `endless` did not answer within 5 s"),
        "{text}"
    );
    assert!(
        text.contains("half.wasm is disabled: it cannot be compiled: "),
        "{text}"
    );
}
