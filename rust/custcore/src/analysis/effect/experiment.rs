//! The assignment of customers to the groups of an experiment: one row per customer.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::DataType;
use arrow_select::take::take;

use super::NO_GROUP;
use super::labels::Labels;
use crate::column::key::KeyColumn;
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::time::{Clock, TimeColumn};
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::encoding::KeyEncoding;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::group::sort::SortKeys;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::state::spec::AsOf;
use crate::table::{CUSTOMER_ID, id_text};
use crate::time::calendar::date_text;

/// What happens to a customer who is in several groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// It is left out.
    Drop,
    /// It is an error.
    Error,
}

/// When the customers of an experiment were exposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExposedOn {
    /// A column of dates or times.
    Column(String),
    /// One day for all.
    Start(AsOf),
}

/// Days before and after exposure, counted from the day of exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Length of the window after.
    pub days_after: i32,
    /// Length of the window before.
    pub days_before: i32,
    /// Days from exposure to the window after.
    pub lag: i32,
    /// Days from the window before to exposure.
    pub gap: i32,
}

impl Windows {
    /// An error for windows that are empty or too long.
    pub fn checked(self) -> Result<Self> {
        let most = 36_525;
        for (name, value, least) in
            [("days_after", self.days_after, 1), ("days_before", self.days_before, 1), ("lag", self.lag, 0), ("gap", self.gap, 0)]
        {
            if !(least..=most).contains(&value) {
                let message = format!("{name}={value}; expected whole days, {least} to {most}");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
        }
        Ok(self)
    }

    /// The last day of the window after exposure on a day.
    pub(crate) fn last_day(self, exposed_on: i32) -> i32 {
        exposed_on + self.lag + self.days_after - 1
    }
}

/// Settings of reading an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentSpec {
    /// The columns of customer ids.
    pub customer_id: KeyNames,
    /// The column of groups; `None`: all are in one.
    pub group: Option<String>,
    /// When customers were exposed.
    pub exposed_on: ExposedOn,
    /// The windows.
    pub windows: Windows,
    /// What happens to a customer in several groups.
    pub on_conflict: OnConflict,
    /// Other columns that are passed on.
    pub others: Vec<String>,
}

/// The customers of an experiment whose windows are over, ascending by id.
#[derive(Debug)]
pub(crate) struct Experiment {
    pub key: KeySchema,
    pub ids: Interner,
    /// Codes in `ids`.
    pub codes: Vec<u32>,
    pub groups: Labels,
    pub exposed_on: Vec<i32>,
    /// Columns that are passed on.
    pub others: Vec<(String, ArrayRef)>,
    pub report: Report,
}

impl ExperimentSpec {
    /// The one day on which all customers are exposed, as far as it is known before the purchases are: times with a zone are read in
    /// theirs.
    pub(super) fn day_of_all(&self, batch: &RecordBatch) -> Result<Option<AsOf>> {
        let name = match &self.exposed_on {
            ExposedOn::Start(start) => return Ok(Some(*start)),
            ExposedOn::Column(name) => name,
        };
        let schema = batch.schema();
        let column = batch.column(find_column(&schema, name, "exposed_on").map_err(|error| error.said_of("experiment"))?);
        if matches!(column.data_type(), DataType::Timestamp(_, Some(_))) {
            return Ok(None);
        }
        let days = days_of(batch, self, &Clock::Naive).map_err(|error| error.said_of("experiment"))?;
        let mut known = (0..batch.num_rows()).filter_map(|row| days.get(row));
        let Some(first) = known.next() else { return Ok(None) };
        Ok(known.all(|day| day == first).then_some(AsOf::Date(first)))
    }
}

/// What is known of a customer while rows are read.
#[derive(Debug, Clone, Copy)]
struct Assigned {
    group: u16,
    day: i32,
    row: u32,
    /// Number of rows.
    rows: u32,
    in_several: bool,
}

impl Assigned {
    const NONE: Self = Self { group: NO_GROUP, day: 0, row: 0, rows: 0, in_several: false };
}

