//! Size-tiered compaction: [`FAN_IN`] runs of similar size are merged into one, so that a base has at most [`FAN_IN`] runs of each size,
//! and a customer is written again once for each size.

use super::RunSettings;
use super::list::Spilled;
use super::ranges::RangeReader;
use super::run::{Run, RunWriter};
use crate::base::export::CustomerRows;
use crate::error::Result;
use crate::exec::context::Context;

/// Runs merged at once; runs are of similar size if they differ by less than this factor.
const FAN_IN: usize = 64;

/// The size class of a run.
fn class(run: &Run) -> u32 {
    run.bytes().max(1).ilog2() / FAN_IN.ilog2()
}

impl RunSettings<'_> {
    /// Compacts runs while there are many of one size. After an error the runs are unchanged.
    pub(super) fn compact(&self, spilled: Spilled, context: &Context) -> Result<Spilled> {
        let mut spilled = spilled;
        while let Some(class_of_many) = crowded(&spilled.runs) {
            let (merged, kept): (Vec<Run>, Vec<Run>) = spilled.runs.into_iter().partition(|run| class(run) == class_of_many);
            let run = self.merge_runs(&merged, context)?;
            spilled = Spilled::of(kept, spilled.written);
            spilled.push(run);
        }
        Ok(spilled)
    }

    /// One run of the customers of several.
    fn merge_runs(&self, runs: &[Run], context: &Context) -> Result<Run> {
        let bound = runs.iter().map(Run::largest_units).fold(0, u128::saturating_add);
        let folder = self.folder(runs)?;
        let narrow = bound <= i64::MAX as u128;
        let mut writer = RunWriter::new(&folder, (self.spec, self.input_schema), narrow, self.limit.batches(), context)?;
        let mut ranges = RangeReader::of_runs((self.spec, self.input_schema), runs.iter(), self.limit.memory / 2);
        while let Some(state) = ranges.next(context)? {
            context.run_if_large(state.size(), |threads| writer.add(&CustomerRows::of(&state, threads), threads))??;
        }
        writer.finish()
    }
}

/// A size class with [`FAN_IN`] runs or more.
fn crowded(runs: &[Run]) -> Option<u32> {
    let classes = || runs.iter().map(class);
    classes().find(|&own| classes().filter(|&other| other == own).count() >= FAN_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_within_a_factor_of_the_fan_in_are_similar() {
        assert_eq!(1_u64.ilog2() / FAN_IN.ilog2(), 63_u64.ilog2() / FAN_IN.ilog2());
        assert_ne!(63_u64.ilog2() / FAN_IN.ilog2(), 64_u64.ilog2() / FAN_IN.ilog2());
    }
}
