//! The OpenSSH client: what it is told so that it reaches a cluster's nodes. The user's own
//! configuration and agent stay in force.

use std::{
    ffi::{OsStr, OsString},
    io,
    net::IpAddr,
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, Result};
use clap::Args;

use super::{RefusedRequest, cluster_backend::ClusterBackend};
use crate::orchestrator::state::node_access::NodeAccess;

/// The program.
const SSH: &str = "ssh";
/// How long ssh tries to connect, in seconds.
const CONNECT_TIMEOUT_S: u32 = 15;
/// How often ssh asks whether the other side is still there, in seconds; after three questions
/// without an answer it ends.
const ALIVE_INTERVAL_S: u32 = 20;
/// Login names are no longer than Linux has them.
const MAX_USER_LENGTH: usize = 32;
/// The user that the images of a distribution let in, where the image does not say it itself.
const DISTRIBUTION_USERS: [(&str, &str); 2] = [("debian", "debian"), ("ubuntu", "ubuntu")];

/// Who logs in.
#[derive(Args, Debug)]
pub(super) struct SshArgs {
    /// Who logs in on the nodes [default: whom the nodes' image lets in]
    #[arg(short = 'l', long, value_name = "USER", value_parser = parse_user)]
    user: Option<String>,
    /// The private key of the cluster's key pair [default: those of your agent and configuration]
    #[arg(short = 'i', long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

/// The way to one cluster.
#[derive(Debug)]
pub(super) struct SshRoute {
    pub(super) access: NodeAccess,
    address: IpAddr,
    user: String,
    identity: Option<PathBuf>,
    /// Where the nodes' keys are kept, a line each.
    known_hosts: PathBuf,
}

impl SshRoute {
    /// Finds the way to the nodes of a cluster.
    pub(super) async fn find(cloud: &ClusterBackend, name: &str, args: &SshArgs) -> Result<Self> {
        let access = cloud.node_access(name).await?;
        let access = access
            .ok_or_else(|| RefusedRequest::of(name, "is not deployed yet", "deploy it first"))?;
        let address = access.entry_address.ok_or_else(|| {
            let hint = format!("`stampede wait {name}` waits for it");
            RefusedRequest::of(
                name,
                "has no address yet: its stack does not tell one",
                &hint,
            )
        })?;
        if access.access.is_empty() {
            let hint = format!(
                "`stampede update {name} --set network.access=YOUR.ADDRESS/32` lets you in; a cluster with \
                 network.external = none has no way in"
            );
            return Err(RefusedRequest::of(
                "network.access",
                "is empty: nobody is let in from outside",
                &hint,
            ));
        }
        if access.key.is_none() && args.identity.is_none() {
            return Err(RefusedRequest::of(
                "key",
                "was not set when it was deployed, so the nodes have no key of yours",
                "`--set key=NAME` at the next deploy; where the image itself lets you in, name your key with --identity",
            ));
        }
        let user = match &args.user {
            Some(user) => user.clone(),
            None => user_of_image(cloud, &access).await?,
        };
        Ok(Self {
            access,
            address,
            user,
            identity: args.identity.clone(),
            known_hosts: cloud.known_hosts(),
        })
    }

    /// The command that logs in on a node, which may be one that is reached through the first.
    pub(super) fn login(&self, node: &str, command: &[OsString]) -> Result<Command> {
        let mut ssh = Command::new(SSH);
        if node == self.access.entry_node {
            ssh.args(self.options(node)?).arg("--").arg(self.entry());
        } else {
            let through = self.through_entry()?;
            let mut proxy = OsString::from("ProxyCommand=");
            proxy.push(through);
            ssh.args(self.options(node)?).arg("-o").arg(proxy);
            ssh.arg("--").arg(format!("{}@{node}", self.user));
        }
        // Behind `--` and the destination everything belongs to the command of the node.
        ssh.args(command);
        Ok(ssh)
    }

    /// The command that carries connections as long as its standard input is open: it says `ready`
    /// once they can be made, and leaves nothing behind however its parent ends.
    pub(super) fn carrier(&self, ready: &str, forwards: &[String]) -> Result<Command> {
        let mut ssh = Command::new(SSH);
        ssh.args(self.options(&self.access.entry_node)?);
        ssh.arg("-T").args(["-o", "ExitOnForwardFailure=yes"]);
        ssh.args(["-o", "ControlMaster=no", "-o", "ControlPath=none"]);
        ssh.args(["-o", &format!("ServerAliveInterval={ALIVE_INTERVAL_S}")]);
        ssh.args(forwards).arg("--").arg(self.entry());
        ssh.arg(format!("echo {ready} && exec cat >/dev/null"));
        Ok(ssh)
    }

    fn entry(&self) -> String {
        format!("{}@{}", self.user, self.address)
    }

