//! Times as local days, from dates and timestamps of any unit, naive or in a time zone.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::invalid_type;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::simd::widest;
use crate::time::calendar::{DAY_SECONDS, MAX_DAY, MIN_DAY};
use crate::time::zone::Zone;

#[derive(Debug, Clone)]
enum TimeValues {
    Days(ScalarBuffer<i32>),
    Ticks { ticks: ScalarBuffer<i64>, per_second: i64 },
}

/// A time column, read as local days.
#[derive(Debug, Clone)]
pub(crate) struct TimeColumn {
    values: TimeValues,
    nulls: Option<NullBuffer>,
    zone: Option<Arc<Zone>>,
}

/// Whether times are naive or instants in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// Local wall time, without a zone.
    Naive,
    /// Instants, converted to this zone.
    Zoned(Arc<Zone>),
}

impl Clock {
    /// The clock of a column of this type; `timezone` overrides the zone of the column.
    pub fn of(column: &str, data_type: &DataType, timezone: Option<&str>) -> Result<Self> {
        match (data_type, timezone) {
            (DataType::Timestamp(_, Some(own)), asked) => Ok(Self::Zoned(Zone::named(asked.unwrap_or(own))?)),
            (_, None) => Ok(Self::Naive),
            (found, Some(zone)) => Err(Error::new(
                ErrorKind::InvalidType,
                format!(
                    "timezone='{zone}' was given, but column '{column}' is {}, naive local time, which is not converted. Omit timezone, or attach the zone first, e.g. df[col].dt.tz_localize('UTC')",
                    super::type_name(found)
                ),
            )
            .in_column(column)),
        }
    }

    /// The zone, if there is one.
    pub fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Naive => None,
            Self::Zoned(zone) => Some(zone),
        }
    }
}

