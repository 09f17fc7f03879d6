//! What a model says of one customer, given his history and the parameters.

/// How future purchases are discounted. The rate is that of a day, as a force of interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Discounting {
    /// At the time of each purchase: the integral of e^(-delta u) dE(u).
    Continuous {
        /// Force of interest of a day: ln(1 + annual rate) / 365.25.
        delta: f64,
    },
    /// At the end of each period of `period_days` days, with the factor (1 + rate)^-k at the end of period k.
    Periodic {
        /// Length of a period in days.
        period_days: f64,
        /// Rate of a period.
        rate: f64,
    },
}

/// Expectations of a customer who has not dropped out, over one horizon.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct GivenAlive {
    /// Expected purchase days.
    pub purchases: f64,
    /// Expectation of their square.
    pub squared: f64,
    /// Probability of any.
    pub p_any: f64,
    /// Probability of not having dropped out at the end of the horizon.
    pub p_alive_end: f64,
    /// Present value of the purchase days.
    pub discounted: f64,
}

/// A model of purchases with its parameters. Times are in days. All functions are pure: predictions of tables and of single customers
/// are the same bits.
pub(crate) trait Predictor: Sync {
    /// Probability that a customer with x repeat purchase days, the last one `t_x` days after the first, has not dropped out at `age`.
    fn p_alive(&self, x: u32, t_x: f64, age: f64) -> f64;

    /// Expectations over the next `horizon` days. A horizon of infinity has `discounted` only; the rest is 0.
    fn given_alive(&self, x: u32, age: f64, horizon: f64, discounting: Discounting) -> GivenAlive;

    /// Fills `out` with P(N <= n) of n = 0, 1, ... purchase days in the next `horizon` days given alive, until 1 - P(N <= n) < 1e-12.
    fn distribution(&self, x: u32, age: f64, horizon: f64, out: &mut Vec<f64>);

    /// Expected repeat purchase days of a customer in the first `days` days after his first purchase.
    fn expected(&self, days: f64) -> f64;

    /// The expected number of pairs of repeat purchases at two times after the first one, per unit of both, as a function of the later
    /// time: E[dN(u) dN(v)] / (du dv) for u < v.
    fn pair_rate(&self, v: f64) -> f64;
}
