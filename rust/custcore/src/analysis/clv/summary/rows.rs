//! The rows of a summary as typed columns.

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;
use sha2::{Digest, Sha256};

use crate::analysis::clv::cells::{Cells, GRID_DAYS};
use crate::column::key::OwnedKey;
use crate::column::key_schema::{KeyPart, KeySchema};
use crate::column::number::NumberColumn;
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::time::calendar::date_text;

/// Times of rows, in days.
#[derive(Debug, Clone)]
pub(crate) enum Times {
    /// Whole days below 2^22.
    Days(ScalarBuffer<i32>),
    /// Any times.
    Floats(ScalarBuffer<f64>),
}

impl Times {
    /// The time of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> f64 {
        match self {
            Self::Days(days) => f64::from(days[row]),
            Self::Floats(times) => times[row],
        }
    }

    fn later_by(&self, days: i32) -> Self {
        let later = |times: &dyn Fn(usize) -> f64, rows: usize| (0..rows).map(|row| times(row) + f64::from(days)).collect();
        match self {
            Self::Days(times) if times.iter().all(|&time| f64::from(time) + f64::from(days) < GRID_DAYS) => {
                Self::Days(times.iter().map(|time| time + days).collect())
            }
            Self::Days(times) => Self::Floats(later(&|row| f64::from(times[row]), times.len())),
            Self::Floats(times) => Self::Floats(later(&|row| times[row], times.len())),
        }
    }
}

/// Mean spends of rows, some of which have none.
#[derive(Debug, Clone)]
pub(crate) struct Means(NumberColumn, ScalarBuffer<f64>);

impl Means {
    /// The means of a column.
    pub(crate) fn new(column: NumberColumn) -> Self {
        let values = column.float_values();
        Self(column, values)
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.1.len()
    }

    /// The mean of a row; NaN where there is none.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> f64 {
        if self.0.is_valid(row) { self.1[row] } else { f64::NAN }
    }
}

/// What customers did after calibration.
#[derive(Debug, Clone)]
pub(crate) struct Holdout {
    /// Purchase days.
    pub x: ScalarBuffer<i32>,
    /// Mean spend on them; NaN without any.
    pub mean: Option<Means>,
    /// Length of the hold-out in days.
    pub days: f64,
    /// Purchase days in the same number of days before it.
    pub x_before: Option<ScalarBuffer<i32>>,
    /// Mean spend on them; NaN without any.
    pub mean_before: Option<Means>,
}

/// Groups of customers with models of their own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Groups {
    /// The values of the column, ascending.
    pub labels: Vec<OwnedKey>,
    /// The group of each row, as a position in `labels`.
    pub of_row: Vec<u32>,
}

/// One row per customer, ascending by id: what models of purchases and spend are fitted to, and predict from.
#[derive(Debug, Clone)]
pub struct ClvSummary {
    pub(crate) key: Option<KeySchema>,
    pub(crate) ids: Vec<ArrayRef>,
    pub(crate) x: ScalarBuffer<i32>,
    pub(crate) t_x: Times,
    pub(crate) age: Times,
    pub(crate) m_x: Option<Means>,
    pub(crate) holdout: Option<Holdout>,
    pub(crate) groups: Option<Groups>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) calibration_end: Option<i32>,
    pub(crate) remarks: Vec<String>,
}

impl ClvSummary {
    /// Number of customers.
    pub fn rows(&self) -> usize {
        self.x.len()
    }

    /// Customers with a repeat purchase.
    pub fn repeat_customers(&self) -> u64 {
        self.x.iter().filter(|&&x| x > 0).count() as u64
    }

    /// Repeat purchase days of all customers.
    pub fn repeat_purchases(&self) -> f64 {
        (0..self.rows()).map(|row| self.weight(row) * f64::from(self.x[row])).sum()
    }

    /// Whether rows have ids.
    pub fn has_ids(&self) -> bool {
        self.key.is_some()
    }

