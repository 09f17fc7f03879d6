//! Customer analytics over Arrow buffers: exact, order-free, fast.
//!
//! The way of the data is the way of the folders: Arrow in ([`mod@column`]), typed columns, customer base ([`base`]),
//! analysis ([`analysis`]), Arrow out ([`table`]). This crate knows nothing of Python and prints nothing; a Rust service can
//! use it as it is.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, cast::AsArray, types::Float64Type};
//! use custcore::base::CustomerBase;
//! use custcore::state::spec::Spec;
//! use custcore::column::chunks::Roles;
//! use custcore::exec::context::Context;
//!
//! let columns: [(&str, ArrayRef); 3] = [
//!     ("customer_id", Arc::new(Int64Array::from(vec![7, 8, 7]))),
//!     ("timestamp", Arc::new(Date32Array::from(vec![19_000, 19_001, 19_002]))),
//!     ("amount", Arc::new(Float64Array::from(vec![0.1, 5.0, 0.2]))),
//! ];
//! let batch = RecordBatch::try_from_iter(columns)?;
//! let roles = Roles {
//!     customer_id: "customer_id".into(),
//!     timestamp: "timestamp".into(),
//!     amount: Some("amount".into()),
//!     order_id: None,
//!     attributes: Vec::new(),
//!     start: None,
//!     returning: None,
//! };
//! let context = Context::default();
//! let mut base = CustomerBase::new(Spec::new(roles))?;
//! base.update(&[batch], &context)?;
//! let table = custcore::analysis::rfm::rfm(&base, None, true, &context)?;
//! assert_eq!(table.batch["monetary_total"].as_primitive::<Float64Type>().value(0), 0.3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod analysis;
pub mod base;
pub mod column;
pub mod error;
pub mod exec;
pub mod group;
pub mod ingest;
pub mod num;
pub mod order_statistics;
pub mod report;
pub mod state;
pub mod store;
pub mod table;
pub mod time;
