//! Narrow and wide entries hold the same customer stats.

use super::*;

/// The stats of the same rows in both layouts.
fn both_layouts(codes: &[u32], days: &[i32], units: &[i64]) -> [Vec<CustomerStats>; 2] {
    [false, true].map(|wide| {
        let mut entries = CustomerStatsTable::default();
        entries.grow(4);
        if wide {
            entries.widen();
        }
        entries.add_block(codes, days, units, true);
        (0..4).map(|code| entries.get(code)).collect()
    })
}

#[test]
fn both_layouts_hold_the_same_stats() {
    let (codes, days) = ([0, 0, 0, 0, NO_CODE, 2, 2, 1], [19_000, 18_000, 20_000, 1, 5, FIRST_DAY, LAST_DAY, 0]);
    let [narrow, wide] = both_layouts(&codes, &days, &[1, 2, 3, i64::from(i32::MAX), 7, 8, 9, 10]);
    assert_eq!(narrow, wide);
    assert_eq!(narrow[2], CustomerStats { units: 17, orders: 2, first: FIRST_DAY, last: LAST_DAY });
    assert_eq!(narrow[3], EMPTY);
}

#[test]
fn runs_are_summed_with_or_without_ascending_days() {
    let codes = [3, 3, 3, 1, 1, 1, 1, 0, 0, 0, 0, 0];
    let units: Vec<i64> = (1..=12).collect();
    for days in [[5, 5, 9, 2, 3, 4, 4, 1, 1, 1, 2, 7], [5, 9, 5, 2, 3, 4, 4, 1, 1, 1, 2, 7]] {
        let [narrow, wide] = both_layouts(&codes, &days, &units);
        assert_eq!(narrow, wide);
        assert_eq!(narrow[3], CustomerStats { units: 6, orders: 3, first: 5, last: 9 });
        assert_eq!(narrow[0], CustomerStats { units: 50, orders: 5, first: 1, last: 7 });
    }
}

#[test]
fn overflow_widens_the_table() {
    let big = i64::MAX / 2;
    let [narrow, wide] = both_layouts(&[1, 1, 1, 0], &[0, 0, 0, 0], &[big, big, big, 1]);
    assert_eq!(narrow, wide);
    assert_eq!(narrow[1].units, 3 * i128::from(big));
    let [narrow, wide] = both_layouts(&[1, 2], &[FIRST_DAY - 1, LAST_DAY + 1], &[1, 1]);
    assert_eq!(narrow, wide);
    assert_eq!((narrow[1].first, narrow[2].last), (FIRST_DAY - 1, LAST_DAY + 1));
}

#[test]
fn parts_are_gathered_by_their_codes() {
    let mut parts = [CustomerStatsTable::default(), CustomerStatsTable::default()];
    for (i, part) in (1..).zip(&mut parts) {
        part.grow(2);
        part.join(0, &CustomerStats { units: i, orders: 1, first: 10 * i as i32, last: 10 * i as i32 });
        part.join(1, &CustomerStats { units: -i, ..EMPTY });
    }
    let gathered = CustomerStatsTable::gather(&[(&parts[0], &[(0, 1), (1, 0)]), (&parts[1], &[(1, 0), (2, 1)])], 3, Threads::inline());
    assert_eq!(gathered.get(0), CustomerStats { units: -1, ..EMPTY });
    assert_eq!(gathered.get(1), CustomerStats { units: 3, orders: 2, first: 10, last: 20 });
    assert_eq!(gathered.get(2), CustomerStats { units: -2, ..EMPTY });
}
