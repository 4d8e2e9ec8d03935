//! Points in time for people and for programs: UTC, to the second. Pure.

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;
/// Days in 400 years, after which the calendar repeats itself.
const ERA_DAYS: u64 = 146_097;
const DAY_S: u64 = 86_400;

/// Seconds since 1970 as `2026-11-23 06:52:12 UTC`.
pub fn format_utc(unix_s: u64) -> String {
    let (date, time) = date_and_time(unix_s);
    format!("{date} {time} UTC")
}

/// The same in the form of RFC 3339, as the `openstack` client prints times: `2026-11-23T06:52:12Z`.
pub fn format_rfc3339(unix_s: u64) -> String {
    let (date, time) = date_and_time(unix_s);
    format!("{date}T{time}Z")
}

/// Seconds since 1970 of a text that [`format_rfc3339`] writes; none for any other, dates that no
/// calendar has among them.
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    if bytes.len() != 20 || !(1970..=9999).contains(&number(0, 4)?) {
        return None;
    }
    let (month, day) = (number(5, 7)?, number(8, 10)?);
    if !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let days = days_since_epoch(number(0, 4)?, month, day);
    let time = (number(11, 13)? * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    let unix_s = days * DAY_S + time;
    // Signs and numbers that are out of their ranges are written otherwise.
    (format_rfc3339(unix_s) == text).then_some(unix_s)
}

/// Days since 1970-01-01 in the Gregorian calendar. A year is counted from March, so that the leap
/// day is its last.
pub fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let since_march_0000 =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    since_march_0000 - DAYS_BEFORE_1970
}

fn date_and_time(unix_s: u64) -> (String, String) {
    let (days, second) = (unix_s / DAY_S, unix_s % DAY_S);
    // Years are counted from March, so that the leap day is a year's last.
    let since_march = days.saturating_add(DAYS_BEFORE_1970);
    let (era, day_of_era) = (since_march / ERA_DAYS, since_march % ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (ERA_DAYS - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!("{hour:02}:{minute:02}:{second:02}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_as_dates_also_on_leap_days_and_at_the_ends_of_years() {
        for (unix_s, told) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_735_689_600, "2025-01-01 00:00:00 UTC"),
            (1_795_416_732, "2026-11-23 06:52:12 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(format_utc(unix_s), told);
        }
    }

    #[test]
    fn a_time_is_written_as_rfc_3339_has_it() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(format_rfc3339(seconds), wanted);
            assert_eq!(parse_rfc3339(wanted), Some(seconds));
        }
        for wrong in [
            "",
            "2026-11-26",
            "2026-13-01T00:00:00Z",
            "2026-11-26T24:00:00Z",
            "x",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }
}
