//! What a scan writes down of a window besides totals, as analyses of orders read it: every order ([`Journal`], [`Entry`]), or
//! purchases by day in few bytes ([`Piece`], [`Sums`]).

pub use crate::state::order_log::{Entry, Journal};
pub use crate::state::purchase_log::{FIRST_DAY, LAST_DAY, Piece, Sums};
