//! Runs `stampede serve` as a process of its own: started, killed and started again, as a container
//! would be.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

use crate::wait_until;

/// A running host.
pub struct HostProcess {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    log: PathBuf,
    started: HostCommand,
}

/// How a host was started, so that it can be started again: on the same port, with the same folder.
#[derive(Clone, Debug)]
pub struct HostCommand {
    data: PathBuf,
    keystone: String,
    arguments: Vec<String>,
    ports: (u16, u16),
    /// The program and the folder of its plugins; none: as `tests/build` makes them.
    program: Option<(PathBuf, PathBuf)>,
}

/// The host's binary, as `tests/build` makes it.
pub fn find_binary() -> Result<PathBuf> {
    crate::artifacts::stampede_binary()
}

impl HostProcess {
    /// Starts the host on a free port, for the cloud of this Keystone, with its state in `data`.
    pub async fn start(data: &Path, keystone: &str, arguments: &[&str]) -> Result<Self> {
        let arguments = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        HostCommand {
            data: data.to_owned(),
            keystone: keystone.to_owned(),
            arguments,
            ports: (free_port()?, free_port()?),
            program: None,
        }
        .start_again()
        .await
    }

    /// SIGKILL: no chance to write anything.
    pub async fn kill_9(mut self) -> Result<HostCommand> {
        self.child.start_kill()?;
        self.child
            .wait()
            .await
            .context("waiting for the killed host")?;
        Ok(self.started)
    }

    /// Its process.
    ///
    /// # Errors
    /// It has ended.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the host has ended")
    }

    /// What it has logged.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }
}

impl HostCommand {
    /// The same, of another program with other plugins.
    pub fn with_program(self, binary: &Path, plugins: &Path) -> Self {
        Self {
            program: Some((binary.to_owned(), plugins.to_owned())),
            ..self
        }
    }

    /// Starts it, and waits until it answers.
    pub async fn start_again(self) -> Result<HostProcess> {
        let (data, (port, admin)) = (&self.data, self.ports);
        std::fs::create_dir_all(data)?;
        let log = data.join("host.log");
        let out = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)?;
        let (binary, plugins) = match &self.program {
            Some((binary, plugins)) => (binary.clone(), Some(plugins)),
            None => (find_binary()?, None),
        };
        let plugins = plugins
            .into_iter()
            .flat_map(|folder| [OsStr::new("--plugins"), folder.as_os_str()]);
        let child = Command::new(binary)
            .arg("serve")
            .args(plugins)
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--admin-listen",
                &format!("127.0.0.1:{admin}"),
            ])
            .arg("--data-dir")
            .arg(data)
            .args(&self.arguments)
            .env("DESIGN_URI", &self.keystone)
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .kill_on_drop(true)
            .spawn()?;
        let mut host = HostProcess {
            child,
            url: format!("http://127.0.0.1:{port}"),
            log,
            started: self.clone(),
        };
        let url = format!("{}/", host.url);
        let http = crate::http_client()?;
        wait_until(30, "the host answers", async || {
            if let Some(status) = host.child.try_wait()? {
                bail!("it ended with {status}: {}", host.log()?);
            }
            Ok(http.get(&url).send().await?.status() == 200)
        })
        .await?;
        Ok(host)
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}