impl Experiment {
    /// Reads the rows of an experiment. Rows are left out and counted under the first reason that applies: a null id, a null group, a null
    /// date, a customer in several groups, a repeated row, a window that is not over on the day `as_of`.
    pub(crate) fn read(batch: &RecordBatch, spec: &ExperimentSpec, clock: &Clock, as_of: Option<i32>, context: &Context) -> Result<Self> {
        let schema = batch.schema();
        let has_all = spec.customer_id.iter().all(|name| schema.column_with_name(name).is_some());
        let names = match schema.metadata().get(CUSTOMER_ID) {
            _ if has_all => spec.customer_id.clone(),
            Some(text) => KeyNames::of_text(text, &schema),
            None => spec.customer_id.clone(),
        };
        let of_experiment = |error: Error| error.said_of("experiment");
        names.check("customer_id")?;
        let key = KeySchema::of(&schema, &names, "customer_id").map_err(of_experiment)?;
        let column = |name: &str, role: &str| -> Result<ArrayRef> {
            Ok(batch.column(find_column(&schema, name, role).map_err(of_experiment)?).clone())
        };
        let columns = names.iter().map(|name| column(name, "customer_id")).collect::<Result<Vec<_>>>()?;
        let keys = context.run_if_large(batch.num_rows(), |threads| key.read(&columns, "customer_id", threads))??;
        let groups = match &spec.group {
            Some(group) => Labels::read(batch, group, "group").map_err(of_experiment)?,
            None => Labels { codes: vec![0; batch.num_rows()], names: vec!["all".to_owned()] },
        };
        let days = days_of(batch, spec, clock).map_err(of_experiment)?;
        let n = batch.num_rows();
        // Integer ids in a narrow range are their own codes.
        let encoding = context.run_if_large(n, |threads| KeyEncoding::Open.extend(&[(&keys, n)], n as u64, false, (0, 1), threads))?;
        let mut ids = encoding.interner(key.kind());
        encoding.apply(&mut ids)?;
        let mut rows = RowsOfCustomers { ids, assigned: Vec::new(), counts: [Tally::default(); 6] };
        rows.read(&keys, (&groups, &days), (spec, &key), context)?;
        let kept = rows.kept(spec, as_of, context)?;
        let RowsOfCustomers { ids, assigned, counts, .. } = rows;
        if kept.is_empty() {
            return Err(nothing_left(&counts, spec, as_of));
        }
        let [null_ids, null_groups, null_dates, conflicts, repeated, not_over] = &counts;
        let entry = |name, unit, tally| ReportEntry::new(name, EntryKind::LeftOut, unit, tally, None);
        let report = Report {
            entries: vec![
                entry("null_id", ReportUnit::Rows, null_ids),
                entry("null_group", ReportUnit::Rows, null_groups),
                entry("null_date", ReportUnit::Rows, null_dates),
                entry("in_several_groups", ReportUnit::Customers, conflicts),
                entry("repeated_row", ReportUnit::Rows, repeated),
                entry("window_not_over", ReportUnit::Customers, not_over),
            ],
            n_rows: batch.num_rows() as u64,
            as_of,
            remarks: Vec::new(),
        };
        let rows: UInt32Array = kept.iter().map(|&code| Some(assigned[code as usize].row)).collect();
        let other = |name: &String| -> Result<(String, ArrayRef)> {
            let values = column(name, "experiment")?;
            Ok((name.clone(), take(&values, &rows, None).map_err(Error::internal)?))
        };
        let others = spec.others.iter().map(other).collect::<Result<_>>()?;
        let group_codes = kept.iter().map(|&code| assigned[code as usize].group).collect();
        let exposed_on = kept.iter().map(|&code| assigned[code as usize].day).collect();
        Ok(Self { key, groups: Labels { codes: group_codes, names: groups.names }, ids, codes: kept, exposed_on, others, report })
    }

