//! `stampede cluster ...`: the same commands in the words of OpenStack's client, a noun before each verb.
//! Each is turned into its short form, so that both do the same.

use clap::{Args, Subcommand};

use super::{
    Command, adopt, delete,
    deploy::{DeployArgs, DeployOptions},
    events, extend, history, list, secret, show, ssh, tunnel,
    update::{UpdateArgs, UpdateOptions},
    wait,
};
use crate::cluster::{
    attribute_schema::UPGRADE, default_groups::WORKERS, group_attributes::is_group_name,
    group_value::attribute_of,
};

/// Create, show and change clusters: each command by the words of the openstack client
#[derive(Args, Debug)]
pub(super) struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Subcommand, Debug)]
enum ClusterCommand {
    Create(CreateArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Events(events::EventsArgs),
    #[command(visible_alias = "wait")]
    Watch(wait::WaitArgs),
    Update(UpdateArgs),
    Scale(ScaleArgs),
    Upgrade(UpgradeArgs),
    Extend(extend::ExtendArgs),
    Delete(delete::DeleteArgs),
    Adopt(adopt::AdoptArgs),
    History(history::HistoryArgs),
    Ssh(ssh::NodeLoginArgs),
    Tunnel(tunnel::TunnelArgs),
    Secret(secret::SecretArgs),
}

/// Create a cluster: `stampede deploy` with the name first
#[derive(Args, Debug)]
struct CreateArgs {
    /// The cluster's name
    name: String,
    /// Frameworks, separated by commas; may be repeated
    #[arg(long, value_name = "FRAMEWORK", required = true, value_delimiter = ',')]
    framework: Vec<String>,
    #[command(flatten)]
    options: DeployOptions,
}

/// Make groups of a running cluster larger or smaller
///
/// `stampede cluster scale demo 5` makes it five workers; `stampede cluster scale demo worker=5 compute=2` names
/// groups. What leaves is drained before.
#[derive(Args, Debug)]
struct ScaleArgs {
    /// The cluster's name
    name: String,
    /// How many workers, or how many nodes of a group
    #[arg(required = true, value_name = "NUMBER|GROUP=NUMBER", value_parser = parse_size)]
    sizes: Vec<(String, String)>,
    #[command(flatten)]
    options: UpdateOptions,
}

/// Have a running cluster made of the plugins of now
///
/// All that stands on its nodes becomes what the plugins and the frame of now make, node after node, as with
/// other changes: versions of frameworks and settings stay. `stampede show` says whether there is anything to
/// upgrade, --dry-run what it would change.
#[derive(Args, Debug)]
struct UpgradeArgs {
    /// The cluster's name
    name: String,
    #[command(flatten)]
    options: UpdateOptions,
}

impl ClusterArgs {
    /// The short form.
    pub(super) fn into_command(self) -> Command {
        match self.command {
            ClusterCommand::Create(args) => Command::Deploy(DeployArgs::new(
                args.framework.join(","),
                args.name,
                args.options,
            )),
            ClusterCommand::List(args) => Command::List(args),
            ClusterCommand::Show(args) => Command::Show(args),
            ClusterCommand::Events(args) => Command::Events(args),
            ClusterCommand::Watch(args) => Command::Wait(args),
            ClusterCommand::Update(args) => Command::Update(args),
            ClusterCommand::Scale(args) => {
                Command::Update(UpdateArgs::new(args.name, args.sizes, args.options))
            }
            ClusterCommand::Upgrade(args) => {
                let upgrade = vec![(UPGRADE.to_owned(), "true".to_owned())];
                Command::Update(UpdateArgs::new(args.name, upgrade, args.options))
            }
            ClusterCommand::Extend(args) => Command::Extend(args),
            ClusterCommand::Delete(args) => Command::Delete(args),
            ClusterCommand::Adopt(args) => Command::Adopt(args),
            ClusterCommand::History(args) => Command::History(args),
            ClusterCommand::Ssh(args) => Command::Ssh(args),
            ClusterCommand::Tunnel(args) => Command::Tunnel(args),
            ClusterCommand::Secret(args) => Command::Secret(args),
        }
    }
}

/// `5` is so many workers, `compute=2` so many of a group; what numbers are taken, the attribute says.
fn parse_size(text: &str) -> Result<(String, String), String> {
    let (group, number) = match text.split_once('=') {
        Some((group, number)) => (Some(group.trim()), number.trim()),
        None => (None, text.trim()),
    };
    if number.parse::<u32>().is_err() {
        return Err("must be a number, or GROUP=NUMBER, such as 5 or compute=2".to_owned());
    }
    let attribute = group.map_or_else(|| WORKERS.to_owned(), |group| attribute_of(group, "count"));
    match group {
        Some(group) if !is_group_name(group) => {
            Err(format!("`{group}` is no name of a group, such as compute"))
        }
        _ => Ok((attribute, number.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_of_workers_or_of_a_group() {
        let attribute = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(parse_size("5"), attribute("workers", "5"));
        assert_eq!(parse_size("compute=2"), attribute("compute.count", "2"));
        for wrong in ["", "=3", "compute=", "compute=-1", "a b=1", "x", "1.5"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
