//! What nodes say of the health of their components (`templates/node/README.md`), and what comes of
//! it for each component and for the cluster. Nodes are their users', so what they say may hold
//! anything. No I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{idle_limit::ToldJobs, progress::clean_line};

/// Components of one node that are kept.
pub const MAX_NODE_COMPONENTS: usize = 64;
/// Characters of a sentence that are kept; a node sends 120.
pub const MAX_SENTENCE_CHARS: usize = 160;
/// The latest time that is believed, in seconds since 1970: the end of the year 9999.
const MAX_TIME_S: u64 = 253_402_300_799;
/// What the ids of such signals begin with; the node's name follows.
const SIGNAL_ID: &str = "health-";

/// How well a component works; the worst one is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthColour {
    /// It works.
    Green,
    /// It works, and something is amiss.
    Yellow,
    /// It does not work.
    Red,
}

impl HealthColour {
    /// All, from the best to the worst.
    pub const ALL: [Self; 3] = [Self::Green, Self::Yellow, Self::Red];

    /// As nodes say it and people are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// The colour of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.as_str() == name)
    }
}

/// What a node said of one of its components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentHealth {
    /// How well it works.
    pub colour: HealthColour,
    /// Why, for people.
    pub sentence: String,
    /// When the node looked at it before it said so, in seconds since 1970, by its own clock.
    pub looked_s: u64,
    /// Since when it has this colour at least, likewise.
    pub since_s: u64,
    /// What it told of its jobs; none where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<ToldJobs>,
}

/// What all nodes said: by node, then by component.
pub type NodeHealth = BTreeMap<String, BTreeMap<String, ComponentHealth>>;

/// A component on all its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHealth {
    /// Its name.
    pub component: String,
    /// That of the node where it is worst.
    pub worst: ComponentHealth,
    /// That node.
    pub node: String,
    /// All nodes that said something of it, in the order of people.
    pub nodes: Vec<(String, ComponentHealth)>,
    /// How many nodes have it.
    pub members: usize,
}

impl ServiceHealth {
    /// A component on the nodes that have it; none where none of them has said anything of it.
    pub fn of_component(component: &str, members: &[String], said: &NodeHealth) -> Option<Self> {
        let told = |node: &String| Some((node.clone(), said.get(node)?.get(component)?.clone()));
        let nodes: Vec<_> = members.iter().filter_map(told).collect();
        // Of equals the first.
        let (node, worst) = nodes.iter().rev().max_by_key(|(_, health)| health.colour)?;
        Some(Self {
            component: component.to_owned(),
            worst: worst.clone(),
            node: node.clone(),
            members: members.len(),
            nodes,
        })
    }

    /// Those of its nodes where it is not green.
    pub fn ailing(&self) -> impl Iterator<Item = &(String, ComponentHealth)> {
        let is_ailing =
            |(_, health): &&(String, ComponentHealth)| health.colour != HealthColour::Green;
        self.nodes.iter().filter(is_ailing)
    }
}

/// The cluster's colour: that of its worst service; none where nothing is known.
pub fn cluster_colour(services: &[ServiceHealth]) -> Option<HealthColour> {
    services.iter().map(|service| service.worst.colour).max()
}

/// Whether this line of progress is one of health: `<node> health <component> <colour> <sentence>`.
pub fn is_health_line(line: &str) -> bool {
    line.split(' ').nth(1) == Some("health")
}

/// What nodes said, of what their handle has by the ids of their signals. Of a component that has
/// the colour that is `known` of it, it has had it since then.
pub fn read_handle(
    signals: &Map<String, Value>,
    known: &NodeHealth,
    has_component: impl Fn(&str, &str) -> bool,
) -> NodeHealth {
    let mut all = NodeHealth::new();
    for (id, signal) in signals {
        let Some(node) = id.strip_prefix(SIGNAL_ID) else {
            continue;
        };
        let text = |key: &str| signal.get(key).and_then(Value::as_str).unwrap_or_default();
        let mut components = read_components(text("data"));
        components.retain(|component, _| has_component(node, component));
        read_news(text("reason"), node, &mut components, &has_component);
        for (component, health) in &mut components {
            let before = known.get(node).and_then(|known| known.get(component));
            if let Some(before) = before.filter(|before| before.colour == health.colour) {
                health.since_s = before.since_s.min(health.looked_s);
            }
        }
        if !components.is_empty() {
            all.insert(node.to_owned(), components);
        }
    }
    all
}

/// `<component> <colour> <seconds of 1970>[/<jobs>] <sentence>;` each. What does not end in `;` was
/// cut.
fn read_components(data: &str) -> BTreeMap<String, ComponentHealth> {
    let mut components = BTreeMap::new();
    let whole = data.rsplit_once(';').map_or("", |(whole, _)| whole);
    for entry in whole.split(';') {
        if components.len() >= MAX_NODE_COMPONENTS {
            break;
        }
        components.extend(read_component(entry));
    }
    components
}

fn read_component(entry: &str) -> Option<(String, ComponentHealth)> {
    let mut words = entry.trim_start().splitn(4, ' ');
    let component = words.next().filter(|name| is_component(name))?;
    let colour = HealthColour::from_name(words.next()?)?;
    let looked = words.next()?;
    let (looked, jobs) = looked.split_once('/').unwrap_or((looked, ""));
    let looked_s = read_time(looked)?;
    let mut health = ComponentHealth::told(colour, words.next().unwrap_or_default(), looked_s);
    health.jobs = read_jobs(jobs);
    Some((component.to_owned(), health))
}

fn read_time(text: &str) -> Option<u64> {
    text.parse().ok().filter(|time| *time <= MAX_TIME_S)
}

/// `busy`, or `idle=<seconds of 1970>`; of anything else nothing is known.
fn read_jobs(text: &str) -> Option<ToldJobs> {
    match text.strip_prefix("idle=") {
        Some(since) => read_time(since).map(ToldJobs::NoneSince),
        None => (text == "busy").then_some(ToldJobs::Busy),
    }
}

/// The line that came with it: of a node with more components than its signal has room for it may
/// name one that was cut.
fn read_news(
    line: &str,
    node: &str,
    components: &mut BTreeMap<String, ComponentHealth>,
    has_component: impl Fn(&str, &str) -> bool,
) {
    let Some(looked_s) = components.values().map(|health| health.looked_s).max() else {
        return;
    };
    let mut words = line.splitn(5, ' ');
    let is_said = words.next() == Some(node) && words.next() == Some("health");
    let (Some(component), Some(colour)) = (
        words
            .next()
            .filter(|name| is_said && has_component(node, name)),
        words.next().and_then(HealthColour::from_name),
    ) else {
        return;
    };
    if components.len() < MAX_NODE_COMPONENTS {
        let health = ComponentHealth::told(colour, words.next().unwrap_or_default(), looked_s);
        components.entry(component.to_owned()).or_insert(health);
    }
}

impl ComponentHealth {
    /// What a node told of a look at this time; it is not known to have been so before.
    fn told(colour: HealthColour, sentence: &str, looked_s: u64) -> Self {
        let clean = clean_line(sentence);
        let sentence: String = clean.chars().take(MAX_SENTENCE_CHARS).collect();
        Self {
            colour,
            sentence: sentence.trim_end().to_owned(),
            looked_s,
            since_s: looked_s,
            jobs: None,
        }
    }
}

/// Names of components as the contract has them; what is none is no component of anybody's.
fn is_component(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
