//! What the nodes of a change are told of the members of components: who has come, is to leave, or
//! has gone, and which of their components run a stage that one member runs for all. Lines in a file of
//! their own, which holds for one change, as `templates/node/README.md` has it. Pure.

use super::manifest_line::{ManifestLine, member_lines};
use super::node_script::{HOME, NodeContent, NodeFile};
use crate::cluster::component::ComponentPlacement;

/// The file, below [`HOME`]: what it says of others grows old on nodes that are told nothing, so
/// that it is no difference between two nodes, and is sent with every update.
const MEMBERS_NAME: &str = "members";
/// The file, below [`HOME`], of what holds for one change alone.
const STEP_NAME: &str = "step";
/// The variable that says in which change a node boots.
pub const GENERATION_VARIABLE: &str = "STAMPEDE_GENERATION";

/// What nodes are told beside what stands on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberLines {
    /// The number of the change that nodes boot in; 0: none.
    pub change: u32,
    /// Members that have come.
    pub joined: Vec<ComponentPlacement>,
    /// Members that are to leave.
    pub leaving: Vec<ComponentPlacement>,
    /// Members that have gone.
    pub left: Vec<ComponentPlacement>,
    /// Components that run what one member runs for all; none: all that the node has.
    pub runners: Vec<String>,
}

impl MemberLines {
    /// Where the file of members stands.
    pub fn path() -> String {
        format!("{HOME}/{MEMBERS_NAME}")
    }

    /// What holds for one change; none where there is nothing to say.
    pub fn file(&self) -> Option<NodeFile> {
        let text = self.text();
        (!text.is_empty()).then(|| NodeFile::new(0o644, format!("{HOME}/{STEP_NAME}"), text))
    }

    fn text(&self) -> String {
        let runners = self.runners.iter();
        let runners = runners.map(|component| {
            ManifestLine::new("runner")
                .with("component", component)
                .text()
        });
        [
            ("joined", &self.joined),
            ("leaving", &self.leaving),
            ("left", &self.left),
        ]
        .into_iter()
        .map(|(kind, placements)| member_lines(kind, placements))
        .chain(runners)
        .collect()
    }

    /// The same nodes, as they boot in this change.
    pub fn lay_over(&self, content: &NodeContent) -> NodeContent {
        let mut content = content.clone();
        content.files.extend(self.file());
        for (name, value) in &mut content.variables {
            if *name == GENERATION_VARIABLE {
                *value = self.change.to_string();
            }
        }
        content
    }
}

/// Who has which component.
pub fn members_file<'a>(placements: impl IntoIterator<Item = &'a ComponentPlacement>) -> NodeFile {
    let text = member_lines("members", placements);
    NodeFile::new(0o644, MemberLines::path(), text)
}
