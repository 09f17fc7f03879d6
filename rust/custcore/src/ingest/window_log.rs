//! What a cohort scan logs besides totals: every order ([`OrderLog`], [`OrderRecord`]), or packed purchases by day
//! ([`PurchaseChunk`], [`PackedUnits`]).

pub(crate) use crate::state::order_log::{OrderLog, OrderRecord};
pub(crate) use crate::state::purchase_log::{FIRST_DAY, LAST_DAY, PackedUnits, PurchaseChunk};
