//! Compiles a plugin, and asks it what it is, in a process of its own: the compiler reads what a
//! stranger wrote, and may take time and memory without end, or break down. Both ends are here. The
//! process is this very program, with nothing of this one's environment and files; it takes the
//! plugin on standard input and gives the compiled code on standard output.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::sandbox::PluginSandbox;
use super::{LoadFailure, PluginLimits, compiled_plugin};
use crate::cluster::FrameworkDescriptor;

/// The hidden command of this program that compiles one plugin.
pub const COMPILE_COMMAND: &str = "compile-plugin";
/// The exit code of a process that says on standard error why the plugin cannot be used.
const REFUSED: i32 = 3;
/// Bytes of what the process says on standard error that are kept.
const WORDS_BYTES: u64 = 16 << 10;
/// Of the memory of that process, the part that what it has compiled may take in this one.
const ANSWER_PART: usize = 4;
/// What helps where its memory is too small.
const MORE_MEMORY: &str = "give the container more memory (128 MiB for a small plugin), or compile its plugins before \
                           (stampede plugins --compile)";
/// The allocator reserves a GiB at once, which would count as taken however little of it is used.
const NO_RESERVE: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");
/// Bytes of a descriptor as JSON.
const DESCRIPTOR_BYTES: usize = 1 << 20;
/// Of all processes, the kernel ends this one first when memory runs out.
const FIRST_TO_GO: &str = "1000";

/// The compiled code and the descriptor of a plugin, from a process of `program`.
pub(super) fn compile_in_process(
    program: &Path,
    bytes: Vec<u8>,
    name: &str,
    limits: PluginLimits,
) -> Result<(Vec<u8>, FrameworkDescriptor), LoadFailure> {
    let told = serde_json::to_string(&limits).map_err(|e| broken(format!("has no limits: {e}")))?;
    let mut child = Command::new(program)
        .args([COMPILE_COMMAND, name, &told])
        .env_clear()
        .env(NO_RESERVE.0, NO_RESERVE.1)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| broken(start_failure(program, &error)))?;
    let outcome = converse(&mut child, bytes, limits);
    // Nothing is left of it, however it went.
    let _ = child.kill();
    let status = child.wait().map_err(|error| broken(error.to_string()))?;
    let (answer, words) = outcome.ok_or_else(|| {
        broken(format!(
            "took longer than {} s",
            limits.compile_time.as_secs_f64()
        ))
    })?;
    read_answer(status, answer, &words, limits)
}

/// Why the compiler cannot be started. Without /proc the program does not find itself.
fn start_failure(program: &Path, error: &io::Error) -> String {
    let words = format!("cannot be started: {error}");
    if program.starts_with("/proc") && !program.exists() {
        format!(
            "{words}: it is this program itself, found by {}; mount /proc, or compile the plugins before where there is one (stampede plugins --compile)",
            program.display()
        )
    } else {
        words
    }
}

/// What the process wrote on standard output and error until it closed them; `None` where that
/// took too long.
fn converse(child: &mut Child, bytes: Vec<u8>, limits: PluginLimits) -> Option<(Vec<u8>, String)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // A process that does not read is seen by its answer.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&bytes)));
    let (answered, answers) = mpsc::channel();
    let most = u64::try_from(answer_bytes(limits)).unwrap_or(u64::MAX);
    let most = most.saturating_add(1);
    thread::spawn(move || {
        let words = thread::spawn(move || read_some(stderr, WORDS_BYTES));
        let answer = read_some(stdout, most);
        let words = words.join().unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        let _ = answered.send((answer, words));
    });
    answers.recv_timeout(limits.compile_time).ok()
}

fn answer_bytes(limits: PluginLimits) -> usize {
    limits.compile_bytes / ANSWER_PART
}

/// The beginning of all that comes.
fn read_some(from: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut from) = from {
        let _ = from.by_ref().take(most).read_to_end(&mut kept);
        let _ = io::copy(&mut from, &mut io::sink());
    }
    kept
}

