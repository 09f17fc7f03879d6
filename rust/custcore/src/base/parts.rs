//! The parts of a base, for its file and for ranges of ids.

use super::CustomerBase;
use super::export::BaseMeta;
use super::known::{CachedCount, Known};
use super::spill::list::Spilled;
use crate::column::chunks::InputSchema;
use crate::state::customer_state::State;
use crate::state::spec::BaseSpec;

impl CustomerBase {
    /// Input schema, state and metadata; `None` before the first update.
    pub(crate) fn known_parts(&self) -> Option<(&InputSchema, &State, BaseMeta)> {
        self.known.as_ref().map(|Known { input_schema, state, rows, batches, sealed, .. }| {
            (input_schema, state, BaseMeta { rows: *rows, batches: batches.clone(), sealed: *sealed })
        })
    }

    /// A base of these parts.
    pub(crate) fn of_parts(spec: BaseSpec, known: Option<(InputSchema, State, BaseMeta)>) -> Self {
        let known = known.map(|(input_schema, state, BaseMeta { rows, batches, sealed })| Known {
            input_schema,
            state,
            spilled: Spilled::default(),
            rows,
            batches,
            sealed,
            version: 0,
            customers: CachedCount::default(),
        });
        Self { spec, known, limit: None }
    }
}
