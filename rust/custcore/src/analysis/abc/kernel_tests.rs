use super::*;
use crate::error::Result;
use crate::exec::context::Context;

fn classing(by: ClassBy, rule: ClassRule, ties: ClassTies, thresholds: &[f64]) -> Classing {
    Classing { by, rule, ties, thresholds: thresholds.to_vec() }
}

/// Classes as letters.
fn letters(units: &[i64], groups: &[Range<usize>], classing: &Classing) -> String {
    let classed = classed(&Units::Narrow(units.to_vec()), groups, classing, Threads::inline());
    classed.class.iter().map(|&class| char::from(b'A' + class)).collect()
}

#[test]
fn the_row_that_crosses_a_threshold_belongs_above_it_or_below() {
    let units = [70, 10, 10, 5, 5];
    let of_all = |units: &[i64], classing: &Classing| letters(units, std::slice::from_ref(&(0..units.len())), classing);
    let of = |by, rule, ties| of_all(&units, &classing(by, rule, ties, &[0.8, 0.95]));
    assert_eq!(of(ClassBy::Value, ClassRule::Before, ClassTies::Split), "AABBC");
    assert_eq!(of(ClassBy::Value, ClassRule::Upto, ClassTies::Split), "AABBC");
    assert_eq!(of(ClassBy::Value, ClassRule::Before, ClassTies::Same), "AAABB");
    assert_eq!(of_all(&[90, 10], &classing(ClassBy::Value, ClassRule::Upto, ClassTies::Split, &[0.8, 0.95])), "BC");
    assert_eq!(of(ClassBy::Customers, ClassRule::Before, ClassTies::Split), "AAAAB");
    assert_eq!(of_all(&units, &classing(ClassBy::Customers, ClassRule::Before, ClassTies::Split, &[0.2, 0.5])), "ABBCC");
}

#[test]
fn groups_are_classed_each_by_itself() {
    let (units, groups) = ([80, 20, 0, -5, 7], [0..2, 2..4, 4..5]);
    let rule = classing(ClassBy::Value, ClassRule::Before, ClassTies::Split, &[0.8, 0.95]);
    assert_eq!(letters(&units, &groups, &rule), "ABCCA");
    let found = classed(&Units::Narrow(units.to_vec()), &groups, &rule, Threads::inline());
    assert_eq!(found.rank, [1, 2, 1, 2, 1]);
    assert!(found.cumulative_share[2].is_nan() && found.cumulative_share[3].is_nan(), "a value of 0 has no shares");
    let shares = [found.cumulative_share[0], found.cumulative_share[1], found.cumulative_share[4]];
    assert_eq!(shares.map(f64::to_bits), [0.8, 1.0, 1.0].map(f64::to_bits));
}

#[test]
fn positions_are_sorted_by_group_money_and_position() {
    let units = Units::Narrow(vec![5, 9, 5, -1, 9]);
    let mut order = by_value(&units, Threads::inline());
    assert_eq!(order, [1, 4, 0, 2, 3]);
    assert_eq!(by_group(&mut order, &[1, 0, 1, 0, 1], 2), [0..2, 2..5]);
    assert_eq!(order, [1, 3, 4, 0, 2]);
    let mut wide = units.clone();
    wide.append(Units::Wide(vec![1 << 100]));
    assert_eq!(by_value(&wide, Threads::inline()), [5, 1, 4, 0, 2, 3]);
}

/// Many equal values, and the ends of the numbers.
#[test]
fn many_positions_are_sorted() -> Result<()> {
    for spread in [1_i64, 1 << 40] {
        let mut units: Vec<i64> = (0..200_000_i64).map(|i| (i * 7_919 % 1_009 - 300) * spread).collect();
        units.extend([i64::MAX, i64::MIN, 0]);
        let mut expected: Vec<u32> = (0..units.len() as u32).collect();
        expected.sort_by_key(|&at| Reverse(units[at as usize]));
        let found = Context::new(3).install(|threads| by_value(&Units::Narrow(units.clone()), threads))?;
        assert_eq!(found, expected);
    }
    Ok(())
}

/// Many rows, cut into pieces, are classed as they are one by one.
#[test]
fn pieces_do_not_change_classes() -> Result<()> {
    let n = 100_000_usize;
    for (values, same) in [(7_i64, ClassTies::Same), (50_000, ClassTies::Same), (50_000, ClassTies::Split)] {
        let mut units: Vec<i64> = (0..n as i64).map(|i| i * 7_919 % values - 2).collect();
        units[..n / 3].sort_unstable_by(|a, b| b.cmp(a));
        units[n / 3..].sort_unstable_by(|a, b| b.cmp(a));
        let groups = [0..n / 3, n / 3..n];
        for by in [ClassBy::Value, ClassBy::Customers] {
            for rule in [ClassRule::Before, ClassRule::Upto] {
                let classing = classing(by, rule, same, &[0.3, 0.6, 0.9]);
                let found = Context::new(3).install(|threads| classed(&Units::Narrow(units.clone()), &groups, &classing, threads))?;
                for group in groups.clone() {
                    let total: i128 = units[group.clone()].iter().map(|&u| i128::from(u.max(0))).sum();
                    let (mut sum, mut before, mut first) = (0, (i64::MIN, 0), 0.0);
                    for (place, row) in group.clone().enumerate() {
                        let value = units[row].max(0);
                        let share_before = ratio(sum, total);
                        sum += i128::from(value);
                        let share = match (by, rule) {
                            (ClassBy::Value, ClassRule::Before) => share_before,
                            (ClassBy::Value, ClassRule::Upto) => ratio(sum, total),
                            (_, ClassRule::Before) => place as f64 / group.len() as f64,
                            (_, ClassRule::Upto) => (place + 1) as f64 / group.len() as f64,
                        };
                        if same == ClassTies::Split || before.0 != value {
                            first = share;
                        }
                        before.0 = value;
                        assert_eq!(found.class[row], classing.of_share(first), "row {row}");
                        assert_eq!(found.cumulative_share[row].to_bits(), ratio(sum, total).to_bits());
                        assert_eq!(found.rank[row], place as i64 + 1);
                    }
                }
            }
        }
    }
    Ok(())
}
