//! Natural breaks: optimal one-dimensional k-means by dynamic programming over the sorted values.

use super::points::{Features, Float, Points, each_float};
use super::scan::{check_squares, ranges};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::exact::{grow, grow_product, quotient};

/// The optimal clusters of one feature for a given k.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaks {
    /// The sum of squared distances to the assigned centres.
    pub inertia: f64,
    /// The centres, ascending.
    pub centers: Vec<f64>,
    /// The largest value of each cluster except the last.
    pub breaks: Vec<f64>,
}

/// A double-double: an unevaluated sum of two floats, about 106 bits.
#[derive(Debug, Clone, Copy, Default)]
struct Double(f64, f64);

impl Double {
    fn sum(a: f64, b: f64) -> Self {
        let total = a + b;
        let virtual_b = total - a;
        Self(total, (a - (total - virtual_b)) + (b - virtual_b))
    }

    fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        Self(high, a.mul_add(b, -high))
    }

    fn plus(self, other: Self) -> Self {
        let Self(high, low) = Self::sum(self.0, other.0);
        Self::sum(high, low + self.1 + other.1)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, -other.1))
    }

    fn times(self, other: Self) -> Self {
        let Self(high, low) = Self::product(self.0, other.0);
        Self::sum(high, low + self.0.mul_add(other.1, self.1 * other.0))
    }

    fn over(self, other: Self) -> Self {
        let first = self.0 / other.0;
        let rest = self.minus(other.times(Self(first, 0.0)));
        Self::sum(first, rest.0 / other.0)
    }
}

/// Distinct values with their weights, ascending, and prefix sums of weights, first and second moments.
struct Sorted {
    values: Vec<(f64, f64)>,
    weight: Vec<Double>,
    sum: Vec<Double>,
    square: Vec<Double>,
}

impl Sorted {
    fn new(mut values: Vec<(f64, f64)>) -> Self {
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        values.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        // Shifting by the median reduces cancellation in the sums of squares.
        let middle = values[values.len() / 2].0;
        let zero = vec![Double::default()];
        let (mut weight, mut sum, mut square) = (zero.clone(), zero.clone(), zero);
        for (i, &(x, w)) in values.iter().enumerate() {
            let (own, x) = (Double(w, 0.0), Double::sum(x, -middle));
            let moment = own.times(x);
            weight.push(weight[i].plus(own));
            sum.push(sum[i].plus(moment));
            square.push(square[i].plus(moment.times(x)));
        }
        Self { values, weight, sum, square }
    }

    /// The weighted sum of squares of values `from..to` about their mean.
    fn cost(&self, from: usize, to: usize) -> Double {
        let between = |sums: &[Double]| sums[to].minus(sums[from]);
        let (weight, sum) = (between(&self.weight), between(&self.sum));
        let cost = between(&self.square).minus(sum.times(sum).over(weight));
        if cost.0 > 0.0 { cost } else { Double::default() }
    }
}

/// The optimal clusters for each k of `ks`; an error if a k exceeds the number of distinct values.
pub fn best_breaks(features: &Features, weights: Option<&[f64]>, ks: &[usize], context: &Context) -> Result<Vec<Breaks>> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
    if features.n_features() != 1 {
        return Err(invalid(format!("natural breaks need exactly one feature; the data has {}", features.n_features())));
    }
    if ks.contains(&0) {
        return Err(invalid("the number of clusters must be at least 1".to_owned()));
    }
    super::model::check_weights(weights, features.rows())?;
    if features.rows() == 0 {
        return Err(super::points::not_enough("there are no rows to cluster"));
    }
    check_squares(&ranges(features, context)?, &[], features)?;
    let sorted = Sorted::new(each_float!(&features.values, points => weighted(points, weights)));
    let n = sorted.values.len();
    let most = ks.iter().copied().max().unwrap_or(1);
    if most > n {
        return Err(invalid(format!("{most} clusters of {n} distinct values; use at most {n}")));
    }
    let mut costs: Vec<Double> = (0..=n).map(|to| if to == 0 { Double::default() } else { sorted.cost(0, to) }).collect();
    // cuts[k - 2][to]: the start of the last cluster when the first `to` values form k clusters.
    let mut cuts: Vec<Vec<u32>> = Vec::new();
    for k in 2..=most {
        let (mut next, mut cut) = (vec![Double(f64::INFINITY, 0.0); n + 1], vec![0_u32; n + 1]);
        // The optimal start is monotone in `to`, so divide and conquer narrows the range of candidates.
        let mut open = vec![(k, n, k - 1, n - 1)];
        while let Some((low, high, first, last)) = open.pop() {
            context.check()?;
            let to = usize::midpoint(low, high);
            for (from, before) in costs.iter().enumerate().take(last.min(to - 1) + 1).skip(first) {
                let total = before.plus(sorted.cost(from, to));
                let less = total.0 < next[to].0 || (total.0 == next[to].0 && total.1 < next[to].1);
                if less {
                    (next[to], cut[to]) = (total, from as u32);
                }
            }
            let at = cut[to] as usize;
            if to > low {
                open.push((low, to - 1, first, at));
            }
            if to < high {
                open.push((to + 1, high, at, last));
            }
        }
        costs = next;
        cuts.push(cut);
    }
    Ok(ks.iter().map(|&k| clusters(&sorted, &cuts, k)).collect())
}

fn weighted<T: Float>(points: &Points<T>, weights: Option<&[f64]>) -> Vec<(f64, f64)> {
    let mut x = [0.0];
    let mut row = |row: usize| {
        points.read(row, &mut x);
        (x[0], weights.map_or(1.0, |weights| weights[row]))
    };
    (0..points.rows()).map(&mut row).filter(|(_, weight)| *weight > 0.0).collect()
}

fn clusters(sorted: &Sorted, cuts: &[Vec<u32>], k: usize) -> Breaks {
    let mut ends = vec![sorted.values.len()];
    for k in (2..=k).rev() {
        ends.push(cuts[k - 2][ends[ends.len() - 1]] as usize);
    }
    ends.push(0);
    ends.reverse();
    let (mut inertia, mut centers) = (Vec::new(), Vec::with_capacity(k));
    for pair in ends.windows(2) {
        let own = &sorted.values[pair[0]..pair[1]];
        let (mut sum, mut weight) = (Vec::new(), Vec::new());
        for &(x, w) in own {
            grow_product(&mut sum, w, x);
            grow(&mut weight, w);
        }
        let center = quotient(&sum, &weight);
        own.iter().for_each(|(x, w)| grow_product(&mut inertia, *w, (x - center) * (x - center)));
        centers.push(center);
    }
    let breaks = ends[1..k].iter().map(|&end| sorted.values[end - 1].0).collect();
    Breaks { inertia: quotient(&inertia, &[1.0]), centers, breaks }
}