    /// Customers.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// How many customers are in other experiments, too.
    pub(crate) fn overlap(&self, others: &[RecordBatch], context: &Context) -> Result<u64> {
        let lookup = self.ids.lookup();
        let mut is_in_other = vec![false; self.ids.len()];
        let names = self.key.names();
        for (number, batch) in others.iter().enumerate() {
            let of_other = |error: Error| error.said_of(&format!("others[{number}]"));
            let schema = batch.schema();
            let key = KeySchema::of(&schema, &names, "customer_id").map_err(of_other)?;
            self.key.check_same_kinds(&key).map_err(of_other)?;
            let columns = names.iter().map(|name| Ok(batch.column(find_column(&schema, name, "customer_id")?).clone()));
            let columns = columns.collect::<Result<Vec<_>>>().map_err(of_other)?;
            let keys = context.run_if_large(batch.num_rows(), |threads| key.read(&columns, "customer_id", threads))??;
            let (mut ids, mut codes, mut remap) = (Interner::new(key.kind()), Vec::with_capacity(BLOCK), Remap::default());
            for start in (0..batch.num_rows()).step_by(BLOCK) {
                context.check()?;
                let mut flags = vec![0; BLOCK.min(batch.num_rows() - start)];
                ids.intern_rows(&keys, start, &mut flags, &mut codes, &mut remap)?;
            }
            for code in 0..ids.len() as u32 {
                if let Some(own) = lookup.find(ids.keys(), code) {
                    is_in_other[own as usize] = true;
                }
            }
        }
        Ok(self.codes.iter().filter(|&&code| is_in_other[code as usize]).count() as u64)
    }
}

/// The rows of an experiment by customer.
struct RowsOfCustomers {
    ids: Interner,
    /// By code in `ids`.
    assigned: Vec<Assigned>,
    /// Null ids, groups and dates, customers in several groups, repeated rows, windows that are not over.
    counts: [Tally; 6],
}

impl RowsOfCustomers {
    /// Assigns the customers of all rows.
    fn read(
        &mut self,
        keys: &KeyColumn,
        (groups, days): (&Labels, &Days),
        (spec, key): (&ExperimentSpec, &KeySchema),
        context: &Context,
    ) -> Result<()> {
        let (mut codes, mut remap) = (Vec::with_capacity(BLOCK), Remap::default());
        let n = groups.codes.len();
        for start in (0..n).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(n - start);
            let mut flags = vec![0; len];
            if let Some(nulls) = keys.nulls() {
                (0..len).filter(|i| nulls.is_null(start + i)).for_each(|i| flags[i] |= flag::NULL_ID);
            }
            self.ids.intern_rows(keys, start, &mut flags, &mut codes, &mut remap)?;
            self.assigned.resize(self.ids.len(), Assigned::NONE);
            for (row, &code) in (start..).zip(&codes) {
                let (group, day) = (groups.codes[row], days.get(row));
                let [null_ids, null_groups, null_dates, ..] = &mut self.counts;
                match (code, group, day) {
                    (NO_CODE, ..) => null_ids.add(0, row as u64),
                    (_, NO_GROUP, _) => null_groups.add(0, row as u64),
                    (_, _, None) => null_dates.add(0, row as u64),
                    (_, _, Some(day)) => self.assign(code, (group, day, row as u32), (spec, key, groups))?,
                }
            }
        }
        Ok(())
    }

    fn assign(
        &mut self,
        code: u32,
        (group, day, row): (u16, i32, u32),
        (spec, key, groups): (&ExperimentSpec, &KeySchema, &Labels),
    ) -> Result<()> {
        let known = &mut self.assigned[code as usize];
        known.rows += 1;
        if known.group == NO_GROUP {
            *known = Assigned { group, day, row, ..*known };
        } else if known.group != group {
            if spec.on_conflict == OnConflict::Error {
                let id = id_text(key, self.ids.keys(), code);
                let [a, b] = [known.group, group].map(|group| groups.names[usize::from(group)].as_str());
                let message = format!(
                    "experiment: customer {id} is in the groups '{a}' and '{b}', at row {row}. Assign each customer to one group, or pass on_conflict='drop'"
                );
                let column = spec.group.clone().unwrap_or_default();
                return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(column).at_row(row.into()));
            }
            known.in_several = true;
            known.row = known.row.min(row);
        } else if (day, row) < (known.day, known.row) {
            (known.day, known.row) = (day, row);
        }
        Ok(())
    }

    /// The codes of the customers in one group whose windows are over on the day `as_of`, ascending by id; counts the others.
    fn kept(&mut self, spec: &ExperimentSpec, as_of: Option<i32>, context: &Context) -> Result<Vec<u32>> {
        let [_, _, _, conflicts, repeated, not_over] = &mut self.counts;
        let mut kept: Vec<u32> = Vec::with_capacity(self.ids.len());
        for (code, known) in self.assigned.iter().enumerate().filter(|(_, known)| known.group != NO_GROUP) {
            if known.in_several {
                conflicts.add_rows(known.rows.into(), 0, known.row.into());
                continue;
            }
            repeated.add_many(u64::from(known.rows) - 1, 0);
            if as_of.is_none_or(|as_of| spec.windows.last_day(known.day) > as_of) {
                not_over.add(0, known.row.into());
            } else {
                kept.push(code as u32);
            }
        }
        if self.ids.is_sorted() {
            return Ok(kept);
        }
        let keys = self.ids.keys();
        let sorted = context.run_if_large(kept.len(), |threads| SortKeys::of(&[keys], threads).sort_pieces(keys, &kept, threads))?;
        Ok(sorted.into_iter().flatten().map(|(_, code)| code).collect())
    }
}

