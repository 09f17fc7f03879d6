//! Cells and options of contacts from a table.

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::curve::ResponseCurve;
use super::spec::{AllocationCell, ContactOption, SpendLimit};
use crate::column::find_column;
use crate::column::number::{Number, NumberColumn};
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};

/// A table to read columns of.
struct Source<'b> {
    batches: &'b [RecordBatch],
    rows: usize,
}

impl<'b> Source<'b> {
    fn new(batches: &'b [RecordBatch]) -> Result<Self> {
        if batches.is_empty() {
            return Err(Error::internal("a table without a batch"));
        }
        Ok(Self { batches, rows: batches.iter().map(RecordBatch::num_rows).sum() })
    }

    /// The type of a column; `None` if there is none, or only nulls.
    fn type_of(&self, name: &str, role: &str) -> Result<Option<DataType>> {
        let schema = self.batches[0].schema();
        if schema.fields().iter().all(|field| field.name() != name) {
            return Ok(None);
        }
        let kind = schema.field(find_column(&schema, name, role)?).data_type().clone();
        Ok((kind != DataType::Null).then_some(kind))
    }

    /// Reads a column batch by batch.
    fn column<T>(&self, name: &str, role: &str, mut read: impl FnMut(&arrow_array::ArrayRef, &mut Vec<T>) -> Result<()>) -> Result<Vec<T>> {
        let mut values = Vec::with_capacity(self.rows);
        for batch in self.batches {
            let before = values.len() as u64;
            let column = batch.column(find_column(&batch.schema(), name, role)?);
            read(column, &mut values).map_err(|error| error.counted_from(before))?;
        }
        Ok(values)
    }

    /// Values as text.
    fn texts(&self, name: &str, role: &str) -> Result<Vec<Option<String>>> {
        self.column(name, role, |array, values| {
            let column = ValueColumn::new(name, role, array)?;
            values.extend((0..array.len()).map(|row| column.key(row).text()));
            Ok(())
        })
    }

    /// Numbers.
    fn numbers(&self, name: &str, role: &str) -> Result<Vec<Option<Number>>> {
        self.column(name, role, |array, values| {
            let column = NumberColumn::new(name, role, array)?;
            values.extend((0..array.len()).map(|row| column.get(row)));
            Ok(())
        })
    }

    fn floats(&self, name: &str, role: &str) -> Result<Vec<Option<f64>>> {
        Ok(self.numbers(name, role)?.into_iter().map(|number| number.map(Number::to_f64)).collect())
    }

    /// A column that may be absent.
    fn optional<T>(
        &self,
        name: &str,
        role: &str,
        read: impl FnOnce(&Self, &str, &str) -> Result<Vec<Option<T>>>,
    ) -> Result<Vec<Option<T>>> {
        if self.type_of(name, role)?.is_some() { read(self, name, role) } else { Ok((0..self.rows).map(|_| None).collect()) }
    }

