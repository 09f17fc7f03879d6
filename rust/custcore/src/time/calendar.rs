//! Days and dates. Days are counted from 1970-01-01 in the proleptic Gregorian calendar.

/// 0001-01-01.
pub(crate) const MIN_DAY: i32 = -719_162;
/// 9999-12-31.
pub(crate) const MAX_DAY: i32 = 2_932_896;
/// Seconds per day.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// The (year, month, day) of a day (Howard Hinnant's `civil_from_days`).
pub(crate) fn civil(day: i32) -> (i32, u32, u32) {
    let z = i64::from(day) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let m = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    ((yoe + era * 400 + i64::from(m <= 2)) as i32, m, d)
}

/// ISO text of a day, `2011-12-09`.
pub fn date_text(day: i32) -> String {
    let (y, m, d) = civil(day);
    format!("{y:04}-{m:02}-{d:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_bounds() {
        assert_eq!(date_text(0), "1970-01-01");
        assert_eq!(date_text(MIN_DAY), "0001-01-01");
        assert_eq!(date_text(MAX_DAY), "9999-12-31");
        assert_eq!(date_text(15_317), "2011-12-09");
    }
}
