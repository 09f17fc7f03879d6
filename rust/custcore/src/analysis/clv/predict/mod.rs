//! What is to come of one customer, given his history and the parameters.

mod geometric;
mod nbd;
mod pareto;
mod pareto_alive;
mod pareto_counts;
mod pareto_survival;
mod predictor;
mod quantiles;
mod uncertainty;

pub(crate) use self::geometric::GeometricPredictor;
pub(crate) use self::nbd::NbdPredictor;
pub(crate) use self::pareto::ParetoPredictor;
pub use self::predictor::Discounting;
pub(crate) use self::predictor::{GivenAlive, Predictor};
pub(crate) use self::quantiles::purchase_quantiles;
pub(crate) use self::uncertainty::parameter_variance;
