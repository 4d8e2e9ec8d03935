//! When a cluster is to be deleted: the one grammar of `stampede.expires`, the bounds of what it may
//! be, and the end as records keep it. No clock is read: what the time is now, it is given.

use serde::{Deserialize, Serialize};

use super::Problem;
use crate::system::utc_time::{format_rfc3339, parse_rfc3339};

/// The attribute, without `stampede.`.
pub const EXPIRES: &str = "expires";
/// The word for no end.
pub const NEVER: &str = "never";
/// How soon the end may be at the earliest, and the shortest age: nodes take minutes to boot.
pub const MIN_AGE_S: u64 = 10 * MINUTE_S;
/// How far away the end may be at most, and the longest age.
pub const MAX_AGE_S: u64 = 366 * DAY_S;
/// So long before its end a cluster's deletion is announced.
pub const NOTICE_S: u64 = HOUR_S;
/// So long at least a cluster lives whose record was lost: its end may have been put off since its
/// stack was told of it.
pub const RECOVERED_NOTICE_S: u64 = DAY_S;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;
const WEEK_S: u64 = 7 * DAY_S;
/// The units of ages, the largest first.
const UNITS: [(char, u64); 4] = [('w', WEEK_S), ('d', DAY_S), ('h', HOUR_S), ('m', MINUTE_S)];
/// Digits of an age, which keep it far from the end of its type.
const MAX_DIGITS: usize = 9;

/// When a cluster ends, as a request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndTime {
    /// It is deleted by people alone.
    Never,
    /// At this moment, in seconds since 1970.
    At(u64),
    /// So many seconds after the request.
    After(u64),
}

impl EndTime {
    /// Reads an age (`8h`), a moment (RFC 3339 in UTC) or `never`.
    ///
    /// # Errors
    /// The problem with the text, under the name that it was given by.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text == NEVER {
            return Ok(Self::Never);
        }
        if let Some(age_s) = parse_age(text) {
            return match (MIN_AGE_S..=MAX_AGE_S).contains(&age_s) {
                true => Ok(Self::After(age_s)),
                false => Err(Problem::new(name, out_of_range(text), range_text())),
            };
        }
        parse_rfc3339(text).map(Self::At).ok_or_else(|| {
            let shown = super::parse_value::shorten(text);
            Problem::new(
                name,
                format!("`{shown}` is neither an age nor a moment"),
                "an age such as 90m, 8h, 3d or 2w, a moment in UTC such as 2026-12-24T18:00:00Z, or never",
            )
        })
    }

    /// The moment, for a request that is made now; none: never.
    ///
    /// # Errors
    /// It is over, or too near or too far.
    pub fn resolve(self, name: &str, now_s: u64) -> Result<Option<u64>, Problem> {
        let at_s = match self {
            Self::Never => return Ok(None),
            Self::After(age_s) => return Ok(Some(now_s.saturating_add(age_s))),
            Self::At(at_s) => at_s,
        };
        let (told, now) = (format_rfc3339(at_s), format_rfc3339(now_s));
        let problem = |message| Err(Problem::new(name, message, range_text()));
        if at_s < now_s.saturating_add(MIN_AGE_S) {
            return problem(format!("`{told}` is over, or too near: it is {now} now"));
        }
        if at_s > now_s.saturating_add(MAX_AGE_S) {
            return problem(format!("`{told}` is too far away: it is {now} now"));
        }
        Ok(Some(at_s))
    }

    /// The text that [`Self::parse`] reads.
    pub fn render(self) -> String {
        match self {
            Self::Never => NEVER.to_owned(),
            Self::At(at_s) => format_rfc3339(at_s),
            Self::After(age_s) => age_text(age_s),
        }
    }
}

/// An age in its largest unit that it is a whole number of: `8h`, `3d`.
pub fn age_text(age_s: u64) -> String {
    let of_unit = |(_, seconds): &&(char, u64)| age_s.is_multiple_of(*seconds);
    match UNITS.iter().find(of_unit) {
        Some((unit, seconds)) => format!("{}{unit}", age_s / seconds),
        None => format!("{}m", age_s / MINUTE_S),
    }
}

/// Seconds of an age: one whole number and one unit; none where it is none.
pub(super) fn parse_age(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.iter().find(|(known, _)| *known == unit)?;
    let digits = text.strip_suffix(unit)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    Some(digits.parse::<u64>().ok()? * seconds)
}

/// What an end may be, for people.
pub fn range_text() -> String {
    let (least, most) = (age_text(MIN_AGE_S), age_text(MAX_AGE_S));
    format!("{least} to {most} from now, or {NEVER}")
}

fn out_of_range(text: &str) -> String {
    format!("`{text}` is too short or too long")
}

/// The end of a cluster as its record keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEnd {
    /// When it is, in seconds since 1970.
    pub at_s: u64,
    /// What was told of it.
    #[serde(default)]
    pub stage: EndStage,
}

