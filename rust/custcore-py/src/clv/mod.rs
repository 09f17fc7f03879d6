//! Python bindings of lifetime value: summaries, models of purchases, of spend and of contracts.

mod contracts;
mod fitting;
mod purchases;
mod spend;
mod summary;

pub use self::contracts::CoreSbgModel;
pub use self::purchases::CorePurchaseModel;
pub use self::spend::CoreSpendModel;
pub use self::summary::{CoreClvSummary, clv_summary};