impl TimeColumn {
    /// Creates the reader of a time column.
    pub(crate) fn new(column: &str, array: &ArrayRef, clock: &Clock) -> Result<Self> {
        let ticks = |ticks: &ScalarBuffer<i64>, per_second| TimeValues::Ticks { ticks: ticks.clone(), per_second };
        let values = match array.data_type() {
            DataType::Date32 => TimeValues::Days(array.as_primitive::<Date32Type>().values().clone()),
            DataType::Date64 => ticks(array.as_primitive::<Date64Type>().values(), 1000),
            DataType::Timestamp(TimeUnit::Second, _) => ticks(array.as_primitive::<TimestampSecondType>().values(), 1),
            DataType::Timestamp(TimeUnit::Millisecond, _) => ticks(array.as_primitive::<TimestampMillisecondType>().values(), 1000),
            DataType::Timestamp(TimeUnit::Microsecond, _) => ticks(array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => ticks(array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000_000),
            found => return Err(wrong_time(column, found)),
        };
        let zone = match clock {
            Clock::Naive => None,
            Clock::Zoned(zone) => Some(zone.clone()),
        };
        Ok(Self { values, nulls: array.nulls().cloned(), zone })
    }

    /// Null rows.
    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// Reads rows `start..start + out.len()` as local days. Values are unspecified for null rows and for rows outside the years
    /// 1 to 9999. Returns false if a row, null or not, is out of range.
    #[inline]
    pub(crate) fn read(&self, start: usize, out: &mut [i32]) -> bool {
        match &self.values {
            TimeValues::Days(days) => {
                let days = &days[start..start + out.len()];
                out.copy_from_slice(days);
                days.iter().fold(true, |ok, day| ok & (MIN_DAY..=MAX_DAY).contains(day))
            }
            TimeValues::Ticks { ticks, per_second } => {
                let ticks = &ticks[start..start + out.len()];
                match (&self.zone, per_second) {
                    (Some(zone), _) => zoned_days(ticks, *per_second, zone, out),
                    (None, &per_second) => DayRule::of(per_second).days(ticks, out),
                }
            }
        }
    }

    /// The time of a row in the column's ticks.
    #[inline]
    pub(crate) fn tick(&self, row: usize) -> i64 {
        match &self.values {
            TimeValues::Days(days) => i64::from(days[row]),
            TimeValues::Ticks { ticks, .. } => ticks[row],
        }
    }

    /// The time of a row in whole seconds and nanoseconds, independent of the column's unit.
    #[inline]
    pub(crate) fn instant(&self, row: usize) -> (i64, u32) {
        match &self.values {
            TimeValues::Days(days) => (i64::from(days[row]) * DAY_SECONDS, 0),
            TimeValues::Ticks { ticks, per_second } => {
                let nanos = ticks[row].rem_euclid(*per_second) * (1_000_000_000 / per_second);
                (ticks[row].div_euclid(*per_second), nanos as u32)
            }
        }
    }

    /// The first tick at or after an instant in microseconds since 1970; the tick of a date is its 00:00.
    pub(crate) fn limit(&self, micros: i64) -> i64 {
        let (count, length) = match &self.values {
            TimeValues::Days(_) => (1, i128::from(DAY_SECONDS) * 1_000_000),
            TimeValues::Ticks { per_second, .. } => (i128::from(*per_second), 1_000_000),
        };
        let up = -(-(i128::from(micros) * count)).div_euclid(length);
        up.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// The first of `len` rows from `start` that is not null and outside the years 1 to 9999.
    pub(crate) fn first_out_of_range(&self, start: usize, len: usize) -> Option<usize> {
        (start..start + len).find(|&row| self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) && !self.read(row, &mut [0]))
    }

    /// The error for a row outside the years 1 to 9999.
    pub(crate) fn out_of_range(column: &str, row: u64) -> Error {
        Error::new(
            ErrorKind::OutOfRange,
            format!("column '{column}' is outside the years 1 to 9999 at row {row}. Set placeholder dates to null, or check the unit of the timestamps"),
        )
        .in_column(column)
        .at_row(row)
    }
}

/// A day as i32, and whether it is in the years 1 to 9999.
#[inline]
fn checked_day(day: i64) -> (i32, bool) {
    (day as i32, (i64::from(MIN_DAY)..=i64::from(MAX_DAY)).contains(&day))
}

/// Converts ticks to days without an integer division: a day is `odd << shift` ticks, so a shifted tick is divided by `odd`
/// in floating point.
struct DayRule {
    /// Makes all ticks in range positive; a multiple of `1 << shift`.
    bias: u64,
    shift: u32,
    odd: f64,
    /// Shifted ticks below this power of two give days that fit an i32; all of the years 1 to 9999 are below it.
    limit: u64,
}

impl DayRule {
    /// The rule for `per_second` ticks per second: 1, 10^3, 10^6 or 10^9.
    fn of(per_second: i64) -> Self {
        let day = (DAY_SECONDS * per_second) as u64;
        let shift = day.trailing_zeros();
        let odd = day >> shift;
        // Nanosecond ticks are in range over all 64 bits.
        let bias = if per_second == 1_000_000_000 { 1 << 63 } else { day << 20 };
        Self { bias, shift, odd: odd as f64, limit: (5_000_000 * odd).next_power_of_two() }
    }

