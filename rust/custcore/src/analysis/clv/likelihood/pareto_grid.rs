//! The Pareto/NBD integrals of all cells of one x, from one pass over the distinct times.
//!
//! With F(t) the integral of f = (1 + tau/alpha)^-q (1 + tau/beta)^-(s+1) from t to the last time, J of a cell is `g(T) (F(t_x) - F(T))`.
//! F and its moments are sums over the gaps between the times, from the last one back. The nodes within gaps and their logarithms
//! serve all x.

use std::ops::Range;

use super::pareto_integral::{Integrand, Pareto};
use super::pareto_sums::{MOMENTS, add_moments};
use crate::num::special::{exp, ln_1p};

/// An x belongs on the grid only where f does not fall below e^-600, so that F needs no scale.
const LOWEST: f64 = 600.0;

/// m(tau) = (ln(1 + tau/alpha), tau/(alpha + tau), ln(1 + tau/beta), tau/(beta + tau)).
pub(crate) fn logs_and_shares(parameters: &Pareto, tau: f64) -> [f64; 4] {
    let Pareto { alpha, beta, .. } = *parameters;
    [ln_1p(tau / alpha), tau / (alpha + tau), ln_1p(tau / beta), tau / (beta + tau)]
}

/// What does not depend on x: m at the times, and the nodes of the gaps between them.
pub(crate) struct Grid {
    parameters: Pareto,
    /// m at each time.
    pub at: Vec<[f64; 4]>,
    /// beta/(beta + T) at each time.
    pub rest: Vec<f64>,
    /// Weights of nodes.
    weights: Vec<f64>,
    /// m at nodes.
    nodes: Vec<[f64; 4]>,
    /// The nodes of gap k are those from `starts[k]` to `starts[k + 1]`.
    starts: Vec<usize>,
}

/// Moments of F at one time, and g there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    /// F and its moments.
    pub moments: [f64; MOMENTS],
    /// g(T) = s / ((beta + T) f(T)).
    pub factor: f64,
}

impl Grid {
    /// The grid of ascending times for all x up to `max_x`.
    pub(crate) fn new(parameters: &Pareto, times: &[f64], max_x: u32) -> Self {
        let Pareto { r, alpha, s, beta } = *parameters;
        let mut grid = Self {
            parameters: *parameters,
            at: times.iter().map(|&time| logs_and_shares(parameters, time)).collect(),
            rest: times.iter().map(|&time| beta / (beta + time)).collect(),
            weights: Vec::new(),
            nodes: Vec::new(),
            starts: vec![0],
        };
        for gap in times.windows(2) {
            let (from, to) = (gap[0], gap[1]);
            let integrand = Integrand { q: r + f64::from(max_x), a: alpha + from, c: s + 1.0, b: beta + from };
            integrand.nodes(to - from, |u, weight| {
                grid.weights.push(weight);
                grid.nodes.push(logs_and_shares(parameters, from + u));
            });
            grid.starts.push(grid.weights.len());
        }
        grid
    }

    /// Whether x may use the grid up to the time at `last`.
    pub(crate) fn holds(parameters: &Pareto, last: f64, x: u32) -> bool {
        let m = logs_and_shares(parameters, last);
        (parameters.r + f64::from(x)) * m[0] + (parameters.s + 1.0) * m[2] < LOWEST
    }

    /// F of one x at the times of a range of positions, from the last of them back.
    pub(crate) fn tails(&self, x: u32, range: &Range<usize>) -> Vec<Tail> {
        let Pareto { r, s, .. } = self.parameters;
        let (q, c) = (r + f64::from(x), s + 1.0);
        let mut sums = [0.0; MOMENTS];
        let mut tails = vec![Tail { moments: sums, factor: 0.0 }; range.len()];
        for position in range.clone().rev() {
            if position + 1 < range.end {
                let nodes = self.starts[position]..self.starts[position + 1];
                let mut gap = [0.0; MOMENTS];
                for (weight, m) in self.weights[nodes.clone()].iter().zip(&self.nodes[nodes]) {
                    add_moments(&mut gap, m, weight * exp(-q * m[0] - c * m[2]));
                }
                sums.iter_mut().zip(gap).for_each(|(sum, gap)| *sum += gap);
            }
            let m = &self.at[position];
            let factor = s / self.parameters.beta * self.rest[position] * exp(q * m[0] + c * m[2]);
            tails[position - range.start] = Tail { moments: sums, factor };
        }
        tails
    }
}
