//! Parametric simulation: histories of new customers, and what is to come of observed ones.

use super::cells::Cells;
use super::family::PurchaseFamily;
use super::predict::Predictor;
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::random::Random;
use crate::num::special::exp;

/// Rate and drop-out of one customer.
#[derive(Debug, Clone, Copy)]
struct Customer {
    rate: f64,
    dropout: Dropout,
}

#[derive(Debug, Clone, Copy)]
enum Dropout {
    Never,
    /// After that many purchases to come.
    After(f64),
    /// At that time.
    At(f64),
}

impl Customer {
    /// Draws a customer who was alive at `age` with x repeat purchases: his rate and drop-out are independent then. Parameters are those
    /// of the family, of days; times of drop-out count from `age`.
    fn draw_alive(family: PurchaseFamily, parameters: &[f64], x: f64, age: f64, random: &mut Random) -> Self {
        let at = |i: usize| parameters.get(i).copied().unwrap_or(0.0);
        let rate = random.gamma(at(0) + x) / (at(1) + age);
        let dropout = match family {
            PurchaseFamily::Nbd => Dropout::Never,
            PurchaseFamily::Bgnbd | PurchaseFamily::Mbgnbd => {
                let first = f64::from(u8::from(family == PurchaseFamily::Mbgnbd));
                let p = random.beta(at(2), at(3) + x + first);
                Dropout::After(random.first_success(p))
            }
            PurchaseFamily::ParetoNbd => {
                let hazard = random.gamma(at(2)) / (at(3) + age);
                Dropout::At(random.exponential() / hazard)
            }
        };
        Self { rate, dropout }
    }

    /// Draws a customer at his first purchase.
    #[cfg(test)]
    fn draw_new(family: PurchaseFamily, parameters: &[f64], random: &mut Random) -> Self {
        let at = |i: usize| parameters.get(i).copied().unwrap_or(0.0);
        if family != PurchaseFamily::Mbgnbd {
            return Self::draw_alive(family, parameters, 0.0, 0.0, random);
        }
        // The first purchase is one of those after which he may drop out.
        let rate = random.gamma(at(0)) / at(1);
        let p = random.beta(at(2), at(3));
        Self { rate, dropout: Dropout::After(random.first_success(p) - 1.0) }
    }

    /// The number of purchases in the next `horizon` days.
    fn count(&self, horizon: f64, random: &mut Random) -> u64 {
        match self.dropout {
            Dropout::Never => random.poisson(self.rate * horizon),
            Dropout::At(end) => random.poisson(self.rate * horizon.min(end)),
            Dropout::After(most) => random.poisson(self.rate * horizon).min(most as u64),
        }
    }

    /// Calls `purchase` with the times of the purchases up to `end`, ascending.
    #[cfg(test)]
    fn purchases(&self, end: f64, random: &mut Random, mut purchase: impl FnMut(f64)) {
        let (end, most) = match self.dropout {
            Dropout::Never => (end, f64::INFINITY),
            Dropout::At(lost) => (end.min(lost), f64::INFINITY),
            Dropout::After(most) => (end, most),
        };
        let (mut time, mut count) = (0.0, 0.0);
        while count < most {
            time += random.exponential() / self.rate;
            // A rate of 0 gives infinity.
            if time > end || time.is_nan() {
                break;
            }
            purchase(time);
            count += 1.0;
        }
    }
}

/// The history of a new customer in the model's continuous time: repeat purchases up to `age` and the time of the last one.
#[cfg(test)]
pub(crate) fn simulate_history(family: PurchaseFamily, parameters: &[f64], age: f64, random: &mut Random) -> (u32, f64) {
    let customer = Customer::draw_new(family, parameters, random);
    let (mut x, mut t_x) = (0_u32, 0.0);
    customer.purchases(age, random, |time| (x, t_x) = (x.saturating_add(1), time));
    (x, t_x)
}

/// The same on the day grid of summaries: the first purchase at a random moment of day 0, observed up to the end of day `age`, purchases of
/// one day as one. Returns the repeat purchase days and the last one.
#[cfg(test)]
pub(crate) fn simulate_history_days(family: PurchaseFamily, parameters: &[f64], age: u32, random: &mut Random) -> (u32, u32) {
    let customer = Customer::draw_new(family, parameters, random);
    let moment = random.unit();
    let (mut x, mut t_x) = (0_u32, 0_u32);
    customer.purchases(f64::from(age) + 1.0 - moment, random, |time| {
        let day = ((moment + time).floor() as u32).min(age);
        if day > t_x {
            (x, t_x) = (x + 1, day);
        }
    });
    (x, t_x)
}

