//! Day records: runs, their merges and removals.

use std::collections::BTreeMap;

use super::*;
use crate::error::Result;
use crate::exec::context::Context;

fn record(customer: u32, day: i32, units: i128) -> DayRecord {
    DayRecord { customer, day, orders: 1, rows: 1, others: 0, units }
}

#[test]
fn merged_run_does_not_depend_on_partition_of_rows() {
    let records: Vec<DayRecord> = (0..5_000_u32).map(|i| record(i * 7919 % 97, (i * 31 % 50) as i32, i128::from(i))).collect();
    let mut once = DayRuns::default();
    records.iter().for_each(|record| once.add(*record));
    let mut parts = DayRuns::default();
    for piece in records.rchunks(333) {
        let mut part = DayRuns::default();
        for record in piece {
            // The codes of the part are reversed.
            part.add(DayRecord { customer: 96 - record.customer, ..*record });
        }
        if piece.len() % 2 == 1 {
            part.flush();
        }
        parts.merge(&part, &mut |code| 96 - code, Threads::inline());
    }
    assert_eq!(once.whole(), parts.whole());
    assert_eq!(once.whole().records().map(|record| record.units).sum::<i128>(), 4_999 * 5_000 / 2);
    assert!(once.whole().records().is_sorted_by(|a, b| a.key() < b.key()));
}

#[test]
fn records_of_removed_customers_are_gone_from_all_runs() {
    let records: Vec<DayRecord> = (0..2_000_u32).map(|i| record(i * 7919 % 97, (i * 31 % 50) as i32, i128::from(i) << 60)).collect();
    let mut day_runs = DayRuns::default();
    for (at, record) in records.iter().enumerate() {
        day_runs.add(*record);
        if at % 300 == 0 {
            day_runs.flush();
        }
    }
    let reader = day_runs.clone();
    let before: Vec<DayRecord> = reader.whole().records().collect();
    let removed = [0, 7, 8, 50, 96, 200];
    let is_removed = |record: &DayRecord| removed.contains(&record.customer);
    let mut found: Vec<DayRecord> = Vec::new();
    day_runs.of_customers(&removed, |record| found.push(record));
    assert_eq!(found.iter().map(|record| record.units).sum::<i128>(), before.iter().filter(|r| is_removed(r)).map(|r| r.units).sum());
    day_runs.remove(&removed);
    let left: Vec<DayRecord> = before.iter().filter(|record| !is_removed(record)).copied().collect();
    assert_eq!(day_runs.whole().records().collect::<Vec<_>>(), left);
    assert_eq!(reader.whole().records().collect::<Vec<_>>(), before);
}

#[test]
fn purchases_that_are_added_after_a_reading_are_kept() {
    let purchase = |day: i32| purchase_row(day, 5).into_iter();
    let (mut one_by_one, mut blocks) = (DayRuns::default(), DayRuns::default());
    for day in 0..4 {
        purchase(day).for_each(|row| one_by_one.add_purchase(7, row));
        one_by_one.end_block();
        assert!(blocks.add_purchases(&[7], &[day], &[5_i64], 0));
        for day_runs in [&one_by_one, &blocks] {
            assert_eq!(day_runs.whole().records().map(|record| record.day).collect::<Vec<_>>(), (0..=day).collect::<Vec<_>>());
        }
    }
}

#[test]
fn merged_run_is_cached_until_records_are_added() {
    let mut day_runs = DayRuns::default();
    day_runs.add_run(DayRun::default());
    for customer in [3, 1, 2] {
        day_runs.add(record(customer, 5, 1));
    }
    let whole = day_runs.whole();
    assert!(Arc::ptr_eq(&whole, &day_runs.whole()) && Arc::ptr_eq(&whole, &day_runs.clone().whole()));
    day_runs.add(record(1, 5, 1));
    assert_eq!(day_runs.whole().records().map(|record| (record.customer, record.units)).collect::<Vec<_>>(), [(1, 2), (2, 1), (3, 1)]);
    assert_eq!((whole.len(), day_runs.len()), (3, 4));
}

#[test]
fn optional_columns_are_backfilled() {
    let mut day_runs = DayRuns::default();
    day_runs.add(record(0, 1, 5));
    day_runs.add(DayRecord { rows: 3, ..record(1, 1, 1 << 80) });
    let refunds = DayRecord { orders: 0, rows: 0, others: 2, ..record(0, 1, -7) };
    day_runs.add(refunds);
    let found: Vec<DayRecord> = day_runs.whole().records().collect();
    assert_eq!(found, [record(0, 1, 5), refunds, DayRecord { rows: 3, ..record(1, 1, 1 << 80) }]);
}

