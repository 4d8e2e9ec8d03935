//! Parses progress lines, one a stage, that nodes report through Heat's events
//! (`templates/node/README.md`). Nodes are their users', so a line may hold anything. No I/O.

use serde::{Deserialize, Serialize};

use super::node_group::{GroupSpec, NodeGroups};

/// Characters of a line that are kept; a node sends under 200, Heat keeps 255.
pub const MAX_TEXT_CHARS: usize = 255;

/// One line of progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// The node's name: `master`, `worker-7`; empty where the line did not say.
    pub node: String,
    /// The plugin whose script ran, `node` for the frame itself; may be empty.
    pub plugin: String,
    /// `setup`, `ready`, `smoke`, `drain`, `change`; may be empty.
    pub stage: String,
    /// What became of it.
    pub outcome: StageOutcome,
    /// How long the stage took, in seconds, where it said so.
    pub seconds: Option<u32>,
    /// The line for people, without the node: `hadoop setup done, 34 s`.
    pub text: String,
    /// When the stage's first line came, in seconds since 1970; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_s: Option<u64>,
    /// When this line came, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_s: Option<u64>,
}

/// What became of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageOutcome {
    /// It is under way.
    Began,
    /// It goes on; the text says how far it is.
    Note,
    /// It ended well.
    Done,
    /// It ended badly; the text says why.
    Failed,
}

impl StageReport {
    /// Reads `<node> <plugin> <stage> <outcome> <rest>`. What is not of this form is a note whose
    /// text is the whole line.
    pub fn parse(line: &str) -> Self {
        let line = clean_line(line);
        parse_line(&line).unwrap_or_else(|| Self {
            node: String::new(),
            plugin: String::new(),
            stage: String::new(),
            outcome: StageOutcome::Note,
            seconds: None,
            text: line,
            began_s: None,
            told_s: None,
        })
    }

    /// The same line, which came at that time.
    #[must_use]
    pub fn told_at(self, unix_s: Option<u64>) -> Self {
        let seconds = u64::from(self.seconds.unwrap_or(0));
        Self {
            began_s: unix_s.map(|at| at.saturating_sub(seconds)),
            told_s: unix_s,
            ..self
        }
    }

    /// Whether both speak of the same stage of the same node, so that the newer one takes the older
    /// one's place.
    pub fn same_stage(&self, other: &Self) -> bool {
        (&self.node, &self.plugin, &self.stage) == (&other.node, &other.plugin, &other.stage)
    }
}

fn parse_line(line: &str) -> Option<StageReport> {
    let mut words = line.splitn(5, ' ');
    let (node, plugin, stage, outcome) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    let rest = words.next().unwrap_or_default().trim();
    if !is_node(node) || !matches!(stage, "setup" | "ready" | "smoke" | "drain" | "change") {
        return None;
    }
    let outcome = match outcome {
        "began" => StageOutcome::Began,
        "detail" => StageOutcome::Note,
        "done" => StageOutcome::Done,
        "failed" => StageOutcome::Failed,
        _ => return None,
    };
    let word = match outcome {
        StageOutcome::Began => "began",
        StageOutcome::Done => "done",
        StageOutcome::Failed => "failed",
        StageOutcome::Note => "",
    };
    let said = [word, rest]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(if word == "failed" { ": " } else { ", " });
    let (node, plugin, stage) = (node.to_owned(), plugin.to_owned(), stage.to_owned());
    let between = if outcome == StageOutcome::Note {
        ": "
    } else {
        " "
    };
    let text = format!("{plugin} {stage}{between}{said}");
    Some(StageReport {
        seconds: (outcome == StageOutcome::Done)
            .then(|| parse_seconds(rest))
            .flatten(),
        node,
        plugin,
        stage,
        outcome,
        text,
        began_s: None,
        told_s: None,
    })
}

/// `34 s` at the beginning.
fn parse_seconds(rest: &str) -> Option<u32> {
    let (number, unit) = rest.split_once(' ')?;
    let unit = unit.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    (unit == "s").then(|| number.parse().ok()).flatten()
}

