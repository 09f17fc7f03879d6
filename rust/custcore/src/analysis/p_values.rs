//! P-values adjusted for the number of tests.

/// How p-values are adjusted for the number of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PValueAdjustment {
    /// Benjamini and Hochberg (1995): the false discovery rate.
    Bh,
    /// Holm (1979): the family-wise error rate.
    Holm,
    /// Not at all.
    None,
}

/// The adjusted p-values, in the order given.
pub(crate) fn adjusted(values: &[f64], how: PValueAdjustment) -> Vec<f64> {
    adjusted_among(values, values.len() as f64, how)
}

/// The same where these are some of `n` tests; the p-values of the others are 1.
pub(crate) fn adjusted_among(values: &[f64], n: f64, how: PValueAdjustment) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut adjusted = values.to_vec();
    match how {
        PValueAdjustment::None => {}
        PValueAdjustment::Bh => {
            let mut least = 1.0_f64;
            for (before, &at) in order.iter().enumerate().rev() {
                least = least.min(values[at] * n / (before + 1) as f64);
                adjusted[at] = least;
            }
        }
        PValueAdjustment::Holm => {
            let mut most = 0.0_f64;
            for (before, &at) in order.iter().enumerate() {
                most = most.max(values[at] * (n - before as f64)).min(1.0);
                adjusted[at] = most;
            }
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
    }

    #[test]
    fn as_in_r() {
        // p.adjust(c(.01, .04, .03, .005, .9), "BH") and "holm"
        let values = [0.01, 0.04, 0.03, 0.005, 0.9];
        close(&adjusted(&values, PValueAdjustment::Bh), &[0.025, 0.05, 0.05, 0.025, 0.9]);
        close(&adjusted(&values, PValueAdjustment::Holm), &[0.04, 0.09, 0.09, 0.025, 0.9]);
        close(&adjusted(&values, PValueAdjustment::None), &values);
        assert!(adjusted(&[], PValueAdjustment::Bh).is_empty());
        for how in [PValueAdjustment::Bh, PValueAdjustment::Holm] {
            close(&adjusted_among(&values, 8.0, how), &adjusted(&[0.01, 0.04, 0.03, 0.005, 0.9, 1.0, 1.0, 1.0], how)[..5]);
        }
        close(&adjusted(&[0.6, 0.7], PValueAdjustment::Holm), &[1.0, 1.0]);
    }
}
