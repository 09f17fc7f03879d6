//! Back-test: a model is fitted as of a past day, categories are recommended, and only then it is looked up which new ones were bought.

use super::counts::PairCounts;
use super::model::{NextCategory, value_type_of};
use super::owned::{Lists, add_lists, interned};
use super::rows::{BacktestRow, Rates};
use super::scoring::{Scoring, Weights};
use super::spec::{NextMethod, NextSpec};
use super::table::backtest_table;
use crate::analysis::dates::ascending;
use crate::analysis::holdings::{Holdings, pieces};
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::{Interner, NO_CODE};
use crate::state::cells::CellRole;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

/// Settings of a back-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacktestNextSpec {
    /// The dates of the fits.
    pub dates: Vec<AsOf>,
    /// Days after a date in which new categories are looked up.
    pub horizon: i32,
    /// Numbers of recommendations.
    pub ks: Vec<usize>,
    /// Methods; popularity is always tested.
    pub methods: Vec<NextMethod>,
    /// See [`NextSpec`].
    pub min_customers: u64,
}

/// Most recommendations.
const MOST: usize = 10_000;

impl BacktestNextSpec {
    fn checked(mut self) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if self.horizon < 1 {
            return invalid(format!("horizon={} is invalid; expected a number of days, 1 or more", self.horizon));
        }
        if self.ks.is_empty() || self.ks.iter().any(|k| !(1..=MOST).contains(k)) || self.ks.windows(2).any(|pair| pair[0] >= pair[1]) {
            return invalid(format!("k={:?} is invalid; expected numbers from 1 to {MOST}, ascending, such as (1, 3, 5, 10)", self.ks));
        }
        let mut methods: Vec<NextMethod> = Vec::new();
        for &method in &self.methods {
            if methods.contains(&method) {
                return invalid(format!("methods has '{}' twice; pass each once", method.word()));
            }
            methods.push(method);
        }
        // The baseline.
        if !methods.contains(&NextMethod::Popularity) {
            methods.push(NextMethod::Popularity);
        }
        self.methods = methods;
        NextSpec { method: NextMethod::Popularity, min_customers: self.min_customers }.checked()?;
        Ok(self)
    }
}

