//! What the orchestrator tells of a request, field by field, as the form's page shows it. Pure.

use std::collections::BTreeMap;

use super::super::texts::{find_text, say};
use super::super::work_view::say_took;
use super::field_label::label;
use super::form_data::{
    FieldChoice, FieldSection, FormField, FormPage, FrameworkCard, GroupLine, ProblemLine, QuotaBar,
};
use super::typed_request::TypedRequest;
use crate::cluster::Problem;
use crate::cluster::framework::CLUSTER;
use crate::orchestrator::planning::cloud_choices::CloudChoices;
use crate::orchestrator::planning::request_values::{RequestValue, ValueChoices, ValueSource};
use crate::orchestrator::{FormFramework, FormGroup, FormQuota, RequestForm};

/// Attributes that have a place of their own on the page.
const PLACED: [&str; 1] = ["framework"];
/// Names of nodes that a line shows at most.
const MAX_NODES: usize = 6;
/// MiB in a GiB.
const MIB: u64 = 1_024;
/// How wide a quota's bar is drawn.
const BAR_WIDTH: u64 = 180;

/// What the page shows of this request, as it was typed.
pub fn form_page(form: &RequestForm, typed: &TypedRequest) -> FormPage {
    let is_change = form.revision.is_some();
    let finder = ProblemFinder::new(form, typed);
    let mut fields: Vec<(FormField, &RequestValue)> = Vec::new();
    for value in &form.values {
        if !PLACED.contains(&value.name.as_str()) {
            fields.push((
                make_field(value, typed, &form.choices, &finder, is_change),
                value,
            ));
        }
    }
    let has_field = |name: &str| form.values.iter().any(|value| value.name == name);
    let strays = typed.attributes.iter().filter(|(name, _)| !has_field(name));
    let strays = strays.map(|(name, text)| FormField {
        id: field_id(name),
        attribute: name.clone(),
        label: name.clone(),
        typed: text.clone(),
        problems: finder.of(name),
        ..FormField::default()
    });
    let is_main = |value: &RequestValue| value.is_basic && value.plugin.is_empty();
    let (main, others): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, one)| is_main(one));
    // How many nodes the group has that clusters are sized by; its count has a name of its own.
    let is_size = |value: &RequestValue| value.kind == "integer" && !value.name.contains('.');
    let (sizes, basic): (Vec<_>, Vec<_>) = main.into_iter().partition(|(_, one)| is_size(one));
    let only_fields = |all: Vec<(FormField, &RequestValue)>| -> Vec<FormField> {
        all.into_iter().map(|(field, _)| field).collect()
    };
    let is_sound = form.refusal().is_none();
    FormPage {
        name: typed.name.clone(),
        name_problems: finder.of("name"),
        is_change,
        revision: form.revision.clone().unwrap_or_default(),
        cards: form
            .frameworks
            .iter()
            .map(|one| card(one, &form.frameworks))
            .collect(),
        framework_problems: finder.of("framework"),
        sizes: only_fields(sizes),
        basic: only_fields(basic),
        sections: fold(others, &form.frameworks),
        strays: strays.collect(),
        problems: finder.lines(),
        obstacle: form
            .obstacle
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        quotas: form.quotas.iter().filter_map(quota_bar).collect(),
        groups: form.groups.iter().map(group_line).collect(),
        command: match (is_sound, is_change) {
            (false, _) => String::new(),
            (true, true) if typed.attributes.is_empty() => String::new(),
            (true, true) => typed.update_command(),
            (true, false) => typed.deploy_command(&framework_of(form)),
        },
        took: {
            let of_change = form.change.as_ref().and_then(|change| change.former_runs);
            let former = of_change.or(form.former);
            former.as_ref().map(say_took).unwrap_or_default()
        },
        is_sound,
    }
}

/// The frameworks that are asked for, by whomever.
fn framework_of(form: &RequestForm) -> String {
    let value = form.values.iter().find(|value| value.name == "framework");
    value
        .and_then(|value| value.value.clone())
        .unwrap_or_default()
}

/// Says where a problem is shown: beside the field whose name its path begins with.
struct ProblemFinder<'a> {
    problems: Vec<(Option<String>, &'a Problem)>,
}

