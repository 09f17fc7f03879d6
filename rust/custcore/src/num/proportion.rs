//! Intervals of proportions and of their difference.

/// The score interval of the proportion `successes` of `n` > 0 (Wilson 1927) at the normal quantile `z`.
pub(crate) fn wilson(successes: u64, n: u64, z: f64) -> (f64, f64) {
    let (count, all) = (successes as f64, n as f64);
    let z2 = z * z;
    // Integer products are exact where floating-point ones are not.
    let spread = z * ((u128::from(successes) * u128::from(n - successes)) as f64 / all + z2 / 4.0).sqrt();
    let low = (count + z2 / 2.0 - spread) / (all + z2);
    let high = (count + z2 / 2.0 + spread) / (all + z2);
    (if successes == 0 { 0.0 } else { low }, if successes == n { 1.0 } else { high })
}

/// The interval of the difference of two proportions, treatment less control, from their score intervals without a continuity
/// correction (Newcombe 1998, method 10). Each is successes of n > 0.
pub(crate) fn newcombe((k_t, n_t): (u64, u64), (k_c, n_c): (u64, u64), z: f64) -> (f64, f64) {
    let (t, c) = (k_t as f64 / n_t as f64, k_c as f64 / n_c as f64);
    let ((t_low, t_high), (c_low, c_high)) = (wilson(k_t, n_t, z), wilson(k_c, n_c, z));
    let difference = t - c;
    let below = ((t - t_low) * (t - t_low) + (c_high - c) * (c_high - c)).sqrt();
    let above = ((t_high - t) * (t_high - t) + (c - c_low) * (c - c_low)).sqrt();
    (difference - below, difference + above)
}

#[cfg(test)]
mod tests {
    use super::*;

    const Z: f64 = 1.959_963_984_540_054;

    #[test]
    fn differences_are_those_of_statsmodels() {
        // confint_proportions_2indep(method="newcomb", correction=False).
        let expected = [
            ((2_191, 7_200), (3_547, 12_000), -0.004_634_589_315_758_214_4, 0.022_164_828_495_089_92),
            ((1_331, 7_200), (1_995, 12_000), 0.007_511_501_692_123_413, 0.029_853_094_706_578_31),
            ((800, 4_800), (1_995, 12_000), -0.011_887_410_249_352_347, 0.013_057_264_069_654_856),
        ];
        for (t, c, low, high) in expected {
            let found = newcombe(t, c, Z);
            assert!((found.0 - low).abs() < 1e-15 && (found.1 - high).abs() < 1e-15, "{found:?}");
        }
    }

    #[test]
    fn bounds_solve_the_score_equation() {
        for (k, n) in [(0_u64, 7_u64), (1, 7), (7, 7), (3, 1_000_000), (999_999, 1_000_000), (1 << 40, 1 << 41)] {
            for z in [0.5, Z, 4.0] {
                let (low, high) = wilson(k, n, z);
                let p = k as f64 / n as f64;
                assert!((0.0..=p).contains(&low) && (p..=1.0).contains(&high));
                for bound in [low, high] {
                    let score = (p - bound) * (p - bound) - z * z * bound * (1.0 - bound) / n as f64;
                    assert!(score.abs() < 1e-15, "{k} {n} {z}: {score}");
                }
            }
        }
        assert_eq!((wilson(0, 10, Z).0, wilson(10, 10, Z).1), (0.0, 1.0));
    }

    #[test]
    fn certain_groups() {
        let (low, high) = newcombe((0, 20), (20, 20), Z);
        assert!(low >= -1.0 && (high + 1.0).abs() < 0.5 && high > -1.0);
        let ((a, b), (c, d)) = (newcombe((3, 20), (9, 31), Z), newcombe((9, 31), (3, 20), Z));
        assert!((a + d).abs() < 1e-16 && (b + c).abs() < 1e-16);
    }
}
