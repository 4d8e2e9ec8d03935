//! A change to a running cluster as it is recorded: what it leads to, and the steps there. No I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    CloudAccess, ClusterSpec, Flavor,
    cluster_endpoint::ClusterEndpoints,
    former_records::{StoredFlavors, read_added_nodes, read_step_nodes},
    limits::MAX_GENERATION,
    node_group::NodeIds,
};

/// Digests of what stands on the nodes of each class, by path.
pub type FileDigests = BTreeMap<String, BTreeMap<String, String>>;

/// A change that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterChange {
    /// What the client's attributes are once it is done.
    pub attributes: BTreeMap<String, String>,
    /// What the cluster is once it is done.
    pub to: ClusterSpec,
    /// What stands on the nodes once it is done.
    pub installed: FileDigests,
    /// Its endpoints once it is done.
    pub endpoints: ClusterEndpoints,
    /// The steps; while it is taken back, those that lead back.
    pub steps: Vec<RolloutStep>,
    /// The step that is under way.
    pub at: usize,
    /// When Heat accepted that step, in seconds since 1970.
    pub sent_s: Option<u64>,
    /// The nodes that were notified of a step.
    #[serde(alias = "touched")]
    pub notified_nodes: Vec<String>,
    /// Nodes that were added and are to be taken away again.
    #[serde(deserialize_with = "read_added_nodes")]
    pub added: NodeIds,
    /// Why it is being rolled back, where it is.
    #[serde(alias = "undone")]
    pub rolling_back_because: Option<String>,
    /// The flavors that its steps were planned on, so that another host plans the same without
    /// asking the cloud; none in changes that a former version began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<NodeFlavors>,
    /// Its number, where it is an upgrade: all that stands on the nodes is replaced by what the
    /// plugins of now make. Nodes keep under it what was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<u32>,
    /// In an upgrade, the stack's resources that are others or gone after it, as they were, and none
    /// in the place of those that it adds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replaced: BTreeMap<String, Option<Value>>,
}

/// The flavors of a cluster's nodes, as the cloud had them when its change was planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredFlavors")]
pub struct NodeFlavors {
    /// By group.
    pub groups: BTreeMap<String, Flavor>,
    /// What its new nodes are given to reach the cloud.
    #[serde(skip_serializing_if = "CloudAccess::is_empty")]
    pub access: CloudAccess,
}

impl From<StoredFlavors> for NodeFlavors {
    fn from(stored: StoredFlavors) -> Self {
        Self {
            groups: stored.by_group(),
            access: stored.access,
        }
    }
}

impl ClusterChange {
    /// The step that is under way.
    pub fn step(&self) -> Option<&RolloutStep> {
        self.steps.get(self.at)
    }

    /// Whether Heat has taken any of its steps.
    pub fn is_begun(&self) -> bool {
        self.at > 0 || self.sent_s.is_some() || self.rolling_back_because.is_some()
    }
}

/// One update of the stack, and what nodes are notified of by it. The next step begins when the
/// stack is complete and every node notified has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutStep {
    /// For people: `new settings on master`.
    pub title: String,
    /// Rises with every step that the cluster ever took.
    pub generation: u32,
    /// The nodes that there are after it.
    #[serde(alias = "workers", deserialize_with = "read_step_nodes")]
    pub nodes: NodeIds,
    /// The cluster at rest whose resources the stack has after it.
    #[serde(default)]
    pub stack: ClusterRest,
    /// The one whose files those have after it that are notified.
    #[serde(default)]
    pub files: ClusterRest,
    /// The nodes that are notified.
    pub told: Vec<String>,
    /// The stages that those run.
    pub stages: Vec<String>,
    /// For which components those run them; none: for all that they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Who they are told has come or goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<MemberNews>,
    /// The nodes that are about to leave.
    pub leaving: Vec<String>,
    /// Whether they have asked to take their turn later, and this is it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_postponed: bool,
    /// In an upgrade, which part of the new files it brings to the nodes, from 0; none: it puts into
    /// their place what was brought, or has nothing to do with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brings: Option<u32>,
    /// Whether those notified may be dead, and are not waited for as long as others.
    #[serde(default)]
    pub may_be_dead: bool,
    /// SHA-256 of the template, files and parameters that Heat is given, in hexadecimal; none
    /// before the step is planned, and in steps that a former version planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The clusters at rest that a change goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterRest {
    /// As it was.
    #[default]
    Before,
    /// With the new settings, and the members that there were.
    Settled,
    /// With those that come beside them.
    Joined,
    /// Without those that leave: as it is to be.
    Done,
}