impl<'a> ProblemFinder<'a> {
    fn new(form: &'a RequestForm, typed: &TypedRequest) -> Self {
        let names = form.values.iter().map(|value| value.name.as_str());
        let mut names: Vec<&str> = names
            .chain(typed.attributes.keys().map(String::as_str))
            .collect();
        names.push("name");
        let place = |problem: &Problem| {
            let is_of = |name: &&&str| {
                let rest = problem.path.strip_prefix(**name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let longest = names.iter().filter(is_of).max_by_key(|name| name.len());
            longest.map(|name| (*name).to_owned())
        };
        let problems = form.problems.iter();
        Self {
            problems: problems.map(|problem| (place(problem), problem)).collect(),
        }
    }

    fn of(&self, name: &str) -> Vec<String> {
        let own = self
            .problems
            .iter()
            .filter(|(place, _)| place.as_deref() == Some(name));
        own.map(|(_, problem)| problem_text(problem)).collect()
    }

    fn lines(&self) -> Vec<ProblemLine> {
        let line = |(place, problem): &(Option<String>, &Problem)| ProblemLine {
            field: place.as_deref().map(field_id).unwrap_or_default(),
            path: problem.path.clone(),
            text: problem_text(problem),
        };
        self.problems.iter().map(line).collect()
    }
}

fn problem_text(problem: &Problem) -> String {
    match problem.hint.is_empty() {
        true => problem.message.clone(),
        false => format!("{}: {}", problem.message, problem.hint),
    }
}

/// An id that is one word, whatever was typed as an attribute's name.
fn field_id(attribute: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || c == '-' || c == '_' {
        true => c.to_string(),
        false if c == '.' => "-".to_owned(),
        false => format!("-{:x}-", u32::from(c)),
    };
    format!("field-{}", attribute.chars().map(plain).collect::<String>())
}

fn make_field(
    value: &RequestValue,
    typed: &TypedRequest,
    cloud: &CloudChoices,
    finder: &ProblemFinder<'_>,
    is_change: bool,
) -> FormField {
    let own = typed.attributes.get(&value.name);
    // What is given and was not typed was asked for before.
    let is_typed = value.source == ValueSource::Given && own.is_some();
    let (choices, is_closed) = list_choices(&value.choices, cloud);
    FormField {
        id: field_id(&value.name),
        attribute: value.name.clone(),
        label: label(value),
        is_own: value.plugin.is_empty(),
        typed: own.cloned().unwrap_or_default(),
        used: match is_typed {
            true => value.default.clone().unwrap_or_default(),
            false => value.value.clone().unwrap_or_default(),
        },
        reason: if is_typed {
            String::new()
        } else {
            value.reason.clone()
        },
        description: value.description.clone(),
        range: value.range.clone(),
        unit: value.unit.clone(),
        choices,
        is_closed,
        problems: finder.of(&value.name),
        fixed: match is_change && !value.may_change {
            true => say("form.fixed", &[]),
            false => String::new(),
        },
    }
}

/// What can be chosen, and whether that is all.
fn list_choices(choices: &ValueChoices, cloud: &CloudChoices) -> (Vec<FieldChoice>, bool) {
    let plain = |names: &[String]| -> Vec<FieldChoice> {
        let choice = |name: &String| FieldChoice {
            value: name.clone(),
            label: name.clone(),
        };
        names.iter().map(choice).collect()
    };
    match choices {
        ValueChoices::Free | ValueChoices::Frameworks => (Vec::new(), false),
        ValueChoices::Flavors => {
            let sized = cloud.flavors.iter().map(|flavor| FieldChoice {
                value: flavor.name.clone(),
                label: format!("{} ({})", flavor.name, size_text(flavor)),
            });
            (sized.collect(), false)
        }
        ValueChoices::Images => {
            let images = cloud.images.iter().map(|image| FieldChoice {
                value: image.name.clone(),
                label: match image.distribution.is_empty() {
                    true => image.name.clone(),
                    false => format!("{} ({})", image.name, image.distribution),
                },
            });
            (images.collect(), false)
        }
        ValueChoices::Keys => (plain(&cloud.keys), false),
        ValueChoices::Networks => (plain(&cloud.networks), false),
        ValueChoices::Zones => (plain(&cloud.zones), false),
        ValueChoices::Words(words) => (plain(words), true),
    }
}

fn size_text(flavor: &crate::cluster::Flavor) -> String {
    let memory = u64::from(flavor.ram_mib);
    let memory = memory_text(memory);
    say(
        "form.size",
        &[("vcpus", &flavor.vcpus), ("memory", &memory)],
    )
}

/// `8 GiB`, or `512 MiB` where that is no whole number of them.
fn memory_text(mib: u64) -> String {
    match mib >= MIB && mib.is_multiple_of(MIB) {
        true => format!("{} GiB", mib / MIB),
        false => format!("{mib} MiB"),
    }
}

fn title_of<'a>(name: &'a str, all: &'a [FormFramework]) -> &'a str {
    let found = all.iter().find(|other| other.name == *name);
    found.map_or(name, |other| other.title.as_str())
}

fn card(framework: &FormFramework, all: &[FormFramework]) -> FrameworkCard {
    let one_of = |names: &Vec<String>| -> String {
        let titles: Vec<&str> = names.iter().map(|name| title_of(name, all)).collect();
        titles.join(&say("form.or", &[]))
    };
    let mut needs: Vec<String> = Vec::new();
    let required: Vec<String> = framework.needs.iter().map(one_of).collect();
    if !required.is_empty() {
        let all = required.join(&say("form.and", &[]));
        needs.push(say("form.needs", &[("frameworks", &all)]));
    }
    let chosen = |name: &&String| {
        all.iter()
            .any(|other| other.name == **name && other.is_chosen)
    };
    let beside: Vec<&str> = framework
        .works_with
        .iter()
        .filter(chosen)
        .map(|name| title_of(name, all))
        .collect();
    if !beside.is_empty() {
        let all = beside.join(", ");
        needs.push(say("form.works_with", &[("frameworks", &all)]));
    }
    FrameworkCard {
        name: framework.name.clone(),
        title: format!("{} {}", framework.title, framework.version)
            .trim()
            .to_owned(),
        description: framework.description.clone(),
        needs: needs.join("; "),
        is_chosen: framework.is_chosen,
    }
}

/// The fields by what they are of: the nodes of each group, the network and the rest of the cluster's
/// own, each plugin.
fn fold(
    fields: Vec<(FormField, &RequestValue)>,
    frameworks: &[FormFramework],
) -> Vec<FieldSection> {
    let mut sections: Vec<FieldSection> = Vec::new();
    for (field, value) in fields {
        let title = section_title(value, frameworks);
        let section = match sections.iter().position(|one| one.title == title) {
            Some(at) => sections.get_mut(at),
            None => {
                sections.push(FieldSection {
                    id: format!("section-{}", sections.len()),
                    title,
                    ..FieldSection::default()
                });
                sections.last_mut()
            }
        };
        let Some(section) = section else { continue };
        section.is_open |= !field.problems.is_empty() || !field.typed.is_empty();
        let is_shown = value.is_basic || value.plugin.is_empty();
        if is_shown || !field.problems.is_empty() || !field.typed.is_empty() {
            section.basic.push(field);
        } else {
            section.advanced.push(field);
        }
    }
    sections
}

fn section_title(value: &RequestValue, frameworks: &[FormFramework]) -> String {
    if value.plugin == CLUSTER {
        return say("form.all_nodes", &[]);
    }
    if !value.plugin.is_empty() {
        let found = frameworks.iter().find(|one| one.name == value.plugin);
        return found.map_or(value.plugin.clone(), |one| one.title.clone());
    }
    if !value.group.is_empty() || value.name.starts_with("groups") {
        return say("form.node_groups", &[]);
    }
    match value.name.split('.').next() {
        Some("network") => say("form.network", &[]),
        _ => say("form.others", &[]),
    }
}

fn quota_bar(quota: &FormQuota) -> Option<QuotaBar> {
    let need = &quota.need;
    let (Some(used), Some(limit), Some(after)) = (need.used, need.limit, quota.after) else {
        return None;
    };
    if need.needed == 0 {
        return None;
    }
    let is_memory = need.what.starts_with("MiB");
    let number = |count: u64| match is_memory {
        true => memory_text(count),
        false => count.to_string(),
    };
    let known = format!("quota.{}", need.what.replace(' ', "_"));
    let label = find_text(&known).unwrap_or(need.what);
    let width = |count: u64| {
        let whole = limit.max(1);
        count.min(whole).saturating_mul(BAR_WIDTH) / whole
    };
    let (now, then, most) = (number(used), number(after), number(limit));
    Some(QuotaBar {
        label: label.to_owned(),
        now_width: width(used),
        after_width: width(after),
        spoken: say(
            "form.quota_spoken",
            &[
                ("what", &label),
                ("now", &now),
                ("then", &then),
                ("most", &most),
            ],
        ),
        numbers: say("form.quota_numbers", &[("then", &then), ("most", &most)]),
        problem: match quota.is_exceeded {
            true => quota.sentence.clone(),
            false => String::new(),
        },
    })
}

fn group_line(group: &FormGroup) -> GroupLine {
    let count = group.nodes.len();
    let nodes = match &group.flavor {
        Some(flavor) => format!("{count} x {} ({})", flavor.name, size_text(flavor)),
        None => format!("{count}"),
    };
    let shown: Vec<&str> = group
        .nodes
        .iter()
        .take(MAX_NODES)
        .map(String::as_str)
        .collect();
    let mut names = shown.join(", ");
    if count > MAX_NODES {
        let more = count - MAX_NODES;
        names = say("form.more_nodes", &[("names", &names), ("more", &more)]);
    }
    let mut grants: BTreeMap<&str, u64> = BTreeMap::new();
    for grant in group
        .grants
        .values()
        .flatten()
        .filter(|grant| grant.memory_mib > 0)
    {
        *grants.entry(&grant.component).or_default() += u64::from(grant.memory_mib);
    }
    GroupLine {
        name: group.name.clone(),
        nodes,
        names,
        grants: grants
            .into_iter()
            .map(|(component, mib)| format!("{component} {}", memory_text(mib)))
            .collect(),
        sum: group.sum.clone(),
    }
}
