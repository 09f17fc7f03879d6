//! Pairs, itemsets and rules of small random baskets, beside counting them one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Int64Array, RecordBatch};

use super::itemsets::itemsets;
use super::pairs::pairs;
use super::rules::rules;
use super::spec::{ItemsetSpec, MinBaskets, PairSpec, PairTest, RuleSpec};
use crate::analysis::p_values::PValueAdjustment;
use crate::baskets::Baskets;
use crate::baskets::spec::{BasketBy, BasketSpec};
use crate::column::category::CategoryColumns;
use crate::column::chunks::ColumnRoles;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::random::Random;
use crate::state::spec::BaseSpec;

type Sets = Vec<BTreeSet<i64>>;

/// Random baskets of skewed sizes and items.
fn sets(count: usize, items: u64) -> Sets {
    let mut random = Random::new(7, 0);
    let mut next = |below: u64| random.below(below);
    (0..count)
        .map(|_| {
            let size = 1 + next(6) * next(3);
            (0..size).map(|_| (next(items) * next(items) / items) as i64 - 3).collect()
        })
        .collect()
}

fn baskets(sets: &Sets, context: &Context) -> Result<Baskets> {
    let rows: Vec<(i64, i64)> = (0..).zip(sets).flat_map(|(at, set)| set.iter().map(move |&item| (at, item))).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("customer", Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>())),
        ("day", Arc::new(rows.iter().map(|_| Some(9)).collect::<Date32Array>())),
        ("item", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<Int64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(Error::internal)?;
    let roles = ColumnRoles {
        customer_id: "customer".into(),
        timestamp: "day".to_owned(),
        amount: None,
        order_id: None,
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let mut baskets = Baskets::new(BasketSpec::new("item".to_owned(), BaseSpec::new(roles), BasketBy::Day))?;
    baskets.update(&[batch], context)?;
    Ok(baskets)
}

fn count(sets: &Sets, items: &[i64]) -> i64 {
    sets.iter().filter(|set| items.iter().all(|item| set.contains(item))).count() as i64
}

fn integers(batch: &RecordBatch, name: &str) -> Vec<i64> {
    batch[name].as_primitive::<Int64Type>().values().to_vec()
}

fn lists(batch: &RecordBatch, name: &str) -> Vec<Vec<i64>> {
    let column = batch[name].as_list::<i32>();
    (0..column.len()).map(|row| column.value(row).as_primitive::<Int64Type>().values().to_vec()).collect()
}

fn all_pairs() -> PairSpec {
    PairSpec {
        min_item_baskets: MinBaskets::Count(1),
        min_pair_baskets: MinBaskets::Count(1),
        min_basket: 1,
        test: PairTest::Within,
        adjust: PValueAdjustment::Bh,
        top: None,
    }
}

#[test]
fn all_pairs_are_counted_whatever_the_threads() -> Result<()> {
    for (baskets_count, items) in [(0, 3), (1, 3), (300, 40), (40_000, 3_000)] {
        let sets = sets(baskets_count, items);
        let mut expected: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for set in &sets {
            for a in set {
                set.range(a + 1..).for_each(|&b| *expected.entry((*a, b)).or_insert(0) += 1);
            }
        }
        let mut tables = Vec::new();
        for threads in [1, 3] {
            let context = Context::new(threads);
            tables.push(pairs(&baskets(&sets, &context)?, &all_pairs(), None, &context)?.batch);
        }
        assert_eq!(tables[0], tables[1]);
        let (a, b) = (integers(&tables[0], "item_a"), integers(&tables[0], "item_b"));
        let both = integers(&tables[0], "n_ab");
        let found: BTreeMap<(i64, i64), i64> = a.into_iter().zip(b).zip(both.iter().copied()).collect();
        assert_eq!(found, expected);
        assert!(both.is_sorted_by(|x, y| x >= y));
    }
    Ok(())
}

#[test]
fn itemsets_are_all_that_are_in_enough_baskets() -> Result<()> {
    let (context, sets) = (Context::new(1), sets(400, 14));
    let spec = ItemsetSpec { min_baskets: MinBaskets::Count(9), max_len: 4, max_itemsets: 1_000 };
    let table = itemsets(&baskets(&sets, &context)?, &spec, &context)?.batch;
    let mut expected: BTreeMap<Vec<i64>, i64> = BTreeMap::new();
    for mask in 1_u32..1 << 14 {
        let items: Vec<i64> = (0..14).filter(|bit| mask >> bit & 1 == 1).map(|bit| bit - 3).collect();
        let baskets = if items.len() <= 4 { count(&sets, &items) } else { 0 };
        if baskets >= 9 {
            expected.insert(items, baskets);
        }
    }
    let found: BTreeMap<Vec<i64>, i64> = lists(&table, "items").into_iter().zip(integers(&table, "baskets")).collect();
    assert_eq!(found, expected);
    assert!(found.keys().any(|items| items.len() == 4));
    // Too many: the error has the least minimum that fits.
    let mut counts: Vec<i64> = expected.values().copied().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let fits = counts[20] + 1;
    let error = itemsets(&baskets(&sets, &context)?, &ItemsetSpec { max_itemsets: 20, ..spec.clone() }, &context).err();
    let message = error.as_ref().map_or("", Error::message);
    assert_eq!(error.as_ref().map(Error::kind), Some(ErrorKind::MemoryLimit));
    assert!(message.contains(&format!("min_baskets={fits} ")), "{message}");
    let fitting = ItemsetSpec { min_baskets: MinBaskets::Count(fits as u64), max_itemsets: 20, ..spec };
    assert!(itemsets(&baskets(&sets, &context)?, &fitting, &context)?.batch.num_rows() <= 20);
    Ok(())
}

#[test]
fn rules_are_those_of_all_sets() -> Result<()> {
    let (context, sets) = (Context::new(1), sets(400, 14));
    let of_sets = ItemsetSpec { min_baskets: MinBaskets::Count(9), max_len: 4, max_itemsets: 1_000 };
    let table = rules(&baskets(&sets, &context)?, &RuleSpec { itemsets: of_sets, min_confidence: 0.2 }, &context)?.batch;
    let antecedents = lists(&table, "antecedent");
    let (consequents, both) = (integers(&table, "consequent"), integers(&table, "n_both"));
    let floats = |name: &str| table[name].as_primitive::<Float64Type>().values().to_vec();
    let (confidence, improvement, lift_within) = (floats("confidence"), floats("improvement"), floats("lift_within"));
    assert!(antecedents.iter().any(|items| items.len() == 3));
    for (row, antecedent) in antecedents.iter().enumerate() {
        let whole: Vec<i64> = antecedent.iter().copied().chain([consequents[row]]).collect();
        assert_eq!(count(&sets, &whole), both[row]);
        let of = |items: &[i64]| {
            let whole: Vec<i64> = items.iter().copied().chain([consequents[row]]).collect();
            count(&sets, &whole) as f64 / count(&sets, items) as f64
        };
        assert_eq!(confidence[row].to_bits(), of(antecedent).to_bits());
        let parts = (0_u32..(1 << antecedent.len()) - 1).map(|mask| {
            let part: Vec<i64> = antecedent.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, item)| *item).collect();
            of(&part)
        });
        assert_eq!(improvement[row].to_bits(), (confidence[row] - parts.fold(0.0, f64::max)).to_bits());
        let mut expected = 0.0;
        for stratum in 0..10 {
            let own: Sets = sets.iter().filter(|set| super::block::stratum(set.len()) == stratum && !set.is_empty()).cloned().collect();
            if !own.is_empty() {
                expected += count(&own, antecedent) as f64 * count(&own, &[consequents[row]]) as f64 / own.len() as f64;
            }
        }
        assert!((lift_within[row] - both[row] as f64 / expected).abs() < 1e-9);
    }
    Ok(())
}
