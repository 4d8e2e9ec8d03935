//! What stands on the nodes after a change that was planned beside what the stack has. Pure.

use std::collections::BTreeMap;

use crate::{bundle::node_script::CA_PATH, cluster::change::FileDigests};

/// Digests of what the two plans agree in are those that are recorded; but for the cloud's own
/// authority, which is neither plan's: nodes that lack the one of now could tell Heat nothing.
pub(super) fn lay_digests(
    recorded: &FileDigests,
    from: &FileDigests,
    to: &FileDigests,
) -> FileDigests {
    let none = BTreeMap::new();
    let mut laid = recorded.clone();
    for role in from.keys().chain(to.keys()) {
        let (before, after) = (
            from.get(role).unwrap_or(&none),
            to.get(role).unwrap_or(&none),
        );
        let files = laid.entry(role.clone()).or_default();
        for path in before.keys().chain(after.keys()) {
            let before = if path == CA_PATH {
                recorded.get(role).and_then(|files| files.get(path))
            } else {
                before.get(path)
            };
            match (before, after.get(path)) {
                (one, other) if one == other => {}
                (_, Some(digest)) => drop(files.insert(path.clone(), digest.clone())),
                (_, None) => drop(files.remove(path)),
            }
        }
    }
    laid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_plans_agree_in_stays_as_it_is_recorded() {
        let digests = |files: &[(&str, &str)]| {
            let files = files
                .iter()
                .map(|(p, d)| ((*p).to_owned(), (*d).to_owned()));
            FileDigests::from([("worker".to_owned(), files.collect())])
        };
        let recorded = digests(&[
            ("/script", "old"),
            ("/conf", "old"),
            ("/gone", "old"),
            (CA_PATH, "expired"),
        ]);
        let from = digests(&[
            ("/script", "new"),
            ("/conf", "a"),
            ("/extra", "e"),
            ("/off", "o"),
            (CA_PATH, "renewed"),
        ]);
        let to = digests(&[
            ("/script", "new"),
            ("/conf", "b"),
            ("/extra", "e"),
            (CA_PATH, "renewed"),
        ]);
        let wanted = digests(&[
            ("/script", "old"),
            ("/conf", "b"),
            ("/gone", "old"),
            (CA_PATH, "renewed"),
        ]);
        assert_eq!(lay_digests(&recorded, &from, &to), wanted);
    }
}
