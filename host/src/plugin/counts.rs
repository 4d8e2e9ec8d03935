//! Bounds how many things a plugin may name, counted before any work is done on them: an answer of
//! four megabytes holds hundreds of thousands of names.

use super::ContractBreach;
use crate::bundle::sizes;

/// Bytes of a template as text: Heat takes no more of a whole cluster.
pub(super) const TEMPLATE_BYTES: usize = sizes::MAX_TEMPLATE_BYTES;
/// Bytes of the JSON Schema of a plugin's parameters.
pub(super) const SCHEMA_BYTES: usize = 128 << 10;
/// Entries in one section of a template: Heat takes no more resources of a whole cluster.
pub(super) const ENTRIES: usize = sizes::MAX_RESOURCES;
/// Files on nodes.
pub(super) const FILES: usize = 500;
/// Scripts, endpoints, services, shares; a descriptor's versions, services, roles, resource types.
pub(super) const PARTS: usize = 100;
/// Attributes of all services together, ports of all shares together, ports of a descriptor.
pub(super) const ITEMS: usize = 1_000;
/// Parameters in a descriptor.
pub(super) const PARAMETERS: usize = 200;

/// Counted things: what they are, how many, how many there may be.
pub(super) type CountedThings<'a> = (&'a str, usize, usize);

/// Refuses the first kind of which there are too many.
pub(super) fn check_counts(counted: &[CountedThings<'_>]) -> Result<(), ContractBreach> {
    match counted.iter().find(|(_, count, most)| count > most) {
        None => Ok(()),
        Some((what, count, most)) => Err(ContractBreach::Rule(format!(
            "it has {count} {what}, at most {most} are taken"
        ))),
    }
}

/// Refuses a text that is too long to be looked into.
pub(super) fn check_length(what: &str, text: &str, most: usize) -> Result<(), ContractBreach> {
    if text.len() <= most {
        return Ok(());
    }
    Err(ContractBreach::Rule(format!(
        "its {what} {} bytes long, at most {most} are taken",
        text.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_be_are_taken_and_one_more_is_not() {
        check_counts(&[("files", 3, 3), ("scripts", 0, 3)]).unwrap();
        let error = check_counts(&[("files", 3, 3), ("scripts", 4, 3)]).unwrap_err();
        assert_eq!(error.to_string(), "it has 4 scripts, at most 3 are taken");
        check_length("template is", "abc", 3).unwrap();
        let error = check_length("template is", "abcd", 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "its template is 4 bytes long, at most 3 are taken"
        );
    }
}
