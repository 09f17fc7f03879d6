//! Fisher's exact test of a table of two rows and two columns, two-sided.
//!
//! Point probabilities are hypergeometric, by the saddle-point expansion of Loader (2000), as in R's `dhyper`: differences of
//! log-gamma functions lose all digits where there are millions of customers. Tails are sums of terms, each of which follows from
//! the one before; they end where terms no longer count.

use std::f64::consts::PI;

/// Tables are as likely as the one seen within this relative tolerance.
const TOLERANCE: f64 = 1e-7;
/// A tail ends at a term of less than this part of it. There each term is less than 1 - 10^-7 of the one before, so what follows is
/// less than 10^-13 of the tail.
const NEGLIGIBLE: f64 = 1e-20;

/// The error of Stirling's formula for ln n!, n = 0..=15.
const STIRLING_ERRORS: [f64; 16] = [
    0.0,
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_3,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_847_5,
    0.005_554_733_551_962_801,
];

/// The margins of a table: `drawn` of `total` are in the first row, `marked` of them in the first column.
#[derive(Debug, Clone, Copy)]
struct Margins {
    drawn: u64,
    marked: u64,
    total: u64,
}

/// The p-value of the table `[k, n - k; marked - k, total - n - (marked - k)]`: the probability, given its margins, of all tables
/// that are no likelier than it. Counts are below 2^53; k must be possible.
pub(crate) fn fisher_two_sided(k: u64, n: u64, marked: u64, total: u64) -> f64 {
    let margins = Margins { drawn: n, marked, total };
    let (least, most) = margins.support();
    if least == most {
        return 1.0;
    }
    let mode = margins.mode().clamp(least, most);
    let seen = margins.ln_probability(k);
    let is_no_likelier = |count: u64| margins.ln_probability(count) <= seen + TOLERANCE;
    if is_no_likelier(mode) {
        return 1.0;
    }
    // The counts nearest to the mode on both sides that are no likelier than the one seen. Probabilities rise to the mode, and fall
    // from it.
    let below = (k < mode).then(|| nearest(k, mode, is_no_likelier));
    let above = (k > mode).then(|| nearest(k, mode, is_no_likelier));
    let below = below.or_else(|| is_no_likelier(least).then(|| nearest(least, mode, is_no_likelier)));
    let above = above.or_else(|| is_no_likelier(most).then(|| nearest(most, mode, is_no_likelier)));
    let tail = |from: Option<u64>, rises: bool| from.map_or(0.0, |from| margins.tail(from, rises, (least, most)));
    (tail(below, false) + tail(above, true)).min(1.0)
}

/// The probability of a count of at least `k` in the table of [`fisher_two_sided`], given its margins; k must be possible.
pub(crate) fn fisher_greater(k: u64, n: u64, marked: u64, total: u64) -> f64 {
    let margins = Margins { drawn: n, marked, total };
    let (least, most) = margins.support();
    if k <= least {
        return 1.0;
    }
    let tail = if k > margins.mode() { margins.tail(k, true, (least, most)) } else { 1.0 - margins.tail(k - 1, false, (least, most)) };
    tail.clamp(0.0, 1.0)
}

/// The count nearest to `mode` that is no likelier; `from` is.
fn nearest(from: u64, mode: u64, is_no_likelier: impl Fn(u64) -> bool) -> u64 {
    let at = |steps: u64| if from < mode { from + steps } else { from - steps };
    let (mut holds, mut fails) = (0, from.abs_diff(mode));
    // Steps of 1, 2, 4, ..., as the count that was seen is the nearest one itself, or next to it; then bisection.
    let mut step = 1;
    while holds + step < fails {
        if is_no_likelier(at(holds + step)) {
            holds += step;
            step *= 2;
        } else {
            fails = holds + step;
            break;
        }
    }
    while holds + 1 < fails {
        let middle = holds + (fails - holds) / 2;
        if is_no_likelier(at(middle)) { holds = middle } else { fails = middle }
    }
    at(holds)
}

