//! What stands on the nodes after a change that was planned beside what the stack has. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::{bundle::node_script::CA_PATH, cluster::change::FileDigests};

/// What is recorded of nodes, and the plans of the clusters at both ends, by class.
pub(super) struct LaidDigests<'a> {
    pub(super) recorded: &'a FileDigests,
    pub(super) from: &'a FileDigests,
    pub(super) to: &'a FileDigests,
}

/// For each class of nodes the classes that its nodes were of before; of new nodes none.
pub(super) fn classes_by_class(
    after: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (node, class) in after {
        let were = all.entry(class.clone()).or_default();
        were.extend(before.get(node).cloned());
    }
    all
}

impl LaidDigests<'_> {
    /// Digests of what the two plans agree in are those that are recorded; but for the cloud's own
    /// authority, which is neither plan's: nodes that lack the one of now could tell Heat nothing.
    /// Nodes of a class that have been of several are what the plan says.
    pub(super) fn lay(&self, classes: &BTreeMap<String, BTreeSet<String>>) -> FileDigests {
        let none = BTreeMap::new();
        let of = |all: &'_ FileDigests, class: &str| all.get(class).cloned().unwrap_or_default();
        let laid = classes.iter().map(|(class, were)| {
            let to = self.to.get(class).unwrap_or(&none);
            let mut laid: Vec<BTreeMap<String, String>> = were
                .iter()
                .map(|was| lay_files(&of(self.recorded, was), &of(self.from, was), to))
                .collect();
            laid.dedup();
            let one = match laid.as_slice() {
                [one] => one.clone(),
                _ => to.clone(),
            };
            (class.clone(), one)
        });
        laid.collect()
    }
}

fn lay_files(
    recorded: &BTreeMap<String, String>,
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut files = recorded.clone();
    for path in from.keys().chain(to.keys()) {
        let before = if path == CA_PATH {
            recorded.get(path)
        } else {
            from.get(path)
        };
        match (before, to.get(path)) {
            (one, other) if one == other => {}
            (_, Some(digest)) => drop(files.insert(path.clone(), digest.clone())),
            (_, None) => drop(files.remove(path)),
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(class: &str, files: &[(&str, &str)]) -> FileDigests {
        let files = files
            .iter()
            .map(|(p, d)| ((*p).to_owned(), (*d).to_owned()));
        FileDigests::from([(class.to_owned(), files.collect())])
    }

    fn classes(of: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        let set = |were: &[&str]| were.iter().map(|was| (*was).to_owned()).collect();
        of.iter()
            .map(|(class, were)| ((*class).to_owned(), set(were)))
            .collect()
    }

    #[test]
    fn what_both_plans_agree_in_stays_as_it_is_recorded() {
        let recorded = digests(
            "worker",
            &[
                ("/script", "old"),
                ("/conf", "old"),
                ("/gone", "old"),
                (CA_PATH, "expired"),
            ],
        );
        let from = digests(
            "worker",
            &[
                ("/script", "new"),
                ("/conf", "a"),
                ("/extra", "e"),
                ("/off", "o"),
                (CA_PATH, "renewed"),
            ],
        );
        let to = digests(
            "worker-1a",
            &[
                ("/script", "new"),
                ("/conf", "b"),
                ("/extra", "e"),
                (CA_PATH, "renewed"),
            ],
        );
        let laid = LaidDigests {
            recorded: &recorded,
            from: &from,
            to: &to,
        };
        let wanted = digests(
            "worker-1a",
            &[
                ("/script", "old"),
                ("/conf", "b"),
                ("/gone", "old"),
                (CA_PATH, "renewed"),
            ],
        );
        assert_eq!(laid.lay(&classes(&[("worker-1a", &["worker"])])), wanted);
        // Of new nodes, and of those that have been of two classes, it is the plan's.
        for were in [&[][..], &["worker", "edge"]] {
            assert_eq!(laid.lay(&classes(&[("worker-1a", were)])), to);
        }
    }

    #[test]
    fn each_class_knows_what_its_nodes_were() {
        let of = |nodes: &[(&str, &str)]| -> BTreeMap<String, String> {
            let nodes = nodes.iter();
            nodes
                .map(|(node, class)| ((*node).to_owned(), (*class).to_owned()))
                .collect()
        };
        let before = of(&[("a-1", "a"), ("a-2", "a"), ("b", "b")]);
        let after = of(&[
            ("a-1", "a-1f"),
            ("a-2", "a-2e"),
            ("a-3", "a-2e"),
            ("c", "c"),
        ]);
        assert_eq!(
            classes_by_class(&after, &before),
            classes(&[("a-1f", &["a"]), ("a-2e", &["a"]), ("c", &[])])
        );
    }
}