    /// What every call of ssh is told. A node's key is taken when it is first seen and compared
    /// from then on, under a name that no other cluster's node has: floating IPs are given again.
    fn options(&self, node: &str) -> Result<Vec<OsString>> {
        let mut options = vec![
            OsString::from("-o"),
            "StrictHostKeyChecking=accept-new".into(),
        ];
        let mut known_hosts = OsString::from("UserKnownHostsFile=");
        known_hosts.push(quote_for_configuration(self.known_hosts.as_os_str())?);
        options.extend(["-o".into(), known_hosts]);
        let alias = format!("HostKeyAlias={node}.{}", self.access.cluster_id);
        let timeout = format!("ConnectTimeout={CONNECT_TIMEOUT_S}");
        for option in [alias, timeout, "LogLevel=ERROR".to_owned()] {
            options.extend(["-o".into(), option.into()]);
        }
        if let Some(identity) = &self.identity {
            options.extend(["-i".into(), identity.clone().into_os_string()]);
            options.extend(["-o".into(), "IdentitiesOnly=yes".into()]);
        }
        Ok(options)
    }

    /// The command by which ssh reaches a node through the first one: options of a command line do
    /// not hold for ssh's own ProxyJump.
    fn through_entry(&self) -> Result<OsString> {
        let mut words = vec![OsString::from(SSH)];
        words.extend(self.options(&self.access.entry_node)?);
        words.extend(["-W".into()]);
        let mut command = OsString::new();
        for word in words {
            command.push(quote_for_shell(&word)?);
            command.push(" ");
        }
        // ssh puts the node's name and port in here.
        command.push("%h:%p ");
        command.push(quote_for_shell(OsStr::new(&self.entry()))?);
        Ok(command)
    }
}

/// Says where ssh is missing.
pub(super) fn explain_start(error: io::Error) -> anyhow::Error {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let error = anyhow::Error::from(error);
    if is_missing {
        error.context("the program `ssh` is not there; install the OpenSSH client (openssh-client)")
    } else {
        error.context("cannot start `ssh`")
    }
}

/// The user that the nodes' image lets in: its property `os_admin_user`, else that of its
/// distribution.
async fn user_of_image(cloud: &ClusterBackend, access: &NodeAccess) -> Result<String> {
    let unknown =
        |why: &str| RefusedRequest::of("--user", why, "name the user, such as `--user debian`");
    let Some((region, image)) = &access.image else {
        return Err(unknown("is needed: the cluster's image is not known"));
    };
    let session = cloud.session().in_region(region);
    let found = session.find_image(image).await.map_err(|error| {
        anyhow::Error::from(error)
            .context("ask for the nodes' image, to know its user (--user USER spares it)")
    })?;
    let Some(image) = found else {
        return Err(unknown(
            "is needed: the image that the nodes were made from is gone",
        ));
    };
    let distribution = image.os_distro.as_deref().unwrap_or_default().trim();
    let known = DISTRIBUTION_USERS
        .iter()
        .find(|(name, _)| distribution.eq_ignore_ascii_case(name));
    match image.admin_user.as_deref().map(str::trim) {
        Some(user) if !user.is_empty() => parse_user(user)
            .map_err(|why| unknown(&format!("is needed: the image's os_admin_user {why}"))),
        _ => known.map(|(_, user)| (*user).to_owned()).ok_or_else(|| {
            unknown("is needed: the nodes' image tells neither os_admin_user nor a known os_distro")
        }),
    }
}

/// A login name as useradd takes it, so that nothing in it is taken for an option.
fn parse_user(text: &str) -> Result<String, String> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_good =
        text.len() <= MAX_USER_LENGTH && text.starts_with(is_first) && text.chars().all(is_part);
    let wrong = || {
        format!(
            "must be a login name of 1 to {MAX_USER_LENGTH} letters, digits, `_`, `-` and `.`, a letter or `_` first"
        )
    };
    is_good.then(|| text.to_owned()).ok_or_else(wrong)
}

/// A word for ssh's configuration: in quotes, `%` and `$` taken for themselves.
fn quote_for_configuration(word: &OsStr) -> Result<OsString> {
    let text = expect_text(word)?;
    anyhow::ensure!(
        !text.contains(['"', '\\', '$']),
        "the path {text:?} has a character that ssh's configuration cannot carry; name another folder with --data-dir"
    );
    Ok(format!("\"{}\"", text.replace('%', "%%")).into())
}

/// A word for the shell that ssh gives its ProxyCommand to, `%` taken for itself.
fn quote_for_shell(word: &OsStr) -> Result<OsString> {
    let text = expect_text(word)?.replace('%', "%%").replace('\'', r"'\''");
    Ok(format!("'{text}'").into())
}

fn expect_text(word: &OsStr) -> Result<&str> {
    let text = word
        .to_str()
        .context("a path that is no UTF-8 cannot be given to ssh")?;
    anyhow::ensure!(
        !text.contains(char::is_control),
        "the path {text:?} has a control character"
    );
    Ok(text)
}