/// Tests the methods as of past days: one row for each date and method. Needs categories by day.
pub fn backtest_next(base: &CustomerBase, spec: BacktestNextSpec, context: &Context) -> Result<Table> {
    let spec = spec.checked()?;
    let value_type = value_type_of(base)?;
    if !base.spec().roles.categories.by_day {
        let message = "a back-test needs the categories of past days; build the base with category_days=True and track='days' or 'orders'";
        return Err(Error::new(ErrorKind::StateMismatch, message));
    }
    let dates = ascending(&spec.dates, 1, &base.input_schema()?.clock)?;
    let last = base.last_day().unwrap_or(i32::MIN);
    if let Some(&day) = dates.iter().find(|&&day| i64::from(day) + i64::from(spec.horizon) > i64::from(last)) {
        let message = format!(
            "dates has {}, but what was bought within {} days (horizon) of it is known only after the last day of the base, {}. Pass \
             earlier dates, or a smaller horizon",
            date_text(day),
            spec.horizon,
            if base.last_day().is_some() { date_text(last) } else { "which has none".to_owned() },
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let mut rows = Vec::new();
    for &date in &dates {
        let mut values = Interner::new(value_type.kind.stored());
        let (mut lists, mut new) = (Lists::default(), Lists::default());
        base.by_ranges(context, |part| {
            let (view, later) = (part.view_in(Some(date), context)?, part.view_in(Some(date + spec.horizon), context)?);
            let (now, then) = (Holdings::of(&view, CellRole::Category)?, Holdings::of(&later, CellRole::Category)?);
            let (codes, codes_then) = (interned(&now, &mut values)?, interned(&then, &mut values)?);
            add_lists((&mut lists, &mut new), (&view, &now, &codes), Some((&then, &codes_then)), context)
        })?;
        // Pairs are counted once for all methods.
        let method = spec.methods.iter().copied().find(|&method| method != NextMethod::Popularity).unwrap_or(NextMethod::Popularity);
        let fit = NextSpec { method, min_customers: spec.min_customers };
        let model = NextCategory::of_lists(fit, (value_type.clone(), &values), &lists, Some(date), context)?;
        let lookup = model.values.lookup();
        let places: Vec<u32> = (0..values.len() as u32).map(|code| lookup.find(values.keys(), code).unwrap_or(NO_CODE)).collect();
        for &method in &spec.methods {
            let none = PairCounts { starts: vec![0; model.counts.len() + 1], ..PairCounts::default() };
            let pairs = if method == NextMethod::Popularity { &none } else { &model.pairs };
            let weights = Weights::new(method, &model.counts, pairs);
            let (customers, rates) = rates(&weights, (&lists, &new, &places), &spec.ks, context)?;
            rows.push(BacktestRow { date, method, categories: model.categories() as u64, buyers: lists.len() as u64, customers, rates });
        }
    }
    let report = base.report_by_ranges(context)?;
    backtest_table(&rows, &spec.ks, report)
}

/// The number of customers with something new, and the rates for each k.
fn rates(
    weights: &Weights<'_>,
    (lists, new, places): (&Lists, &Lists, &[u32]),
    ks: &[usize],
    context: &Context,
) -> Result<(u64, Vec<Rates>)> {
    let largest = ks.last().copied().unwrap_or(1);
    // Of each customer: number of new categories, and hits for each k.
    let parts: Vec<Vec<u32>> = context
        .run_if_large(lists.items().len().saturating_mul(8), |threads| {
            let size = pieces(lists.len(), threads.count());
            threads.par_tasks((0..lists.len()).step_by(size), |first| {
                let (mut scoring, mut own, mut wanted, mut hits) = (Scoring::new(weights), Vec::new(), Vec::new(), Vec::new());
                for at in first..lists.len().min(first + size) {
                    if at % 1024 == 0 {
                        context.check()?;
                    }
                    // What the model does not know cannot be recommended.
                    let known = |code: &u32| Some(places[*code as usize]).filter(|&place| place != NO_CODE);
                    wanted.clear();
                    wanted.extend(new.get(at).iter().filter_map(known));
                    if wanted.is_empty() {
                        continue;
                    }
                    own.clear();
                    own.extend(lists.get(at).iter().filter_map(known));
                    own.sort_unstable();
                    let found = scoring.top(&own, !lists.get(at).is_empty(), largest, true);
                    let is_hit: Vec<bool> = found.iter().map(|suggestion| wanted.contains(&suggestion.category)).collect();
                    hits.push(wanted.len() as u32);
                    hits.extend(ks.iter().map(|&k| is_hit.iter().take(k).filter(|hit| **hit).count() as u32));
                }
                Ok(hits)
            })
        })?
        .into_iter()
        .collect::<Result<_>>()?;
    let (mut customers, mut sums) = (0_u64, vec![(0_u64, 0.0_f64, 0_u64); ks.len()]);
    // In the order of customers, so that the sums of shares are the same for any number of threads.
    for row in parts.iter().flat_map(|part| part.chunks_exact(ks.len() + 1)) {
        let Some((&bought, hits)) = row.split_first() else { continue };
        customers += 1;
        for (sum, &hits) in sums.iter_mut().zip(hits) {
            sum.0 += u64::from(hits > 0);
            sum.1 += f64::from(hits) / f64::from(bought);
            sum.2 += u64::from(hits);
        }
    }
    let n = customers as f64;
    let rate = |(k, (hit, recall, bought)): (&usize, (u64, f64, u64))| {
        if customers == 0 {
            return Rates { hit: f64::NAN, recall: f64::NAN, precision: f64::NAN };
        }
        Rates { hit: hit as f64 / n, recall: recall / n, precision: bought as f64 / (n * *k as f64) }
    };
    Ok((customers, ks.iter().zip(sums).map(rate).collect()))
}
