//! The sum of ln(1 + J) over cells of one x, with its derivatives.
//!
//! J is g(T) times an integral of f over (`t_x`, T), f = (1 + tau/alpha)^-q (1 + tau/beta)^-(s+1). By the logarithms of the parameters
//! ln f has the derivatives `c_i m_i(tau)`: m = (ln(1 + tau/alpha), tau/(alpha + tau), ln(1 + tau/beta), tau/(beta + tau)),
//! c = (-r, q, -s, s + 1). So the derivatives of J need the means of `m_i` and of `m_i m_j` under f: 4 and 10 moments. Moments may be
//! taken about any origin of m; the origin must be known for the second derivatives by alpha and beta.

use super::Derivatives;
use super::pareto_integral::Pareto;
use crate::num::special::ln;

/// Moments of one integral: its value, the 4 of `m_i`, the 10 of `m_i m_j` by rows of the upper triangle.
pub(crate) const MOMENTS: usize = 15;
/// Rows and columns of the 10 second moments.
pub(crate) const PAIRS: [(usize, usize); 10] = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)];
/// Positions of the squares of the second and fourth moment among all.
const SQUARES: [usize; 2] = [9, 14];
/// A product of 1 + J is turned into a logarithm beyond this.
const LARGE: f64 = 1e150;

/// Adds `term` times all products of `m` to moments.
#[inline]
pub(crate) fn add_moments(moments: &mut [f64; MOMENTS], m: &[f64; 4], term: f64) {
    moments[0] += term;
    let first = m.map(|m| term * m);
    for i in 0..4 {
        moments[1 + i] += first[i];
    }
    for (n, &(i, j)) in PAIRS.iter().enumerate() {
        moments[5 + n] += first[i] * m[j];
    }
}

/// J of one cell, in the form that does not overflow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Odds {
    /// J / (1 + J).
    pub p_lost: f64,
    /// 1 / (1 + J).
    pub p_alive: f64,
}

/// What the derivatives of a cell are taken from.
pub(crate) struct Cell<'a> {
    /// Its weight.
    pub weight: f64,
    /// J.
    pub odds: Odds,
    /// Moments over (`t_x`, T).
    pub moments: &'a [f64; MOMENTS],
    /// m(T), about the same origin.
    pub end: &'a [f64; 4],
    /// tau/(alpha + tau) and tau/(beta + tau) of the origin: 0 for the origin tau = 0.
    pub origin: [f64; 2],
    /// beta/(beta + T).
    pub rest: f64,
}

/// Sums over cells of equal x.
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    coefficients: [f64; 4],
    parameters: Pareto,
    q: f64,
    value: f64,
    /// The product of 1 + J of cells of weight 1 that is not in `value` yet: one logarithm for many cells.
    product: f64,
    /// P(lost), its product with beta/(beta + T), and with the latter times its complement.
    lost: [f64; 3],
    differences: [f64; 4],
    squares: [f64; 2],
    outer: [f64; 10],
    covariances: [f64; 10],
}

impl Sums {
    /// No cells of this x.
    pub(crate) fn new(parameters: &Pareto, x: u32) -> Self {
        let Pareto { r, s, .. } = *parameters;
        let q = r + f64::from(x);
        Self {
            coefficients: [-r, q, -s, s + 1.0],
            parameters: *parameters,
            q,
            value: 0.0,
            product: 1.0,
            lost: [0.0; 3],
            differences: [0.0; 4],
            squares: [0.0; 2],
            outer: [0.0; 10],
            covariances: [0.0; 10],
        }
    }

    /// Adds ln(1 + J) of a cell.
    pub(crate) fn add_value(&mut self, weight: f64, ln_1p_odds: f64) {
        self.value += weight * ln_1p_odds;
    }

    /// Adds ln(1 + J) of a cell of which 1 + J is known.
    #[inline]
    #[expect(clippy::float_cmp, reason = "a weight of exactly 1 needs no product")]
    pub(crate) fn add_odds(&mut self, weight: f64, odds_1p: f64) {
        if weight == 1.0 && odds_1p < LARGE {
            self.product *= odds_1p;
            if self.product > LARGE {
                self.flush();
            }
        } else {
            self.value += weight * ln(odds_1p);
        }
    }

    fn flush(&mut self) {
        self.value += ln(self.product);
        self.product = 1.0;
    }

    /// Adds the derivatives of ln(1 + J) of a cell.
    #[inline]
    pub(crate) fn add(&mut self, cell: &Cell<'_>) {
        let Cell { weight, odds, moments, end, origin, rest } = cell;
        let lost = weight * odds.p_lost;
        let spread = lost * odds.p_alive;
        let inverse = 1.0 / moments[0];
        let mean = [moments[1] * inverse, moments[2] * inverse, moments[3] * inverse, moments[4] * inverse];
        let c = &self.coefficients;
        let mut slope = [0.0; 4];
        let mut difference = [0.0; 4];
        for i in 0..4 {
            difference[i] = mean[i] - end[i];
            slope[i] = c[i] * difference[i];
            self.differences[i] += lost * difference[i];
        }
        slope[2] += 1.0;
        slope[3] -= rest;
        self.lost[0] += lost;
        self.lost[1] += lost * rest;
        self.lost[2] += lost * rest * (1.0 - rest);
        for k in 0..2 {
            let i = 2 * k + 1;
            let square = moments[SQUARES[k]] * inverse - end[i] * end[i] + 2.0 * origin[k] * difference[i];
            self.squares[k] += lost * square;
        }
        let scaled = lost * inverse;
        let means = mean.map(|mean| lost * mean);
        let slopes = slope.map(|slope| spread * slope);
        for (n, &(i, j)) in PAIRS.iter().enumerate() {
            self.outer[n] += slopes[i] * slope[j];
            self.covariances[n] += scaled * moments[5 + n] - means[i] * mean[j];
        }
    }

    /// The sum with its derivatives.
    pub(crate) fn finish(mut self) -> Derivatives {
        self.flush();
        let Pareto { r, s, .. } = self.parameters;
        let (c, d, q) = (self.coefficients, self.differences, self.q);
        let mut all = Derivatives { value: self.value, ..Derivatives::default() };
        for i in 0..4 {
            all.gradient[i] = c[i] * d[i];
        }
        all.gradient[2] += self.lost[0];
        all.gradient[3] -= self.lost[1];
        for (n, &(i, j)) in PAIRS.iter().enumerate() {
            let curvature = match (i, j) {
                (0, 0) | (2, 2) => c[i] * d[i],
                (0, 1) => r * d[1],
                (1, 1) => -q * (d[1] - self.squares[0]),
                (2, 3) => s * d[3],
                (3, 3) => -(s + 1.0) * (d[3] - self.squares[1]) - self.lost[2],
                _ => 0.0,
            };
            let second = self.outer[n] + c[i] * c[j] * self.covariances[n] + curvature;
            all.hessian[i][j] = second;
            all.hessian[j][i] = second;
        }
        all
    }
}
