//! Tests of the state: overflow of the narrow layout, merges with code mappings, and
//! orders with lines in several threads.

use std::collections::BTreeMap;

use super::days::{DayRecord, DayRun, DayRuns};
use super::open_orders::OpenOrders;
use super::order_log::OrderLog;
use super::spec::Returns;
use super::stats::{CustomerStats, CustomerStatsTable, EMPTY, FIRST_DAY, LAST_DAY};
use super::totals::{Order, PurchaseRules, RowNumbers, RowSlice};
use crate::column::bounds::ObservationWindow;
use crate::column::key::KeyKind;
use crate::column::mark::{PURCHASE, RETURNING, START};
use crate::column::{BLOCK, flag};
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::interner::{Interner, NO_CODE};

// Days

fn record(customer: u32, day: i32, units: i128) -> DayRecord {
    DayRecord { customer, day, orders: 1, rows: 1, others: 0, units }
}

/// The sums of a run by customer and day, in 64 bits.
fn sums(run: &DayRun) -> BTreeMap<(u32, i32), (u64, u64, u64, i128)> {
    let mut sums = BTreeMap::new();
    for record in run.records() {
        let sum: &mut (u64, u64, u64, i128) = sums.entry((record.customer, record.day)).or_default();
        sum.0 += u64::from(record.orders);
        sum.1 += u64::from(record.rows);
        sum.2 += u64::from(record.others);
        sum.3 += record.units;
    }
    sums
}

#[test]
fn purchases_and_refunds_of_a_day_are_records_of_their_own() {
    let two_lines = DayRecord { customer: 1, day: 5, orders: 0, rows: 1, others: 2, units: -4 };
    let one_line = DayRecord { rows: 0, others: 1, units: -1, ..two_lines };
    let mut parts = [DayRuns::default(), DayRuns::default()];
    for (i, added) in [record(1, 5, 10), two_lines, one_line, record(1, 5, 3), record(1, 4, 1)].into_iter().enumerate() {
        parts[i % 2].add(added);
    }
    let [mut whole, other] = parts;
    whole.merge(&other, &mut |code| code, Threads::inline());
    let run = whole.whole();
    let found = run.records().map(|record| (record.day, record.orders, record.purchase_rows(), record.refund_orders(), record.units));
    assert_eq!(found.collect::<Vec<_>>(), [(4, 1, 1, 0, 1), (5, 2, 2, 0, 13), (5, 0, 0, 2, -5)]);
    assert_eq!(whole.counts(2), [0, 2]);
}

#[test]
fn counts_beyond_32_bits_survive_every_merge() {
    // Each count overflows 32 bits alone, and all together.
    let most = u32::MAX;
    for (orders, rows, others) in [(most, 1, 0), (1, most, 0), (1, 1, most), (most - 1, most, most - 2)] {
        let mut parts = [DayRuns::default(), DayRuns::default(), DayRuns::default()];
        for (i, day_runs) in (0..).zip(&mut parts) {
            // Neighbouring records, so that equal keys must be found among others.
            for other in [record(0, 5, 1), record(1, 4, 2), record(1, 6, 3), record(2, 5, 4)] {
                day_runs.add(other);
            }
            day_runs.add(DayRecord { customer: 1, day: 5, orders, rows, others, units: i << 70 });
            day_runs.add(DayRecord { others: 3, ..record(1, 5, -1) });
            if i == 1 {
                day_runs.flush();
            }
        }
        let [mut whole, second, third] = parts;
        whole.merge(&second, &mut |code| code, Threads::inline());
        whole.flush();
        whole.merge(&third, &mut |code| code, Threads::inline());
        let found = sums(&whole.whole());
        let three = |count: u32, more: u64| 3 * (u64::from(count) + more);
        assert_eq!(found[&(1, 5)], (three(orders, 1), three(rows, 1), three(others, 3), (3 << 70) - 3));
        assert_eq!(found[&(2, 5)], (3, 3, 0, 12));
        assert_eq!(found.len(), 5);
        // A day counts once, whatever the number of its records.
        assert_eq!(whole.counts(3), [1, 3, 1]);
    }
}

