//! Nonlinear least squares of a few parameters: Levenberg's and Marquardt's damped Gauss-Newton steps (Marquardt 1963).

/// The most steps, and the damping beyond which none is tried.
const MAX_STEPS: usize = 500;
const MAX_DAMPING: f64 = 1e16;
/// A step this small, in all parameters, ends the search. Parameters are logarithms.
const SMALLEST_STEP: f64 = 1e-13;

/// Residuals at a point, and their derivatives: a row for each residual.
pub(super) struct Residuals<const P: usize> {
    pub(super) values: Vec<f64>,
    pub(super) derivatives: Vec<[f64; P]>,
}

impl<const P: usize> Residuals<P> {
    /// Sum of squares.
    pub(super) fn sum(&self) -> f64 {
        self.values.iter().map(|value| value * value).sum()
    }

    /// J'J and J'r.
    fn normal_equations(&self) -> ([[f64; P]; P], [f64; P]) {
        let (mut matrix, mut right) = ([[0.0; P]; P], [0.0; P]);
        for (value, row) in self.values.iter().zip(&self.derivatives) {
            for i in 0..P {
                right[i] += row[i] * value;
                for j in 0..P {
                    matrix[i][j] += row[i] * row[j];
                }
            }
        }
        (matrix, right)
    }

    /// The diagonal of the inverse of J'J: variances where residuals have variance 1. `None` where it is singular.
    pub(super) fn variances(&self) -> Option<[f64; P]> {
        let (matrix, _) = self.normal_equations();
        let mut variances = [0.0; P];
        for (i, variance) in variances.iter_mut().enumerate() {
            let mut unit = [0.0; P];
            unit[i] = 1.0;
            *variance = solve(matrix, unit)?[i];
        }
        Some(variances)
    }
}

/// The solution of a positive definite system by Cholesky's decomposition; `None` if it is not positive definite in floats.
fn solve<const P: usize>(matrix: [[f64; P]; P], right: [f64; P]) -> Option<[f64; P]> {
    let mut lower = [[0.0; P]; P];
    for i in 0..P {
        for j in 0..=i {
            let rest = matrix[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
            if i == j {
                if rest <= 1e-15 * matrix[i][i] || !rest.is_finite() {
                    return None;
                }
                lower[i][i] = rest.sqrt();
            } else {
                lower[i][j] = rest / lower[j][j];
            }
        }
    }
    let mut solution = right;
    for i in 0..P {
        solution[i] = (solution[i] - (0..i).map(|k| lower[i][k] * solution[k]).sum::<f64>()) / lower[i][i];
    }
    for i in (0..P).rev() {
        solution[i] = (solution[i] - (i + 1..P).map(|k| lower[k][i] * solution[k]).sum::<f64>()) / lower[i][i];
    }
    Some(solution)
}

/// Searches a minimum of the sum of squares from `start`.
pub(super) fn minimise<const P: usize>(start: [f64; P], residuals: impl Fn(&[f64; P]) -> Residuals<P>) -> ([f64; P], Residuals<P>) {
    let (mut at, mut found) = (start, residuals(&start));
    let (mut sum, mut damping) = (found.sum(), 1e-3);
    for _ in 0..MAX_STEPS {
        let (matrix, right) = found.normal_equations();
        let mut damped = matrix;
        for (i, row) in damped.iter_mut().enumerate() {
            row[i] += damping * matrix[i][i].max(f64::MIN_POSITIVE);
        }
        let step = solve(damped, right);
        let next = step.map(|step| std::array::from_fn::<f64, P, _>(|i| at[i] - step[i]));
        let tried = next.map(|next| residuals(&next));
        match (next, tried, step) {
            (Some(next), Some(tried), Some(step)) if tried.sum() <= sum => {
                (at, sum, found) = (next, tried.sum(), tried);
                damping = (damping * 0.1).max(1e-18);
                if step.iter().all(|step| step.abs() <= SMALLEST_STEP) {
                    break;
                }
            }
            _ => {
                damping *= 10.0;
                if damping > MAX_DAMPING {
                    break;
                }
            }
        }
    }
    polish(at, found, &residuals)
}

/// Undamped steps while they shrink: sums of squares are too flat at their minimum to be compared.
fn polish<const P: usize>(
    mut at: [f64; P],
    mut found: Residuals<P>,
    residuals: &impl Fn(&[f64; P]) -> Residuals<P>,
) -> ([f64; P], Residuals<P>) {
    let mut last = 1e-4;
    for _ in 0..MAX_STEPS {
        let (matrix, right) = found.normal_equations();
        let Some(step) = solve(matrix, right) else { break };
        let size = step.iter().fold(0.0_f64, |size, step| size.max(step.abs()));
        if size >= last || size == 0.0 {
            break;
        }
        last = size;
        at = std::array::from_fn(|i| at[i] - step[i]);
        found = residuals(&at);
    }
    (at, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_with_its_variances() {
        // y = 1 + 2 x, weights 1; the inverse of J'J of x = 0, 1, 2 is [[5, -3], [-3, 3]] / 6.
        let residuals = |at: &[f64; 2]| Residuals {
            values: (0..3).map(|x| at[0] + at[1] * f64::from(x) - (1.0 + 2.0 * f64::from(x))).collect(),
            derivatives: (0..3).map(|x| [1.0, f64::from(x)]).collect(),
        };
        let (at, found) = minimise([10.0, -7.0], residuals);
        assert!((at[0] - 1.0).abs() < 1e-12 && (at[1] - 2.0).abs() < 1e-12, "{at:?}");
        let variances = found.variances().unwrap_or_default();
        assert!((variances[0] - 5.0 / 6.0).abs() < 1e-12 && (variances[1] - 0.5).abs() < 1e-12, "{variances:?}");
    }

    #[test]
    fn what_cannot_be_told_apart_has_no_variances() {
        let found = Residuals { values: vec![0.0; 2], derivatives: vec![[1.0, 2.0], [2.0, 4.0]] };
        assert_eq!(found.variances(), None);
    }
}
