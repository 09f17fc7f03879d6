//! Maximum-likelihood fits: starts, convergence, boundary cases, standard errors.

mod covariance;
mod driver;
mod optimiser;
mod purchases;
mod result;
mod spend;

pub(crate) use self::driver::{Edge, FitModel, fit_likelihood};
pub(crate) use self::purchases::fit_purchases;
pub(crate) use self::result::padded;
pub use self::result::{Fit, FitLimit, FitOptions, FitStart, FitStatus};
pub(crate) use self::spend::fit_spend;
