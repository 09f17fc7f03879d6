//! Placebo draws: half of the controls of each stratum as if they were treated, many times.

use super::cells::{ARMS, Cell, Deviations, difference, outcome};
use super::customer::Customer;
use super::estimate::{Estimate, Method, Z};
use super::spec::ComparedMetric;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::units_to_f64;
use crate::num::random::Random;

/// Draws that a call may ask for.
const MOST_DRAWS: u64 = 100_000;
/// Outcomes of a customer: after and before, of up to four metrics.
pub(super) const OUTCOMES: usize = 2 * ComparedMetric::ALL.len();

/// The outcomes of the controls of matched strata.
#[derive(Debug, Clone, Default)]
pub(super) struct Controls {
    /// Stratum and outcomes; sorted, so that draws do not depend on the order of customers.
    pub(super) rows: Vec<(u32, [f64; OUTCOMES])>,
}

/// A stratum of at least two controls.
struct Pool<'a> {
    /// Its treated customers, of all in such strata.
    weight: f64,
    rows: &'a [(u32, [f64; OUTCOMES])],
    /// Means, which are taken off before squares are summed.
    means: [f64; OUTCOMES],
    whole: Vec<Sums>,
}

/// Sums of deviations of an outcome after (y) and before (x).
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    y: f64,
    x: f64,
    yy: f64,
    xy: f64,
    xx: f64,
}

impl Sums {
    fn add(&mut self, y: f64, x: f64) {
        self.n += 1.0;
        self.y += y;
        self.x += x;
        self.yy += y * y;
        self.xy += x * y;
        self.xx += x * x;
    }

    fn less(&self, other: &Self) -> Self {
        Self {
            n: self.n - other.n,
            y: self.y - other.y,
            x: self.x - other.x,
            yy: self.yy - other.yy,
            xy: self.xy - other.xy,
            xx: self.xx - other.xx,
        }
    }

    fn cell(&self, theta: f64) -> Cell {
        let Self { n, y, x, .. } = *self;
        let (yy, xy, xx) = (self.yy - y * y / n, self.xy - x * y / n, self.xx - x * x / n);
        Deviations { n, y: y / n, x: x / n, yy, xy, xx }.cell(theta)
    }
}

/// What the draws of a metric and method gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct DrawsRow {
    pub metric: usize,
    pub method: Method,
    /// Draws with a standard error.
    pub draws: u64,
    /// Those at least as far from 0 as the effect, in standard errors; `None` if the effect has none.
    pub as_far: Option<u64>,
    /// Those whose interval excludes 0.
    pub beyond: u64,
}

impl Controls {
    /// Adds a control of a matched stratum.
    pub(super) fn add(&mut self, stratum: u32, customer: &Customer, metrics: &[ComparedMetric], money_scale: i32) {
        let mut row = [0.0; OUTCOMES];
        for (slots, &metric) in row.chunks_exact_mut(2).zip(metrics) {
            let scale = if metric == ComparedMetric::Revenue { money_scale } else { 0 };
            let (y, x) = outcome(metric, customer);
            (slots[0], slots[1]) = (units_to_f64(y, scale), units_to_f64(x, scale));
        }
        self.rows.push((stratum, row));
    }

