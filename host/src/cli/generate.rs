//! `stampede generate`: writes a cluster as files that the plain `openstack` client deploys. Asks
//! no cloud: what would be looked up there is given by options or assumed, and the README that goes
//! with the files says what was assumed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    RefusedRequest,
    arguments::parse_pair,
    directory,
    exit_code::CommandExit,
    explain::print_plan,
    generated_files::{GeneratedFiles, OutputFormat},
    line_printer::LinePrinter,
    plugins::PluginArgs,
    readme,
    size_args::SizeArgs,
};
use crate::{
    bundle::yaml::to_yaml,
    cluster::{
        AttributeNames, CloudAccess, ClusterSpec, Flavor, GroupSpec, OperatorDefaults,
        attribute_names::PREFIX, attributes, cloud_access::keep_certificates,
        flavor_choice::smallest_fitting, framework::NodeResources, group_value::attribute_of,
    },
    orchestrator::planning::{
        ask_claims::{FrameworkSource, claim_cluster},
        framework_plan::plan_frameworks,
        inventory,
        planner::ResolvedFlavors,
        plugin_chain::order_plugins,
    },
    plugin::PluginRegistry,
};

/// The size of a flavor that nobody described.
pub(super) const ASSUMED: NodeResources = NodeResources {
    vcpus: 2,
    ram_mib: 4096,
    disk_gib: 20,
};
/// The flavor of that size on a cloud as it is often set up.
const ASSUMED_FLAVOR: &str = "m1.medium";
/// The image where none is named.
const ASSUMED_IMAGE: &str = "debian-12";
/// The external network where none is named.
const ASSUMED_NETWORK: &str = "public";
/// Minutes that Heat gets beyond what the nodes may take.
const STACK_SPARE_MIN: u32 = 15;

/// Write a cluster's template and scripts into a folder, to deploy by hand; needs no OpenStack
#[derive(Args, Debug)]
pub(super) struct GenerateArgs {
    /// Frameworks, separated by commas
    framework: String,
    /// The cluster's name [default: the framework's]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    size: SizeArgs,
    /// Any attribute without `stampede.`: worker.flavor=m1.large, hadoop.replication=2; may be
    /// repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// A flavor of the cloud; may be repeated. Those that are not described are taken for 4096 MiB,
    /// 2 vCPUs, 20 GiB
    #[arg(long = "flavor", value_name = "NAME=RAM_MIB,VCPUS,DISK_GIB", value_parser = parse_flavor)]
    flavors: Vec<Flavor>,
    /// The folder to write, new or empty
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Overwrite files of the same name in the folder, take away what was generated before and no
    /// longer is, leave others
    #[arg(long)]
    force: bool,
    /// yaml: files for the openstack client; heat-json: the body of one request to Heat
    #[arg(long, value_enum, default_value_t = OutputFormat::Yaml)]
    format: OutputFormat,
    /// Print what each plugin added
    #[arg(long)]
    explain: bool,
    /// PEM file with the cloud's own certificate authority, for the nodes to trust
    #[arg(long, env = "STAMPEDE_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,
}

/// Generates.
pub(super) async fn run(args: &GenerateArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let registry = args.plugins.load_registry()?;
    let words = AttributeNames::from_descriptors(FrameworkSource::frameworks(&registry));
    let defaults = args.plugins.defaults(&words)?;
    let generated = generate_files(args, &registry, &words, &defaults).await?;
    if let Some(dir) = &args.out {
        directory::write_directory(dir, &lay_out_files(&generated, args.format)?, args.force)?;
        writeln!(
            out,
            "wrote `{}`: {} tells how to deploy it",
            dir.display(),
            dir.join("README.md").display()
        )?;
    }
    if args.explain {
        print_plan(out, &generated.plan)?;
    }
    Ok(CommandExit::Done)
}

