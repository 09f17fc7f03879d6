//! Several bases from one scan: the rows are read once, each base aggregates its columns, and either all bases commit
//! their updates or none does.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::spill::update::{LimitedBuilder, LimitedUpdate, StagedUpdate};
use super::versions::VersionedBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// Updates from the same rows, each with the name of its base.
#[derive(Debug)]
pub struct SharedScan {
    builders: Vec<(String, LimitedBuilder)>,
    rows: u64,
}

impl SharedScan {
    /// Begins an update of each base with data of this schema. The columns of all bases are checked before any row is read.
    pub fn begin<'a>(bases: impl IntoIterator<Item = (&'a str, &'a VersionedBase)>, schema: &Schema) -> Result<Self> {
        let builder =
            |(name, base): (&str, &VersionedBase)| Ok((name.to_owned(), base.begin(schema).map_err(|error| error_of_base(error, name))?));
        Ok(Self { builders: bases.into_iter().map(builder).collect::<Result<_>>()?, rows: 0 })
    }

    /// Adds batches. After an error the scan must be dropped.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        // Progress counts rows that all updates have processed.
        let quiet = context.quiet();
        let mut first: Option<Error> = None;
        for (name, builder) in &mut self.builders {
            let Err(error) = builder.push(batches, &quiet) else { continue };
            if error.kind() == ErrorKind::Cancelled {
                return Err(error);
            }
            // Report the error with the smallest row number, independent of the batches.
            let row = |error: &Error| error.row().unwrap_or(u64::MAX);
            if first.as_ref().is_none_or(|first| row(&error) < row(first)) {
                first = Some(error_of_base(error, name));
            }
        }
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        context.advance(rows);
        self.rows += rows;
        first.map_or(Ok(()), Err)
    }

    /// See [`LimitedBuilder::reads_ahead`].
    pub fn reads_ahead(&self) -> bool {
        self.builders.iter().any(|(_, builder)| builder.reads_ahead())
    }

    /// See [`LimitedBuilder::read_ahead`].
    pub fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        self.builders.iter_mut().try_for_each(|(_, builder)| builder.read_ahead(batches, context))
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// See [`LimitedBuilder::expect_more`].
    pub fn expect_more(&mut self) {
        self.builders.iter_mut().for_each(|(_, builder)| builder.expect_more());
    }

    /// See [`LimitedBuilder::release`].
    pub fn release(&mut self) {
        self.builders.iter_mut().for_each(|(_, builder)| builder.release());
    }

    /// The updates, in the order of the bases.
    pub fn finish(self, context: &Context) -> Result<Vec<LimitedUpdate>> {
        self.builders.into_iter().map(|(name, builder)| builder.finish(context).map_err(|error| error_of_base(error, &name))).collect()
    }
}

/// Adds the name of the base to an error.
pub fn error_of_base(error: Error, name: &str) -> Error {
    error.said_of(&format!("base '{name}'"))
}

/// Commits the updates of several bases, with an optional batch id: all of them or, after an error, none.
pub fn commit_updates(
    mut bases: Vec<(&str, &mut VersionedBase)>,
    updates: Vec<LimitedUpdate>,
    batch: Option<&str>,
    context: &Context,
) -> Result<()> {
    if bases.len() != updates.len() {
        return Err(Error::internal(format!("{} updates for {} bases", updates.len(), bases.len())));
    }
    let customers = updates.iter().map(LimitedUpdate::customers).max().unwrap_or(0);
    let stage = |((name, base), update): (&mut (&str, &mut VersionedBase), LimitedUpdate)| {
        base.stage(update, batch, context).map_err(|error| error_of_base(error, name))
    };
    let staged = bases.iter_mut().zip(updates).map(stage).collect::<Result<Vec<StagedUpdate>>>()?;
    let apply = |((name, base), update): ((&str, &mut VersionedBase), StagedUpdate)| {
        base.apply(update, batch, context).map_err(|error| error_of_base(error, name))
    };
    // The threads are started once: if that fails, no base has changed.
    context.run_if_large(customers, |_| bases.into_iter().zip(staged).try_for_each(apply))?
}
