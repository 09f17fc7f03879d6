//! An accumulator that `base/` does not depend on works with updates, merges, edits, past days and files.

use std::sync::Arc;

use arrow_array::{Date32Array, Int64Array, RecordBatch};

use super::CustomerBase;
use crate::column::category::CategoryColumns;
use crate::column::chunks::{ColumnRoles, Pick};
use crate::column::customer_id::CustomerId;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::state::largest_amount::LargestAmount;
use crate::state::spec::{BaseSpec, OrderLines, Track};

/// Customer, day, amount, order.
type Line = (i64, i32, i64, i64);

const LINES: [Line; 9] = [
    (7, 100, 5, 1),
    (7, 101, 9, 1),
    // An order with a negative sum: not a purchase.
    (7, 102, 50, 2),
    (7, 102, -60, 2),
    (3, 103, 4, 3),
    (3, 104, 8, 4),
    (9, 104, -1, 5),
    (4, 105, 2, 6),
    (4, 110, 30, 6),
];

fn batch(lines: &[Line]) -> Result<RecordBatch> {
    let numbers = |of: fn(&Line) -> i64| Arc::new(Int64Array::from_iter_values(lines.iter().map(of)));
    let columns = [
        ("id", numbers(|line| line.0) as _),
        ("day", Arc::new(Date32Array::from_iter_values(lines.iter().map(|line| line.1))) as _),
        ("amount", numbers(|line| line.2) as _),
        ("order", numbers(|line| line.3) as _),
    ];
    RecordBatch::try_from_iter(columns).map_err(Error::internal)
}

fn spec(track: Track, order_lines: OrderLines) -> BaseSpec {
    let roles = ColumnRoles {
        customer_id: "id".into(),
        timestamp: "day".into(),
        amount: Some("amount".into()),
        order_id: (track == Track::Orders || order_lines == OrderLines::Adjacent).then(|| "order".into()),
        attributes: vec![("order".into(), Pick::First)],
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let accumulators = [("largest_amount".to_owned(), String::new())].into();
    BaseSpec { order_lines, track, accumulators, ..BaseSpec::new(roles) }
}

/// The largest amount of each customer by id, as of a day.
fn largest(base: &CustomerBase, until: Option<i32>) -> Result<Vec<(i64, i128)>> {
    let view = base.view_of_day(until)?;
    let state = base.state_as_of(until, false, crate::exec::par::Threads::inline())?.1;
    let Some(own) = state.accumulators.iter().find_map(|own| own.as_any().downcast_ref::<LargestAmount>()) else {
        return Err(Error::internal("missing accumulator"));
    };
    let codes = view.codes_by_id(&Context::new(1))?;
    let found = codes.iter().filter_map(|&code| {
        let id = match view.ids() {
            crate::group::keys::Keys::Range { base, .. } => base + i64::from(code),
            crate::group::keys::Keys::Integers(ids) => ids[code as usize],
            crate::group::keys::Keys::Bytes(_) => 0,
        };
        Some((id, own.get(code)?))
    });
    Ok(found.collect())
}

fn reloaded(base: &CustomerBase) -> Result<CustomerBase> {
    let bytes = base.to_bytes(&Context::new(1))?;
    let after = CustomerBase::from_bytes(&bytes, &Context::new(1))?;
    assert_eq!(after.to_bytes(&Context::new(1))?, bytes);
    assert_eq!(after.spec(), base.spec());
    Ok(after)
}

#[test]
fn rows_that_are_orders() -> Result<()> {
    let mut base = CustomerBase::new(spec(Track::Days, OrderLines::Any))?;
    for lines in LINES.chunks(4) {
        base.update(&[batch(lines)?], &Context::new(1))?;
        base = reloaded(&base)?;
    }
    assert_eq!(largest(&base, None)?, [(3, 8), (4, 30), (7, 50)]);
    Ok(())
}

#[test]
fn open_orders_merges_and_files() -> Result<()> {
    for cut in 0..=LINES.len() {
        let mut parts = Vec::new();
        for lines in [&LINES[..cut], &LINES[cut..]] {
            let mut base = CustomerBase::new(spec(Track::Orders, OrderLines::Any))?;
            base.update(&[batch(lines)?], &Context::new(1))?;
            parts.push(reloaded(&base)?);
        }
        let mut whole = parts.swap_remove(0);
        whole.merge(&parts[0], &Context::new(1))?;
        assert_eq!(largest(&whole, None)?, [(3, 8), (4, 30), (7, 9)], "cut at {cut}");
        assert_eq!(largest(&whole, Some(104))?, [(3, 8), (7, 9)], "cut at {cut}");
        // Order 1 is a closed split order.
        whole.seal(105)?;
        assert_eq!(largest(&reloaded(&whole)?, None)?, [(3, 8), (4, 30), (7, 9)], "cut at {cut}");
        whole.relabel(&[(CustomerId::Integer(7), CustomerId::Integer(3)), (CustomerId::Integer(4), CustomerId::Integer(1))])?;
        assert_eq!(whole.remove(&[CustomerId::Integer(9)])?, 1);
        assert_eq!(largest(&reloaded(&whole)?, None)?, [(1, 30), (3, 9)], "cut at {cut}");
    }
    Ok(())
}

#[test]
fn adjacent_lines() -> Result<()> {
    for cut in 0..=LINES.len() {
        let mut base = CustomerBase::new(spec(Track::Days, OrderLines::Adjacent))?;
        for lines in [&LINES[..cut], &LINES[cut..]] {
            base.update(&[batch(lines)?], &Context::new(1))?;
            base = reloaded(&base)?;
        }
        assert_eq!(largest(&base, None)?, [(3, 8), (4, 30), (7, 9)], "cut at {cut}");
    }
    Ok(())
}

#[test]
fn unknown_accumulators_are_refused() {
    let unknown = BaseSpec { accumulators: [("smallest_amount".to_owned(), String::new())].into(), ..spec(Track::Days, OrderLines::Any) };
    assert!(CustomerBase::new(unknown).is_err());
}
