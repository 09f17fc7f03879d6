//! Newton steps, and the covariance of the logarithms of the parameters: the inverse of the observed information.

/// A pivot of the Cholesky factor below this part of its diagonal is rounding noise.
const PIVOT: f64 = 1e-15;

/// The Cholesky factor of a symmetric matrix.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    n: usize,
    factor: Vec<f64>,
}

impl Cholesky {
    /// That of the n x n `matrix`, row by row; `None` where it is not positive definite.
    pub(super) fn of(n: usize, matrix: &[f64]) -> Option<Self> {
        let mut factor = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let inner: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
                let rest = matrix[i * n + j] - inner;
                if i == j {
                    if !(rest > PIVOT * matrix[i * n + i] && rest.is_finite()) {
                        return None;
                    }
                    factor[i * n + i] = rest.sqrt();
                } else {
                    factor[i * n + j] = rest / factor[j * n + j];
                }
            }
        }
        Some(Self { n, factor })
    }

    /// The solution of `matrix * solution = right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (n, factor) = (self.n, &self.factor);
        let mut solution = right.to_vec();
        for i in 0..n {
            let inner: f64 = (0..i).map(|k| factor[i * n + k] * solution[k]).sum();
            solution[i] = (solution[i] - inner) / factor[i * n + i];
        }
        for i in (0..n).rev() {
            let inner: f64 = (i + 1..n).map(|k| factor[k * n + i] * solution[k]).sum();
            solution[i] = (solution[i] - inner) / factor[i * n + i];
        }
        solution
    }
}

/// A Newton step from a point.
#[derive(Debug, Clone)]
pub(super) struct Newton {
    /// The step.
    pub step: Vec<f64>,
    /// The decrement `g' H^-1 g`.
    pub decrement: f64,
}

impl Newton {
    /// The step of a function to minimise; `None` where its Hessian is not positive definite.
    pub(super) fn of(gradient: &[f64], hessian: &[f64]) -> Option<Self> {
        let step: Vec<f64> = Cholesky::of(gradient.len(), hessian)?.solve(gradient).iter().map(|step| -step).collect();
        let decrement: f64 = -step.iter().zip(gradient).map(|(step, slope)| step * slope).sum::<f64>();
        decrement.is_finite().then_some(Self { step, decrement: decrement.max(0.0) })
    }
}

/// The inverse of the n x n `information` over the parameters that are not `held` fixed; `None` for those `unknown`, and for all where
/// it has no inverse.
pub(super) fn covariance(n: usize, information: &[f64], held: &[usize], unknown: &[usize]) -> Vec<Vec<Option<f64>>> {
    let mut all = vec![vec![None; n]; n];
    let free: Vec<usize> = (0..n).filter(|i| !held.contains(i)).collect();
    let part: Vec<f64> = free.iter().flat_map(|i| free.iter().map(move |j| information[i * n + j])).collect();
    let Some(factor) = Cholesky::of(free.len(), &part) else { return all };
    for (at, &i) in free.iter().enumerate() {
        let mut unit = vec![0.0; free.len()];
        unit[at] = 1.0;
        for (value, &j) in factor.solve(&unit).into_iter().zip(&free) {
            // One half only: the other one differs by rounding.
            if j <= i && !unknown.contains(&i) && !unknown.contains(&j) {
                all[i][j] = Some(value);
                all[j][i] = Some(value);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f64; 9] = [4.0, 2.0, 1.0, 2.0, 5.0, 3.0, 1.0, 3.0, 6.0];

    #[test]
    fn the_inverse_times_the_matrix_is_one() {
        let inverse = covariance(3, &MATRIX, &[], &[]);
        for (i, row) in MATRIX.chunks(3).enumerate() {
            for (j, column) in inverse.iter().enumerate() {
                // Columns are rows of a symmetric matrix.
                let product: f64 = row.iter().zip(column).map(|(left, right)| left * right.unwrap_or(f64::NAN)).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn held_parameters_are_left_out() {
        let inverse = covariance(3, &MATRIX, &[2], &[1, 2]);
        // The inverse of [4 2; 2 5] is [5 -2; -2 4] / 16.
        assert!(inverse[0][0].is_some_and(|value| (value - 5.0 / 16.0).abs() < 1e-16));
        assert_eq!(inverse.concat().iter().flatten().count(), 1);
    }

    #[test]
    fn only_positive_definite_matrices_have_a_step() {
        assert!(Newton::of(&[1.0, 1.0], &[1.0, 2.0, 2.0, 1.0]).is_none());
        assert!(Newton::of(&[1.0, 1.0], &[1.0, 1.0, 1.0, 1.0]).is_none());
        assert!(Newton::of(&[1.0], &[f64::NAN]).is_none());
        let newton = Newton::of(&[2.0, -8.0], &[2.0, 0.0, 0.0, 4.0]);
        let is_close = |(found, expected): (&f64, f64)| (found - expected).abs() < 1e-14;
        assert!(newton.is_some_and(|newton| newton.step.iter().zip([-1.0, 2.0]).all(is_close) && is_close((&newton.decrement, 18.0))));
    }
}