fn read_answer(
    status: ExitStatus,
    mut answer: Vec<u8>,
    words: &str,
    limits: PluginLimits,
) -> Result<(Vec<u8>, FrameworkDescriptor), LoadFailure> {
    if status.code() == Some(REFUSED) {
        return Err(LoadFailure::Refused(plain(words)));
    }
    if status.signal() == Some(Signal::KILL.as_raw()) {
        return Err(broken(format!(
            "was killed, most likely for want of memory: {MORE_MEMORY}"
        )));
    }
    if !status.success() {
        return Err(broken(format!(
            "broke down ({status}), with {} MiB of memory: {} (if it was too little: {MORE_MEMORY})",
            limits.compile_bytes >> 20,
            plain(words)
        )));
    }
    if answer.len() > answer_bytes(limits) {
        return Err(broken(format!(
            "has made more than {} MiB of it: {MORE_MEMORY}",
            answer_bytes(limits) >> 20
        )));
    }
    let parts = answer.split_first_chunk::<8>().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        Some((rest.get(..length)?, length))
    });
    let Some((descriptor, length)) = parts else {
        return Err(broken("answered half".to_owned()));
    };
    let descriptor = serde_json::from_slice(descriptor)
        .map_err(|error| broken(format!("described no plugin: {error}")))?;
    answer.drain(..size_of::<u64>() + length);
    Ok((answer, descriptor))
}

fn broken(what: String) -> LoadFailure {
    LoadFailure::Compiler(what)
}

/// Without what a terminal would obey.
fn plain(words: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    words.trim().chars().map(shown).collect()
}

/// The other end, for [`COMPILE_COMMAND`]: the exit code.
pub fn run_compile_process(
    name: &str,
    limits: PluginLimits,
    from: &mut impl Read,
    to: &mut impl Write,
    words: &mut impl Write,
) -> u8 {
    let compiled = bound_process(limits)
        .map_err(|error| broken(format!("cannot be bounded: {error}")))
        .and_then(|()| answer(name, limits, from, to));
    match compiled {
        Ok(()) => 0,
        Err(failure) => {
            let _ = write!(words, "{failure}");
            u8::try_from(REFUSED).unwrap_or(u8::MAX)
        }
    }
}

/// What this process may take from now on; it ends with the one that began it.
fn bound_process(limits: PluginLimits) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let bound = |resource, most: u64| {
        let most = Some(most);
        setrlimit(
            resource,
            Rlimit {
                current: most,
                maximum: most,
            },
        )
    };
    let memory = u64::try_from(limits.compile_bytes).unwrap_or(u64::MAX);
    bound(Resource::Data, memory)?;
    bound(Resource::Cpu, limits.compile_time.as_secs() + 1)?;
    bound(Resource::Core, 0)?;
    // What is in memory as files counts too.
    bound(Resource::Fsize, memory)?;
    // Best effort: a container may not have it.
    let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
    Ok(())
}

fn answer(
    name: &str,
    limits: PluginLimits,
    from: &mut impl Read,
    to: &mut impl Write,
) -> Result<(), LoadFailure> {
    let mut bytes = Vec::new();
    from.take(limits.file_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(LoadFailure::Unreadable)?;
    let sandbox = PluginSandbox::new(limits)
        .map_err(|error| broken(format!("cannot be set up: {error:#}")))?;
    let (component, descriptor) = compiled_plugin::compile_and_describe(&bytes, &sandbox, name)?;
    let descriptor = serde_json::to_vec(&descriptor)
        .ok()
        .filter(|json| json.len() <= DESCRIPTOR_BYTES)
        .ok_or_else(|| broken("was told too much".to_owned()))?;
    let compiled = component
        .serialize()
        .map_err(|error| LoadFailure::Compile(error.into()))?;
    let length = (descriptor.len() as u64).to_le_bytes();
    [&length[..], &descriptor, &compiled]
        .iter()
        .try_for_each(|part| to.write_all(part))
        .and_then(|()| to.flush())
        .map_err(LoadFailure::Unreadable)
}
