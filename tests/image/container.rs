//! Starts, inspects and stops one container of the image.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub const IMAGE: &str = "localhost/stampede:latest";
/// What the container may have.
pub const MEMORY_MIB: u64 = 64;

/// Why no container can be run here.
pub fn not_here() -> Option<String> {
    let found = |args: &[&str]| {
        Command::new("podman")
            .args(args)
            .output()
            .is_ok_and(|out| out.status.success())
    };
    if !found(&["--version"]) {
        return Some(
            "there is no podman (tests/image/build installs it as root on Debian)".to_owned(),
        );
    }
    (!found(&["image", "exists", IMAGE]))
        .then(|| "the image is not there: run tests/image/build".to_owned())
}

/// A container that runs; it is taken away when this is dropped.
pub struct TestContainer {
    id: String,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    pub admin: String,
    pub uid: u32,
    started: Instant,
}

/// What is told to a container besides.
pub struct ContainerOptions<'a> {
    pub memory_mib: u64,
    pub variables: &'a [(&'a str, &'a str)],
    /// Folder or file here, and where it stands there, read-only.
    pub mounts: &'a [(&'a Path, &'a str)],
}

impl Default for ContainerOptions<'_> {
    fn default() -> Self {
        Self {
            memory_mib: MEMORY_MIB,
            variables: &[],
            mounts: &[],
        }
    }
}

impl TestContainer {
    /// Starts it as OpenShift would, for the cloud of this Keystone, and does not wait.
    pub fn start(keystone: &str, options: &ContainerOptions<'_>) -> Result<Self> {
        let (api, admin) = (free_port()?, free_port()?);
        let uid = 1_000_000_000 + uuid::Uuid::new_v4().as_u128() as u32 % 1_000_000;
        let mut command = Command::new("podman");
        // Limits that need no right to raise them; the network of this machine, where the fake
        // OpenStack is.
        command.args([
            "--runtime=runc",
            "--cgroup-manager=cgroupfs",
            "run",
            "--detach",
            "--network=host",
            "--read-only",
        ]);
        command.args([
            "--read-only-tmpfs=false",
            "--cap-drop=all",
            "--security-opt=no-new-privileges",
            &format!("--user={uid}:0"),
        ]);
        command.args([
            &format!("--memory={}m", options.memory_mib),
            "--ulimit=nofile=4096:4096",
            "--ulimit=nproc=4096:4096",
        ]);
        let listen = [
            ("STAMPEDE_LISTEN", format!("127.0.0.1:{api}")),
            ("STAMPEDE_ADMIN_LISTEN", format!("127.0.0.1:{admin}")),
        ];
        for (name, value) in listen
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("DESIGN_URI", keystone)])
        {
            command.arg(format!("--env={name}={value}"));
        }
        for (name, value) in options.variables {
            command.arg(format!("--env={name}={value}"));
        }
        for (from, to) in options.mounts {
            command.arg(format!(
                "--volume={}:{to}:ro",
                from.canonicalize()?.display()
            ));
        }
        // Its monitor leaves a file where it was started.
        command.current_dir(std::env::temp_dir());
        let started = Instant::now();
        let id = text(command.arg(IMAGE).output()?)?;
        let (url, admin) = (
            format!("http://127.0.0.1:{api}"),
            format!("http://127.0.0.1:{admin}"),
        );
        Ok(Self {
            id,
            url,
            admin,
            uid,
            started,
        })
    }

    /// Waits for the first 200; the time since podman was called.
    pub async fn answered(&self) -> Result<Duration> {
        let http = stampede_tests::http_client()?;
        while self.started.elapsed() < Duration::from_secs(60) {
            if http
                .get(format!("{}/", self.url))
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return Ok(self.started.elapsed());
            }
            if !self.runs()? {
                bail!("it ended: {}", self.log()?);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("no answer within 60 s: {}", self.log()?)
    }

    pub fn runs(&self) -> Result<bool> {
        Ok(self.inspect("{{.State.Running}}")? == "true")
    }

    /// Its first process, as this machine counts.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.inspect("{{.State.Pid}}")?.parse()?)
    }

    pub fn inspect(&self, what: &str) -> Result<String> {
        podman(&["inspect", "--format", what, &self.id])
    }

    /// What it has said.
    pub fn log(&self) -> Result<String> {
        let out = Command::new("podman").args(["logs", &self.id]).output()?;
        Ok(String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    }

    /// What the kernel lets its memory group have, and what the group has had at most, in MiB.
    pub fn memory_group_mib(&self) -> Result<(f64, f64)> {
        let (folder, v1) = self.memory_group()?;
        let (limit, peak) = if v1 {
            ("memory.limit_in_bytes", "memory.max_usage_in_bytes")
        } else {
            ("memory.max", "memory.peak")
        };
        let mib = |file: &str| -> Result<f64> {
            Ok(std::fs::read_to_string(format!("{folder}/{file}"))?
                .trim()
                .parse::<f64>()?
                / (1 << 20) as f64)
        };
        Ok((mib(limit)?, mib(peak)?))
    }

    /// How many processes the kernel has ended in it for want of memory.
    pub fn killed_for_memory(&self) -> Result<u64> {
        let (folder, v1) = self.memory_group()?;
        let text = std::fs::read_to_string(format!(
            "{folder}/{}",
            if v1 {
                "memory.oom_control"
            } else {
                "memory.events"
            }
        ))?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill "))
            .context("the kernel does not count")?;
        Ok(line.trim().parse()?)
    }

    /// The folder of its memory group, and whether that is of the first version of groups.
    fn memory_group(&self) -> Result<(String, bool)> {
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", self.pid()?))?;
        let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let of = |line: &str| {
            let mut parts = line.splitn(3, ':').skip(1);
            match (parts.next()?, parts.next()?) {
                ("memory", path) => Some((format!("/sys/fs/cgroup/memory{path}"), true)),
                ("", path) if unified => Some((format!("/sys/fs/cgroup{path}"), false)),
                _ => None,
            }
        };
        groups.lines().find_map(of).context("no memory group")
    }

    /// SIGKILL: no chance to write anything.
    pub fn kill(&self) -> Result<()> {
        podman(&["kill", "--signal=KILL", &self.id]).map(drop)
    }

    /// SIGTERM, and its exit code; an error when it runs on after two seconds.
    pub async fn terminate(&self) -> Result<(i32, Duration)> {
        let (pid, start) = (self.pid()?, Instant::now());
        // Not by podman, whose own start would count.
        if let Err(error) = text(
            Command::new("kill")
                .args(["-TERM", &pid.to_string()])
                .output()?,
        ) {
            let ended =
                self.inspect("exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}")?;
            bail!("{error}: it had ended, {ended}: {}", self.log()?);
        }
        while Path::new(&format!("/proc/{pid}")).exists() {
            if start.elapsed() > Duration::from_secs(2) {
                bail!("it runs on 2 s after SIGTERM: {}", self.log()?);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let took = start.elapsed();
        podman(&["wait", &self.id])?;
        Ok((self.inspect("{{.State.ExitCode}}")?.parse()?, took))
    }
}

impl Drop for TestContainer {
    fn drop(&mut self) {
        // A scenario that failed says more than this could.
        let _ = podman(&["rm", "--force", "--time=0", &self.id]);
    }
}

/// podman's answer.
pub fn podman(args: &[&str]) -> Result<String> {
    text(
        Command::new("podman")
            .args(["--runtime=runc", "--cgroup-manager=cgroupfs"])
            .args(args)
            .output()?,
    )
}

fn text(out: Output) -> Result<String> {
    if !out.status.success() {
        bail!("{}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}
