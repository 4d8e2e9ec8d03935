//! Gathers all that is wrong with an answer, each with its place, so that an author mends it at
//! once.

use std::fmt::{self, Display, Formatter};

use super::ContractBreach;
use crate::cluster::problem::cut_text;

/// Faults that are told; of those beyond only the number.
const MOST_TOLD: usize = 50;
/// Characters of one of them.
const FAULT_CHARS: usize = 400;

/// All that is wrong with an answer, in its order.
#[derive(Debug, Default)]
pub struct FaultList {
    told: Vec<String>,
    count: usize,
}

impl FaultList {
    /// One more: where, and what.
    pub(super) fn add(&mut self, place: impl Display, what: impl Display) {
        self.count += 1;
        if self.told.len() < MOST_TOLD {
            let whole = format!("{place}: {what}");
            let plain: String = whole
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect();
            self.told.push(cut_text(&plain, FAULT_CHARS));
        }
    }

    /// One more unless it is so.
    pub(super) fn check(&mut self, is_so: bool, place: impl Display, what: impl Display) {
        if !is_so {
            self.add(place, what);
        }
    }

    /// Refuses what is too many, with both numbers.
    pub(super) fn count(&mut self, place: impl Display, count: usize, most: usize) {
        self.check(
            count <= most,
            place,
            format_args!("there are {count}, at most {most} are taken"),
        );
    }

    /// What was read, if nothing is wrong.
    pub(super) fn end<T>(self, read: T) -> Result<T, ContractBreach> {
        if self.count == 0 {
            Ok(read)
        } else {
            Err(ContractBreach::Faults(self))
        }
    }

    /// Ends here where something is wrong already: what follows would be work on what is too much.
    pub(super) fn end_if_wrong(&mut self) -> Result<(), ContractBreach> {
        std::mem::take(self).end(())
    }
}

impl Display for FaultList {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let left_out = self.count - self.told.len();
        match self.told.as_slice() {
            [one] if left_out == 0 => f.write_str(one),
            told => {
                write!(f, "{} things are not as it says:", self.count)?;
                for one in told {
                    write!(f, "\n  {one}")?;
                }
                if left_out > 0 {
                    write!(f, "\n  and {left_out} more")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_told_up_to_a_number_and_of_the_rest_how_many_there_are() {
        let told = |count: usize| {
            let mut faults = FaultList::default();
            for at in 0..count {
                faults.add(format_args!("files[{at}]"), "is\u{1b} wrong");
            }
            faults.end(()).unwrap_err().to_string()
        };
        assert!(FaultList::default().end(()).is_ok());
        assert_eq!(told(1), "files[0]: is\u{fffd} wrong");
        assert_eq!(
            told(2),
            "2 things are not as it says:\n  files[0]: is\u{fffd} wrong\n  files[1]: is\u{fffd} wrong"
        );
        assert!(!told(MOST_TOLD).contains("more"));
        assert!(told(MOST_TOLD + 1).ends_with("\n  and 1 more"));
    }
}
