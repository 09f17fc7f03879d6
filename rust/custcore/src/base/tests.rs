//! Bases compared with simple rules: replay of the orders, and lines of one order in several threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampSecondArray};

use super::CustomerBase;
use super::versions::VersionedBase;
use crate::column::category::CategoryColumns;
use crate::column::chunks::ColumnRoles;
use crate::column::mark::{BEFORE, PURCHASE, RETURNING, START};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::ROWS_WORTH_THREADS;
use crate::group::keys::Keys;
use crate::state::purchase_log::{FIRST_DAY, PurchaseLog};
use crate::state::spec::{BaseSpec, OrderLines, Track};
use crate::time::calendar::DAY_SECONDS;

/// One line: customer, day, amount, order.
type Line = (i64, i64, i64, i64);

fn base(track: Track, order_lines: OrderLines, with_orders: bool) -> Result<CustomerBase> {
    let roles = ColumnRoles {
        customer_id: "customer".into(),
        timestamp: "time".into(),
        amount: Some("amount".into()),
        order_id: with_orders.then(|| "order".into()),
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    CustomerBase::new(BaseSpec { order_lines, track, ..BaseSpec::new(roles) })
}

fn batch(lines: &[Line]) -> Result<RecordBatch> {
    let column = |value: fn(&Line) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(lines.iter().map(value))) };
    let times: ArrayRef = Arc::new(TimestampSecondArray::from_iter_values(lines.iter().map(|line| line.1 * DAY_SECONDS)));
    let columns =
        [("customer", column(|line| line.0)), ("time", times), ("amount", column(|line| line.2)), ("order", column(|line| line.3))];
    RecordBatch::try_from_iter(columns).map_err(Error::internal)
}

fn id(keys: &Keys, code: u32) -> i64 {
    match keys {
        Keys::Range { base, .. } => base + i64::from(code),
        Keys::Integers(ids) => ids[code as usize],
        Keys::Bytes(_) => i64::MIN,
    }
}

#[test]
fn replay_yields_the_orders_of_each_day() -> Result<()> {
    // A purchase beside a refund, two purchases, a refund alone; then the same customer again in another update.
    let updates: [&[Line]; 2] =
        [&[(7, 10, 12, 0), (7, 10, -3, 0), (7, 12, 5, 0), (7, 12, 6, 0), (9, 11, -4, 0)], &[(7, 12, 1, 0), (7, 14, 2, 0), (9, 13, 8, 0)]];
    let mut kept = base(Track::Days, OrderLines::Any, false)?;
    for update in updates {
        kept.update(&[batch(update)?], &Context::new(1))?;
    }
    let (_, state) = kept.known()?;
    let order_log = state.replay(Some(12), false);
    let all = START | RETURNING;
    let entries = order_log.pieces().iter().flatten();
    let mut found: Vec<_> = entries.map(|e| (id(state.interner.keys(), e.customer), e.day, e.units(order_log.wide()), e.marks())).collect();
    found.sort_unstable();
    // The first purchase of a day carries the amount of all; refunds are an order; days before the start are marked.
    let expected = [
        (7, 10, -3, all | BEFORE),
        (7, 10, 12, all | PURCHASE | BEFORE),
        (7, 12, 0, all | PURCHASE),
        (7, 12, 0, all | PURCHASE),
        (7, 12, 12, all | PURCHASE),
        (7, 14, 2, all | PURCHASE),
        (9, 11, -4, all | BEFORE),
        (9, 13, 8, all | PURCHASE),
    ];
    assert_eq!(found, expected);
    // Packed, purchases have no marks; refunds keep theirs.
    let packed = state.replay(None, true);
    let purchases = packed.purchases().map_or(&[][..], PurchaseLog::pieces).iter();
    let mut found: Vec<_> = purchases
        .flat_map(|piece| {
            (0..piece.customers.len()).map(|row| (piece.customers[row], FIRST_DAY + i32::from(piece.days[row]), piece.units.get(row)))
        })
        .map(|(customer, day, units)| (id(state.interner.keys(), customer), day, units))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [(7, 10, 12), (7, 12, 0), (7, 12, 0), (7, 12, 12), (7, 14, 2), (9, 13, 8)]);
    let refunds = packed.pieces().iter().flatten().map(|e| (e.day, e.units(packed.wide()), e.marks()));
    assert_eq!(refunds.collect::<Vec<_>>(), [(10, -3, all), (11, -4, all)]);
    Ok(())
}