#[test]
fn runs_merge_with_equal_reversed_and_dropped_codes() {
    let mut other = DayRuns::default();
    for customer in 0..6 {
        for day in 0..3 {
            other.add(record(customer, day, i128::from(customer)));
        }
        if customer == 3 {
            other.flush();
        }
    }
    // Two codes map to one, so days of the second precede the last day of the first; one customer is dropped;
    // the last codes are reversed.
    let own = [4, 4, NO_CODE, 2, 1, 0];
    let mut whole = DayRuns::default();
    whole.add(record(4, 1, 100));
    whole.flush();
    whole.merge(&other, &mut |code| own[code as usize], Threads::inline());
    let mut expected: BTreeMap<(u32, i32), (u64, u64, u64, i128)> = BTreeMap::from([((4, 1), (1, 1, 0, 100))]);
    for (code, customer) in (0_i128..).zip(own).filter(|(_, own)| *own != NO_CODE) {
        for day in 0..3 {
            let sum = expected.entry((customer, day)).or_default();
            *sum = (sum.0 + 1, sum.1 + 1, sum.2, sum.3 + code);
        }
    }
    let run = whole.whole();
    assert_eq!(sums(&run), expected);
    assert_eq!(run.len(), expected.len(), "one record for each customer and day");
    assert!(run.records().is_sorted_by_key(|record| (record.customer, record.day)));
}

#[test]
fn many_updates_leave_few_runs() {
    let mut day_runs = DayRuns::default();
    for update in 0..300 {
        for customer in 0..10 {
            day_runs.add(record(customer, update, 1));
        }
        day_runs.flush();
    }
    assert_eq!(day_runs.len(), 3_000);
    // Each run is at most half as long as the previous one, so there are about log2(records) runs.
    assert!(day_runs.n_runs() <= 12, "{} runs", day_runs.n_runs());
}

// Open orders

fn part(customer: u32, day: i32, units: i128, first_row: u64) -> Order {
    Order { customer, day, units, lines: 1, first_row, amount_is_null: row_is_null(first_row), marks: 1 << (first_row % 3) }
}

fn row_is_null(row: u64) -> bool {
    !row.is_multiple_of(4)
}

/// No orders, whose ids are integers from 0 on.
fn of_range(ids: usize, by_day: bool) -> OpenOrders {
    let mut interner = Interner::range(KeyKind::Signed, 0);
    interner.extend_range(ids);
    OpenOrders::new(interner, by_day)
}

fn ordered(orders: &[Order]) -> Vec<Order> {
    let mut orders = orders.to_vec();
    orders.sort_unstable_by_key(|order| (order.customer, order.first_row, order.day));
    orders
}

#[test]
fn orders_shared_by_threads_are_gathered() -> Result<()> {
    let (ids, n_parts) = (500_u64, 4);
    let mut expected: BTreeMap<(u64, u32), Order> = BTreeMap::new();
    let mut parts: Vec<OpenOrders> = (0..n_parts).map(|_| of_range(ids as usize, false)).collect();
    for row in 0..6_000_u64 {
        // Ids below 100 belong to one thread, the others to several. Every fifth id belongs to three customers.
        let id = row * 7 % ids;
        let customer = id as u32 * 3 + if id % 5 == 0 { (row % 3) as u32 } else { 0 };
        let thread = if id < 100 { id % n_parts } else { row / ids % n_parts };
        let line = part(customer, (row % 11) as i32, i128::from(row) - 3_000, row);
        let add = |order: &mut Order| {
            let Order { day, units, lines, amount_is_null, marks, .. } = *order;
            let (is_null, marks) = (amount_is_null && line.amount_is_null, marks | line.marks);
            *order =
                Order { day: day.min(line.day), units: units + line.units, lines: lines + 1, amount_is_null: is_null, marks, ..*order };
        };
        expected.entry((id, customer)).and_modify(add).or_insert(line);
        parts[thread as usize].add(id as u32, &line)?;
    }
    assert!(parts.iter().map(|part| part.orders().len()).sum::<usize>() > expected.len(), "some orders are in several parts");
    let others: Vec<usize> = parts.iter().map(|part| part.orders().len()).collect();
    assert!(OpenOrders::gather_shared(&mut parts.iter_mut().collect::<Vec<_>>())?);
    let whole: Vec<Order> = parts.iter().flat_map(|part| part.orders().iter()).collect();
    assert_eq!(ordered(&whole), ordered(&expected.into_values().collect::<Vec<_>>()));
    // Orders of a single thread stay in its part.
    assert!(parts[1..].iter().zip(&others[1..]).all(|(part, before)| (1..*before).contains(&part.orders().len())));
    Ok(())
}

