//! Customer lifetime value: models of purchases and of spend, fitted to each customer's number of repeat purchase days, last purchase
//! and age.

mod cells;
mod family;
mod fit;
mod likelihood;
mod predict;
mod simulate;

pub use self::family::PurchaseFamily;
pub use self::fit::{Fit, FitLimit, FitOptions, FitStart, FitStatus};
pub use self::predict::Discounting;