    /// Bounds: numbers, or text such as `25%`.
    fn limits(&self, name: &str, role: &str) -> Result<Vec<Option<SpendLimit>>> {
        let Some(kind) = self.type_of(name, role)? else { return Ok(vec![None; self.rows]) };
        let what = |row: usize| format!("column '{name}' at row {row}");
        let placed = |row: usize| move |error: Error| error.in_column(name).at_row(row as u64);
        if is_text(&kind) {
            let texts = self.texts(name, role)?.into_iter().enumerate();
            return texts
                .map(|(row, text)| text.map(|text| SpendLimit::of_text(&text, &what(row)).map_err(placed(row))).transpose())
                .collect();
        }
        let numbers = self.floats(name, role)?.into_iter().enumerate();
        numbers
            .map(|(row, number)| number.map(|number| SpendLimit::of_money(number, &what(row)).map_err(placed(row))).transpose())
            .collect()
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The value of a row that must have one.
fn present<T: Clone>(values: &[Option<T>], row: usize, column: &str, expected: &str) -> Result<T> {
    values[row].clone().ok_or_else(|| {
        let message = format!("column '{column}' is null at row {row}; expected {expected}");
        Error::new(ErrorKind::NullValue, message).in_column(column).at_row(row as u64)
    })
}

/// Columns of a table of cells.
struct Columns {
    segment: Vec<Option<String>>,
    channel: Vec<Option<String>>,
    kind: Vec<Option<String>>,
    parameters: [Vec<Option<f64>>; 6],
    low: Vec<Option<SpendLimit>>,
    high: Vec<Option<SpendLimit>>,
    se: Vec<Option<f64>>,
}

/// Parameters and points of curves.
const PARAMETERS: [&str; 6] = ["a", "b", "c", "k", "spend", "value"];

impl Columns {
    fn read(source: &Source<'_>) -> Result<Self> {
        let segment = source.texts("segment", "segment")?;
        let has = |name: &str| source.type_of(name, "curve").map(|kind| kind.is_some());
        let kind = if !has("curve")? && has("spend")? && has("value")? {
            vec![Some("table".to_owned()); source.rows]
        } else {
            source.texts("curve", "kind of the curve")?
        };
        let parameter = |name: &str| source.optional(name, "curve", Source::floats);
        let [a, b, c, k, spend, value] = PARAMETERS.map(parameter);
        Ok(Self {
            segment,
            kind,
            channel: source.optional("channel", "channel", Source::texts)?,
            parameters: [a?, b?, c?, k?, spend?, value?],
            low: source.limits("low", "lower bound")?,
            high: source.limits("high", "upper bound")?,
            se: source.optional("se", "standard error", Source::floats)?,
        })
    }

    fn parameter(&self, which: usize, row: usize, kind: &str) -> Result<f64> {
        present(&self.parameters[which], row, PARAMETERS[which], &format!("a number, as its curve is '{kind}'"))
    }

    /// The curve of a row that has parameters.
    fn curve(&self, row: usize, kind: &str) -> Result<ResponseCurve> {
        let made = match kind {
            "exp" => ResponseCurve::exp(self.parameter(0, row, kind)?, self.parameter(1, row, kind)?),
            _ => ResponseCurve::hill(self.parameter(0, row, kind)?, self.parameter(2, row, kind)?, self.parameters[3][row].unwrap_or(1.0)),
        };
        made.map_err(|error| error.said_of(&format!("row {row}")).at_row(row as u64))
    }
}

/// The place of each cell by its names, and that of its points.
type Places<'c> = HashMap<(&'c str, Option<&'c str>), (usize, Option<usize>), RandomState>;

/// The points of a cell whose curve is a table.
struct Measured {
    cell: usize,
    first_row: usize,
    points: Vec<(f64, f64)>,
}

/// The cells of a table: a row for each, or several for a cell whose curve is a table of points.
///
/// Columns: `segment`; optional `channel`, `low`, `high`, `se`; `curve` ("exp", "hill", "table") with `a`, `b`, `c`, `k`, or with
/// `spend`, `value`. Without `curve` all are tables of points.
pub fn allocation_cells(batches: &[RecordBatch]) -> Result<Vec<AllocationCell>> {
    let source = Source::new(batches)?;
    let columns = Columns::read(&source)?;
    let mut cells: Vec<AllocationCell> = Vec::new();
    let mut places: Places<'_> = HashMap::default();
    let mut measured: Vec<Measured> = Vec::new();
    let placeholder = ResponseCurve::exp(1.0, 1.0)?;
    for row in 0..source.rows {
        let segment = present(&columns.segment, row, "segment", "the name of a segment")?;
        let kind = present(&columns.kind, row, "curve", "'exp', 'hill' or 'table'")?;
        let is_table = match kind.as_str() {
            "table" => true,
            "exp" | "hill" => false,
            _ => {
                let message = format!("column 'curve' is '{}' at row {row}; expected 'exp', 'hill' or 'table'", kind.escape_debug());
                return Err(Error::new(ErrorKind::InvalidArgument, message).in_column("curve").at_row(row as u64));
            }
        };
        let key = (columns.segment[row].as_deref().unwrap_or_default(), columns.channel[row].as_deref());
        let place = *places.entry(key).or_insert((cells.len(), is_table.then_some(measured.len())));
        let is_new = place.0 == cells.len();
        if is_new {
            let curve = if is_table { placeholder.clone() } else { columns.curve(row, &kind)? };
            let channel = columns.channel[row].clone();
            cells.push(AllocationCell { segment, channel, curve, low: columns.low[row], high: columns.high[row], se: columns.se[row] });
        }
        match place.1 {
            Some(at) if is_table => {
                if is_new {
                    measured.push(Measured { cell: place.0, first_row: row, points: Vec::new() });
                } else {
                    let cell = &mut cells[place.0];
                    let name = cell.name();
                    agree(&mut cell.low, columns.low[row], "low", &name, row)?;
                    agree(&mut cell.high, columns.high[row], "high", &name, row)?;
                    agree(&mut cell.se, columns.se[row], "se", &name, row)?;
                }
                measured[at].points.push((columns.parameter(4, row, "table")?, columns.parameter(5, row, "table")?));
            }
            _ if is_new => {}
            _ => {
                let name = cells[place.0].name();
                let message = format!("the cell {name} has a second curve at row {row}; expected one curve for each cell");
                return Err(Error::new(ErrorKind::InvalidArgument, message).at_row(row as u64));
            }
        }
    }
    for Measured { cell, first_row, mut points } in measured {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (spend, value): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let name = cells[cell].name();
        let made = ResponseCurve::table(&spend, &value);
        cells[cell].curve =
            made.map_err(|error| error.said_of(&format!("points of the cell {name}, by spend")).at_row(first_row as u64))?;
    }
    Ok(cells)
}

/// Keeps what rows of one cell say; an error where they contradict each other.
fn agree<T: PartialEq + Copy>(kept: &mut Option<T>, new: Option<T>, column: &str, cell: &str, row: usize) -> Result<()> {
    match (*kept, new) {
        (_, None) => {}
        (None, Some(_)) => *kept = new,
        (Some(kept), Some(new)) if kept == new => {}
        _ => {
            let message =
                format!("column '{column}' of the cell {cell} has another value at row {row}; give it once, or the same in all its rows");
            return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(column).at_row(row as u64));
        }
    }
    Ok(())
}

/// The options of contacts of a table.
///
/// Columns: `segment`, `cost`, `value`, `customers`; optional `channel`, `value_se`.
pub fn contact_options(batches: &[RecordBatch]) -> Result<Vec<ContactOption>> {
    let source = Source::new(batches)?;
    let segment = source.texts("segment", "segment")?;
    let cost = source.floats("cost", "cost of a contact")?;
    let value = source.floats("value", "value of a contact")?;
    let customers = source.numbers("customers", "customers of the segment")?;
    let channel = source.optional("channel", "channel", Source::texts)?;
    let value_se = source.optional("value_se", "standard error", Source::floats)?;
    let option = |row: usize| {
        let found = present(&customers, row, "customers", "the number of customers in the segment")?;
        let whole = match found {
            Number::Integer(n) => u64::try_from(n).ok(),
            other => Some(other.to_f64()).filter(|n| (0.0..=2f64.powi(53)).contains(n) && n.fract() == 0.0).map(|n| n as u64),
        };
        let customers = whole.ok_or_else(|| {
            let message = format!("column 'customers' is {found} at row {row}; expected a number of customers, 0 or more and whole");
            Error::new(ErrorKind::InvalidArgument, message).in_column("customers").at_row(row as u64)
        })?;
        Ok(ContactOption {
            segment: present(&segment, row, "segment", "the name of a segment")?,
            channel: channel[row].clone(),
            cost: present(&cost, row, "cost", "the cost of a customer contacted")?,
            value: present(&value, row, "value", "what a customer contacted brings")?,
            customers,
            value_se: value_se[row],
        })
    };
    (0..source.rows).map(option).collect()
}