/// How near an end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndStage {
    /// Nothing is to be told yet.
    #[default]
    Ahead,
    /// It is nearer than [`NOTICE_S`].
    Announced,
    /// It has come.
    Over,
}

impl ClusterEnd {
    /// One at this moment, of which nothing was told.
    pub fn new(at_s: u64) -> Self {
        let stage = EndStage::default();
        Self { at_s, stage }
    }

    /// How near it is.
    pub fn stage_at(self, now_s: u64) -> EndStage {
        if self.at_s <= now_s {
            EndStage::Over
        } else if self.at_s <= now_s.saturating_add(NOTICE_S) {
            EndStage::Announced
        } else {
            EndStage::Ahead
        }
    }

    /// When something is to be told or done of it next, where nothing is late.
    pub fn next_s(self, now_s: u64) -> Option<u64> {
        match self.stage_at(now_s) {
            EndStage::Ahead => Some(self.at_s.saturating_sub(NOTICE_S)),
            EndStage::Announced => Some(self.at_s),
            EndStage::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26T18:00:00Z.
    const NOW_S: u64 = 1_795_716_000;

    #[test]
    fn ages_moments_and_never_are_read_and_written_back() {
        for (text, wanted, again) in [
            ("never", EndTime::Never, "never"),
            ("10m", EndTime::After(600), "10m"),
            ("90m", EndTime::After(5_400), "90m"),
            ("60m", EndTime::After(3_600), "1h"),
            ("8h", EndTime::After(28_800), "8h"),
            (" 8h ", EndTime::After(28_800), "8h"),
            ("72h", EndTime::After(259_200), "3d"),
            ("3d", EndTime::After(259_200), "3d"),
            ("2w", EndTime::After(1_209_600), "2w"),
            ("366d", EndTime::After(MAX_AGE_S), "366d"),
            (
                "2026-11-26T18:00:00Z",
                EndTime::At(NOW_S),
                "2026-11-26T18:00:00Z",
            ),
        ] {
            let read = EndTime::parse(EXPIRES, text);
            assert_eq!(read, Ok(wanted), "{text}");
            assert_eq!(wanted.render(), again, "{text}");
            assert_eq!(EndTime::parse(EXPIRES, again), Ok(wanted), "{again}");
        }
    }

    #[test]
    fn what_is_no_age_and_no_moment_is_refused_with_what_there_may_be() {
        for text in [
            "",
            "h",
            "8",
            "8 h",
            "8H",
            "-8h",
            "+8h",
            "1.5h",
            "1d12h",
            "8s",
            "8y",
            "0000000001h",
            "Never",
            "tomorrow",
            "2026-11-26",
            "2026-11-26T18:00Z",
            "2026-11-26 18:00:00Z",
            "2026-11-26T18:00:00",
            "2026-11-26T18:00:00+01:00",
            "2026-02-29T18:00:00Z",
            "2026-11-26T24:00:00Z",
            "٣d",
        ] {
            let refused = EndTime::parse("x.y", text).unwrap_err();
            assert_eq!(refused.path, "x.y", "{text}");
            assert!(refused.hint.contains("8h"), "{text}: {refused}");
        }
    }

    #[test]
    fn ages_have_a_shortest_and_a_longest() {
        for (text, is_taken) in [
            ("9m", false),
            ("10m", true),
            ("366d", true),
            ("367d", false),
            ("999999999w", false),
        ] {
            assert_eq!(EndTime::parse(EXPIRES, text).is_ok(), is_taken, "{text}");
        }
    }

    #[test]
    fn moments_have_a_nearest_and_a_farthest() {
        for (at_s, is_taken) in [
            (NOW_S - 1, false),
            (NOW_S + MIN_AGE_S - 1, false),
            (NOW_S + MIN_AGE_S, true),
            (NOW_S + MAX_AGE_S, true),
            (NOW_S + MAX_AGE_S + 1, false),
        ] {
            let resolved = EndTime::At(at_s).resolve(EXPIRES, NOW_S);
            assert_eq!(resolved.ok(), is_taken.then_some(Some(at_s)), "{at_s}");
        }
        let age = EndTime::After(600).resolve(EXPIRES, NOW_S);
        assert_eq!(age, Ok(Some(NOW_S + 600)));
        assert_eq!(EndTime::Never.resolve(EXPIRES, NOW_S), Ok(None));
    }

    #[test]
    fn an_end_is_announced_before_it_comes() {
        let end = ClusterEnd::new(NOW_S);
        for (now_s, stage, next_s) in [
            (
                NOW_S - NOTICE_S - 1,
                EndStage::Ahead,
                Some(NOW_S - NOTICE_S),
            ),
            (NOW_S - NOTICE_S, EndStage::Announced, Some(NOW_S)),
            (NOW_S - 1, EndStage::Announced, Some(NOW_S)),
            (NOW_S, EndStage::Over, None),
        ] {
            assert_eq!(end.stage_at(now_s), stage, "{now_s}");
            assert_eq!(end.next_s(now_s), next_s, "{now_s}");
        }
    }
}
