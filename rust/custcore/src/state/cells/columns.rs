//! Cells as a list column of a file.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, Int64Array, ListArray, StructArray, UInt32Array, UInt64Array};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields};

use super::run::{Cell, Kept};
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::intern_rows::keys_with_nulls;
use crate::group::interner::{Interner, Keys, NO_CODE};
use crate::num::money::LARGEST_UNITS;
use crate::state::accumulator::Failure;
use crate::table::key_column;
use crate::time::calendar::{MAX_DAY, MIN_DAY};

/// Sums of money in a file.
const UNITS: DataType = DataType::Decimal128(38, 0);

/// The field of a column of cells.
pub(super) fn field(name: &str, value_type: &ValueType, kept: Kept) -> FieldRef {
    let mut fields = vec![
        value_type.field("value"),
        Field::new("date", DataType::Date32, false),
        Field::new("n_orders", DataType::UInt64, false),
        Field::new("n_rows", DataType::UInt64, false),
        Field::new("units", UNITS, false),
    ];
    if kept.discounts {
        fields.push(Field::new("discounted_rows", DataType::UInt64, false));
        fields.push(Field::new("discounted_units", UNITS, false));
    }
    if kept.times {
        fields.push(Field::new("seconds", DataType::Int64, false));
        fields.push(Field::new("nanoseconds", DataType::UInt32, false));
    }
    let item = Field::new("item", DataType::Struct(fields.into()), false);
    Arc::new(Field::new(name, DataType::List(Arc::new(item)), false))
}

/// Writes cells of several keys; `ends` are the ends of each key.
pub(super) fn write(field: &Field, (cells, ends): (&[Cell], &[usize]), values: &Keys, kept: Kept) -> Result<ArrayRef> {
    let wrong = || Error::internal("the column of cells is not a list of structs");
    let DataType::List(item) = field.data_type() else { return Err(wrong()) };
    let DataType::Struct(fields) = item.data_type() else { return Err(wrong()) };
    let fields: &Fields = fields;
    let units = |of: fn(&Cell) -> i128| -> Result<ArrayRef> {
        if cells.iter().any(|cell| of(cell).unsigned_abs() > LARGEST_UNITS) {
            let message = "a sum of money has more than 38 digits, more than the file of a base holds. Cast the amounts to a smaller scale";
            return Err(Error::new(ErrorKind::SumOverflow, message));
        }
        Ok(Arc::new(Decimal128Array::from(cells.iter().map(of).collect::<Vec<i128>>()).with_data_type(UNITS)))
    };
    let count = |of: fn(&Cell) -> u64| -> ArrayRef { Arc::new(UInt64Array::from(cells.iter().map(of).collect::<Vec<u64>>())) };
    let categories: Vec<Option<u32>> = cells.iter().map(|cell| Some(cell.category).filter(|&code| code != NO_CODE)).collect();
    let mut columns = vec![
        key_column(fields.first().ok_or_else(wrong)?.data_type(), values, categories.into_iter())?,
        Arc::new(Date32Array::from(cells.iter().map(|cell| cell.day).collect::<Vec<i32>>())),
        count(|cell| cell.orders),
        count(|cell| cell.rows),
        units(|cell| cell.units)?,
    ];
    if kept.discounts {
        columns.extend([count(|cell| cell.discounted_rows), units(|cell| cell.discounted_units)?]);
    }
    if kept.times {
        columns.push(Arc::new(Int64Array::from(cells.iter().map(|cell| cell.time.0).collect::<Vec<i64>>())));
        columns.push(Arc::new(UInt32Array::from(cells.iter().map(|cell| cell.time.1).collect::<Vec<u32>>())));
    }
    let offsets: Vec<i32> = std::iter::once(Ok(0))
        .chain(ends.iter().map(|&end| i32::try_from(end)))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::new(ErrorKind::OutOfRange, "a customer has more than 2,147,483,647 categories, more than a file holds"))?;
    let structs = StructArray::try_new(fields.clone(), columns, None).map_err(Error::internal)?;
    let list = ListArray::try_new(item.clone(), OffsetBuffer::new(ScalarBuffer::from(offsets)), Arc::new(structs), None);
    Ok(Arc::new(list.map_err(Error::internal)?))
}

/// The columns of cells of a file.
pub(super) struct CellColumns<'a> {
    lists: &'a ListArray,
    values: Keys,
    nulls: Option<NullBuffer>,
    days: &'a [i32],
    orders: &'a [u64],
    rows: &'a [u64],
    units: &'a [i128],
    discounts: Option<(&'a [u64], &'a [i128])>,
    times: Option<(&'a [i64], &'a [u32])>,
}

impl<'a> CellColumns<'a> {
    pub(super) fn new(column: &'a ArrayRef, kept: Kept, threads: Threads<'_>) -> Result<Self, Failure> {
        let lists: &ListArray = column.as_list();
        let cells: &StructArray = lists.values().as_struct();
        let mut columns = cells.columns().iter();
        let mut next = || columns.next().ok_or(Failure::Content("a column of cells is missing"));
        let values = next()?;
        Ok(Self {
            lists,
            values: keys_with_nulls(values, threads)?.ok_or("it has dictionaries")?,
            nulls: values.logical_nulls(),
            days: next()?.as_primitive::<Date32Type>().values(),
            orders: next()?.as_primitive::<UInt64Type>().values(),
            rows: next()?.as_primitive::<UInt64Type>().values(),
            units: next()?.as_primitive::<Decimal128Type>().values(),
            discounts: if kept.discounts {
                Some((next()?.as_primitive::<UInt64Type>().values(), next()?.as_primitive::<Decimal128Type>().values()))
            } else {
                None
            },
            times: if kept.times {
                Some((next()?.as_primitive::<Int64Type>().values(), next()?.as_primitive::<UInt32Type>().values()))
            } else {
                None
            },
        })
    }

    /// The positions of the cells of each row.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'_, 'a> {
        self.lists.value_offsets().windows(2).map(|ends| ends[0] as usize..ends[1] as usize)
    }

    /// The code of the category of a cell, interned.
    pub(super) fn value(&self, at: usize, values: &mut Interner) -> Result<u32> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
            return Ok(NO_CODE);
        }
        values.intern_from(&self.values, at as u32)
    }

    /// A cell of the category of this code.
    pub(super) fn cell(&self, at: usize, category: u32) -> Result<Cell, Failure> {
        let day = self.days[at];
        if !(MIN_DAY..=MAX_DAY).contains(&day) {
            return Err("a date is outside the years 1 to 9999".into());
        }
        let (discounted_rows, discounted_units) = self.discounts.map_or((0, 0), |(rows, units)| (rows[at], units[at]));
        Ok(Cell {
            category,
            day,
            orders: self.orders[at],
            rows: self.rows[at],
            units: self.units[at],
            discounted_rows,
            discounted_units,
            time: self.times.map_or((0, 0), |(seconds, nanoseconds)| (seconds[at], nanoseconds[at])),
        })
    }
}
