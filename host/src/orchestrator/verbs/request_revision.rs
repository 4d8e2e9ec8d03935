//! By which revision a change is asked for, so that nobody overwrites what they have not seen.

use sha2::{Digest as _, Sha256};

use crate::cluster::ClusterSpec;
use crate::orchestrator::error::OrchestratorError;
use crate::store::ClusterRecord;

/// Characters of a revision.
const REVISION_CHARS: usize = 16;

/// What a cluster is asked to be, as a word: the same for as long as nobody asks for something else,
/// whatever becomes of it meanwhile.
pub(crate) fn request_revision(record: &ClusterRecord) -> String {
    let change = record.change();
    let change = change.filter(|change| change.rolling_back_because.is_none());
    let spec = change.map(|change| &change.to).or(record.spec.as_ref());
    let attributes = change.map_or(&record.attributes, |change| &change.attributes);
    let nodes = spec.map(ClusterSpec::node_names).unwrap_or_default();
    let mut digest = Sha256::new();
    digest.update(&record.id);
    for (name, value) in attributes {
        for text in [name, value] {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
    }
    digest.update(nodes.join(","));
    let mut word: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    word.truncate(REVISION_CHARS);
    word
}

/// Whether the cluster is still asked to be what it was when whoever asks looked at it.
///
/// # Errors
/// `Superseded`: it is not.
pub(crate) fn check_revision(
    record: &ClusterRecord,
    expected: Option<&str>,
) -> Result<(), OrchestratorError> {
    match expected {
        Some(expected) if expected != request_revision(record) => {
            Err(OrchestratorError::Superseded(record.name.clone()))
        }
        _ => Ok(()),
    }
}
