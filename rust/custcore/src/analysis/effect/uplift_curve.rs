//! Kernel of uplift curves: gains by score, their areas, and standard errors by a jackknife over buckets of customers.

use crate::error::Result;
use crate::exec::par::Threads;
use crate::num::random::Random;

/// Buckets of the jackknife.
const BUCKETS: usize = 100;
/// Points between two checks whether the call was cancelled.
const CHECKED: usize = 1 << 12;

/// A customer of one of two random groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Customer {
    pub score: f64,
    pub outcome: f64,
    pub is_treated: bool,
}

/// The customers with a score, and all with a higher one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub score: f64,
    /// Their share of all.
    pub share: f64,
    /// Customers of the control group and of the treated, and the sums of their outcomes.
    pub n: [u64; 2],
    pub sums: [f64; 2],
    pub gain: f64,
    pub se: Option<f64>,
}

/// Areas of a curve with their standard errors.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct UpliftSums {
    pub auuc: (f64, Option<f64>),
    pub qini: (f64, Option<f64>),
}

impl Point {
    /// Nobody.
    pub(super) fn start() -> Self {
        Self { score: f64::INFINITY, share: 0.0, n: [0; 2], sums: [0.0; 2], gain: 0.0, se: None }
    }

    /// The mean outcome of a group.
    pub(super) fn mean(&self, group: usize) -> Option<f64> {
        (self.n[group] > 0).then(|| self.sums[group] / self.n[group] as f64)
    }
}

/// Sums without the rounding of each addition (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: f64,
    rest: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.rest += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn get(self) -> f64 {
        self.sum + self.rest
    }
}

/// What the curve would be without each bucket.
struct Jackknife {
    /// Customers of the control group and the treated in each bucket so far, and the sums of their outcomes.
    n: [[f64; BUCKETS]; 2],
    sums: [[f64; BUCKETS]; 2],
    /// All customers outside each bucket.
    others: [f64; BUCKETS],
    shares: [f64; BUCKETS],
    gains: [f64; BUCKETS],
    areas: [f64; BUCKETS],
}

impl Jackknife {
    /// The curves without each bucket at a point.
    fn advance(&mut self, n: [f64; 2], sums: [f64; 2]) {
        for bucket in 0..BUCKETS {
            let (n_c, n_t) = (n[0] - self.n[0][bucket], n[1] - self.n[1][bucket]);
            let (sum_c, sum_t) = (sums[0] - self.sums[0][bucket], sums[1] - self.sums[1][bucket]);
            let share = (n_c + n_t) / self.others[bucket];
            let gain = if n_c > 0.0 && n_t > 0.0 { share * (sum_t / n_t - sum_c / n_c) } else { 0.0 };
            self.areas[bucket] += 0.5 * (share - self.shares[bucket]) * (gain + self.gains[bucket]);
            (self.shares[bucket], self.gains[bucket]) = (share, gain);
        }
    }
}

/// The standard error of an estimate, from those without each of the buckets.
fn jackknife_se(estimates: &[f64; BUCKETS]) -> f64 {
    let buckets = BUCKETS as f64;
    let mean = estimates.iter().sum::<f64>() / buckets;
    let squares: f64 = estimates.iter().map(|estimate| (estimate - mean) * (estimate - mean)).sum();
    ((buckets - 1.0) / buckets * squares).sqrt()
}

