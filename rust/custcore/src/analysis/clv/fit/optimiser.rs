//! The optimiser: Newton steps in a trust region, each the exact minimum of the quadratic model (Moré & Sorensen 1983). The only file
//! that knows the library which does it.

use std::cell::RefCell;
use std::rc::Rc;

use basin::{CostFunction, DenseMatrix, Executor, FirstOrderState, Gradient, Hessian, MoreSorensen, TrustRegion};

use crate::error::{Error, Result};

/// Logarithms of parameters beyond this are out of the domain: squares of the parameters stay finite, as do their inverses.
pub(super) const MAX_LOG: f64 = 300.0;
/// The longest step, in logarithms of parameters.
const MAX_RADIUS: f64 = 16.0;

/// A function with its derivatives at a point.
#[derive(Debug, Clone)]
pub(super) struct Point {
    /// The value.
    pub value: f64,
    /// First derivatives.
    pub gradient: Vec<f64>,
    /// Second derivatives, row by row.
    pub hessian: Vec<f64>,
}

/// A function to minimise; errors end the search.
type Function<'f> = dyn Fn(&[f64]) -> Result<Point> + 'f;
/// Points where the function was computed.
type Seen = Vec<(Vec<f64>, Point)>;

/// A function as the library knows it.
struct Problem<'f> {
    function: &'f Function<'f>,
    /// The last two points: the library asks for a value and its derivatives one by one, and comes back to a point after a rejected step.
    seen: Rc<RefCell<Seen>>,
}

impl Problem<'_> {
    fn at<R>(&self, at: &[f64], take: impl Fn(&Point) -> R) -> Result<R> {
        if let Some((_, point)) = self.seen.borrow().iter().find(|(seen, _)| seen == at) {
            return Ok(take(point));
        }
        let point = (self.function)(at)?;
        let result = take(&point);
        let mut seen = self.seen.borrow_mut();
        if seen.len() == 2 {
            seen.remove(0);
        }
        seen.push((at.to_vec(), point));
        Ok(result)
    }
}

impl CostFunction for Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;
    type Error = Error;

    fn cost(&self, at: &Vec<f64>) -> Result<f64> {
        if at.iter().any(|log| log.abs() > MAX_LOG) {
            return Ok(f64::INFINITY);
        }
        let value = self.at(at, |point| point.value)?;
        Ok(if value.is_nan() { f64::INFINITY } else { value })
    }
}

impl Gradient for Problem<'_> {
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>> {
        self.at(at, |point| point.gradient.clone())
    }
}

impl Hessian for Problem<'_> {
    type Hessian = DenseMatrix<f64>;

    fn hessian(&self, at: &Vec<f64>) -> Result<DenseMatrix<f64>> {
        self.at(at, |point| DenseMatrix::from_row_slice(at.len(), at.len(), &point.hessian))
    }
}

/// The end of a search.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// Where it ended.
    pub at: Vec<f64>,
    /// The function there.
    pub point: Point,
    /// Iterations done.
    pub iterations: usize,
}

/// Searches the minimum of `function` from `start`, until no first derivative is larger than `gradient`, nothing more is gained, or
/// `max_iter` iterations are done.
pub(super) fn minimise(start: &[f64], gradient: f64, max_iter: usize, function: &Function<'_>) -> Result<End> {
    let problem = Problem { function, seen: Rc::default() };
    let seen = Rc::clone(&problem.seen);
    let solver = TrustRegion::with_subproblem(MoreSorensen::new()).with_max_radius(MAX_RADIUS).with_absolute_gradient_tolerance(gradient);
    let result = Executor::new(problem, solver, FirstOrderState::new(start.to_vec())).max_iter(max_iter as u64).run()?;
    let (at, iterations) = (result.param().clone(), result.iter() as usize);
    let known = seen.take().into_iter().find(|(seen, _)| *seen == at);
    let point = known.map_or_else(|| function(&at), |(_, point)| Ok(point))?;
    Ok(End { at, point, iterations })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// Rosenbrock's function.
    fn rosenbrock(at: &[f64]) -> Point {
        let (x, y) = (at[0], at[1]);
        let rest = y - x * x;
        Point {
            value: (1.0 - x).powi(2) + 100.0 * rest * rest,
            gradient: vec![-2.0 * (1.0 - x) - 400.0 * x * rest, 200.0 * rest],
            hessian: vec![2.0 - 400.0 * (y - 3.0 * x * x), -400.0 * x, -400.0 * x, 200.0],
        }
    }

    #[test]
    fn a_curved_valley_is_followed_to_its_end() -> Result<()> {
        let evaluations = std::cell::Cell::new(0);
        let End { at: end, iterations, point } = minimise(&[-1.2, 1.0], 1e-7, 100, &|at| {
            evaluations.set(evaluations.get() + 1);
            Ok(rosenbrock(at))
        })?;
        assert!(point.value < 1e-12 && point.gradient.iter().all(|slope| slope.abs() <= 1e-7));
        assert!((end[0] - 1.0).abs() < 1e-6 && (end[1] - 1.0).abs() < 1e-6, "{end:?}");
        assert!(iterations < 40 && evaluations.get() <= 3 * iterations, "{iterations} {}", evaluations.get());
        Ok(())
    }

    #[test]
    fn iterations_are_limited_and_errors_end_the_search() -> Result<()> {
        assert_eq!(minimise(&[-1.2, 1.0], 1e-7, 3, &|at| Ok(rosenbrock(at)))?.iterations, 3);
        let failed = minimise(&[-1.2, 1.0], 1e-7, 100, &|at| if at[0] > 0.0 { Err(Error::cancelled()) } else { Ok(rosenbrock(at)) });
        assert_eq!(failed.map(|end| end.at).map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
        Ok(())
    }

    #[test]
    fn a_function_that_falls_for_ever_ends_at_the_edge_of_the_domain() -> Result<()> {
        let slope = |at: &[f64]| Ok(Point { value: -at[0], gradient: vec![-1.0], hessian: vec![0.0] });
        let end = minimise(&[0.0], 1e-7, 200, &slope)?.at;
        assert!(end[0] > MAX_LOG - 1.0 && end[0] <= MAX_LOG, "{end:?}");
        Ok(())
    }
}