#[test]
fn orders_are_not_gathered_if_codes_differ_or_parts_are_kept() -> Result<()> {
    let hashed = || OpenOrders::new(Interner::new(KeyKind::Signed), false);
    for (mut first, mut second) in [(of_range(5, false), hashed()), (hashed(), hashed()), (of_range(5, true), of_range(5, true))] {
        for orders in [&mut first, &mut second] {
            orders.add(3, &part(1, 2, 10, 0))?;
        }
        assert!(!OpenOrders::gather_shared(&mut [&mut first, &mut second])?);
        for orders in [&first, &second] {
            assert!(orders.orders().iter().eq([part(1, 2, 10, 0)]));
        }
    }
    Ok(())
}

#[test]
fn merged_orders_keep_their_parts_by_day_and_their_customers() -> Result<()> {
    // Codes of order ids differ between the two: the same id has code 0 here and 1 there.
    let mut whole = OpenOrders::new(Interner::new(KeyKind::Signed), true);
    let mut other = whole.empty_like();
    assert!(other.is_by_day());
    let same = whole.ids.intern_integer(77)?;
    other.ids.intern_integer(5)?;
    let same_there = other.ids.intern_integer(77)?;
    assert_ne!(same, same_there);
    whole.add(same, &part(8, 3, 100, 4))?;
    for line in [part(0, 1, 10, 0), part(0, 3, 1, 1), part(0, 1, 10, 2)] {
        other.add(same_there, &line)?;
    }
    // The same id of another customer, and a dropped customer.
    other.add(same_there, &part(1, 2, 5, 3))?;
    other.add(same_there, &part(2, 2, 7, 4))?;
    let mut moved = Vec::new();
    whole.merge(&other, 1_000, |customer| [8, 9, NO_CODE][customer as usize], |from, to| moved.push((from, to)))?;
    assert_eq!(moved, [(0, 0), (1, 1)]);
    let found: Vec<_> = whole.orders().iter().map(|o| (o.customer, o.day, o.units, o.lines, o.first_row)).collect();
    assert_eq!(found, [(8, 1, 121, 4, 4), (9, 2, 5, 1, 1_003)]);
    let by_day: Vec<_> = whole.parts(0).iter().map(|o| (o.day, o.units, o.lines)).collect();
    assert_eq!(by_day, [(1, 20, 2), (3, 101, 2)]);
    assert!(whole.parts(1).is_empty());
    assert_eq!((whole.position(same, 8), whole.position(same, 9), whole.position(same, 0)), (Some(0), Some(1), None));
    Ok(())
}

// Totals in 16 or 32 bytes

/// The stats of these customers, added one by one.
fn stats(rows: &[(u32, CustomerStats)], customers: usize) -> CustomerStatsTable {
    let mut stats = CustomerStatsTable::default();
    stats.grow(customers);
    rows.iter().for_each(|(code, entry)| stats.join(*code, entry));
    stats
}

/// The same in the wide layout, without bounds.
fn plain(rows: &[(u32, CustomerStats)], customers: usize) -> Vec<CustomerStats> {
    let mut stats = vec![EMPTY; customers];
    rows.iter().for_each(|(code, entry)| stats[*code as usize].join(entry));
    stats
}

fn bought(units: i128, orders: u64, first: i32, last: i32) -> CustomerStats {
    CustomerStats { units, orders, first, last }
}

fn all(stats: &CustomerStatsTable) -> Vec<CustomerStats> {
    (0..stats.len() as u32).map(|code| stats.get(code)).collect()
}

#[test]
fn entries_are_narrow_while_bounds_fit() {
    let most = i128::from(i64::MAX);
    let last = bought(0, 1, LAST_DAY, LAST_DAY);
    let cases = [
        (vec![bought(most - 1, 1, 0, 0), bought(1, 1, 0, 0)], true),
        (vec![bought(most, 1, 0, 0), bought(1, 1, 0, 0)], false),
        // The bound sums absolute values: refunds do not lower it.
        (vec![bought(most, 1, 0, 0), bought(-1, 1, 0, 0)], false),
        (vec![bought(-most, 1, 0, 0)], true),
        (vec![bought(-most - 1, 1, 0, 0)], false),
        (vec![bought(1, u64::from(u32::MAX) - 1, 0, 0), bought(1, 1, 0, 0)], true),
        (vec![bought(1, u64::from(u32::MAX), 0, 0), bought(1, 1, 0, 0)], false),
        (vec![bought(1, 1, FIRST_DAY, FIRST_DAY), last], true),
        (vec![bought(1, 1, FIRST_DAY - 1, FIRST_DAY)], false),
        (vec![bought(1, 1, LAST_DAY, LAST_DAY + 1)], false),
        // Customers with only refunds have no days, so days are not checked.
        (vec![CustomerStats { units: -5, ..EMPTY }], true),
    ];
    for (number, (added, narrow)) in cases.iter().enumerate() {
        let rows: Vec<(u32, CustomerStats)> = added.iter().map(|entry| (1, *entry)).chain([(0, bought(7, 1, 3, 3))]).collect();
        let found = stats(&rows, 3);
        // The purchase of the other customer may exceed the bound.
        let fits = *narrow && stats(&rows[..added.len()], 3).is_narrow();
        assert_eq!(stats(&rows[..added.len()], 3).is_narrow(), *narrow, "case {number}");
        assert!(fits || !found.is_narrow(), "case {number}: a wide table stays wide");
        assert_eq!(all(&found), plain(&rows, 3), "case {number}");
    }
}

