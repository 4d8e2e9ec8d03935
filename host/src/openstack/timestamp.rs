//! Parses OpenStack's timestamps: UTC, `2026-11-23T06:52:12.000000Z` or without fraction or `Z`.

use std::time::{Duration, SystemTime};

use crate::system::utc_time::days_since_epoch;

/// The point in time, to the second; `None` for what is no timestamp or before 1970.
pub(super) fn parse_timestamp(text: &str) -> Option<SystemTime> {
    let (date, time) = text.trim().trim_end_matches('Z').split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time
        .split('.')
        .next()?
        .splitn(3, ':')
        .map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let seconds = ((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The same in seconds since 1970.
pub(super) fn parse_unix_s(text: &str) -> Option<u64> {
    let since = parse_timestamp(text)?.duration_since(SystemTime::UNIX_EPOCH);
    Some(since.ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_every_service_are_read() {
        let seconds = |text: &str| {
            parse_timestamp(text).map(|at| {
                at.duration_since(SystemTime::UNIX_EPOCH)
                    .expect("after 1970")
                    .as_secs()
            })
        };
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2024-02-29T23:59:59.000000Z"), Some(1_709_251_199));
        assert_eq!(seconds("2026-11-23T06:52:12.000000Z"), Some(1_795_416_732));
        assert_eq!(seconds("2026-11-23T06:52:12"), Some(1_795_416_732));
        for wrong in [
            "",
            "never",
            "2026-11-23",
            "2026-13-01T00:00:00Z",
            "1969-01-01T00:00:00Z",
            "2026-11-23T06:52Z",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
