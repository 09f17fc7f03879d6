//! Rules: of the baskets with a set of items, how many also have another item.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::block::{Block, ENDS};
use super::itemset_kernel::Itemsets;
use super::itemsets::{Found, find};
use super::measures::Counts;
use super::rule_table::{Rule, table_of};
use super::spec::RuleSpec;
use crate::baskets::Baskets;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::table::Table;

/// Sets between two checks for cancelling.
const CHECKED: usize = 1 << 12;

/// Sets by their items.
type BySet<'a> = HashMap<&'a [u32], u32, RandomState>;

/// All rules of sets in enough baskets, with one item as their consequent, that are confident enough.
pub fn rules(baskets: &Baskets, spec: &RuleSpec, context: &Context) -> Result<Table> {
    spec.check()?;
    let mut lists = baskets.lists(context)?;
    let found = find(&mut lists, &spec.itemsets, context)?;
    let sets = &found.sets;
    let by_set: BySet<'_> = (0..sets.len()).map(|at| (sets.get(at), at as u32)).collect();
    let starts: Vec<usize> = (0..sets.len()).step_by(CHECKED).collect();
    let parts = context.run_if_large(sets.items.len(), |threads| {
        threads.par_tasks(starts, |start| {
            context.check()?;
            let mut rules = Vec::new();
            for at in start..sets.len().min(start + CHECKED) {
                rules_of(&found, &by_set, at as u32, spec.min_confidence, &mut rules)?;
            }
            Ok(rules)
        })
    })?;
    let mut rules: Vec<Rule> = Vec::new();
    for part in parts {
        let part: Result<Vec<Rule>> = part;
        rules.extend(part?);
    }
    drop(by_set);
    expect(&found, &mut rules, context)?;
    let mut report = lists.report.clone();
    if rules.is_empty() {
        let longest = (0..sets.len()).map(|at| sets.get(at).len()).max().unwrap_or(0);
        report.remarks.push(if longest < 2 {
            format!("no rules: no two items are together in {} baskets", found.least)
        } else {
            format!("no rules: none of the sets that are in {} baskets has a rule of confidence {}", found.least, spec.min_confidence)
        });
    }
    table_of(&lists, &found, rules, report, context)
}

/// The number of baskets of a set, which is known, as all parts of a set that is in enough baskets are.
fn baskets_of(sets: &Itemsets, by_set: &BySet<'_>, items: &[u32]) -> Result<(u32, u32)> {
    let at = *by_set.get(items).ok_or_else(|| Error::internal("a part of an itemset is missing"))?;
    Ok((at, sets.baskets[at as usize]))
}

/// The rules of one set, one for each of its items as the consequent.
fn rules_of(found: &Found, by_set: &BySet<'_>, at: u32, min_confidence: f64, rules: &mut Vec<Rule>) -> Result<()> {
    let (sets, set) = (&found.sets, found.sets.get(at as usize));
    if set.len() < 2 {
        return Ok(());
    }
    let both = sets.baskets[at as usize];
    let mut antecedent = Vec::with_capacity(set.len());
    for (omitted, &consequent) in set.iter().enumerate() {
        antecedent.clear();
        antecedent.extend(set.iter().enumerate().filter(|(at, _)| *at != omitted).map(|(_, item)| *item));
        let (of, baskets) = baskets_of(sets, by_set, &antecedent)?;
        let confidence = f64::from(both) / f64::from(baskets);
        if confidence < min_confidence {
            continue;
        }
        let (_, alone) = baskets_of(sets, by_set, &[consequent])?;
        let best = best_part(found, by_set, &antecedent, consequent, alone)?;
        let counts = Counts { both: both.into(), a: baskets.into(), b: alone.into(), baskets: found.block.sizes.baskets };
        rules.push(Rule { antecedent: of, consequent, counts, improvement: confidence - best, expected: 0.0 });
    }
    Ok(())
}

/// The largest confidence of a rule with a proper part of the antecedent, also the empty one.
fn best_part(found: &Found, by_set: &BySet<'_>, antecedent: &[u32], consequent: u32, alone: u32) -> Result<f64> {
    let mut best = f64::from(alone) / found.block.sizes.baskets as f64;
    let (mut part, mut with) = (Vec::new(), Vec::new());
    // All but the empty part and the whole.
    for mask in 1..(1_u32 << antecedent.len()) - 1 {
        part.clear();
        part.extend(antecedent.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, item)| *item));
        with.clone_from(&part);
        let place = with.partition_point(|&item| item < consequent);
        with.insert(place, consequent);
        let (_, both) = baskets_of(&found.sets, by_set, &with)?;
        let (_, baskets) = baskets_of(&found.sets, by_set, &part)?;
        best = best.max(f64::from(both) / f64::from(baskets));
    }
    Ok(best)
}

/// Fills in how many baskets are expected within those of like size.
fn expect(found: &Found, rules: &mut [Rule], context: &Context) -> Result<()> {
    let mut antecedents: Vec<u32> = rules.iter().map(|rule| rule.antecedent).collect();
    antecedents.sort_unstable();
    antecedents.dedup();
    let (block, n_strata) = (&found.block, found.block.n_strata);
    let parts = context.run_if_large(found.block.entries.len(), |threads| {
        let pieces: Vec<&[u32]> = antecedents.chunks(64).collect();
        threads.par_tasks(pieces, |piece| {
            context.check()?;
            let mut strata = Vec::with_capacity(piece.len() * n_strata);
            for &at in piece {
                let items = found.sets.get(at as usize).iter().map(|&item| found.positions[item as usize]);
                add_strata(block, items.collect(), &mut strata);
            }
            Ok(strata)
        })
    })?;
    let mut strata: Vec<u32> = Vec::with_capacity(antecedents.len() * n_strata);
    for part in parts {
        let part: Result<Vec<u32>> = part;
        strata.extend(part?);
    }
    for rule in rules {
        let at = antecedents.partition_point(|&antecedent| antecedent < rule.antecedent);
        let consequent = found.positions[rule.consequent as usize];
        rule.expected = block.within(&strata[at * n_strata..][..n_strata], block.strata_of(consequent)).expected;
    }
    Ok(())
}

/// Appends the number of baskets with all these items, of each stratum.
fn add_strata(block: &Block, mut items: Vec<u32>, strata: &mut Vec<u32>) {
    items.sort_unstable();
    let Some((&first, rest)) = items.split_first() else { return };
    if rest.is_empty() {
        strata.extend_from_slice(block.strata_of(first));
        return;
    }
    let start = strata.len();
    strata.resize(start + block.n_strata, 0);
    for &place in block.places_of(first) {
        let mut missing = rest;
        for &entry in &block.entries[place as usize + 1..] {
            if entry >= ENDS {
                if missing.is_empty() {
                    strata[start + (entry - ENDS) as usize] += 1;
                }
                break;
            }
            match missing.split_first() {
                Some((&next, after)) if next == entry => missing = after,
                _ => {}
            }
        }
    }
}