async fn generate_files(
    args: &GenerateArgs,
    registry: &PluginRegistry,
    words: &AttributeNames,
    defaults: &OperatorDefaults,
) -> Result<GeneratedFiles> {
    let framework = ("framework".to_owned(), args.framework.clone());
    let own = [framework].into_iter().chain(args.size.attribute());
    let given: Vec<(String, String)> = own
        .chain(args.set.iter().cloned())
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect();
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| args.framework.replace([',', ' '], "-"));
    let mut spec = attributes::parse(&name, &given, defaults, words).map_err(RefusedRequest)?;
    let mut assumed = assume_defaults(&mut spec);
    let there = FrameworkSource::frameworks(registry);
    let chain = order_plugins(&spec.frameworks, &there).map_err(RefusedRequest)?;
    let claimed = claim_cluster(&spec, &chain, registry).await?;
    let mut spec = claimed.spec.clone();
    let mut groups = BTreeMap::new();
    for group in spec.groups.iter_mut() {
        let need = claimed.smallest.get(&group.name);
        let flavor = choose_flavor(group, &args.flavors, need, &mut assumed);
        groups.insert(group.name.clone(), flavor);
    }
    let chosen = ResolvedFlavors {
        groups,
        flavors: args.flavors.clone(),
        signal_transport: inventory::SIGNAL_TRANSPORT.to_owned(),
        access: CloudAccess {
            certificates: read_certificates(args.ca_file.as_deref())?,
            ..CloudAccess::default()
        },
    };
    let plan = plan_frameworks(&spec, &chosen, &claimed, &chain, registry).await?;
    let is_used = |flavor: &&Flavor| chosen.groups.values().any(|used| used.name == flavor.name);
    for unused in args.flavors.iter().filter(|flavor| !is_used(flavor)) {
        assumed.push(format!(
            "`--flavor {}`: it was described, but no node has it",
            unused.name
        ));
    }
    assumed.extend(list_trusted(&plan.stack.template));
    let timeout_min = spec.timeout_s.div_ceil(60) + STACK_SPARE_MIN;
    let parameters = parameters(&plan.stack.template);
    Ok(GeneratedFiles {
        spec,
        plan,
        assumed,
        timeout_min,
        parameters,
    })
}

/// The certificates of the cloud's own authority, and nothing else of the file.
fn read_certificates(ca_file: Option<&Path>) -> Result<String> {
    let Some(path) = ca_file.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(String::new());
    };
    let pem = std::fs::read(path)
        .with_context(|| format!("cannot read the CA file `{}`", path.display()))?;
    keep_certificates(&String::from_utf8_lossy(&pem))
        .map_err(|error| RefusedRequest::of("ca-file", format!("`{}` {error}", path.display()), ""))
}

/// Names that only a cloud could tell.
fn assume_defaults(spec: &mut ClusterSpec) -> Vec<String> {
    let mut assumed = Vec::new();
    let needs_image = spec.groups.iter().any(|group| group.image.is_none());
    for (open, usual, attribute, is_needed) in [
        (&mut spec.image, ASSUMED_IMAGE, "image", needs_image),
        (
            &mut spec.external_network,
            ASSUMED_NETWORK,
            "network.external",
            true,
        ),
    ] {
        if open.is_none() && is_needed {
            *open = Some(usual.to_owned());
            assumed.push(format!(
                "`{attribute}`: nothing was said, so it is `{usual}`"
            ));
        }
    }
    assumed
}

/// What the cloud must have, and could not be asked for.
fn list_trusted(template: &Value) -> Vec<String> {
    let volumes = readme::volumes(template).next().map(|_| {
        "data volumes: the cloud has a volume service (Cinder); elsewhere make the files again without `volume_gib`".to_owned()
    });
    volumes.into_iter().collect()
}

/// The flavor of a group: as described, else as assumed; where none is named, the smallest described
/// one that fits.
fn choose_flavor(
    group: &mut GroupSpec,
    described: &[Flavor],
    smallest: Option<&NodeResources>,
    assumed: &mut Vec<String>,
) -> Flavor {
    let need = smallest.copied().unwrap_or(NodeResources {
        vcpus: 1,
        ram_mib: 0,
        disk_gib: 0,
    });
    let path = attribute_of(&group.name, "flavor");
    let named = &mut group.flavor;
    let found = match named.as_deref() {
        Some(name) => described.iter().find(|flavor| flavor.name == name),
        None => smallest_fitting(described, &need).or_else(|| {
            described
                .iter()
                .max_by_key(|f| (f.ram_mib, f.vcpus, f.disk_gib, f.name.clone()))
        }),
    };
    if let (None, Some(taken)) = (named.as_deref(), found) {
        assumed.push(format!(
            "`{path}`: it was not named, so it is `{}`, the smallest described one that fits",
            taken.name
        ));
    }
    let flavor = found.cloned().unwrap_or_else(|| {
        let name = named.clone().unwrap_or_else(|| ASSUMED_FLAVOR.to_owned());
        let what = match named {
            Some(name) => format!("no `--flavor` describes `{name}`, so it is taken for {ASSUMED}"),
            None => format!("it was not named, so it is `{name}` with {ASSUMED}"),
        };
        assumed.push(format!(
            "`{path}`: {what}; each node checks its memory itself"
        ));
        Flavor {
            name,
            vcpus: ASSUMED.vcpus,
            ram_mib: ASSUMED.ram_mib,
            disk_gib: ASSUMED.disk_gib,
        }
    });
    *named = Some(flavor.name.clone());
    flavor
}

/// The defaults of the template's parameters: what the request said.
fn parameters(template: &Value) -> Map<String, Value> {
    let all = template
        .get("parameters")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    all.filter_map(|(name, body)| Some((name.clone(), body.get("default")?.clone())))
        .collect()
}

