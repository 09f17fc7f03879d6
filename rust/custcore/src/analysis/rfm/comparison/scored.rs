//! One of the tables of a comparison: its columns, and what they say of each customer.

use arrow_array::{ArrayRef, RecordBatch};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::spec::{ComparisonSpec, SCORES};
use crate::analysis::moves::NO_SEGMENT;
use crate::column::amount::AmountColumn;
use crate::column::key::{Key, OwnedKey};
use crate::column::key_schema::KeySchema;
use crate::column::number::{Number, NumberColumn};
use crate::column::value::ValueColumn;
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::num::money::Money;
use crate::report::Report;

/// The names of the tables in errors: the arguments.
pub(super) const TABLES: [&str; 2] = ["before", "after"];
/// More segments than this are no segments.
const MAX_SEGMENTS: usize = 10_000;
/// The row of a customer who is not in the table.
const NO_ROW: u64 = u64::MAX;

/// A table to compare.
pub(super) struct ScoredTable<'a> {
    batches: &'a [RecordBatch],
    spec: &'a ComparisonSpec,
    key: &'a KeySchema,
    /// Its position in [`TABLES`].
    table: usize,
    /// The unit of its amounts.
    pub(super) money: Option<Money>,
    /// The unit in which they are compared.
    pub(super) unit: Option<Money>,
    has_score: [bool; 3],
}

/// A segment of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundSegment {
    /// Its name.
    pub(super) name: String,
    /// Its place among those that dictionaries have; `None` if it is in none.
    pub(super) rank: Option<usize>,
}

/// What a table says of each customer, by code.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// The segment; [`NO_SEGMENT`] for customers who are not in the table.
    pub(super) segments: Vec<u16>,
    /// The money in the common unit; empty without money.
    pub(super) units: Vec<i128>,
    /// R, F and M scores, 0 for none; `None` if the table has no such column.
    pub(super) scores: [Option<Vec<u8>>; 3],
    rows: Vec<u64>,
}

impl Side {
    /// The segment of a customer.
    pub(super) fn segment(&self, code: usize) -> u16 {
        self.segments.get(code).copied().unwrap_or(NO_SEGMENT)
    }

    /// The money of a customer; `None` if he is not in the table.
    pub(super) fn units(&self, code: usize) -> Option<i128> {
        self.units.get(code).copied().filter(|_| self.segment(code) != NO_SEGMENT)
    }

    fn grow(&mut self, customers: usize, has_money: bool) {
        self.segments.resize(customers, NO_SEGMENT);
        self.rows.resize(customers, NO_ROW);
        if has_money {
            self.units.resize(customers, 0);
        }
        self.scores.iter_mut().flatten().for_each(|scores| scores.resize(customers, 0));
    }
}

impl<'a> ScoredTable<'a> {
    /// Checks the columns of a table.
    pub(super) fn new(batches: &'a [RecordBatch], spec: &'a ComparisonSpec, key: &'a KeySchema, table: usize) -> Result<Self> {
        let schema = batches[0].schema();
        let said = |error: Error| error.said_of(TABLES[table]);
        find_column(&schema, &spec.segment, "segment").map_err(said)?;
        let has = |name: &str| schema.fields().iter().any(|field| field.name() == name);
        let money = if has(&spec.monetary) {
            let field = schema.field(find_column(&schema, &spec.monetary, "monetary").map_err(said)?);
            Some(AmountColumn::money_of(&spec.monetary, field.data_type(), spec.amount_decimals).map_err(said)?)
        } else {
            None
        };
        Ok(Self { batches, spec, key, table, money, unit: None, has_score: SCORES.map(has) })
    }

    /// Reads the table. New ids and segments are added to `ids` and `segments`.
    pub(super) fn read(self, ids: &mut Interner, segments: &mut Vec<FoundSegment>, report: &mut Report, context: &Context) -> Result<Side> {
        let mut side = Side { scores: self.has_score.map(|has| has.then(Vec::new)), ..Side::default() };
        let mut places: HashMap<OwnedKey, u16, RandomState> = HashMap::default();
        let mut counts = AmountCounts::default();
        let mut rows_before = 0;
        for batch in self.batches {
            self.read_batch(batch, rows_before, ids, (segments, &mut places), &mut side, &mut counts, context)
                .map_err(|error| error.counted_from(rows_before).said_of(TABLES[self.table]))?;
            rows_before += batch.num_rows() as u64;
        }
        side.grow(ids.len(), self.unit.is_some());
        let (table, monetary) = (TABLES[self.table], &self.spec.monetary);
        if counts.null > 0 {
            report.remarks.push(format!("column '{monetary}' of '{table}': {} without a value, which add 0", rows_of(counts.null)));
        }
        if counts.rounded > 0 {
            let decimals = self.spec.amount_decimals;
            report.remarks.push(format!(
                "column '{monetary}' of '{table}': {} changed by more than 1 % when rounded to {decimals} decimal places",
                rows_of(counts.rounded)
            ));
        }
        Ok(side)
    }

