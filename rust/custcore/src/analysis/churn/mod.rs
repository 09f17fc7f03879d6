//! Churn: who will not come back within a horizon, by the length of his pause and the number of his purchase days; and a back-test of
//! such scores as of past days.

pub(crate) mod backtest;
mod backtest_rows;
mod calibration;
mod histories;
pub(crate) mod model;
mod ranking;
mod score;
mod scored;
mod spec;
mod state;
mod table;

pub use self::backtest::{Backtest, backtest};
pub use self::model::ChurnModel;
pub use self::score::churn_scores;
pub use self::spec::{BacktestSpec, ChurnSpec, Population, ScoreName};