    /// Sorts what was added; `places` are the strata in their final order.
    pub(super) fn sort(&mut self, places: &[u32], context: &Context) -> Result<()> {
        self.rows.iter_mut().for_each(|(stratum, _)| *stratum = places[*stratum as usize]);
        let compare = |a: &(u32, [f64; OUTCOMES]), b: &(u32, [f64; OUTCOMES])| {
            let by_outcome = a.1.iter().zip(&b.1).map(|(a, b)| a.total_cmp(b));
            a.0.cmp(&b.0).then(by_outcome.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then))
        };
        context.run_if_large(self.rows.len(), |threads| threads.par_sort_unstable_by(&mut self.rows, compare))
    }

    /// Draws `n` times and compares with the estimates; `treated` are the treated customers of each stratum.
    pub(super) fn draws(
        &self,
        (n, seed): (u64, u64),
        estimates: &[Estimate],
        n_metrics: usize,
        treated: &[u64],
        context: &Context,
    ) -> Result<Vec<DrawsRow>> {
        if !(1..=MOST_DRAWS).contains(&n) {
            let message = format!("n={n}; expected 1 to {MOST_DRAWS} draws");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let pools = self.pools(n_metrics, treated);
        let asked: Vec<&Estimate> = estimates.iter().filter(|estimate| estimate.method != Method::Naive).collect();
        if pools.is_empty() {
            let none =
                |estimate: &&Estimate| DrawsRow { metric: estimate.metric, method: estimate.method, draws: 0, as_far: None, beyond: 0 };
            return Ok(asked.iter().map(none).collect());
        }
        let one = |draw: u64| -> Result<Vec<Option<f64>>> {
            context.check()?;
            Ok(draw_once(&pools, &asked, n_metrics, Random::new(seed, draw)))
        };
        let rows = self.rows.len().saturating_mul(usize::try_from(n).unwrap_or(usize::MAX));
        let drawn = context.run_if_large(rows, |threads| threads.par_tasks(0..n, one))?.into_iter().collect::<Result<Vec<_>>>()?;
        let row = |(at, estimate): (usize, &&Estimate)| {
            let ratios: Vec<f64> = drawn.iter().filter_map(|draw| draw[at]).map(f64::abs).collect();
            let seen = estimate.effect.zip(estimate.se).filter(|(_, se)| *se > 0.0).map(|(effect, se)| (effect / se).abs());
            let count = |bound: f64| ratios.iter().filter(|&&ratio| ratio >= bound).count() as u64;
            DrawsRow {
                metric: estimate.metric,
                method: estimate.method,
                draws: ratios.len() as u64,
                as_far: seen.map(count),
                beyond: ratios.iter().filter(|&&ratio| ratio > Z).count() as u64,
            }
        };
        Ok(asked.iter().enumerate().map(row).collect())
    }

    fn pools(&self, n_metrics: usize, treated: &[u64]) -> Vec<Pool<'_>> {
        let strata = || self.rows.chunk_by(|a, b| a.0 == b.0).filter(|rows| rows.len() > 1);
        let all: u64 = strata().map(|rows| treated[rows[0].0 as usize]).sum();
        let pool = |rows: &'_ [(u32, [f64; OUTCOMES])]| {
            let n = rows.len() as f64;
            let means = std::array::from_fn(|at| rows.iter().map(|(_, row)| row[at]).sum::<f64>() / n);
            let mut whole = vec![Sums::default(); n_metrics];
            rows.iter().for_each(|(_, row)| add(&mut whole, row, &means));
            (treated[rows[0].0 as usize] as f64 / all as f64, means, whole)
        };
        strata()
            .map(|rows| {
                let (weight, means, whole) = pool(rows);
                Pool { weight, rows, means, whole }
            })
            .collect()
    }
}

fn add(sums: &mut [Sums], row: &[f64; OUTCOMES], means: &[f64; OUTCOMES]) {
    for (at, sums) in sums.iter_mut().enumerate() {
        sums.add(row[2 * at] - means[2 * at], row[2 * at + 1] - means[2 * at + 1]);
    }
}

/// Effect over standard error of a draw, for each of the estimates.
fn draw_once(pools: &[Pool<'_>], asked: &[&Estimate], n_metrics: usize, mut random: Random) -> Vec<Option<f64>> {
    let mut cells: Vec<(f64, Vec<[Sums; ARMS]>)> = Vec::with_capacity(pools.len());
    for pool in pools {
        let mut taken = vec![Sums::default(); n_metrics];
        // Selection sampling (Knuth, algorithm S): each half is as likely as any other.
        let (mut wanted, mut left) = (pool.rows.len() as u64 / 2, pool.rows.len() as u64);
        for (_, row) in pool.rows {
            if random.below(left) < wanted {
                add(&mut taken, row, &pool.means);
                wanted -= 1;
            }
            left -= 1;
            if wanted == 0 {
                break;
            }
        }
        let arms = pool.whole.iter().zip(&taken).map(|(whole, taken)| [whole.less(taken), *taken]);
        cells.push((pool.weight, arms.collect()));
    }
    let ratio = |estimate: &&Estimate| {
        let theta = estimate.theta?;
        let strata = cells.iter().map(|(weight, arms)| (*weight, arms[estimate.metric].map(|sums| sums.cell(theta))));
        let found = difference(strata);
        found.variance.filter(|variance| *variance > 0.0).map(|variance| found.effect / variance.sqrt())
    };
    asked.iter().map(ratio).collect()
}
