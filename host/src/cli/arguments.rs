//! Arguments that several commands share, and how they are read. No I/O.

use std::time::Duration;

use crate::cluster::attribute_names::PREFIX;

/// `NAME=VALUE`. The name may have `stampede.` in front.
pub(super) fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "must be NAME=VALUE, such as hadoop.replication=2".to_owned())?;
    let name = name.trim();
    if name.is_empty() {
        return Err(
            "has no name before the `=`; write NAME=VALUE, such as hadoop.replication=2".to_owned(),
        );
    }
    Ok((
        name.strip_prefix(PREFIX).unwrap_or(name).to_owned(),
        value.to_owned(),
    ))
}

/// `90s`, `30m`, `1h30m`; a number alone is seconds.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a time above 0, such as 90s, 30m or 1h30m".to_owned();
    let text = text.trim();
    let mut seconds: u64 = 0;
    let mut rest = text;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let mut after = rest[digits..].chars();
        let unit = match after.next() {
            None if digits == text.len() => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        if unit >= last_unit {
            return Err(wrong());
        }
        (last_unit, rest) = (unit, after.as_str());
        let more = number.checked_mul(unit).ok_or_else(wrong)?;
        seconds = seconds.checked_add(more).ok_or_else(wrong)?;
    }
    // More than that no clock counts to.
    if seconds == 0 || seconds > MAX_WAIT_S {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds))
}

/// The longest wait: a year.
const MAX_WAIT_S: u64 = 366 * 86_400;

/// How long something took or is old: `45s`, `5m`, `3h12m`, `4d2h`.
pub(super) fn format_duration(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_keeps_its_value_exactly() {
        assert_eq!(
            parse_pair("stampede.hadoop.x= a=b "),
            Ok(("hadoop.x".to_owned(), " a=b ".to_owned()))
        );
        assert_eq!(
            parse_pair("workers="),
            Ok(("workers".to_owned(), String::new()))
        );
        assert!(parse_pair("workers").is_err());
        assert!(parse_pair("=3").is_err());
    }

    #[test]
    fn a_time_is_read_as_people_write_it() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1_800),
            ("1h30m", 5_400),
            ("2d", 172_800),
            ("1h1s", 3_601),
            ("31622400s", 31_622_400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for wrong in [
            "",
            "0",
            "0s",
            "-1",
            "m",
            "1x",
            "5m1h",
            "1m1m",
            "1h30",
            "1.5h",
            "1 h",
            "٣s",
            "31622401",
            "99999999999999999999d",
            "300000000000000d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_age_is_short() {
        let shown = [0, 59, 60, 3_600, 11_520, 86_400, 351_000].map(format_duration);
        assert_eq!(shown, ["0s", "59s", "1m", "1h", "3h12m", "1d", "4d1h"]);
    }
}
