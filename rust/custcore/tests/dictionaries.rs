//! Batches with dictionaries of their own, as the row groups of a Parquet file have them, give what plain strings give, bit for bit.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray};
use custcore::{BaseSpec, CategoryColumns, ColumnRoles, Context, CustomerBase, Error, Result, Table, Track, rfm};

/// How the dictionaries of the batches are made.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// One of each batch, by first occurrence.
    Own,
    /// The same for all, at one address.
    Shared,
    /// The same for all, each a copy.
    Copied,
    /// With each value twice, nulls, and values that no row has.
    Messy,
    /// Shared by three batches, then another one.
    Changing,
    /// Of integers.
    Integers,
}

/// The ids of all rows; some are null.
fn ids(rows: i64, customers: i64) -> Vec<Option<i64>> {
    (0..rows).map(|i| (i % 13 != 5).then_some(i * 7_919 % customers)).collect()
}

fn text(id: i64) -> String {
    if id % 11 == 0 { format!("a customer with a long name {id}") } else { format!("c{id}") }
}

/// The values of a dictionary, and the position of each id.
fn dictionary(rows: &[Option<i64>], customers: i64, kind: Kind) -> (Vec<Option<String>>, Vec<Option<i32>>) {
    match kind {
        Kind::Shared | Kind::Copied | Kind::Changing | Kind::Integers => {
            // In an order of its own, with values that do not occur.
            let values = (0..customers + 5).rev().map(|id| Some(text(id))).collect();
            (values, rows.iter().map(|id| id.map(|id| (customers + 4 - id) as i32)).collect())
        }
        Kind::Own => {
            let mut values: Vec<i64> = rows.iter().flatten().copied().collect();
            values.sort_unstable_by_key(|id| id * 31 % 1_009);
            values.dedup();
            let places: HashMap<i64, i32> = values.iter().zip(0..).map(|(&id, place)| (id, place)).collect();
            (values.iter().map(|&id| Some(text(id))).collect(), rows.iter().map(|id| id.map(|id| places[&id])).collect())
        }
        Kind::Messy => {
            let values = (0..3 * customers).map(|i| (i % 3 != 2).then(|| text(i / 3))).collect();
            // Null rows are null in the column, or point to a null.
            let place = |(row, id): (usize, &Option<i64>)| match id {
                Some(id) => Some((3 * id + (row % 2) as i64) as i32),
                None => (row % 3 == 0).then_some(2),
            };
            (values, rows.iter().enumerate().map(place).collect())
        }
    }
}

/// The rows in batches, with ids as plain strings (integers) if `kind` is none, else with dictionaries.
fn batches(ids: &[Option<i64>], customers: i64, size: usize, kind: Option<Kind>, integers: bool) -> Result<Vec<RecordBatch>> {
    let numbers = |values: &[Option<String>]| -> ArrayRef {
        Arc::new((0..values.len() as i64).map(|place| Some(customers + 4 - place)).collect::<Int64Array>())
    };
    let mut held: Option<ArrayRef> = None;
    let mut all = Vec::new();
    for (n, rows) in ids.chunks(size).enumerate() {
        let column: ArrayRef = match kind {
            None if integers => Arc::new(rows.iter().copied().collect::<Int64Array>()),
            None => Arc::new(rows.iter().map(|id| id.map(text)).collect::<StringArray>()),
            Some(kind) => {
                let own = if kind == Kind::Changing && n >= 3 { Kind::Own } else { kind };
                let (values, places) = dictionary(rows, customers, own);
                let new: ArrayRef =
                    if integers { numbers(&values) } else { Arc::new(values.iter().map(Option::as_deref).collect::<StringArray>()) };
                let keeps = kind == Kind::Shared || (kind == Kind::Changing && n < 3);
                let values = held.take().filter(|_| keeps).unwrap_or(new);
                held = Some(values.clone());
                let places: Int32Array = places.into_iter().collect();
                Arc::new(DictionaryArray::<Int32Type>::try_new(places, values).map_err(Error::internal)?)
            }
        };
        let first = (n * size) as i64;
        let row = |i: usize| first + i as i64;
        let columns: [(&str, ArrayRef); 4] = [
            ("customer_id", column),
            ("timestamp", Arc::new(TimestampSecondArray::from_iter_values((0..rows.len()).map(|i| row(i) * 211 % 90_000_000)))),
            ("amount", Arc::new((0..rows.len()).map(|i| (row(i) * 37 % 9_000 - 200) as f64 / 100.0).collect::<Float64Array>())),
            ("order_id", Arc::new((0..rows.len()).map(|i| row(i) / 4).collect::<Int64Array>())),
        ];
        all.push(RecordBatch::try_from_iter(columns).map_err(Error::internal)?);
    }
    Ok(all)
}

/// The table of the batches, `at_once` of them pushed together; with `more` the builder expects more than it has seen.
fn table(batches: &[RecordBatch], at_once: usize, order_id: bool, days: bool, threads: usize) -> Result<Table> {
    let roles = ColumnRoles {
        customer_id: vec!["customer_id".to_owned()].into(),
        timestamp: "timestamp".to_owned(),
        amount: Some("amount".to_owned()),
        order_id: order_id.then(|| "order_id".into()),
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let track = if days { Track::Days } else { BaseSpec::new(roles.clone()).track };
    let mut base = CustomerBase::new(BaseSpec { track, ..BaseSpec::new(roles) })?;
    let context = Context::new(threads);
    let mut fold = base.begin(&batches[0].schema())?;
    fold.expect_more();
    for group in batches.chunks(at_once) {
        fold.push(group, &context)?;
    }
    base.commit(fold.finish(&context)?, None, &context)?;
    rfm(&base, None, true, &context)
}

fn check(rows: i64, customers: i64, size: usize, at_once: usize) -> Result<()> {
    let ids = ids(rows, customers);
    for integers in [false, true] {
        let plain = batches(&ids, customers, size, None, integers)?;
        for (order_id, days) in [(false, false), (true, false), (false, true)] {
            let want = table(&plain, at_once, order_id, days, 1)?;
            let kinds: &[Kind] =
                if integers { &[Kind::Integers] } else { &[Kind::Own, Kind::Shared, Kind::Copied, Kind::Messy, Kind::Changing] };
            for &kind in kinds {
                let encoded = batches(&ids, customers, size, Some(kind), integers)?;
                for threads in [1, 3] {
                    let got = table(&encoded, at_once, order_id, days, threads)?;
                    let case =
                        format!("{kind:?}, order ids: {order_id}, days: {days}, {threads} threads, batches of {size}, {at_once} at once");
                    assert_eq!(got.batch.num_columns(), want.batch.num_columns(), "{case}");
                    for (ours, theirs) in got.batch.columns().iter().zip(want.batch.columns()) {
                        assert!(ours.to_data() == theirs.to_data(), "{case}");
                    }
                    assert_eq!(format!("{:?}", got.report), format!("{:?}", want.report), "{case}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn small_batches() -> Result<()> {
    check(2_000, 37, 61, 1)?;
    check(2_000, 900, 300, 3)
}

/// Enough rows for several threads, in pushes of one batch and of several.
#[test]
fn large_batches() -> Result<()> {
    check(300_000, 9_011, 140_000, 1)?;
    check(160_000, 9_011, 20_000, 7)
}

/// Dictionaries of which rows use hardly a value: they are left, and rows are hashed.
#[test]
fn large_dictionaries_with_few_rows() -> Result<()> {
    check(120, 60_000, 10, 1)
}
