//! How far centres have shifted, as seen from each cluster and each distance: which shifts can matter for a row.
//!
//! A row at distance u from its own centre whose margin is m lies within R = u + m of it. While less than m of the margin is
//! spent, a centre that is at least 2 R from the row's own centre stays farther than the own centre by what is left of the
//! margin, or more: the row has come no farther than R less what is left. So only shifts of centres nearer than 2 R, and of
//! the own centre, are spent. u + m is at most the distance to the second nearest centre. It is rounded up to one of
//! [`LEVELS`] levels, a factor of the square root of two apart, which is kept in the lowest bits of the row's limit. With
//! heavy tails a few small clusters far from most rows move far: without levels their shifts would count for all rows.

use super::kernel::squared_distance;
use super::normalization::Normalization;
use super::simd::Lanes;

/// Number of levels; the last one is without a limit.
pub(crate) const LEVELS: usize = 16;
/// A factor that makes room for the level: replacing the four lowest bits adds at most 15 ulp, less than 2^-19.
const ROOM: f32 = 1.0 - 1.0 / (1 << 18) as f32;
/// With more centres than this the distances between all of them would take too long: every shift counts.
const MOST_CENTERS: usize = 256;
/// The level of the least distances is that of half the least distance between two initial centres, or below.
const BELOW_NEAREST: f64 = 16.0;
/// Margins below this count as uncertain: they may lose their bits to the level.
const SMALLEST: f64 = 1e-30;

/// The highest level.
const TOP: f32 = LEVELS as f32 - 1.0;

/// Cumulative centre shift per cluster and level since the first iteration: in each iteration the shift of the cluster's own
/// centre plus the largest shift of any other within reach. It bounds how much the margin of a row may have decreased.
#[derive(Debug, Clone)]
pub(crate) struct CenterShift {
    sums: Vec<f64>,
    /// The sums, rounded down.
    pub low: Vec<f32>,
    /// The sums, rounded up.
    pub high: Vec<f32>,
    /// An upper bound on every sum.
    pub total: f64,
    /// The binary exponent of squared distances, as float32 stores it, of level 0.
    pub base: f32,
}

impl CenterShift {
    /// Zero shift from the centres `centers`. They choose the levels, which affect speed only.
    pub(crate) fn new(centers: &[f64], normalization: &Normalization) -> Self {
        let d = normalization.middles.len();
        let clusters = centers.len() / d;
        let mut least = f64::MAX;
        if clusters <= MOST_CENTERS {
            for (j, a) in centers.chunks_exact(d).enumerate() {
                let distances = centers.chunks_exact(d).take(j).map(|b| squared_distance(a, b));
                least = distances.filter(|&distance| distance > 0.0).fold(least, f64::min);
            }
        }
        let least = least * normalization.scale * normalization.scale / BELOW_NEAREST;
        let table = vec![0.0; clusters * LEVELS];
        Self { sums: vec![0.0; table.len()], low: table.clone(), high: table, total: 0.0, base: exponent(least as f32) }
    }