impl Margins {
    /// The least and the largest possible count.
    fn support(self) -> (u64, u64) {
        ((self.drawn + self.marked).saturating_sub(self.total), self.drawn.min(self.marked))
    }

    /// The likeliest count.
    fn mode(self) -> u64 {
        let product = (u128::from(self.drawn) + 1) * (u128::from(self.marked) + 1);
        (product / (u128::from(self.total) + 2)) as u64
    }

    /// The logarithm of the probability of a count.
    fn ln_probability(self, k: u64) -> f64 {
        let Self { drawn, marked, total } = self;
        // Two quotients, as 1 - p would be inexact.
        let (p, q) = (drawn as f64 / total as f64, (total - drawn) as f64 / total as f64);
        ln_binomial(k, marked, p, q) + ln_binomial(drawn - k, total - marked, p, q) - ln_binomial(drawn, total, p, q)
    }

    /// The probability of the count `from` and all beyond it, away from the mode.
    fn tail(self, from: u64, rises: bool, (least, most): (u64, u64)) -> f64 {
        let (drawn, marked) = (self.drawn as f64, self.marked as f64);
        let rest = self.total as f64 - drawn - marked;
        let last = if rises { most } else { least };
        let (mut count, mut term, mut sum) = (from as f64, 1.0, 1.0);
        for _ in 0..from.abs_diff(last) {
            if rises {
                term *= (marked - count) * (drawn - count) / ((count + 1.0) * (rest + count + 1.0));
                count += 1.0;
            } else {
                term *= count * (rest + count) / ((marked - count + 1.0) * (drawn - count + 1.0));
                count -= 1.0;
            }
            sum += term;
            if term < sum * NEGLIGIBLE {
                break;
            }
        }
        // Terms are relative to the first: it may be tiny.
        self.ln_probability(from).exp() * sum
    }
}

/// The logarithm of the binomial probability of x of n at p = 1 - q.
fn ln_binomial(x: u64, n: u64, p: f64, q: f64) -> f64 {
    let (count, trials) = (x as f64, n as f64);
    if x == 0 {
        return trials * if p < q { (-p).ln_1p() } else { q.ln() };
    }
    if x == n {
        return trials * if q < p { (-q).ln_1p() } else { p.ln() };
    }
    let rest = trials - count;
    let errors = stirling_error(n) - stirling_error(x) - stirling_error(n - x);
    errors - deviance(count, trials * p) - deviance(rest, trials * q) - 0.5 * ((2.0 * PI * count).ln() + (rest / trials).ln())
}

/// ln n! less Stirling's formula.
fn stirling_error(n: u64) -> f64 {
    if let Some(&error) = STIRLING_ERRORS.get(n as usize) {
        return error;
    }
    let n = n as f64;
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0) / square) / square) / square) / square) / n
}