/// Whether this names a node: `master`, `worker-7`.
pub fn is_node(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The order in which people read nodes: group by group, in each by their number, then others, then
/// lines of nobody.
pub fn node_order(node: &str, groups: &NodeGroups) -> (usize, u32, String) {
    if node.is_empty() {
        return (usize::MAX, 0, String::new());
    }
    let place = |group: &GroupSpec| groups.iter().position(|other| other.name == group.name);
    let known = groups.find_node(node);
    match known.and_then(|(group, id)| Some((place(group)?, id))) {
        Some((place, id)) => (place, id, String::new()),
        None => (usize::MAX - 1, 0, node.to_owned()),
    }
}

/// One line without control characters, of bounded length: nodes are their users', and may say
/// anything.
pub(super) fn clean_line(line: &str) -> String {
    let clean: String = line
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_TEXT_CHARS)
        .collect();
    clean.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(
        node: &str,
        plugin: &str,
        stage: &str,
        outcome: StageOutcome,
        seconds: Option<u32>,
        text: &str,
    ) -> StageReport {
        StageReport {
            node: node.into(),
            plugin: plugin.into(),
            stage: stage.into(),
            outcome,
            seconds,
            text: text.into(),
            began_s: None,
            told_s: None,
        }
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        let check = |line: &str, outcome: StageOutcome, seconds: Option<u32>, text: &str| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let wanted = report(words[0], words[1], words[2], outcome, seconds, text);
            assert_eq!(StageReport::parse(line), wanted, "{line}");
        };
        check(
            "worker-1 hadoop setup began",
            StageOutcome::Began,
            None,
            "hadoop setup began",
        );
        check(
            "worker-1 hadoop setup done 34 s",
            StageOutcome::Done,
            Some(34),
            "hadoop setup done, 34 s",
        );
        check(
            "master hadoop ready detail 2 of 3 DataNodes, 1 of 3 NodeManagers",
            StageOutcome::Note,
            None,
            "hadoop ready: 2 of 3 DataNodes, 1 of 3 NodeManagers",
        );
        check(
            "worker-1 node setup failed line 42: curl: (22) 404",
            StageOutcome::Failed,
            None,
            "node setup failed: line 42: curl: (22) 404",
        );
        check(
            "master spark smoke done",
            StageOutcome::Done,
            None,
            "spark smoke done",
        );
        check(
            "master spark smoke done soon",
            StageOutcome::Done,
            None,
            "spark smoke done, soon",
        );
    }

    #[test]
    fn a_line_of_another_form_is_shown_as_it_is() {
        for line in [
            "",
            "hello",
            "Signal 3 received",
            "worker-1 hadoop setup exploded now",
            "Worker hadoop setup done 1 s",
            "a b c d e f",
        ] {
            assert_eq!(
                StageReport::parse(line),
                report("", "", "", StageOutcome::Note, None, line),
                "{line}"
            );
        }
    }

    #[test]
    fn a_line_is_bounded_and_printable() {
        assert_eq!(StageReport::parse("x\u{1b}[2Jy\nz").text, "x [2Jy z");
        assert_eq!(
            StageReport::parse(&"é".repeat(MAX_TEXT_CHARS))
                .text
                .chars()
                .count(),
            MAX_TEXT_CHARS
        );
        assert_eq!(
            StageReport::parse(&"é".repeat(MAX_TEXT_CHARS + 1))
                .text
                .chars()
                .count(),
            MAX_TEXT_CHARS
        );
    }

    #[test]
    fn nodes_are_in_the_order_of_people() {
        let mut nodes = ["worker-10", "", "worker-2", "zookeeper", "master"];
        let mut groups = NodeGroups::default();
        nodes.sort_by_key(|node| node_order(node, &groups));
        assert_eq!(nodes, ["master", "worker-2", "worker-10", "zookeeper", ""]);
        groups.add(crate::cluster::test_groups::group("edge", 1));
        let mut nodes = ["host", "edge-2", "worker-2", "edge", "master-2", "master"];
        nodes.sort_by_key(|node| node_order(node, &groups));
        let wanted = ["master", "master-2", "worker-2", "edge", "edge-2", "host"];
        assert_eq!(nodes, wanted);
    }
}