impl ClusterRest {
    /// All of them, in the order in which a change goes by them.
    pub const ALL: [Self; 4] = [Self::Before, Self::Settled, Self::Joined, Self::Done];

    /// What is of this one, of what is of each of [`Self::ALL`].
    pub fn pick<Rested>(self, all: &[Rested; 4]) -> &Rested {
        let [before, settled, joined, done] = all;
        match self {
            Self::Before => before,
            Self::Settled => settled,
            Self::Joined => joined,
            Self::Done => done,
        }
    }
}

/// What nodes are told of members of components: those that the first cluster at rest has beyond the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberNews {
    /// They have come.
    Joined(ClusterRest, ClusterRest),
    /// They are to leave.
    Leaving(ClusterRest, ClusterRest),
    /// They have gone.
    Left(ClusterRest, ClusterRest),
}

impl RolloutStep {
    /// The nodes that it lets go, or calls back.
    pub fn leaves(&self) -> &[String] {
        if self.may_be_dead {
            &self.told
        } else {
            &self.leaving
        }
    }
}

/// What a node said of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReport {
    /// Of which step.
    pub generation: u32,
    /// What went wrong, where something did.
    pub error: Option<String>,
    /// Whether the node wants to take its turn later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_later: bool,
}

impl ChangeReport {
    /// Reads `<node> change <generation> done`, `... later` and `... failed <why>`; other lines are
    /// none.
    pub fn parse(line: &str) -> Option<(String, Self)> {
        let mut words = line.trim().splitn(5, ' ');
        let (node, word, generation, outcome) = (
            words.next()?,
            words.next()?,
            words.next()?.parse().ok()?,
            words.next()?,
        );
        // A generation that nobody can have given out is nobody's answer.
        if word != "change" || generation > MAX_GENERATION || !super::progress::is_node(node) {
            return None;
        }
        let error = match outcome {
            "done" | "later" => None,
            "failed" => Some(super::progress::clean_line(
                words.next().unwrap_or_default(),
            )),
            _ => return None,
        };
        let is_later = outcome == "later";
        let report = Self {
            generation,
            error,
            is_later,
        };
        Some((node.to_owned(), report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_progress() {
        let answer = |generation, error: Option<&str>| {
            Some(ChangeReport {
                generation,
                error: error.map(str::to_owned),
                is_later: false,
            })
        };
        let parse = |line| {
            ChangeReport::parse(line)
                .map(|(node, answer)| (node, Some(answer)))
                .unzip()
        };
        assert_eq!(
            parse("worker-1 change 3 done"),
            (Some("worker-1".into()), Some(answer(3, None)))
        );
        let later = parse("worker-1 change 4 later").1.flatten().unwrap();
        assert!(later.is_later && later.error.is_none());
        let failed = "master change 12 failed hadoop ready line 3: curl: (7) refused";
        assert_eq!(
            parse(failed),
            (
                Some("master".into()),
                Some(answer(12, Some("hadoop ready line 3: curl: (7) refused")))
            )
        );
        for other in [
            "worker-1 hadoop setup done 3 s",
            "worker-1 change x done",
            "host change 4294967295 done",
            "worker-1 change 1000001 done",
            "Worker change 1 done",
            "worker-1 change 1 maybe",
            "",
        ] {
            assert_eq!(ChangeReport::parse(other), None, "{other}");
        }
    }
}
