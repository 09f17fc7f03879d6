//! Customer lifetime value: models of purchases and of spend, fitted to each customer's number of repeat purchase days, last purchase
//! and age.

mod cells;
mod contracts;
mod correlation;
mod evaluate;
mod family;
mod fit;
mod likelihood;
mod model;
mod predict;
mod predictions;
mod sbg;
mod simulate;
mod spend;
mod state;
mod summary;
mod total;
mod tracking;

pub use self::contracts::SbgModel;
pub use self::family::PurchaseFamily;
pub use self::fit::{Fit, FitLimit, FitOptions, FitStart, FitStatus};
pub use self::model::{FittedParameters, GroupOptions, PurchaseModel, UnseenGroups};
pub use self::predict::Discounting;
pub use self::predictions::{History, PredictSpec, Prediction, Spend};
pub use self::spend::{Independence, MeanOfX, SpendModel};
pub use self::state::WithSettings;
pub use self::summary::{ClvSummary, SummaryColumns, SummaryNames, clv_summary};