    #[expect(clippy::too_many_arguments, reason = "what is read, and all that it is added to")]
    fn read_batch(
        &self,
        batch: &RecordBatch,
        rows_before: u64,
        ids: &mut Interner,
        (segments, places): (&mut Vec<FoundSegment>, &mut HashMap<OwnedKey, u16, RandomState>),
        side: &mut Side,
        counts: &mut AmountCounts,
        context: &Context,
    ) -> Result<()> {
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<&ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let names = self.key.names();
        let id_columns = names.iter().map(|name| column(name, "customer_id").cloned()).collect::<Result<Vec<_>>>()?;
        let keys = context.run_if_large(batch.num_rows(), |threads| self.key.read(&id_columns, "customer_id", threads))??;
        let of_row = self.segments_of(column(&self.spec.segment, "segment")?, segments, places)?;
        let amounts = match self.unit {
            Some(_) => Some(AmountColumn::new(&self.spec.monetary, column(&self.spec.monetary, "monetary")?, self.spec.amount_decimals)?),
            None => None,
        };
        let mut scores: [Option<NumberColumn>; 3] = [None, None, None];
        for ((slot, name), has) in scores.iter_mut().zip(SCORES).zip(self.has_score) {
            if has {
                *slot = Some(NumberColumn::new(name, "score", column(name, "score")?)?);
            }
        }
        let (mut codes, mut remap) = (Vec::with_capacity(BLOCK), Remap::default());
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(batch.num_rows() - start);
            let mut flags = vec![0; len];
            if let Some(nulls) = keys.nulls() {
                (0..len).filter(|i| nulls.is_null(start + i)).for_each(|i| flags[i] |= flag::NULL_ID);
            }
            ids.intern_rows(&keys, start, &mut flags, &mut codes, &mut remap)?;
            side.grow(ids.len(), self.unit.is_some());
            let units = amounts.as_ref().map(|amounts| self.units(amounts, start, len, counts)).transpose()?;
            for (i, &code) in codes.iter().enumerate() {
                let row = start + i;
                if code == NO_CODE {
                    return Err(self.null_id(batch, row));
                }
                let at = code as usize;
                if side.rows[at] != NO_ROW {
                    return Err(self.repeated(batch, row, side.rows[at], rows_before));
                }
                side.rows[at] = rows_before + row as u64;
                side.segments[at] = of_row[row];
                if let Some(units) = &units {
                    side.units[at] = units[i];
                }
                for ((scores, column), name) in side.scores.iter_mut().zip(&scores).zip(SCORES) {
                    if let (Some(scores), Some(value)) = (scores, column.as_ref().and_then(|column| column.get(row))) {
                        scores[at] = whole_score(value).ok_or_else(|| wrong_score(name, value, row))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The segment of each row, as a position in `segments`.
    fn segments_of(
        &self,
        column: &ArrayRef,
        segments: &mut Vec<FoundSegment>,
        places: &mut HashMap<OwnedKey, u16, RandomState>,
    ) -> Result<Vec<u16>> {
        let name = &self.spec.segment;
        let values = ValueColumn::new(name, "segment", column)?;
        let mut place = |key: Key<'_>, is_ordered: bool| -> Result<u16> {
            if let Some(&place) = places.get(&key) {
                return Ok(place);
            }
            let Some(text) = key.text() else { return Ok(NO_SEGMENT) };
            let at = segments.iter().position(|segment| segment.name == text).unwrap_or_else(|| {
                segments.push(FoundSegment { name: text, rank: None });
                segments.len() - 1
            });
            if at >= MAX_SEGMENTS {
                let message = format!("column '{name}' has more than 10,000 values; expected segments. Name their column: segment=...");
                return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
            }
            if is_ordered && segments[at].rank.is_none() {
                segments[at].rank = Some(segments.iter().filter(|segment| segment.rank.is_some()).count());
            }
            places.insert(key.to_owned(), at as u16);
            Ok(at as u16)
        };
        // Dictionary values are looked up once, not for every row.
        let dictionary: Option<Vec<u16>> =
            values.dictionary().map(|keys| keys.iter().map(|key| place(key.borrow(), true)).collect::<Result<_>>()).transpose()?;
        let rows = (0..column.len()).map(|row| match (&dictionary, values.stored.index(row)) {
            (Some(places), Some(index)) => Ok(places[index]),
            _ => place(values.key(row), false),
        });
        let rows: Vec<u16> = rows.collect::<Result<_>>()?;
        match rows.iter().position(|&segment| segment == NO_SEGMENT) {
            None => Ok(rows),
            Some(row) => {
                let count = rows.iter().filter(|&&segment| segment == NO_SEGMENT).count();
                let message = format!(
                    "column '{name}' is null at row {row} ({count} in its batch): the customer has no segment to move from or to. \
                     Leave such rows out, or give them a segment of their own"
                );
                Err(Error::new(ErrorKind::NullValue, message).in_column(name).at_row(row as u64))
            }
        }
    }

    /// The amounts of a block in the common unit.
    fn units(&self, amounts: &AmountColumn, start: usize, len: usize, counts: &mut AmountCounts) -> Result<Vec<i128>> {
        let name = &self.spec.monetary;
        let (mut flags, mut units) = (vec![0; len], vec![0_i128; len]);
        let in_range = if amounts.is_wide() {
            amounts.read_wide(start, &mut units)
        } else {
            let mut narrow = vec![0; len];
            let in_range = amounts.read(start, &mut narrow, &mut flags);
            units.iter_mut().zip(narrow).for_each(|(units, narrow)| *units = narrow.into());
            in_range
        };
        if !in_range && let Some(row) = amounts.first_out_of_range(start, len) {
            return Err(amounts.out_of_range(name, row as u64));
        }
        let factor = self.factor();
        for (i, (units, flags)) in units.iter_mut().zip(&flags).enumerate() {
            let row = start + i;
            if amounts.nulls().is_some_and(|nulls| nulls.is_null(row)) || flags & flag::NULL_AMOUNT != 0 {
                *units = 0;
                counts.null += 1;
                continue;
            }
            if flags & flag::NONFINITE != 0 {
                let message = format!("column '{name}' has an infinite amount at row {row}. Correct the data, or set it to null to add 0");
                return Err(Error::new(ErrorKind::NonFinite, message).in_column(name).at_row(row as u64));
            }
            counts.rounded += u64::from(flags & flag::ROUNDED != 0);
            *units = factor.and_then(|factor| units.checked_mul(factor)).ok_or_else(|| {
                let message = format!("column '{name}' has an amount at row {row} that is too large for the scale of the other table");
                Error::new(ErrorKind::OutOfRange, message).in_column(name).at_row(row as u64)
            })?;
        }
        Ok(units)
    }

    /// Common units in one unit of this table.
    fn factor(&self) -> Option<i128> {
        let places = |money: Money| match money {
            Money::Float { decimals } => i32::from(decimals),
            Money::Integer => 0,
            Money::Decimal { scale } => i32::from(scale),
        };
        let (own, common) = self.money.zip(self.unit)?;
        10_i128.checked_pow(u32::try_from(places(common) - places(own)).ok()?)
    }

    fn id_text(&self, batch: &RecordBatch, row: usize) -> String {
        let schema = batch.schema();
        let part = |name: &str| {
            let column = batch.column(find_column(&schema, name, "customer_id").ok()?);
            let values = ValueColumn::new(name, "customer_id", column).ok()?;
            Some(format!("{name}={}", values.key(row)))
        };
        self.key.names().iter().filter_map(part).collect::<Vec<_>>().join(", ")
    }

    fn null_id(&self, batch: &RecordBatch, row: usize) -> Error {
        let names = self.key.names();
        let first = names.iter().next().unwrap_or_default();
        let message = format!(
            "a customer id is null at row {row} ({}): it cannot be found in the other table. Leave such rows out",
            self.id_text(batch, row)
        );
        Error::new(ErrorKind::NullValue, message).in_column(first).at_row(row as u64)
    }

    fn repeated(&self, batch: &RecordBatch, row: usize, first_row: u64, rows_before: u64) -> Error {
        let names = self.key.names();
        let first = names.iter().next().unwrap_or_default();
        let whole = rows_before + row as u64;
        // Both rows are of the whole table already.
        let message = format!(
            "customer {} has two rows, {first_row} and {whole}; expected one row per customer. Sum them up first, or name all columns \
             of the id: customer_id=[...]",
            self.id_text(batch, row)
        );
        Error::new(ErrorKind::InvalidArgument, message).in_column(first).at_row(row as u64)
    }
}

fn rows_of(count: u64) -> String {
    format!("{count} row{}", if count == 1 { "" } else { "s" })
}

/// Amounts that are not what they seem.
#[derive(Debug, Default)]
struct AmountCounts {
    null: u64,
    rounded: u64,
}

fn whole_score(value: Number) -> Option<u8> {
    let score = match value {
        Number::Integer(score) => score,
        Number::Float(score) if score.fract() == 0.0 => score as i64,
        _ => return None,
    };
    u8::try_from(score).ok().filter(|score| (1..=100).contains(score))
}

fn wrong_score(name: &str, value: Number, row: usize) -> Error {
    let message = format!("column '{name}' is {value} at row {row}; expected a whole score from 1 to 100, or null");
    Error::new(ErrorKind::OutOfRange, message).in_column(name).at_row(row as u64)
}