    /// Adds the shift of the centres from `old` to `new`.
    pub(crate) fn add(&mut self, old: &[f64], new: &[f64], normalization: &Normalization) {
        let d = normalization.middles.len();
        let shift = |(a, b)| squared_distance(a, b).sqrt() * normalization.scale * (1.0 + 1e-12);
        let shifts: Vec<f64> = old.chunks_exact(d).zip(new.chunks_exact(d)).map(shift).collect();
        let longest = |skip: usize| shifts.iter().enumerate().filter(|(j, _)| *j != skip).fold(0.0_f64, |a, (_, &b)| a.max(b));
        let first = (0..shifts.len()).fold(0, |best, j| if shifts[j] > shifts[best] { j } else { best });
        let (most, second) = (shifts.get(first).copied().unwrap_or(0.0), longest(first));
        let mut worst = 0.0_f64;
        for (j, &own) in shifts.iter().enumerate() {
            // By level, the largest shift of a centre that no lower level reaches.
            let mut others = [0.0_f64; LEVELS];
            if shifts.len() <= MOST_CENTERS {
                let center = &new[j * d..][..d];
                for (o, (other, &shift)) in new.chunks_exact(d).zip(&shifts).enumerate() {
                    if o != j {
                        let level = self.level_of_center(squared_distance(center, other) * normalization.scale * normalization.scale);
                        others[level] = others[level].max(shift);
                    }
                }
            } else {
                others[0] = if j == first { second } else { most };
            }
            let mut largest = 0.0_f64;
            for (level, other) in others.into_iter().enumerate() {
                largest = largest.max(other);
                let relative = (own + largest) * (1.0 + 1e-12);
                worst = worst.max(relative);
                let at = j * LEVELS + level;
                self.sums[at] += relative;
                let rounded = self.sums[at] as f32;
                (self.low[at], self.high[at]) = (rounded.next_down().max(0.0), rounded.next_up());
            }
        }
        self.total += worst * (1.0 + 1e-12);
    }

    /// The lowest level that reaches a centre at this squared distance from a row's own. Level r is of rows with
    /// R^2 <= 2^(base + r - 126), and reaches centres with a squared distance below four times that.
    fn level_of_center(&self, square: f64) -> usize {
        // Rows within R then have a margin that far exceeds the rounding errors of squared distances.
        let square = square * (1.0 - 1e-6);
        let exponent = (square.to_bits() >> 52) as i64 - 1023;
        (exponent + 125 - self.base as i64).clamp(0, LEVELS as i64 - 1) as usize
    }

    /// The margin of a row with its level, from float64; `second` is the squared distance to the second nearest centre.
    pub(super) fn packed(&self, margin: f64, second: f64) -> f32 {
        if !(margin > SMALLEST) {
            return 0.0;
        }
        let square = (second * (1.0 + 1e-6)) as f32;
        let level = if square.is_finite() { (exponent(square) - self.base).clamp(0.0, TOP) } else { TOP };
        with_level(margin as f32 * ROOM, level as u32)
    }

    /// The cumulative shift up to which a label with this margin stays valid, with its level; 0 if the margin is uncertain.
    #[inline(always)]
    pub(super) fn until(&self, label: usize, margin: f32) -> f32 {
        if margin > 0.0 { with_level((self.low[label * LEVELS + level(margin)] + margin) * ROOM, level(margin) as u32) } else { 0.0 }
    }

    /// Vectorized [`CenterShift::until`].
    #[inline(always)]
    pub(super) fn until_each<V: Lanes>(&self, label: V, margin: V) -> V {
        let level = margin.low_bits();
        let limit = label.mul_add(V::splat(LEVELS as f32), level).lookup(&self.low).add(margin).mul(V::splat(ROOM));
        V::splat(0.0).less(margin, limit.with_low_bits(level), V::splat(0.0))
    }

    /// What is left of the limit of a row, 0 or less if the row is due.
    #[inline(always)]
    pub(super) fn left(&self, label: usize, limit: f32) -> f32 {
        limit - self.high[label * LEVELS + level(limit)]
    }

    /// Vectorized [`CenterShift::left`].
    #[inline(always)]
    pub(super) fn left_each<V: Lanes>(&self, label: V, limit: V) -> V {
        limit.sub(label.mul_add(V::splat(LEVELS as f32), limit.low_bits()).lookup(&self.high))
    }
}

/// The margins of rows with their levels; `square` is at least the squared distance to the second nearest centre.
#[inline(always)]
pub(super) fn packed_each<V: Lanes>(margin: V, square: V, base: f32) -> V {
    let level = square.exponent().sub(V::splat(base)).max(V::splat(0.0)).min(V::splat(TOP));
    margin.mul(V::splat(ROOM)).with_low_bits(level)
}

/// The biased binary exponent.
fn exponent(value: f32) -> f32 {
    (value.to_bits() >> 23) as f32
}

