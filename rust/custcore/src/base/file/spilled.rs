//! The file of a base that exceeds its memory limit: written and read range by range of ids.

use std::io::Write;

use arrow_array::RecordBatch;

use super::table::{BaseFileLayout, Failure, write_batches};
use crate::base::CustomerBase;
use crate::base::export::{BaseLoader, CustomerRows, FILE_BATCHES};
use crate::base::spill::limit::MemoryLimit;
use crate::base::spill::run::{Run, RunWriter};
use crate::column::chunks::InputSchema;
use crate::column::key::OwnedKey;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::state::customer_state::State;
use crate::state::spec::BaseSpec;
use crate::store::blocks::Writer;
use crate::store::scratch::ScratchFolder;

impl CustomerBase {
    /// Whether all amounts fit 64 bits, and the largest absolute amount or a bound of it.
    pub(super) fn largest_units(&self, context: &Context) -> Result<(bool, u128)> {
        let bound = self.amount_bound(context)?;
        if bound <= i64::MAX as u128 {
            return Ok((true, bound));
        }
        let (mut fits, mut largest) = (true, 0);
        self.by_ranges(context, |part| {
            let Some((_, state, _)) = part.known_parts() else { return Ok(()) };
            let (part_fits, part_largest) =
                context.run_if_large(state.size(), |threads| CustomerRows::of(state, threads).largest_units())?;
            (fits, largest) = (fits && part_fits, largest.max(part_largest));
            Ok(())
        })?;
        Ok((fits, largest))
    }

    /// Writes the customers of a spilled base in the batches that the base would have in memory.
    pub(super) fn write_ranges<W: Write + Send>(&self, writer: &mut Writer<W>, layout: &BaseFileLayout, context: &Context) -> Result<()> {
        let Some(mut ranges) = self.ranges(context)? else { return Err(Error::internal("a base without runs")) };
        while let Some(state) = ranges.next(context)? {
            let is_last = ranges.is_done();
            let (open, written) = context.run_if_large(state.size(), |threads| {
                let customers = CustomerRows::of(&state, threads);
                let mut batches = customers.batches(FILE_BATCHES);
                // A batch that is not full goes on in the next range, which begins with it.
                let open = batches.pop_if(|batch| !is_last && !customers.is_full(batch, FILE_BATCHES));
                write_batches(writer, layout, &customers, &batches, (context, threads), |_, _| Ok(()))?;
                let first = open.map(|open| layout.batch(&customers, &customers.codes()[open.start..=open.start])).transpose()?;
                let open = first.map(|first| layout.id_column(&first, threads).map(|ids| ids.key(0).to_owned())).transpose()?;
                Ok((open, !batches.is_empty()))
            })??;
            if open.is_some() {
                ranges.continue_from(open, !written);
            }
        }
        Ok(())
    }
}

/// Loads customers, in memory up to a limit, and then to a run.
pub(super) struct SplitLoader<'a> {
    spec: &'a BaseSpec,
    input_schema: &'a InputSchema,
    narrow: bool,
    limit: Option<&'a MemoryLimit>,
    context: &'a Context,
    threads: Threads<'a>,
    loader: BaseLoader<'a>,
    writer: Option<RunWriter<'a>>,
    /// The last id before those of the loader.
    last: Option<OwnedKey>,
}

/// The loaded customers.
pub(super) struct Loaded {
    pub state: State,
    pub spilled: Option<Run>,
}

impl<'a> SplitLoader<'a> {
    /// No customers yet; `narrow` if all amounts fit 64 bits.
    pub(super) fn new(
        (spec, input_schema): (&'a BaseSpec, &'a InputSchema),
        narrow: bool,
        limit: Option<&'a MemoryLimit>,
        (context, threads): (&'a Context, Threads<'a>),
    ) -> Self {
        let loader = BaseLoader::new(input_schema, spec, threads);
        Self { spec, input_schema, narrow, limit, context, threads, loader, writer: None, last: None }
    }

    /// Adds a batch of the file.
    pub(super) fn read(&mut self, batch: &RecordBatch, layout: &BaseFileLayout) -> Result<(), Failure> {
        let rows = batch.num_rows();
        if let (Some(last), true) = (&self.last, rows > 0)
            && layout.id_column(batch, self.threads)?.key(0) <= last.borrow()
        {
            return Err("its ids are not ascending".into());
        }
        layout.read(batch, &mut self.loader)?;
        if rows > 0 && self.limit.is_some_and(|limit| self.loader.bytes() as u64 > limit.resident(self.spec)) {
            self.last = Some(layout.id_column(batch, self.threads)?.key(rows - 1).to_owned());
            self.spill()?;
        }
        Ok(())
    }

    /// Moves the loaded customers to the run.
    fn spill(&mut self) -> Result<()> {
        let next = BaseLoader::new(self.input_schema, self.spec, self.threads);
        let state = std::mem::replace(&mut self.loader, next).finish();
        let Some(limit) = self.limit else { return Err(Error::internal("a run without a memory limit")) };
        let writer = if let Some(writer) = &mut self.writer {
            writer
        } else {
            let folder = ScratchFolder::create(&limit.folder)?;
            let base = (self.spec, self.input_schema);
            self.writer.insert(RunWriter::new(&folder, base, self.narrow, limit.batches(), self.context)?)
        };
        writer.add(&CustomerRows::of(&state, self.threads), self.threads)
    }

    /// The state in memory, and the run.
    pub(super) fn finish(mut self) -> Result<Loaded> {
        if self.writer.is_none() {
            return Ok(Loaded { state: self.loader.finish(), spilled: None });
        }
        self.spill()?;
        let run = self.writer.map(RunWriter::finish).transpose()?;
        Ok(Loaded { state: self.loader.finish(), spilled: run })
    }
}