#[test]
fn orders_do_not_depend_on_the_threads_of_their_lines() -> Result<()> {
    // Lines of an order are far apart, one order id in four belongs to two customers, and refunds make some orders negative.
    let n = 3 * ROWS_WORTH_THREADS as i64 + 77;
    let orders = n / 5;
    let lines: Vec<Line> = (0..n)
        .map(|row| {
            let order = row * 7 % orders;
            let customer = order % 4_001 + if order % 4 == 0 && row % 2 == 0 { 10_000 } else { 0 };
            (customer, row % 97, row * 31 % 1_000 - 400, order)
        })
        .collect();
    let mut sums: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for (customer, _, amount, order) in &lines {
        *sums.entry((*customer, *order)).or_default() += amount;
    }
    let mut expected: BTreeMap<i64, (u64, i128)> = BTreeMap::new();
    for ((customer, _), sum) in sums {
        let of = expected.entry(customer).or_default();
        *of = (of.0 + u64::from(sum >= 0), of.1 + i128::from(sum));
    }
    for track in [Track::Once, Track::Orders] {
        for (threads, pieces) in [(1, 1), (4, 1), (3, 5)] {
            let mut found = base(track, OrderLines::Any, true)?;
            let context = Context::new(threads);
            let batches = lines.chunks(lines.len().div_ceil(pieces)).map(batch).collect::<Result<Vec<_>>>()?;
            found.update(&batches, &context)?;
            let view = found.view(None)?;
            let of = |code: u32| (id(view.ids(), code), (view.totals().get(code).orders, view.totals().get(code).units));
            let totals: BTreeMap<i64, (u64, i128)> = view.codes_by_id(&context)?.into_iter().map(of).collect();
            assert!(totals == expected, "{track:?}, {threads} threads, {pieces} batches");
        }
    }
    Ok(())
}

#[test]
fn updates_beside_readers_are_those_of_one_thread() -> Result<()> {
    let context = Context::new(1);
    let updated = |base: &mut VersionedBase, number: i64| -> Result<()> {
        let batch = batch(&[(number % 5, 10 + number, 3, 0), (number, 11, 4, 0)])?;
        let mut builder = base.begin(&batch.schema())?;
        builder.push(&[batch], &context)?;
        base.commit(builder.finish(&context)?, None, &context)
    };
    let empty = || Ok::<_, Error>(VersionedBase::new(Arc::new(base(Track::Days, OrderLines::Any, false)?)));
    let (mut shared, mut serial) = (empty()?, empty()?);
    let mut held: Vec<(VersionedBase, u64)> = Vec::new();
    let mut merging: Option<(VersionedBase, VersionedBase)> = None;
    for number in 0..40 {
        updated(&mut shared, number)?;
        updated(&mut serial, number)?;
        assert_eq!((shared.customers(), shared.rows()), (serial.customers(), serial.rows()));
        if number % 3 == 0 || (15..22).contains(&number) {
            held.push((shared.clone(), shared.rows()));
        }
        if number == 19 {
            let before = shared.to_merge();
            let mut copy = before.clone();
            copy.merge_deltas(&context)?;
            merging = Some((copy, before));
        }
        // Updates went on while a reader merged, and a later reader needs them.
        if number == 22
            && let Some((copy, before)) = merging.take()
        {
            let changes = shared.changes();
            let whole = copy.main().rows();
            drop(shared.take_over(copy, &before));
            assert_eq!((shared.changes(), shared.main().rows(), whole), (changes, 40, 40));
            assert!(shared.whole_since(20).is_some() && shared.whole_since(21).is_none());
        }
    }
    assert!(held.iter().all(|(version, rows)| version.rows() == *rows));
    // What an obsolete merge found is not taken over.
    let (mut late, before) = (shared.clone(), shared.clone());
    late.merge_deltas(&context)?;
    shared.merge_deltas(&context)?;
    drop(shared.take_over(late, &before));
    assert_eq!(shared.main().to_bytes(&context)?, serial.main().to_bytes(&context)?);
    Ok(())
}
