//! Writes the README that goes with generated files.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    directory,
    generated_files::{GeneratedFiles, OutputFormat},
};
use crate::cluster::default_groups::{OUTER_ADDRESS, OUTER_ADDRESS_TITLE};

/// Two commands, what was assumed, where the outputs are.
pub(super) fn write_readme(
    generated: &GeneratedFiles,
    format: OutputFormat,
    files: &BTreeMap<String, String>,
) -> String {
    let name = &generated.spec.name;
    let title = generated.template()["description"]
        .as_str()
        .unwrap_or_default();
    let mut text = format!(
        "# {name}\n\n{title}\n\n{}",
        list_commands(generated, format)
    );
    let complete = if generated.is_verified() {
        "every node has registered and a real job has verified the frameworks"
    } else {
        "every node has registered"
    };
    text.push_str(&format!(
        "\nThe stack is complete when {complete}.\n\
         The first failure ends it at once; its reason, with node, stage and line, is in\n\
         `openstack stack show {name} -c stack_status_reason`. On a node the log is `/var/log/stampede.log`.\n"
    ));
    text.push_str("\n## Where it is reached\n\n`openstack stack output show --all ");
    text.push_str(&format!(
        "{name}` shows the addresses:\n\n| output | what | for |\n|---|---|---|\n"
    ));
    for (name, description, audience) in generated.endpoints() {
        text.push_str(&format!("| `{name}` | {description} | {audience} |\n"));
    }
    text.push_str(&format!(
        "| `{OUTER_ADDRESS}` | {OUTER_ADDRESS_TITLE} | everyone |\n\n"
    ));
    text.push_str(&describe_access(generated));
    if !generated.assumed.is_empty() {
        let place = if format == OutputFormat::Yaml {
            "`environment.yaml`"
        } else {
            "`parameters` of `stack.json`"
        };
        text.push_str(&format!("\n## What was taken for granted\n\nNo cloud was asked. Correct in {place} what is not so in yours:\n\n"));
        for line in &generated.assumed {
            text.push_str(&format!("- {line}\n"));
        }
    }
    text.push_str("\n## The files\n\n");
    for file in files.keys().map(String::as_str).chain([directory::SUMS]) {
        text.push_str(&format!("- `{file}`{}\n", describe_file(file)));
    }
    text
}

fn list_commands(generated: &GeneratedFiles, format: OutputFormat) -> String {
    let (name, minutes) = (&generated.spec.name, generated.timeout_min);
    let create = match format {
        OutputFormat::Yaml => format!("openstack stack create -t cluster.yaml -e environment.yaml --timeout {minutes} --wait {name}"),
        OutputFormat::HeatJson => {
            "curl --fail-with-body -H \"X-Auth-Token: $(openstack token issue -f value -c id)\" -H 'Content-Type: application/json' \\\n  \
             -d @stack.json \"$HEAT_URL/stacks\"    # HEAT_URL: the orchestration endpoint of your project"
                .to_owned()
        }
    };
    let kept = describe_kept(generated);
    format!(
        "Deploy it from this folder, and delete it:\n\n```sh\n{create}\nopenstack stack delete --yes --wait {name}\n```\n{kept}"
    )
}

/// The data volumes of the template: name in the cloud, and whether they outlive the stack.
pub(super) fn volumes(template: &Value) -> impl Iterator<Item = (&str, bool)> {
    let resources = template["resources"]
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values);
    let volumes = resources.filter(|resource| resource["type"] == "OS::Cinder::Volume");
    volumes.map(|volume| {
        (
            volume["properties"]["name"].as_str().unwrap_or_default(),
            volume["deletion_policy"] == "Retain",
        )
    })
}

/// What the delete leaves behind.
fn describe_kept(generated: &GeneratedFiles) -> String {
    let kept: Vec<&str> = volumes(generated.template())
        .filter(|(_, is_kept)| *is_kept)
        .map(|(name, _)| name)
        .collect();
    if kept.is_empty() {
        return String::new();
    }
    format!(
        "\nThe delete leaves the data volumes, as was asked for. When their data is no longer wanted:\n\n```sh\nopenstack volume delete {}\n```\n",
        kept.join(" ")
    )
}

fn describe_access(generated: &GeneratedFiles) -> String {
    let spec = &generated.spec;
    if spec.access.is_empty() {
        let again =
            "make it again with `--set network.access=YOUR.NET/24` to let yourself in by SSH";
        return format!(
            "Nobody reaches the cluster from outside its own network: no `network.access` was given; {again}.\n"
        );
    }
    format!(
        "Reached by SSH from: {}. Pages are behind it: `ssh -D 1080` to the address above is a SOCKS proxy for a browser.\n",
        spec.access
            .iter()
            .map(|cidr| format!("`{cidr}`"))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn describe_file(file: &str) -> &'static str {
    match file {
        "cluster.yaml" => ": the Heat template",
        "environment.yaml" => ": the values of its parameters",
        "stack.json" => {
            ": the body of a request to create the stack: template, files and parameters"
        }
        directory::SUMS => {
            ": what was written here, for `sha256sum -c`; by it `--force` finds what a later run no longer makes"
        }
        name if name.starts_with("node-") => {
            ": what the nodes of that kind run, given to them as user data"
        }
        _ => "",
    }
}