    fn days(&self, ticks: &[i64], out: &mut [i32]) -> bool {
        let (bits, low, high) = whole_days(ticks, self.bias, self.shift, self.odd.recip(), out);
        bits < self.limit && MIN_DAY <= low && high <= MAX_DAY
    }
}

widest! {
    /// Converts ticks to days. Returns the bitwise OR of all shifted ticks, the smallest and the largest day.
    ///
    /// Exact: a shifted tick is an integer below 2^48. With 0.5 added it is at least half a tick, that is 3.8e-10 days, away from
    /// a whole number of days, while the error of the product with the reciprocal is less than 1.5e-10.
    fn whole_days(ticks: &[i64], bias: u64, shift: u32, per_day: f64, out: &mut [i32]) -> (u64, i32, i32) {
        const WHOLE: f64 = 4_503_599_627_370_496.0; // 2^52: from here on the mantissa bits of a float are an integer
        const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to an integer in the low bits
        let zero = WHOLE + (bias >> shift) as f64;
        let (mut bits, mut low, mut high) = (0, i32::MAX, i32::MIN);
        for (slot, &tick) in out.iter_mut().zip(ticks) {
            let shifted = (tick as u64).wrapping_add(bias) >> shift;
            bits |= shifted;
            let ticks = f64::from_bits((shifted & ((1 << 52) - 1)) | WHOLE.to_bits()) - zero;
            let day = ((ticks + 0.5) * per_day - 0.5 + ROUND).to_bits() as i32;
            *slot = day;
            low = low.min(day);
            high = high.max(day);
        }
        (bits, low, high)
    }
}

fn zoned_days(ticks: &[i64], per_second: i64, zone: &Zone, out: &mut [i32]) -> bool {
    let mut reader = zone.reader();
    let mut all = true;
    for (slot, &tick) in out.iter_mut().zip(ticks) {
        let seconds = tick.div_euclid(per_second);
        let local = seconds.saturating_add(reader.offset_at(seconds));
        let (day, ok) = checked_day(local.div_euclid(DAY_SECONDS));
        *slot = day;
        all &= ok;
    }
    all
}

fn wrong_time(column: &str, found: &DataType) -> Error {
    let remedy = match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            "Text is not parsed as dates. Cast it first, e.g. pd.to_datetime(df[col], format=...) or pc.strptime(...)"
        }
        DataType::Int32 | DataType::Int64 | DataType::UInt32 | DataType::UInt64 => {
            "Cast it first, e.g. pd.to_datetime(df[col], unit='s') for seconds since 1970"
        }
        DataType::Null => "The column contains only nulls and has no type: cast it to a timestamp",
        _ => "Cast it first",
    };
    invalid_type(column, "timestamp", found, "a date or a timestamp", remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Date32Array, TimestampSecondArray};

    fn days(array: &ArrayRef, timezone: Option<&str>) -> Result<Vec<i32>> {
        let clock = Clock::of("t", array.data_type(), timezone)?;
        let column = TimeColumn::new("t", array, &clock)?;
        let mut out = vec![0; array.len()];
        assert!(column.read(0, &mut out));
        Ok(out)
    }

    #[test]
    fn days_before_1970_are_floored() -> Result<()> {
        assert_eq!(days(&(Arc::new(TimestampSecondArray::from(vec![-1, 0, 86_399])) as ArrayRef), None)?, [-1, 0, 0]);
        assert_eq!(days(&(Arc::new(Date32Array::from(vec![-3])) as ArrayRef), None)?, [-3]);
        Ok(())
    }

    #[test]
    fn zoned_times_are_read_in_their_zone() -> Result<()> {
        let instants = TimestampSecondArray::from(vec![0, 20_000]).with_timezone("America/New_York");
        assert_eq!(days(&(Arc::new(instants.clone()) as ArrayRef), None)?, [-1, 0]);
        assert_eq!(days(&(Arc::new(instants) as ArrayRef), Some("UTC"))?, [0, 0]);
        Ok(())
    }

    #[test]
    fn ticks_at_the_edges_of_days_are_exact() {
        for per_second in [1, 1000, 1_000_000, 1_000_000_000] {
            let (rule, day) = (DayRule::of(per_second), DAY_SECONDS * per_second);
            let reach = if per_second == 1_000_000_000 { 106_751 } else { i64::from(MAX_DAY) };
            let days = (-reach..=reach).step_by(97).chain([-reach, -1, 0, 1, 19_000, reach]);
            let ticks = days.flat_map(|d| [d * day, d * day + 1, d * day + day / 2, d * day - 1]);
            let ticks: Vec<i64> = ticks.filter(|tick| (i64::from(MIN_DAY).max(-reach)..=reach).contains(&tick.div_euclid(day))).collect();
            let mut out = vec![0; ticks.len()];
            assert!(rule.days(&ticks, &mut out), "{per_second}");
            let wrong = ticks.iter().zip(&out).find(|(tick, got)| tick.div_euclid(day) != i64::from(**got));
            assert_eq!(wrong, None, "{per_second}");
        }
    }

    #[test]
    fn ticks_outside_the_years_are_detected() {
        for per_second in [1, 1000, 1_000_000] {
            let (rule, day) = (DayRule::of(per_second), DAY_SECONDS * per_second);
            for tick in [i64::MIN, i64::MAX, (i64::from(MAX_DAY) + 1) * day, i64::from(MIN_DAY) * day - 1, i64::MAX / 2, i64::MIN / 3] {
                assert!(!rule.days(&[0, tick], &mut [0, 0]), "{tick} of {per_second}");
            }
        }
        let rule = DayRule::of(1_000_000_000);
        let mut out = [0; 2];
        assert!(rule.days(&[i64::MIN, i64::MAX], &mut out));
        assert_eq!(out, [-106_752, 106_751]);
    }

    #[test]
    fn a_zone_for_naive_times_is_rejected() {
        let array: ArrayRef = Arc::new(Date32Array::from(vec![0]));
        assert_eq!(days(&array, Some("UTC")).map_err(|e| e.kind()), Err(ErrorKind::InvalidType));
    }
}