#[test]
fn count_beyond_32_bits_takes_two_records() {
    let mut day_runs = DayRuns::default();
    let much = DayRecord { orders: u32::MAX, rows: u32::MAX, ..record(3, 9, 1) };
    day_runs.add(much);
    day_runs.add(much);
    let found: u64 = day_runs.whole().records().map(|record| u64::from(record.orders)).sum();
    assert_eq!(found, 2 * u64::from(u32::MAX));
    assert_eq!(day_runs.counts(4), [0, 0, 0, 1]);
}

#[test]
fn customers_that_become_one_join_their_days() {
    let mut parts = DayRuns::default();
    for (customer, day) in [(0, 3), (0, 5), (1, 9), (2, 3), (2, 4), (3, 1)] {
        parts.add(record(customer, day, 1));
    }
    parts.flush();
    let mut whole = DayRuns::default();
    whole.merge(&parts, &mut |code| [7, 2, 7, NO_CODE][code as usize], Threads::inline());
    let found: Vec<_> = whole.whole().records().map(|record| (record.customer, record.day, record.units)).collect();
    assert_eq!(found, [(2, 9, 1), (7, 3, 2), (7, 4, 1), (7, 5, 1)]);
}

#[test]
fn parts_are_appended_in_one_pass() {
    let part = |customers: u32| {
        let mut part = DayRuns::default();
        // Long enough for several runs, and a rest that is not sorted.
        (0..20_000_u32).for_each(|i| part.add(record(i * 7919 % customers, (i * 31 % 50) as i32, i128::from(i))));
        part
    };
    let mut merged = DayRuns::default();
    merged.merge(&part(97), &mut |code| code, Threads::inline());
    merged.merge(&part(13), &mut |code| code + 97, Threads::inline());
    let mut whole = DayRuns::default();
    whole.append_all(vec![(part(97), 0), (part(13), 97)], Threads::inline());
    assert_eq!((whole.n_runs(), whole.whole()), (1, merged.whole()));
    let copy = merged.clone();
    merged.settle(Threads::inline());
    assert_eq!((merged.n_runs(), merged.whole()), (1, copy.whole()));
}

/// Purchases, rows, other rows and amount by customer, day and kind.
type Model = BTreeMap<Key, Sums>;
type Key = (u32, i32, bool);
type Sums = (u32, u32, u32, i128);

fn add_to(model: &mut Model, record: &DayRecord) {
    let sum = model.entry(record.key()).or_default();
    *sum = (sum.0 + record.orders, sum.1 + record.rows, sum.2 + record.others, sum.3 + record.units);
}

fn of_run(run: &DayRun) -> Vec<(Key, Sums)> {
    run.records().map(|record| (record.key(), (record.orders, record.rows, record.others, record.units))).collect()
}

/// Records of all kinds: mostly purchases of one row; some refunds, some of several rows, some days and amounts beyond the narrow
/// columns, and a customer with many rows.
fn mixed(n: u32, customers: u32, seed: u32) -> Vec<DayRecord> {
    let mut state = u64::from(seed) << 32 | 0x9E37_79B9;
    let mut next = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as u32) % below
    };
    let one = |_| {
        let customer = if next(20) == 0 { customers / 2 } else { next(customers) };
        let day = if next(500) == 0 { -30_000 - next(9) as i32 } else { 18_000 + next(40) as i32 };
        let units = if next(400) == 0 { i128::from(next(1_000)) << 70 } else { i128::from(next(1_000)) };
        let plain = DayRecord { customer, day, orders: 1, rows: 1, others: 0, units };
        match next(30) {
            0 => DayRecord { orders: 0, rows: 0, others: 1, units: -units, ..plain },
            1 => DayRecord { rows: 1 + next(4), ..plain },
            _ => plain,
        }
    };
    (0..n).map(one).collect()
}

/// Adds a record as rows are added: purchases of one row that fit are packed.
fn add_as_row(day_runs: &mut DayRuns, record: &DayRecord) {
    match purchase_row(record.day, record.units) {
        Some(row) if (record.orders, record.rows, record.others) == (1, 1, 0) => {
            day_runs.add_purchase(record.customer, row);
            day_runs.end_block();
        }
        _ => day_runs.add(*record),
    }
}

#[test]
fn every_way_to_add_gives_the_sums_by_customer_and_day() -> Result<()> {
    for (n, customers, seed) in [(30_000, 700, 1), (200_000, 90_000, 2), (5_000, 4_000_000, 3), (150_000, 1, 4)] {
        let records = mixed(n, customers, seed);
        let mut model = Model::new();
        records.iter().for_each(|record| add_to(&mut model, record));
        let expected: Vec<_> = model.iter().map(|(key, sum)| (*key, *sum)).collect();
        let mut single = DayRuns::default();
        records.iter().for_each(|record| single.add(*record));
        assert_eq!(of_run(&single.whole()), expected);
        for deferred in [false, true] {
            let mut parts: Vec<DayRuns> = Vec::new();
            for piece in records.chunks(records.len() / 3 + 1) {
                let mut part = DayRuns::default();
                if deferred {
                    part.defer();
                }
                piece.iter().for_each(|record| add_as_row(&mut part, record));
                parts.push(part);
            }
            let mut whole = DayRuns::default();
            whole.merge(&parts[2], &mut |code| code, Threads::inline());
            parts.drain(..2).for_each(|part| whole.merge_same(part, Threads::inline()));
            assert_eq!(of_run(&whole.whole()), expected, "{n} {customers} {deferred}");
            Context::new(3).install(|threads| whole.settle(threads))?;
            assert_eq!(of_run(&whole.whole()), expected);
            assert!(whole.n_runs() == 1 && whole.bytes() >= 10 * whole.len());
        }
    }
    Ok(())
}

