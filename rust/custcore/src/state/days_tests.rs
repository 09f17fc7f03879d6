//! Day records: runs, their merges and removals.

use super::*;

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
        parts.merge(&part, &mut |code| 96 - code);
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
    whole.merge(&parts, &mut |code| [7, 2, 7, NO_CODE][code as usize]);
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
    merged.merge(&part(97), &mut |code| code);
    merged.merge(&part(13), &mut |code| code + 97);
    let mut whole = DayRuns::default();
    whole.append_all(vec![(part(97), 0), (part(13), 97)]);
    assert_eq!((whole.n_runs(), whole.whole()), (1, merged.whole()));
    let copy = merged.clone();
    merged.settle();
    assert_eq!((merged.n_runs(), merged.whole()), (1, copy.whole()));
}