/// The day of exposure of each row; `None` is null.
struct Days {
    days: Vec<i32>,
    column: Option<TimeColumn>,
}

impl Days {
    fn get(&self, row: usize) -> Option<i32> {
        let is_valid = self.column.as_ref().and_then(TimeColumn::nulls).is_none_or(|nulls| nulls.is_valid(row));
        is_valid.then(|| self.days[row])
    }
}

fn days_of(batch: &RecordBatch, spec: &ExperimentSpec, clock: &Clock) -> Result<Days> {
    let name = match &spec.exposed_on {
        ExposedOn::Start(start) => return Ok(Days { days: vec![start.day(clock)?; batch.num_rows()], column: None }),
        ExposedOn::Column(name) => name,
    };
    let array = batch.column(find_column(&batch.schema(), name, "exposed_on")?);
    // Times with a zone are read in the zone of the purchases.
    let has_zone = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let zone = match (has_zone, clock) {
        (true, Clock::Zoned(zone)) => Clock::Zoned(Arc::clone(zone)),
        (true, Clock::Naive) => Clock::of(name, array.data_type(), None)?,
        (false, _) => Clock::Naive,
    };
    let column = TimeColumn::new(name, array, &zone)?;
    let mut days = vec![0; batch.num_rows()];
    if !column.read(0, &mut days)
        && let Some(row) = column.first_out_of_range(0, batch.num_rows())
    {
        return Err(TimeColumn::out_of_range(name, row as u64));
    }
    Ok(Days { days, column: Some(column) })
}

fn nothing_left(counts: &[Tally; 6], spec: &ExperimentSpec, as_of: Option<i32>) -> Error {
    let names =
        ["null ids", "null groups", "null dates", "customers in several groups", "repeated rows", "customers whose window is not over"];
    let found: Vec<String> =
        counts.iter().zip(names).filter(|(tally, _)| tally.count > 0).map(|(tally, name)| format!("{} {name}", tally.count)).collect();
    let found = if found.is_empty() { "no rows".to_owned() } else { found.join(", ") };
    let until = as_of.map_or_else(|| "never".to_owned(), date_text);
    let message = format!(
        "experiment: no customer is left: {found}. The data end on {until}, and a window is over {} days after exposure",
        spec.windows.lag + spec.windows.days_after - 1
    );
    Error::new(ErrorKind::NotEnoughData, message)
}