#[test]
fn buffered_purchases_of_few_days_become_a_run() {
    let (mut same_days, mut many_days) = (DayRuns::default(), DayRuns::default());
    for (day_runs, days) in [(&mut same_days, 2), (&mut many_days, 200)] {
        day_runs.defer();
        for i in 0..200_000_u32 {
            day_runs.add_purchase(i % 1_000, row_of((i / 1_000 % days) as i32, i64::from(i)));
            day_runs.end_block();
        }
    }
    // 200,000 rows of 2,000 customer-days stay small, those of customer-days of their own are sorted once, at the end.
    assert!(same_days.n_runs() > 0 && same_days.bytes() < 800_000, "{} bytes", same_days.bytes());
    assert_eq!(many_days.n_runs(), 0);
    many_days.flush();
    assert_eq!((many_days.n_runs(), many_days.len()), (1, 200_000));
}

#[test]
fn an_index_finds_the_records_of_each_customer() {
    for (n, customers, start) in [(60_000, 100, 0), (60_000, 50_000, 17), (3_000, 2_000_000, 0)] {
        let records = mixed(n, customers, 9);
        let mut part = DayRuns::default();
        records.iter().for_each(|record| part.add(*record));
        let mut whole = DayRuns::default();
        whole.append_all(vec![(part, start)], Threads::inline());
        let index = DayIndex::new(whole.whole());
        let mut expected: BTreeMap<u32, Vec<DayRecord>> = BTreeMap::new();
        whole.whole().records().for_each(|record| expected.entry(record.customer).or_default().push(record));
        for code in (0..customers + 50).filter(|code| customers < 100_000 || expected.contains_key(code) || code % 1_001 == 0) {
            let of_customer = expected.get(&code).map_or(&[][..], Vec::as_slice);
            assert_eq!(index.records(code).collect::<Vec<_>>(), of_customer);
            assert_eq!(index.count(code), of_customer.len());
        }
        // A cut at a day, and sums of both sides.
        for group in whole.whole().groups() {
            let up_to = group.until(18_020);
            let kept: Vec<DayRecord> = group.records().filter(|record| record.day <= 18_020).collect();
            assert_eq!(up_to.records().collect::<Vec<_>>(), kept);
        }
    }
}

#[test]
fn customers_are_taken_from_several_parts() {
    let records = mixed(20_000, 500, 5);
    let (left, right) = records.split_at(7_000);
    let parts: Vec<DayIndex> = [left, right]
        .map(|records| {
            let mut part = DayRuns::default();
            records.iter().for_each(|record| part.add(*record));
            DayIndex::new(part.whole())
        })
        .into();
    // Odd customers only, in reverse; those of both parts become one.
    let own = |code: u32| 499 - code;
    let mut moves: Vec<(u32, u32, u32)> =
        (0..500).filter(|code| code % 2 == 1).flat_map(|code| [(own(code), 0, code), (own(code), 1, code)]).collect();
    moves.sort_unstable();
    let mut taken = DayRuns::default();
    taken.take(&parts, &moves);
    let mut model = Model::new();
    let odd = records.iter().filter(|record| record.customer % 2 == 1);
    odd.for_each(|record| add_to(&mut model, &DayRecord { customer: own(record.customer), ..*record }));
    assert_eq!(of_run(&taken.whole()), model.into_iter().collect::<Vec<_>>());
}

#[test]
fn merges_share_the_segments_that_they_do_not_change() {
    let mut base = DayRuns::default();
    for customer in 0..100_000 {
        (0..4).for_each(|day| base.add_purchase(customer, row_of(day, 1)));
    }
    base.flush();
    let before = base.whole();
    let mut update = DayRuns::default();
    (0..50).for_each(|customer| update.add_purchase(1_000 + customer, row_of(9, 1)));
    update.flush();
    base.merge_same(update, Threads::inline());
    base.settle(Threads::inline());
    let after = base.whole();
    let is_shared = |piece: &&Piece| before.pieces().iter().any(|other| Arc::ptr_eq(&other.segment, &piece.segment));
    let shared = after.pieces().iter().filter(is_shared).count();
    assert!(shared + 2 >= before.pieces().len() && shared < before.pieces().len(), "{shared} of {}", before.pieces().len());
    assert_eq!(after.len(), 400_050);
}
