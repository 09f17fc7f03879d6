//! Limits of a series by its own steps: an individuals chart (`XmR`; Wheeler and Chambers, Understanding Statistical Process Control).

/// 3 divided by d2 = 1.128 of two values: three standard deviations for each mean step.
const STEPS: f64 = 2.66;
/// Fewer values have no limits.
const LEAST: usize = 6;

/// A measure by month; the last value is that of the month that is judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) area: &'static str,
    pub(super) measure: String,
    pub(super) values: Vec<Option<f64>>,
    /// Whether it can only grow: then it has no limits, which it would always exceed.
    pub(super) is_total: bool,
}

/// What is said of the last value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Judged {
    pub(super) value: Option<f64>,
    pub(super) before: Option<f64>,
    pub(super) change: Option<f64>,
    pub(super) limits: Option<(f64, f64)>,
    /// Whether it is outside the limits; `None` without either.
    pub(super) flag: Option<bool>,
}

impl Series {
    pub(super) fn judged(&self) -> Judged {
        let Some((&value, history)) = self.values.split_last() else { return Judged::default() };
        let before = history.last().copied().flatten();
        let limits = if self.is_total { None } else { limits(history) };
        Judged {
            value,
            before,
            change: value.zip(before).map(|(value, before)| value - before),
            limits,
            flag: value.zip(limits).map(|(value, (low, high))| value < low || value > high),
        }
    }
}

/// Mean ± 2.66 × mean step of the values that are known; `None` of fewer than six.
fn limits(history: &[Option<f64>]) -> Option<(f64, f64)> {
    let known: Vec<f64> = history.iter().copied().flatten().collect();
    if known.len() < LEAST {
        return None;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let steps: f64 = known.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    let half = STEPS * steps / (known.len() - 1) as f64;
    Some((mean - half, mean + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: Vec<Option<f64>>) -> Series {
        Series { area: "base", measure: String::new(), values, is_total: false }
    }

    fn judged(values: &[f64]) -> Judged {
        series(values.iter().copied().map(Some).collect()).judged()
    }

    #[test]
    fn limits_by_hand() {
        // Mean 3.5, all steps 1.
        let found = judged(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!((found.value, found.before, found.change, found.flag), (Some(7.0), Some(6.0), Some(1.0), Some(true)));
        assert!(found.limits.is_some_and(|(low, high)| (low - 0.84).abs() < 1e-12 && (high - 6.16).abs() < 1e-12));
        assert_eq!(judged(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.1]).flag, Some(false));
        let few = judged(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((few.limits, few.flag, few.change), (None, None, Some(1.0)));
        assert_eq!(judged(&[5.0; 7]).flag, Some(false));
        assert_eq!(judged(&[]), Judged::default());
    }

    #[test]
    fn unknown_values_are_left_out() {
        let values = [None, Some(1.0), Some(2.0), Some(3.0), Some(4.0), Some(5.0), Some(6.0), None];
        let found = series(values.to_vec()).judged();
        assert_eq!((found.value, found.before, found.change, found.flag), (None, Some(6.0), None, None));
        assert!(found.limits.is_some());
        assert_eq!(Series { is_total: true, ..series(values.to_vec()) }.judged().limits, None);
    }
}
