//! Runs of cells against a map.

use std::collections::BTreeMap;

use super::*;

const KEPT: Kept = Kept { by_day: false, discounts: true, times: true };

fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

fn cell(next: &mut impl FnMut(u64) -> u64) -> (u32, Cell) {
    let owner = next(400) as u32;
    let (orders, rows) = (next(3), next(100_000));
    let (units, discounted_units) = (i128::from(next(1 << 40)) - (1 << 39), i128::from(next(50)) << next(80));
    let (category, day, time) = (next(9) as u32, next(30) as i32, (next(5) as i64, next(9) as u32));
    let category = if category == 8 { NO_CODE } else { category };
    (owner, Cell { category, day, orders, rows, units, discounted_rows: next(2), discounted_units, time })
}

/// What a base of these cells would have.
type Expected = BTreeMap<(u32, (u32, i32)), Cell>;

fn expected(cells: &[(u32, Cell)], kept: Kept, ends: Ends) -> Expected {
    let mut all = Expected::new();
    for (owner, cell) in cells {
        all.entry((*owner, cell.place(kept))).and_modify(|known| known.join(cell, ends)).or_insert(*cell);
    }
    all
}

fn found(cells: &CellRuns, kept: Kept) -> Expected {
    let mut reader = cells.reader();
    // Not in order, so that the reader has to search.
    let owners = (0..400).step_by(3).chain((0..400).rev());
    owners.flat_map(|owner| reader.cells(owner).iter().map(|cell| ((owner, cell.place(kept)), *cell)).collect::<Vec<_>>()).collect()
}

#[test]
fn runs_are_what_a_map_would_be() {
    for (seed, by_day) in [(1, false), (2, true), (3, false)] {
        let kept = Kept { by_day, ..KEPT };
        for ends in [Ends::First, Ends::Last] {
            let mut next = numbers(seed);
            let mut runs = CellRuns::new(kept, ends);
            let mut all = Vec::new();
            for _ in 0..40 {
                for _ in 0..next(300) {
                    let (owner, cell) = cell(&mut next);
                    runs.add(owner, cell);
                    all.push((owner, cell));
                }
                if next(3) > 0 {
                    runs.flush();
                }
            }
            assert_eq!(found(&runs, kept), expected(&all, kept, ends));
            let removed: Vec<u32> = (0..400).filter(|owner| owner % 7 == 2).collect();
            runs.remove(&removed);
            all.retain(|(owner, _)| owner % 7 != 2);
            assert_eq!(found(&runs, kept), expected(&all, kept, ends));
            let mut settled = runs.clone();
            settled.settle();
            assert_eq!(found(&settled, kept), expected(&all, kept, ends));
            assert_eq!(settled.len(), expected(&all, kept, ends).len());
            let left: Vec<u32> = vec![399, 5, 0, 17, 398];
            runs.retain(&left);
            let place = |owner: u32| left.iter().position(|&other| other == owner).map(|at| at as u32);
            let renumbered: Vec<(u32, Cell)> = all.iter().filter_map(|(owner, cell)| Some((place(*owner)?, *cell))).collect();
            assert_eq!(found(&runs, kept), expected(&renumbered, kept, ends));
            if by_day {
                settled.until(14);
                all.retain(|(_, cell)| cell.day <= 14);
                assert_eq!(found(&settled, kept), expected(&all, kept, ends));
            }
        }
    }
}

#[test]
fn a_cell_takes_twenty_bytes() {
    let kept = Kept { by_day: false, discounts: false, times: false };
    let mut runs = CellRuns::new(kept, Ends::Last);
    for owner in 0..10_000 {
        for category in 0..30 {
            let cell = Cell { category, day: 7, orders: 2, rows: 3, units: 1 << 40, discounted_rows: 0, discounted_units: 0, time: (0, 0) };
            runs.add(owner, cell);
        }
    }
    runs.settle();
    // And 12 bytes of each owner.
    assert_eq!(runs.bytes(), 10_000 * (30 * 20 + 12));
}
