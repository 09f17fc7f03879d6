//! What a fit is asked for, and what it finds.

use crate::analysis::clv::likelihood::MAX_PARAMETERS;

/// How to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The only start, as parameters of days; without it the starts of the model are tried.
    pub start: Option<Vec<f64>>,
    /// Iterations from each start, at most.
    pub max_iter: usize,
    /// Whether to try all starts of the model, even if the first one ends in a maximum.
    pub all_starts: bool,
    /// Means and standard deviations of normal priors of the logarithms of the parameters (of days), by parameter.
    pub prior: Option<Vec<Option<(f64, f64)>>>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { start: None, max_iter: 100, all_starts: false, prior: None }
    }
}

/// The edge of the parameter space that the likelihood rises towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitLimit {
    /// Nobody drops out: the NBD.
    NoDropout,
    /// All customers have the same probability or rate of dropping out.
    EqualDropout,
    /// All customers buy at the same rate.
    EqualRate,
    /// Customers drop out at once or never.
    PointDropout,
    /// Spend model: what one customer spends on a purchase day is always the same.
    ConstantSpend,
}

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitStatus {
    /// In an interior maximum.
    Converged,
    /// At an edge of the parameter space.
    Boundary(FitLimit),
    /// Neither.
    NotConverged,
    /// The parameters were given, not fitted.
    Given,
}

/// One start of a fit, and where it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct FitStart {
    /// Parameters of days at the start and at the end.
    pub start: Vec<f64>,
    /// The same at the end.
    pub end: Vec<f64>,
    /// Log-likelihood at the end.
    pub log_likelihood: f64,
    /// How it ended.
    pub status: FitStatus,
}

/// A fit. Times are in days.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The parameters.
    pub parameters: Vec<f64>,
    /// The log-likelihood, without a prior.
    pub log_likelihood: f64,
    /// How it ended.
    pub status: FitStatus,
    /// Covariance of the logarithms of the parameters; `None` for those that are not identified.
    pub covariance: Vec<Vec<Option<f64>>>,
    /// Standard errors of the parameters by the delta rule.
    pub standard_errors: Vec<Option<f64>>,
    /// Largest first derivative of the mean log-likelihood.
    pub gradient_norm: f64,
    /// Newton decrement `g' (-H)^-1 g`, in units of the total log-likelihood; `None` where the Hessian is not negative definite.
    pub decrement: Option<f64>,
    /// Evaluations of the likelihood, of all starts.
    pub evaluations: usize,
    /// All starts that were tried, in order.
    pub starts: Vec<FitStart>,
}

impl Fit {
    /// Known parameters, whose fit is unknown.
    pub(crate) fn given(parameters: &[f64]) -> Self {
        let n = parameters.len();
        Self {
            parameters: parameters.to_vec(),
            log_likelihood: f64::NAN,
            status: FitStatus::Given,
            covariance: vec![vec![None; n]; n],
            standard_errors: vec![None; n],
            gradient_norm: f64::NAN,
            decrement: None,
            evaluations: 0,
            starts: Vec::new(),
        }
    }
}

impl FitLimit {
    /// Its name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoDropout => "no_dropout",
            Self::EqualDropout => "equal_dropout",
            Self::EqualRate => "equal_rate",
            Self::PointDropout => "point_dropout",
            Self::ConstantSpend => "constant_spend",
        }
    }
}

/// Pads parameters to the length of a [`super::likelihood::LogLikelihood`].
pub(crate) fn padded(parameters: &[f64]) -> [f64; MAX_PARAMETERS] {
    let mut all = [0.0; MAX_PARAMETERS];
    all.iter_mut().zip(parameters).for_each(|(all, &parameter)| *all = parameter);
    all
}
