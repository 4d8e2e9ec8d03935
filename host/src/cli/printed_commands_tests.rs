//! The commands that pages print, read by a shell and by this program's own parser: they ask for what
//! was typed.

use std::collections::BTreeMap;
use std::process;

use clap::Parser as _;

use super::{Command, CommandLine, deploy, update};
use crate::orchestrator::ClientAttributes;
use crate::ui::forms::typed_request::TypedRequest;

/// Texts that a shell would read otherwise.
const HOSTILE: [&str; 8] = [
    "3",
    "a b",
    "it's",
    "$(touch x) `id` $HOME",
    "\"quoted\" \\ back",
    "-x --set y=1",
    "ä, #1 ! * ? ~ > | & ;",
    "two\nlines",
];

fn typed(value: &str) -> TypedRequest {
    let attributes = [
        ("framework", "hadoop,spark"),
        ("workers", "3"),
        ("hadoop.site", value),
        ("network.access", value),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    TypedRequest {
        name: "demo".to_owned(),
        attributes: attributes.into_iter().collect(),
        revision: String::new(),
    }
}

/// The words that a shell makes of a command, without the program's name.
fn shell_words(command: &str) -> Vec<String> {
    let script = format!("stampede() {{ printf '%s\\0' \"$@\"; }}\n{command}\n");
    let said = process::Command::new("sh").arg("-c").arg(script).output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    said.split_terminator('\0').map(str::to_owned).collect()
}

fn parse(command: &str) -> Command {
    let words = std::iter::once("stampede".to_owned()).chain(shell_words(command));
    CommandLine::try_parse_from(words).unwrap().command
}

fn sorted(attributes: ClientAttributes) -> BTreeMap<String, String> {
    attributes.into_iter().collect()
}

#[test]
fn a_printed_command_deploys_what_was_typed() {
    for value in HOSTILE {
        let request = typed(value);
        let Command::Deploy(args) = parse(&request.deploy_command("other")) else {
            panic!("no deploy")
        };
        assert_eq!(args.cluster_name(), "demo");
        let asked = sorted(deploy::attributes(&args));
        assert_eq!(asked, sorted(request.client_attributes()), "{value}");
    }
}

#[test]
fn a_printed_command_changes_what_was_typed() {
    for value in HOSTILE {
        let mut request = typed(value);
        request.attributes.remove("framework");
        let Command::Update(args) = parse(&request.update_command()) else {
            panic!("no update")
        };
        assert_eq!(args.name, "demo");
        let asked = sorted(update::attributes(&args));
        assert_eq!(asked, sorted(request.client_attributes()), "{value}");
    }
}