    /// Whether rows have a mean spend.
    pub fn has_amounts(&self) -> bool {
        self.m_x.is_some()
    }

    /// Length of the hold-out in days; `None` without one.
    pub fn holdout_days(&self) -> Option<f64> {
        self.holdout.as_ref().map(|holdout| holdout.days)
    }

    /// The last day of calibration, if the table knows it.
    pub fn calibration_end(&self) -> Option<String> {
        self.calibration_end.map(date_text)
    }

    /// What is unusual in the rows.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The values of the column of groups, ascending.
    pub fn groups(&self) -> Option<&[OwnedKey]> {
        self.groups.as_ref().map(|groups| groups.labels.as_slice())
    }

    /// The report of what is computed of it.
    pub(crate) fn report(&self) -> Report {
        Report { n_rows: self.rows() as u64, as_of: self.calibration_end, remarks: self.remarks.clone(), ..Report::default() }
    }

    /// The id of a row as text; `None` without ids.
    pub(crate) fn id_text(&self, row: usize) -> Option<String> {
        let key = self.key.as_ref()?;
        let part =
            |(part, column): (&KeyPart, &ArrayRef)| Some(ValueColumn::new(&part.name, "customer_id", column).ok()?.key(row).to_string());
        Some(key.parts().iter().zip(&self.ids).filter_map(part).collect::<Vec<_>>().join(", "))
    }

    /// x of a row.
    #[inline]
    pub(crate) fn x(&self, row: usize) -> u32 {
        self.x[row] as u32
    }

    /// The weight of a row.
    #[inline]
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// The same customers at a later day, up to which they bought nothing more.
    pub fn shifted_to(&self, day: i32) -> Result<Self> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
        let Some(end) = self.calibration_end else {
            let message = "as_of needs the last day of calibration, which this summary does not have: it is in the metadata of the table that \
                           clv_summary returns, and dataframes and files lose it. Pass that table, or add the days to column T";
            return Err(invalid(message.to_owned()));
        };
        if day < end {
            let (day, end) = (date_text(day), date_text(end));
            return Err(invalid(format!(
                "as_of={day} is before the end of calibration, {end}; make a summary with an earlier calibration_end"
            )));
        }
        Ok(Self { age: self.age.later_by(day - end), calibration_end: Some(day), holdout: None, ..self.clone() })
    }

    /// The rows of a group, or all.
    pub(crate) fn rows_of(&self, group: Option<u32>) -> Option<Vec<u32>> {
        let groups = self.groups.as_ref()?;
        let group = group?;
        Some((0..self.rows() as u32).filter(|&row| groups.of_row[row as usize] == group).collect())
    }

    /// The distinct histories of these rows, or of all.
    pub(crate) fn cells(&self, rows: Option<&[u32]>, context: &Context) -> Result<Cells> {
        let n = rows.map_or(self.rows(), <[u32]>::len);
        let row = |i: usize| rows.map_or(i, |rows| rows[i] as usize);
        match (&self.t_x, &self.age, &self.weights) {
            (Times::Days(t_x), Times::Days(age), None) => {
                Cells::of_days(n, |i| (self.x(row(i)), t_x[row(i)] as u32, age[row(i)] as u32), context)
            }
            _ => Cells::of_times(
                n,
                |i| {
                    let row = row(i);
                    (self.x(row), self.t_x.get(row), self.age.get(row), self.weight(row))
                },
                context,
            ),
        }
    }
}

/// A digest of the cells that a model was fitted to.
pub(crate) fn fingerprint(cells: &Cells) -> String {
    let mut digest = Sha256::new();
    for run in &cells.runs {
        for at in run.cells.clone() {
            digest.update(run.x.to_le_bytes());
            for value in [cells.times[cells.recency[at] as usize], cells.times[cells.age[at] as usize], cells.weight[at]] {
                digest.update(value.to_le_bytes());
            }
        }
    }
    format!("{:x}", digest.finalize())
}
