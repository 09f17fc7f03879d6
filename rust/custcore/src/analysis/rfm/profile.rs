//! Segment profile of a scored table: customers, revenue, and mean and median of recency, frequency and monetary value.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;
use foldhash::fast::RandomState;

use crate::column::find_column;
use crate::column::key::OwnedKey;
use crate::column::number::{Number, NumberColumn};
use crate::column::value::ValueColumn;
use crate::error::Result;
use crate::num::exact::{exact_sum, mean, median};
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// Values of one segment.
#[derive(Debug, Default)]
struct Members {
    customers: i64,
    values: [Vec<f64>; 3],
    revenue: Vec<f64>,
}

/// Profiles a scored table by a segment column. `columns` are the recency, frequency and monetary columns; without a monetary
/// column the profile has no revenue. Segments of a dictionary keep its order, and empty ones are included.
pub fn segment_profile(batches: &[RecordBatch], by: &str, columns: [&str; 3]) -> Result<Table> {
    let mut names: Vec<OwnedKey> = Vec::new();
    let mut positions: HashMap<OwnedKey, usize, RandomState> = HashMap::default();
    let mut members: Vec<Members> = Vec::new();
    let mut has_money = false;
    for batch in batches {
        let schema = batch.schema();
        let segments = ValueColumn::new(by, "by", batch.column(find_column(&schema, by, "by")?))?;
        has_money = schema.fields().iter().any(|field| field.name() == columns[2]);
        let read = |name: &str| NumberColumn::new(name, "profiled column", batch.column(find_column(&schema, name, "profiled column")?));
        let values = columns[..if has_money { 3 } else { 2 }].iter().map(|name| read(name)).collect::<Result<Vec<_>>>()?;
        let total = if has_money { Some(read("monetary_total")?) } else { None };
        let mut position = |key: OwnedKey| {
            *positions.entry(key).or_insert_with_key(|key| {
                names.push(key.clone());
                members.push(Members::default());
                names.len() - 1
            })
        };
        // Dictionary values are looked up once, not for every row.
        let dictionary: Option<Vec<usize>> = segments.dictionary().map(|keys| keys.into_iter().map(&mut position).collect());
        let places: Vec<usize> = (0..batch.num_rows())
            .map(|row| match (&dictionary, segments.stored.index(row)) {
                (Some(places), Some(index)) => places[index],
                _ => position(segments.key(row).to_owned()),
            })
            .collect();
        for (row, place) in places.into_iter().enumerate() {
            let members = &mut members[place];
            members.customers += 1;
            for (column, values) in values.iter().zip(&mut members.values) {
                values.extend(column.get(row).map(Number::to_f64));
            }
            members.revenue.extend(total.as_ref().and_then(|total| total.get(row)).map(Number::to_f64));
        }
    }
    // Empty segments are included: they are informative.
    let rows = names.len();
    let customers: i64 = members.iter().map(|m| m.customers).sum();
    let sums: Vec<f64> = members.iter().map(|m| exact_sum(&m.revenue).unwrap_or(0.0)).collect();
    let revenue = exact_sum(&sums).unwrap_or(0.0);
    let share = |part: f64, whole: f64| if whole == 0.0 { None } else { Some(part / whole) };
    let mut table = TableBuilder::default();
    let column = |values: Vec<Option<f64>>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    table.column(by, Arc::new(names.iter().map(|name| name.borrow().text()).collect::<StringArray>()));
    table.column("customers", Arc::new(Int64Array::from_iter_values(members.iter().map(|m| m.customers))));
    table.column("share", column(members.iter().map(|m| share(m.customers as f64, customers as f64)).collect()));
    if has_money {
        table.column("revenue", column(sums.iter().map(|&sum| Some(sum)).collect()));
        table.column("revenue_share", column(sums.iter().map(|&sum| share(sum, revenue)).collect()));
    }
    for (i, name) in ["recency", "frequency", "monetary"].into_iter().enumerate().take(if has_money { 3 } else { 2 }) {
        table.column(&format!("{name}_mean"), column(members.iter().map(|m| mean(&m.values[i])).collect()));
        table.column(&format!("{name}_median"), column(members.iter().map(|m| median(m.values[i].clone())).collect()));
    }
    table.finish(rows, Metadata::new(), Report::default())
}
