//! Who was treated, and when.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::DataType;

use super::spec::{BeforeAfterSpec, TreatedOn};
use crate::column::customer_id::CustomerId;
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::time::{Clock, TimeColumn};
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;
use crate::table::CUSTOMER_ID;

/// The day of a customer who is left out, or of whom no row has a date.
pub(super) const NEVER: i32 = i32::MAX;
/// Most days on which customers were treated.
const MOST_DAYS: usize = 31;

/// The treated customers.
#[derive(Debug)]
pub(super) struct Treated {
    pub ids: Interner,
    /// The day of each, by code.
    pub days: Vec<i32>,
    pub rows: u64,
    pub null_ids: Tally,
    pub null_dates: Tally,
    /// Rows of a customer other than the earliest.
    pub repeated: Tally,
    pub not_over: Tally,
}

impl Treated {
    /// Reads a table; `own` is the key of the customers of the base.
    pub(super) fn read(batches: &[RecordBatch], spec: &BeforeAfterSpec, own: &KeySchema, clock: &Clock, context: &Context) -> Result<Self> {
        let Some(first) = batches.first() else { return Err(Error::internal("treated customers without a batch")) };
        let schema = first.schema();
        let has_all = spec.customer_id.iter().all(|name| schema.column_with_name(name).is_some());
        let names = match schema.metadata().get(CUSTOMER_ID) {
            Some(text) if !has_all => KeyNames::of_text(text, &schema),
            _ => spec.customer_id.clone(),
        };
        let key = KeySchema::of(&schema, &names, "customer_id")?;
        own.check_same_kinds(&key)?;
        let tally = Tally::default();
        let ids = Interner::new(key.kind());
        let mut read = Self { ids, days: Vec::new(), rows: 0, null_ids: tally, null_dates: tally, repeated: tally, not_over: tally };
        let start = match &spec.treated_on {
            TreatedOn::Start(start) => Some(start.day(clock)?),
            TreatedOn::Column(_) => None,
        };
        for batch in batches {
            let before = read.rows;
            let days = match (start, &spec.treated_on) {
                (None, TreatedOn::Column(name)) => Days::read(batch, name, clock).map_err(|error| error.counted_from(before))?,
                (day, _) => Days { days: vec![day.unwrap_or(NEVER); batch.num_rows()], column: None },
            };
            read.push(batch, &names, &key, &days, context)?;
        }
        Ok(read)
    }

    fn push(&mut self, batch: &RecordBatch, names: &KeyNames, key: &KeySchema, days: &Days, context: &Context) -> Result<()> {
        let schema = batch.schema();
        let column = |name: &str| Ok(batch.column(find_column(&schema, name, "customer_id")?).clone());
        let columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
        let keys = context.run_if_large(batch.num_rows(), |threads| key.read(&columns, "customer_id", threads))??;
        let (mut codes, mut remap) = (Vec::with_capacity(BLOCK), Remap::default());
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(batch.num_rows() - start);
            let mut flags = vec![0; len];
            if let Some(nulls) = keys.nulls() {
                (0..len).filter(|i| nulls.is_null(start + i)).for_each(|i| flags[i] |= flag::NULL_ID);
            }
            self.ids.intern_rows(&keys, start, &mut flags, &mut codes, &mut remap)?;
            self.days.resize(self.ids.len(), NEVER);
            for (row, &code) in (start..).zip(&codes) {
                let whole_row = self.rows + row as u64;
                if code == NO_CODE {
                    self.null_ids.add(0, whole_row);
                    continue;
                }
                let Some(day) = days.get(row) else {
                    self.null_dates.add(0, whole_row);
                    continue;
                };
                let known = &mut self.days[code as usize];
                if *known != NEVER {
                    self.repeated.add(0, whole_row);
                }
                *known = day.min(*known);
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The days on which customers were treated whose windows are over on the day `as_of`; others are left out.
    pub(super) fn waves(&mut self, spec: &BeforeAfterSpec, as_of: i32) -> Result<Vec<i32>> {
        let mut days: Vec<i32> = Vec::new();
        for day in self.days.iter_mut().filter(|day| **day != NEVER) {
            if spec.windows.end(*day) > as_of {
                self.not_over.add_many(1, 0);
                *day = NEVER;
            } else if let Err(at) = days.binary_search(day) {
                days.insert(at, *day);
            }
        }
        if days.len() > MOST_DAYS {
            let message = format!(
                "the customers were treated on {} different days; expected up to {MOST_DAYS}. Compare a month at a time, or round the \
                 days to weeks",
                days.len()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if days.is_empty() {
            let counts = [
                (self.null_ids.count, "null ids"),
                (self.null_dates.count, "null dates"),
                (self.not_over.count, "customers whose window is not over"),
            ];
            let found: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
            let found = if found.is_empty() { "no rows".to_owned() } else { found.join(", ") };
            let message = format!(
                "no treated customer is left: {found}. The data end on {}, and a window is over {} days after treatment",
                crate::time::calendar::date_text(as_of),
                spec.windows.lag + spec.windows.days_after - 1
            );
            return Err(Error::new(ErrorKind::NotEnoughData, message).said_of("treated"));
        }
        Ok(days)
    }
}

/// Ids that are left out of the controls.
pub(super) fn excluded(ids: &[CustomerId], key: &KeySchema) -> Result<Interner> {
    let mut interner = Interner::new(key.kind());
    for id in ids {
        // An id that no column of this type can hold is of no customer here.
        if let Some(id) = key.stored(id)? {
            id.intern(&mut interner)?;
        }
    }
    Ok(interner)
}

/// The day of each row; `None` is null.
struct Days {
    days: Vec<i32>,
    column: Option<TimeColumn>,
}

impl Days {
    fn read(batch: &RecordBatch, name: &str, clock: &Clock) -> Result<Self> {
        let array = batch.column(find_column(&batch.schema(), name, "exposed_on")?);
        // Times with a zone are read in the zone of the purchases.
        let has_zone = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
        let clock = match (has_zone, clock) {
            (true, Clock::Zoned(zone)) => Clock::Zoned(Arc::clone(zone)),
            (true, Clock::Naive) => Clock::of(name, array.data_type(), None)?,
            (false, _) => Clock::Naive,
        };
        let column = TimeColumn::new(name, array, &clock)?;
        let mut days = vec![0; batch.num_rows()];
        if !column.read(0, &mut days)
            && let Some(row) = column.first_out_of_range(0, batch.num_rows())
        {
            return Err(TimeColumn::out_of_range(name, row as u64));
        }
        Ok(Self { days, column: Some(column) })
    }

    fn get(&self, row: usize) -> Option<i32> {
        let nulls = self.column.as_ref().and_then(TimeColumn::nulls);
        nulls.is_none_or(|nulls| nulls.is_valid(row)).then(|| self.days[row])
    }
}
