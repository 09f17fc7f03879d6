//! Predictions of the customers of a summary, and of single ones.

mod one;
mod pairs;
mod spec;
mod spend;
mod table;

pub use self::one::{History, Prediction};
pub(crate) use self::pairs::Pairs;
pub use self::spec::{PredictSpec, Spend};
pub(crate) use self::spend::SpendOfRows;