/// The purchases in the next `horizon` days of a customer with x repeat purchases at `age`, who is alive with probability `p_alive`.
pub(crate) fn simulate_future(
    family: PurchaseFamily,
    parameters: &[f64],
    (x, age, p_alive): (u32, f64, f64),
    horizon: f64,
    random: &mut Random,
) -> u64 {
    if random.unit() >= p_alive {
        return 0;
    }
    Customer::draw_alive(family, parameters, f64::from(x), age, random).count(horizon, random)
}

/// What [`simulate_totals`] simulates.
pub(crate) struct Simulation<'a> {
    /// The model.
    pub family: PurchaseFamily,
    /// Its parameters, of days.
    pub parameters: &'a [f64],
    /// Covariance of their logarithms: each simulation draws its own parameters. Parameters without one are kept.
    pub covariance: Option<&'a [Vec<Option<f64>>]>,
    /// Days to come.
    pub horizon: f64,
    /// Seed; simulation k has the stream k of it.
    pub seed: u64,
    /// The predictor of parameters.
    pub predictor: &'a (dyn Fn(&[f64]) -> Box<dyn Predictor> + Sync),
}

impl Simulation<'_> {
    fn parameters(&self, factor: Option<&Vec<Vec<f64>>>, random: &mut Random) -> Vec<f64> {
        let Some(factor) = factor else { return self.parameters.to_vec() };
        let normals: Vec<f64> = self.parameters.iter().map(|_| random.normal()).collect();
        let moved = |(parameter, row): (&f64, &Vec<f64>)| parameter * exp(row.iter().zip(&normals).map(|(a, b)| a * b).sum());
        self.parameters.iter().zip(factor).map(moved).collect()
    }

    fn p_alive(&self, parameters: &[f64], cells: &Cells) -> Vec<f64> {
        let predictor = (self.predictor)(parameters);
        let of = |x: u32, i: usize| predictor.p_alive(x, cells.times[cells.recency[i] as usize], cells.times[cells.age[i] as usize]);
        cells.runs.iter().flat_map(|run| run.cells.clone().map(move |i| (run.x, i))).map(|(x, i)| of(x, i)).collect()
    }

    fn total(&self, parameters: &[f64], p_alive: &[f64], cells: &Cells, random: &mut Random, context: &Context) -> Result<u64> {
        let mut total = 0_u64;
        for part in cells.parts() {
            context.check()?;
            for i in part.cells {
                let customer = (part.x, cells.times[cells.age[i] as usize], p_alive[i]);
                for _ in 0..cells.weight[i].round() as u64 {
                    total = total.saturating_add(simulate_future(self.family, parameters, customer, self.horizon, random));
                }
            }
        }
        Ok(total)
    }
}

/// Totals of purchases over all customers in `n` simulations; weights count as whole customers. The same for any number of threads.
pub(crate) fn simulate_totals(simulation: &Simulation<'_>, cells: &Cells, n: usize, context: &Context) -> Result<Vec<u64>> {
    let factor = simulation.covariance.map(|covariance| cholesky(covariance, simulation.parameters.len()));
    let fixed = if factor.is_none() { simulation.p_alive(simulation.parameters, cells) } else { Vec::new() };
    let one = |k: usize| {
        let mut random = Random::new(simulation.seed, k as u64);
        let parameters = simulation.parameters(factor.as_ref(), &mut random);
        if factor.is_none() {
            return simulation.total(&parameters, &fixed, cells, &mut random, context);
        }
        context.check()?;
        let p_alive = simulation.p_alive(&parameters, cells);
        simulation.total(&parameters, &p_alive, cells, &mut random, context)
    };
    let draws = n.saturating_mul(cells.customers() as usize);
    context.run_if_large(draws, |threads| threads.par_tasks(0..n, one))?.into_iter().collect()
}

/// The lower triangular factor of a covariance; rows of unknown or vanishing variance are 0.
fn cholesky(covariance: &[Vec<Option<f64>>], n: usize) -> Vec<Vec<f64>> {
    let entry = |i: usize, j: usize| covariance.get(i).and_then(|row| row.get(j)).copied().flatten().unwrap_or(0.0);
    let mut factor = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = entry(i, j) - known;
            factor[i][j] = if i == j {
                rest.max(0.0).sqrt()
            } else if factor[j][j] > 0.0 {
                rest / factor[j][j]
            } else {
                0.0
            };
        }
    }
    factor
}

#[cfg(test)]
mod tests;
