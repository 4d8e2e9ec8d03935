//! Ids and timestamps in the forms of OpenStack.

use std::time::SystemTime;

/// An id that is the same in every run.
pub(super) fn uuid(kind: u8, number: u64) -> String {
    ::uuid::Uuid::from_u64_pair(
        u64::from(kind) << 56 | 0x4000,
        0x8000_0000_0000_0000 | number,
    )
    .to_string()
}

/// `2026-11-23T06:52:12` and what follows: `Z` or `.000000Z`.
pub(super) fn format_timestamp(at: SystemTime, end: &str) -> String {
    let seconds = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // A year is counted from March, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year_of_era + era * 400 + carry;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{end}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        let of =
            |seconds| format_timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), "Z");
        assert_eq!(of(0), "1970-01-01T00:00:00Z");
        assert_eq!(of(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(of(1_795_416_732), "2026-11-23T06:52:12Z");
    }
}