/// The codes of a part as (row, code) pairs.
fn sources(codes: &[u32]) -> Vec<(u32, u32)> {
    (0..).zip(codes.iter().copied()).filter(|(_, code)| *code != NO_CODE).collect()
}

#[test]
fn narrow_and_wide_parts_join_gather_and_concat_to_the_same() {
    let narrow = [(0, bought(5, 2, 10, 20)), (2, CustomerStats { units: -3, ..EMPTY }), (1, bought(1, 1, FIRST_DAY, LAST_DAY))];
    let wide = [(0, bought(1 << 90, 1, -40_000, 15)), (1, bought(-7, 3, 12, 90_000)), (3, bought(2, u64::from(u32::MAX) + 9, 1, 2))];
    let wide_by_days = [(0, bought(4, 1, FIRST_DAY - 1, 15)), (1, bought(-7, 3, 12, LAST_DAY + 1))];
    let rows = [narrow.as_slice(), wide.as_slice(), wide_by_days.as_slice()];
    let parts = [stats(rows[0], 3), stats(rows[1], 4), stats(rows[2], 3)];
    assert_eq!(parts.each_ref().map(CustomerStatsTable::is_narrow), [true, false, false]);
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (2, 2)] {
        let mut joined = parts[a].clone();
        joined.join_all(&parts[b], Threads::inline());
        assert_eq!(all(&joined), plain(&[rows[a], rows[b]].concat(), joined.len()), "{a} and {b}");

        let row_codes: [&[u32]; 2] = [&[2, 1, NO_CODE, 0], &[0, NO_CODE, 1, 2]];
        let gathered =
            CustomerStatsTable::gather(&[(&parts[a], &sources(row_codes[0])), (&parts[b], &sources(row_codes[1]))], 4, Threads::inline());
        let expected = (0..4).map(|row| {
            let mut entry = EMPTY;
            let codes = [(a, row_codes[0][row]), (b, row_codes[1][row])];
            codes.iter().filter(|(_, code)| *code != NO_CODE).for_each(|(part, code)| entry.join(&parts[*part].get(*code)));
            entry
        });
        assert_eq!(all(&gathered), expected.collect::<Vec<_>>(), "{a} and {b}");

        let ends = CustomerStatsTable::concat(&[(&parts[a], 0), (&parts[b], 6)], 12, Threads::inline());
        let mut expected = vec![EMPTY; 12];
        expected[..parts[a].len()].copy_from_slice(&all(&parts[a]));
        expected[6..6 + parts[b].len()].copy_from_slice(&all(&parts[b]));
        assert_eq!(all(&ends), expected, "{a} and {b}");
    }
}

#[test]
fn gathered_sum_may_exceed_the_narrow_layout() -> Result<()> {
    let n = ROWS_WORTH_THREADS + 1_000;
    let half = i128::from(i64::MAX) / 2 + 1;
    let part = stats(&[(0, bought(half, 1, 1, 1)), (n as u32 - 1, bought(-4, 1, 2, 3))], n);
    assert!(part.is_narrow());
    let row_codes: Vec<u32> = (0..n as u32).rev().collect();
    for threads in [1, 3] {
        let whole = Context::new(threads)
            .install(|threads| CustomerStatsTable::gather(&[(&part, &sources(&row_codes)), (&part, &sources(&row_codes))], n, threads))?;
        assert!(!whole.is_narrow());
        assert_eq!(whole.get(n as u32 - 1), bought(2 * half, 2, 1, 1));
        assert_eq!(whole.get(0), bought(-8, 2, 2, 3));
        assert_eq!((1..n as u32 - 1).filter(|&code| whole.get(code) != EMPTY).count(), 0);
    }
    Ok(())
}