/// x ln(x / m) + m - x, without cancellation where x is near to m.
pub(super) fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() - difference;
    }
    let v = difference / (x + m);
    let mut sum = difference * v;
    let (mut power, square) = (2.0 * x * v, v * v);
    let mut j = 1.0;
    loop {
        power *= square;
        let next = sum + power / (2.0 * j + 1.0);
        if next.to_bits() == sum.to_bits() {
            return sum;
        }
        (sum, j) = (next, j + 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Binomial coefficients, exact while they fit.
    fn choose(n: u64, k: u64) -> u128 {
        (0..k).fold(1, |product, i| product * u128::from(n - i) / u128::from(i + 1))
    }

    /// The sum over all tables, in integers.
    fn slow(k: u64, n: u64, marked: u64, total: u64) -> f64 {
        let ways = |x: u64| choose(marked, x) * choose(total - marked, n - x);
        let (least, most) = ((n + marked).saturating_sub(total), n.min(marked));
        let seen = ways(k) as f64 * (1.0 + TOLERANCE);
        let sum: u128 = (least..=most).map(ways).filter(|&ways| ways as f64 <= seen).sum();
        sum as f64 / choose(total, n) as f64
    }

    #[test]
    fn upper_tails_are_sums() {
        for total in [1_u64, 2, 5, 12, 31, 60] {
            for n in 0..=total {
                for marked in (0..=total).step_by(1 + total as usize / 12) {
                    let (least, most) = ((n + marked).saturating_sub(total), n.min(marked));
                    for k in least..=most {
                        let ways: u128 = (k..=most).map(|x| choose(marked, x) * choose(total - marked, n - x)).sum();
                        let expected = ways as f64 / choose(total, n) as f64;
                        let found = fisher_greater(k, n, marked, total);
                        assert!((found - expected).abs() <= 1e-12 * expected, "{k} {n} {marked} {total}: {found} {expected}");
                    }
                }
            }
        }
        // scipy.stats.hypergeom.sf(160, 18532, 291, 378)
        let far = fisher_greater(161, 291, 378, 18_532);
        assert!((far / 3.394_091_818_469_369_7e-205 - 1.0).abs() < 1e-9, "{far}");
    }

    #[test]
    fn equals_the_sum_over_all_tables() {
        for total in [1_u64, 2, 5, 12, 31, 60] {
            for n in (0..=total).step_by(1 + total as usize / 12) {
                for marked in 0..=total {
                    for k in (n + marked).saturating_sub(total)..=n.min(marked) {
                        let (fast, slow) = (fisher_two_sided(k, n, marked, total), slow(k, n, marked, total));
                        assert!((fast / slow - 1.0).abs() < 1e-12, "{k} {n} {marked} {total}: {fast} {slow}");
                    }
                }
            }
        }
    }

    #[test]
    fn large_tables() {
        // Sums over all tables in decimals of 50 digits.
        let expected = [
            (79, 2_449, 313, 10_000, 0.738_851_163_681_474_7),
            (29, 4_958, 76, 10_000, 0.050_195_321_701_810_13),
            (230, 3_530, 478, 10_000, 4.370_973_027_609_868e-09),
            (0, 4_383, 330, 10_000, 3.065_106_037_482_553_7e-85),
            (9_223, 1_368_135, 20_177, 3_000_000, 0.765_832_502_150_824_2),
            (2_973, 1_420_034, 6_451, 3_000_000, 0.044_484_055_970_355_534),
            (27_601, 1_134_051, 70_988, 3_000_000, 2.060_908_900_493_418e-09),
            (24_916, 1_305_079, 64_428, 3_000_000, 2.965_711_046_423_014_8e-139),
            (325_689, 8_433_864, 1_543_968, 40_000_000, 0.765_087_160_051_207),
            (520_989, 17_779_424, 1_174_504, 40_000_000, 0.045_523_587_660_235_086),
            (395_187, 17_983_761, 872_851, 40_000_000, 1.984_174_235_150_142e-09),
            (85_957, 7_053_848, 526_375, 40_000_000, 1.256_636_008_865_775_9e-140),
        ];
        for (k, n, marked, total, p) in expected {
            let found = fisher_two_sided(k, n, marked, total);
            assert!((found / p - 1.0).abs() < 1e-11, "{k} {n} {marked} {total}: {found} {p}");
        }
    }

    #[test]
    fn probabilities_of_large_tables_sum_to_one() {
        let margins = Margins { drawn: 3_000_000, marked: 70_000, total: 40_000_000 };
        let mode = margins.mode();
        let sum = margins.tail(mode, false, margins.support()) + margins.tail(mode + 1, true, margins.support());
        assert!((sum - 1.0).abs() < 1e-11, "{sum}");
    }

    #[test]
    fn the_error_of_stirlings_formula_has_no_step() {
        let series = |n: f64| 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5)) - 1.0 / (1680.0 * n.powi(7));
        for n in [14_u64, 15, 16, 17] {
            assert!((stirling_error(n) - series(n as f64)).abs() < 1e-13);
        }
    }
}
