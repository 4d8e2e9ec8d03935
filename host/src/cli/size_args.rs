//! The option that says how large a cluster is: the short form of one attribute.

use clap::Args;

use crate::cluster::{
    default_groups::WORKERS,
    limits::{MAX_GROUP_NODES, MIN_GROUP_NODES},
};

/// How large a cluster is to be.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct SizeArgs {
    /// How many workers
    #[arg(long = WORKERS, value_parser = parse_count, allow_negative_numbers = true)]
    workers: Option<u32>,
}

impl SizeArgs {
    /// The attribute that it stands for.
    pub(super) fn attribute(self) -> Option<(String, String)> {
        let count = self.workers?;
        Some((WORKERS.to_owned(), count.to_string()))
    }
}

/// How many nodes; attributes have the same range.
fn parse_count(text: &str) -> Result<u32, String> {
    let number = text.trim().parse().ok();
    let range = MIN_GROUP_NODES..=MAX_GROUP_NODES;
    number.filter(|count| range.contains(count)).ok_or_else(|| {
        format!("must be a whole number from {MIN_GROUP_NODES} to {MAX_GROUP_NODES}, such as 3")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_counted_within_their_range() {
        assert_eq!(parse_count("1"), Ok(1));
        assert_eq!(parse_count("250"), Ok(MAX_GROUP_NODES));
        for wrong in ["0", "251", "-1", "abc", "", "1.5", "99999999999"] {
            let told = parse_count(wrong).unwrap_err();
            assert!(told.contains("from 1 to 250"), "{wrong}: {told}");
        }
    }
}
