//! Measures per period: customers, orders, revenue, rates; and what a change of revenue consists of.
//!
//! A base is read customer by customer from its day records ([`from_base`], [`kernel`]). Transactions without a base are scanned
//! like plain cohorts, with bitmaps of the active periods and sums by period, but no day records ([`scan`]). Both give
//! [`found::Measures`], of which [`table`] builds the measures and [`decomposition`] the effects.

pub(crate) mod decomposition;
pub(crate) mod found;
pub(crate) mod from_base;
pub(crate) mod grouping;
pub(crate) mod kernel;
pub(crate) mod labels;
pub(crate) mod scan;
pub(crate) mod segments;
pub(crate) mod spec;
mod table;
