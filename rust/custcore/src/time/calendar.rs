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

/// The day of such a text; `None` if it is no date.
pub(crate) fn date_of_text(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Howard Hinnant's `days_from_civil`; a day that the month does not have is another date.
    let years = i64::from(year) - i64::from(month <= 2);
    let (era, in_era) = (years.div_euclid(400), years.rem_euclid(400));
    let in_year = (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let found = era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468;
    let found = i32::try_from(found).ok()?;
    (civil(found) == (year as i32, month, day)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_texts() {
        for day in [MIN_DAY, -1, 0, 59, 11_016, 15_317, MAX_DAY] {
            assert_eq!(date_of_text(&date_text(day)), Some(day));
        }
        for text in ["", "2011", "2011-13-01", "2011-02-30", "2011-00-10", "2011-1-x", "0000-01-01", "2011-12-09-1"] {
            assert_eq!(date_of_text(text), None, "{text}");
        }
    }

    #[test]
    fn dates_and_bounds() {
        assert_eq!(date_text(0), "1970-01-01");
        assert_eq!(date_text(MIN_DAY), "0001-01-01");
        assert_eq!(date_text(MAX_DAY), "9999-12-31");
        assert_eq!(date_text(15_317), "2011-12-09");
    }
}