// Order log

/// Customer, day, amount, marks and row of every order, packed ones first.
fn written(order_log: &OrderLog) -> Vec<(u32, i32, i128, u8, u64)> {
    let purchase_log = order_log.purchases().into_iter().flat_map(super::purchase_log::PurchaseLog::pieces).flat_map(|piece| {
        let day = |row: usize| FIRST_DAY + i32::from(piece.days[row]);
        (0..piece.customers.len()).map(move |row| (piece.customers[row], day(row), i128::from(piece.units.get(row)), u8::MAX, 0))
    });
    let full = order_log.pieces().iter().flatten().map(|e| (e.customer, e.day, e.units(order_log.wide()), e.marks(), e.row()));
    purchase_log.chain(full).collect()
}

fn purchase_log() -> OrderLog {
    OrderLog::of(&ObservationWindow { is_packed: true, ..ObservationWindow::default() })
}

#[test]
fn orders_that_do_not_fit_the_packed_log_are_full_records() {
    let rules = PurchaseRules { returns: Returns::Exclude, zero_is_purchase: false };
    let mut order_log = purchase_log();
    let rows = |codes, days, units, flags, holes| RowSlice { codes, days, units, flags, marks: None, rows: RowNumbers::From(100), holes };
    // All packed: one block.
    order_log.add_rows(rules, &rows(&[1, 2], &[10, 11], &[5_i64, 6], &[0, 0], false));
    // A hole, an excluded refund, an order of 0, a null amount, days out of range.
    let days = [12, 13, 14, 15, FIRST_DAY - 1, LAST_DAY + 1];
    let flags = [0, 0, 0, flag::NULL_AMOUNT, 0, 0];
    order_log.add_rows(rules, &rows(&[NO_CODE, 3, 4, 5, 6, 7], &days, &[1_i64, -2, 0, 0, 8, 9], &flags, true));
    let all = START | RETURNING;
    let expected = [
        (1, 10, 5, u8::MAX, 0),
        (2, 11, 6, u8::MAX, 0),
        (5, 15, 0, u8::MAX, 0),
        (4, 14, 0, all, 102),
        (6, FIRST_DAY - 1, 8, all | PURCHASE, 104),
        (7, LAST_DAY + 1, 9, all | PURCHASE, 105),
    ];
    assert_eq!(written(&order_log), expected);
    // A hole among packed purchases.
    order_log.add_rows(rules, &rows(&[9, NO_CODE], &[12, 13], &[3, 4], &[0, 0], true));
    assert_eq!(written(&order_log)[3], (9, 12, 3, u8::MAX, 0));
    assert_eq!(order_log.len(), 7);
    // An amount beyond 64 bits.
    let wide = [1_i128 << 70];
    let row = RowSlice { codes: &[8], days: &[10], units: &wide, flags: &[0], marks: None, rows: RowNumbers::From(100), holes: false };
    order_log.add_rows(rules, &row);
    assert_eq!(written(&order_log)[7], (8, 10, 1 << 70, all | PURCHASE, 100));
    assert_eq!(order_log.len(), 8);
}

#[test]
fn logs_of_threads_append() {
    let all = START | RETURNING | PURCHASE;
    let (threads, orders) = (3_u32, 2 * BLOCK as u32 + 70_000);
    let mut whole = purchase_log();
    let mut expected = Vec::new();
    for thread in 0..threads {
        let mut log = purchase_log();
        for i in 0..orders {
            let units = if i % 1_000 == 0 { (1 << 80) + i128::from(i) } else { i128::from(i) * 10_000 };
            let (day, marks) = (i as i32 % 500, if i % 3 == 0 { START } else { all });
            log.add_order(i, day, units, marks, u64::from(i));
            // Purchases that fit are packed, without marks and row.
            let is_packed = marks & PURCHASE != 0 && units < 1 << 80;
            let kept = if is_packed { (u8::MAX, 0) } else { (marks, u64::from(i)) };
            expected.push((i + thread * orders, day, units, kept.0, kept.1));
        }
        // The last log is not closed: buffered purchases are appended, too.
        if thread < 2 {
            log.close();
        }
        whole.append(log, |code| code + thread * orders);
        // Appending to the target log continues.
        whole.add_order(0, 0, i128::from(thread) - (1 << 90), START, 7);
        expected.push((0, 0, i128::from(thread) - (1 << 90), START, 7));
    }
    whole.close();
    assert_eq!(whole.len(), expected.len());
    let mut found = written(&whole);
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected);
}
