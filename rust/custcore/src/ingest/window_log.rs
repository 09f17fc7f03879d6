//! What a scan writes down of a window besides totals, as analyses of orders read it: every order ([`OrderLog`], [`OrderRecord`]), or
//! purchases by day in few bytes ([`PurchaseChunk`], [`PackedUnits`]).

pub(crate) use crate::state::order_log::{OrderLog, OrderRecord};
pub(crate) use crate::state::purchase_log::{FIRST_DAY, LAST_DAY, PackedUnits, PurchaseChunk};
