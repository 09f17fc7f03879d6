//! The table of rules.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use arrow_schema::Metadata;

use super::itemset_table::lists_of;
use super::itemsets::Found;
use super::measures::{Count, Counts, Measure};
use crate::baskets::lists::BasketLists;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// A rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The number of the set that is the antecedent.
    pub(super) antecedent: u32,
    /// The item, by place in the order of values.
    pub(super) consequent: u32,
    pub(super) counts: Counts,
    pub(super) improvement: f64,
    /// Baskets with both that are expected within those of like size.
    pub(super) expected: f64,
}

/// The table of rules, those in most baskets first.
pub(super) fn table_of(lists: &BasketLists<'_>, found: &Found, mut rules: Vec<Rule>, report: Report, context: &Context) -> Result<Table> {
    let items = |rule: &Rule| found.sets.get(rule.antecedent as usize);
    context.run_if_large(rules.len(), |threads| {
        threads.par_sort_unstable_by(&mut rules, |a, b| {
            let by_count = b.counts.both.cmp(&a.counts.both);
            by_count.then_with(|| items(a).cmp(items(b))).then_with(|| a.consequent.cmp(&b.consequent))
        });
    })?;
    context.check()?;
    let mut table = TableBuilder::default();
    table.column("antecedent", lists_of(lists, &found.codes, rules.iter().map(items))?);
    let consequents: Vec<Option<u32>> = rules.iter().map(|rule| Some(found.codes[rule.consequent as usize])).collect();
    table.values("consequent", lists.item_type()?, lists.item_keys(), consequents.into_iter())?;
    let counts: [(&str, Count); 3] =
        [("n_both", |counts| counts.both), ("n_antecedent", |counts| counts.a), ("n_consequent", |counts| counts.b)];
    for (name, of) in counts {
        table.column(name, Arc::new(Int64Array::from_iter_values(rules.iter().map(|rule| of(rule.counts) as i64))));
    }
    let floats = |of: &dyn Fn(&Rule) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(rules.iter().map(of))) };
    let measures: [(&str, Measure); 6] = [
        ("support", Counts::support),
        ("confidence", Counts::confidence),
        ("lift", Counts::lift),
        ("leverage", Counts::leverage),
        ("conviction", Counts::conviction),
        ("zhang", Counts::zhang),
    ];
    for (name, of) in measures {
        table.column(name, floats(&|rule| of(rule.counts)));
    }
    table.column("improvement", floats(&|rule| rule.improvement));
    table.column("lift_within", floats(&|rule| rule.counts.both as f64 / rule.expected));
    table.finish(rules.len(), Metadata::new(), report)
}