#[inline(always)]
fn level(value: f32) -> usize {
    (value.to_bits() % LEVELS as u32) as usize
}

#[inline(always)]
fn with_level(value: f32, level: u32) -> f32 {
    f32::from_bits(value.to_bits() & !(LEVELS as u32 - 1) | level)
}

#[cfg(test)]
mod tests {
    use super::super::bounds::{BoundsCheck, HamerlyBounds};
    use super::super::kernel::nearest;
    use super::super::simd::SimdPath;
    use super::*;
    use crate::num::random::Random;

    const ROWS: usize = 64;

    /// Amounts with heavy tails.
    fn amount(random: &mut Random) -> f64 {
        (random.unit() + 1e-3).powi(-2) * if random.unit() < 0.5 { -1e-3 } else { 1e-3 }
    }

    /// Rows are examined once; as long as their limits hold, their labels must be those of the centres that have shifted.
    #[test]
    fn labels_hold_until_their_limits() {
        let mut kept = [0; LEVELS];
        for seed in 0..60 {
            let mut random = Random::new(seed, 5);
            let (d, k) = (1 + seed as usize % 8, 2 + seed as usize % 19);
            let mut draw = |count: usize| (0..count).map(|_| amount(&mut random)).collect::<Vec<f64>>();
            let (x, first) = (draw(ROWS * d), draw(k * d));
            let reach = x.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
            let normalization = Normalization::new(&vec![(-reach, reach); d], vec![0.0; d]);
            let start = CenterShift::new(&first, &normalization);
            let bounds = HamerlyBounds::new(&first, &normalization, start.base);
            let y: Vec<f32> = (0..d).flat_map(|f| x[f..].iter().step_by(d).map(|x| (x * normalization.scale) as f32)).collect();
            for path in SimdPath::available() {
                let [mut best, mut margin] = [vec![0.0; ROWS], vec![0.0; ROWS]];
                path.run(BoundsCheck { bounds: &bounds, y: &y, stride: ROWS, len: ROWS, best: &mut best, margin: &mut margin });
                let (mut shift, mut centers) = (start.clone(), first.clone());
                let limits: Vec<f32> = best.iter().zip(&margin).map(|(&best, &margin)| shift.until(best as usize, margin)).collect();
                for step in 0..12 {
                    let old = centers.clone();
                    let small = 0.5_f64.powi(step % 5 + 2);
                    // Far centres move farther, as they do with heavy tails.
                    centers.iter_mut().for_each(|c| *c += amount(&mut random) * small + *c * 0.1 * (random.unit() - 0.5));
                    shift.add(&old, &centers, &normalization);
                    for (row, (&limit, &label)) in limits.iter().zip(&best).enumerate() {
                        if shift.left(label as usize, limit) > 0.0 {
                            kept[level(limit)] += 1;
                            assert_eq!(nearest(&x[row * d..][..d], &centers).0, label as usize, "{seed} {row} {}", path.name());
                        }
                    }
                }
            }
        }
        assert!(kept.iter().filter(|&&rows| rows > 20).count() > 4, "{kept:?}");
    }

    #[test]
    fn a_level_takes_nothing_from_a_limit() {
        let mut random = Random::new(1, 2);
        let shift = CenterShift::new(&[0.0, 1.0], &Normalization::new(&[(0.0, 1.0)], vec![0.0]));
        for _ in 0..10_000 {
            let margin = random.unit() * 0.5_f64.powf(100.0 * random.unit());
            let packed = shift.packed(margin, 4.0 * random.unit());
            assert!(f64::from(packed) <= margin && f64::from(packed) > margin * (1.0 - 1e-5) - 1e-29, "{margin}");
            let until = shift.until(1, packed);
            assert!(until <= packed && level(until) == level(packed));
        }
        assert!([0.0, -1.0, f64::NAN].iter().all(|&margin| shift.packed(margin, 1.0) == 0.0));
    }
}