fn lay_out_files(
    generated: &GeneratedFiles,
    format: OutputFormat,
) -> Result<BTreeMap<String, String>> {
    let stack = &generated.plan.stack;
    let mut files = generated.scripts();
    match format {
        OutputFormat::Yaml => {
            files.insert("cluster.yaml".to_owned(), to_yaml(&stack.template)?);
            files.insert(
                "environment.yaml".to_owned(),
                to_yaml(&json!({ "parameters": generated.parameters }))?,
            );
            files.extend(stack.files.clone());
        }
        OutputFormat::HeatJson => {
            let body = json!({
                "stack_name": generated.spec.name,
                "template": stack.template,
                "files": stack.files,
                "parameters": generated.parameters,
                "timeout_mins": generated.timeout_min,
                "disable_rollback": true,
            });
            let mut text =
                serde_json::to_string_pretty(&body).context("cannot write the request as JSON")?;
            text.push('\n');
            files.insert("stack.json".to_owned(), text);
        }
    }
    let readme = readme::write_readme(generated, format, &files);
    files.insert("README.md".to_owned(), readme);
    let sums = directory::list_checksums(&files);
    files.insert(directory::SUMS.to_owned(), sums);
    Ok(files)
}

/// `NAME=RAM_MIB,VCPUS,DISK_GIB`, for clap.
fn parse_flavor(text: &str) -> Result<Flavor, String> {
    let wanted = || "must be NAME=RAM_MIB,VCPUS,DISK_GIB, such as m1.large=8192,4,40".to_owned();
    let (name, size) = text.rsplit_once('=').ok_or_else(wanted)?;
    let numbers: Vec<u32> = size
        .split(',')
        .map(|number| number.trim().parse().map_err(|_| wanted()))
        .collect::<Result<_, _>>()?;
    match (name, numbers.as_slice()) {
        ("", _) => Err(wanted()),
        (name, &[ram_mib, vcpus, disk_gib]) if ram_mib > 0 && vcpus > 0 => Ok(Flavor {
            name: name.to_owned(),
            vcpus,
            ram_mib,
            disk_gib,
        }),
        _ => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flavor_is_a_name_and_three_numbers() {
        assert_eq!(
            parse_flavor("a=b=8192,4,0"),
            Ok(Flavor {
                name: "a=b".to_owned(),
                vcpus: 4,
                ram_mib: 8192,
                disk_gib: 0
            })
        );
        for wrong in [
            "m1",
            "m1=",
            "m1=1,2",
            "m1=1,2,3,4",
            "=1,2,3",
            "m1=0,1,1",
            "m1=1,0,1",
            "m1=-1,1,1",
            "m1=1.5,1,1",
        ] {
            assert!(parse_flavor(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_group_gets_the_smallest_flavor_that_fits_and_assumptions_are_told() {
        let described = [
            parse_flavor("tiny=512,1,5").unwrap(),
            parse_flavor("big=8192,4,40").unwrap(),
            parse_flavor("fits=2048,2,20").unwrap(),
            parse_flavor("volume=2048,2,0").unwrap(),
        ];
        let smallest = NodeResources {
            vcpus: 2,
            ram_mib: 2048,
            disk_gib: 10,
        };
        let mut assumed = Vec::new();
        let mut pick = |named: Option<&str>, described: &[Flavor]| {
            let mut group = GroupSpec {
                name: "worker".to_owned(),
                flavor: named.map(str::to_owned),
                ..GroupSpec::default()
            };
            choose_flavor(&mut group, described, Some(&smallest), &mut assumed)
        };
        assert_eq!(pick(None, &described).name, "fits");
        assert_eq!(
            pick(None, &[described[0].clone(), described[3].clone()]).name,
            "volume",
            "a flavor that boots from a volume fits whatever the disk"
        );
        assert_eq!(
            pick(Some("tiny"), &described).ram_mib,
            512,
            "what is named is taken; the plan refuses it"
        );
        assert_eq!(
            pick(None, &described[..1]).name,
            "tiny",
            "the plan refuses it with what is needed"
        );
        assert_eq!(pick(Some("unknown"), &described).ram_mib, ASSUMED.ram_mib);
        assert_eq!(pick(None, &[]).name, ASSUMED_FLAVOR);
        let told = [
            "it was not named, so it is `fits`",
            "it was not named, so it is `volume`",
            "`tiny`",
            "no `--flavor` describes `unknown`, so it is taken for 4096 MiB",
            "`m1.medium` with",
        ];
        assert_eq!(assumed.len(), told.len(), "{assumed:?}");
        assert!(
            assumed
                .iter()
                .zip(told)
                .all(|(line, words)| line.contains(words)),
            "{assumed:?}"
        );
    }
}