/// The curve of some customers, whom it sorts. Equal scores are one point.
///
/// Customers are sorted by all that is known of them, so that sums, and the buckets of customers, do not depend on the order of rows.
pub(super) fn curve(customers: &mut [Customer], threads: Threads<'_>, check: impl Fn() -> Result<()>) -> Result<(Vec<Point>, UpliftSums)> {
    threads.if_large(customers.len()).par_sort_unstable_by(customers, |a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then(a.is_treated.cmp(&b.is_treated)).then(a.outcome.total_cmp(&b.outcome))
    });
    let buckets = buckets(customers.len());
    let total = customers.len() as f64;
    let mut jackknife = Jackknife {
        n: [[0.0; BUCKETS]; 2],
        sums: [[0.0; BUCKETS]; 2],
        others: [total; BUCKETS],
        shares: [0.0; BUCKETS],
        gains: [0.0; BUCKETS],
        areas: [0.0; BUCKETS],
    };
    buckets.iter().for_each(|&bucket| jackknife.others[usize::from(bucket)] -= 1.0);
    // Fewer customers than buckets: their errors are not known.
    let has_se = customers.len() >= BUCKETS;
    let (mut points, mut before, mut area) = (Vec::new(), Point::start(), Sum::default());
    let (mut n, mut sums) = ([0_u64; 2], [Sum::default(); 2]);
    let mut at = 0;
    for block in customers.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        if points.len() % CHECKED == 0 {
            check()?;
        }
        for customer in block {
            let (group, bucket) = (usize::from(customer.is_treated), usize::from(buckets[at]));
            at += 1;
            n[group] += 1;
            sums[group].add(customer.outcome);
            jackknife.n[group][bucket] += 1.0;
            jackknife.sums[group][bucket] += customer.outcome;
        }
        let mut point = Point { score: block[0].score, share: at as f64 / total, n, sums: sums.map(Sum::get), gain: 0.0, se: None };
        if let (Some(control), Some(treatment)) = (point.mean(0), point.mean(1)) {
            point.gain = point.share * (treatment - control);
        }
        jackknife.advance(n.map(|n| n as f64), point.sums);
        point.se = (has_se && n[0] > 1 && n[1] > 1).then(|| jackknife_se(&jackknife.gains));
        area.add(0.5 * (point.share - before.share) * (point.gain + before.gain));
        points.push(point);
        before = point;
    }
    let whole = before.gain;
    let mut qinis = jackknife.areas;
    qinis.iter_mut().zip(&jackknife.gains).for_each(|(qini, gain)| *qini -= 0.5 * gain);
    let se = |estimates: &[f64; BUCKETS]| before.se.map(|_| jackknife_se(estimates));
    let sums = UpliftSums { auuc: (area.get(), se(&jackknife.areas)), qini: (area.get() - 0.5 * whole, se(&qinis)) };
    Ok((points, sums))
}

/// The bucket of each of `n` sorted customers: at random, and of equal sizes.
fn buckets(n: usize) -> Vec<u8> {
    let mut buckets: Vec<u8> = (0..n).map(|at| (at % BUCKETS) as u8).collect();
    let mut random = Random::new(0, BUCKETS as u64);
    for at in (1..n).rev() {
        buckets.swap(at, random.below(at as u64 + 1) as usize);
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(score: f64, outcome: f64, is_treated: bool) -> Customer {
        Customer { score, outcome, is_treated }
    }

    #[test]
    fn gains_of_a_few_customers() -> Result<()> {
        let mut customers = [
            customer(1.0, 0.0, true),
            customer(3.0, 6.0, true),
            customer(2.0, 1.0, false),
            customer(1.0, 2.0, false),
            customer(2.0, 4.0, true),
        ];
        let (points, sums) = curve(&mut customers, Threads::inline(), || Ok(()))?;
        let seen: Vec<(f64, f64)> = points.iter().map(|point| (point.share, point.gain)).collect();
        // Nobody of the control group has the highest score. Then (6 + 4) / 2 - 1 at 0.6, and 10/3 - 3/2 of all.
        assert_eq!(seen[..2], [(0.2, 0.0), (0.6, 0.6 * 4.0)]);
        assert!((seen[2].1 - (10.0 / 3.0 - 1.5)).abs() < 1e-15);
        let area = 0.5 * 0.4 * 2.4 + 0.5 * 0.4 * (2.4 + seen[2].1);
        assert!((sums.auuc.0 - area).abs() < 1e-15 && (sums.qini.0 - (area - 0.5 * seen[2].1)).abs() < 1e-15);
        assert_eq!((points[2].se, sums.auuc.1), (None, None));
        Ok(())
    }

    #[test]
    fn the_error_of_the_whole_is_that_of_a_difference_of_means() -> Result<()> {
        let mut random = Random::new(3, 0);
        let mut customers: Vec<Customer> = (0..40_000).map(|at| customer(random.unit(), random.unit() * 10.0, at % 2 == 0)).collect();
        let (points, _) = curve(&mut customers, Threads::inline(), || Ok(()))?;
        let se = points.last().and_then(|point| point.se).unwrap_or(f64::NAN);
        // Two groups of 20,000 uniform values. A jackknife over 100 buckets is itself within about 7 %.
        let expected = (2.0 * (100.0 / 12.0) / 20_000.0_f64).sqrt();
        assert!((se / expected - 1.0).abs() < 0.2, "{se} {expected}");
        Ok(())
    }

    #[test]
    fn a_large_sum_loses_no_cents() {
        let mut sum = Sum::default();
        [1e16, 1.0, -1e16].into_iter().for_each(|value| sum.add(value));
        assert_eq!(sum.get().to_bits(), 1.0_f64.to_bits());
    }
}
