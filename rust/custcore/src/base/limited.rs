//! A base with a memory limit: the excess is spilled to a folder ([`super::spill`]), and results are computed by
//! ranges of ids. While everything fits, it is a normal base.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::CustomerBase;
use super::spill::Spill;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::ingest::builder::{Update, UpdateBuilder};
use crate::report::Report;
use crate::state::spec::BaseSpec;

/// The memory limit of a base, and the folder for spilled runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Bytes.
    pub memory: u64,
    /// The parent of the folder for the runs.
    pub folder: PathBuf,
}

/// The smallest limit: a group of batches is aggregated at once.
const LEAST_MEMORY: u64 = 1 << 20;

impl MemoryLimit {
    /// A limit in bytes, at least 1 MiB.
    pub fn new(memory: u64, folder: PathBuf) -> Result<Self> {
        if memory < LEAST_MEMORY {
            let message = format!("max_memory={memory} bytes is too small for a base; use at least {LEAST_MEMORY}");
            return Err(Error::new(ErrorKind::MemoryLimit, message));
        }
        Ok(Self { memory, folder })
    }
}

/// An update that spills to the folder when it exceeds its share of the memory.
#[derive(Debug)]
pub struct LimitedBuilder {
    spec: BaseSpec,
    schema: Schema,
    limit: MemoryLimit,
    builder: UpdateBuilder,
    full: Option<Spill>,
}

/// A finished update: the spilled runs, and the remainder in memory.
#[derive(Debug)]
pub struct LimitedUpdate {
    full: Option<Spill>,
    rest: Update,
}

impl LimitedBuilder {
    /// Begins an update of a base that may have spilled runs.
    pub fn begin(base: &CustomerBase, disk: Option<&Spill>, schema: &Schema, limit: &MemoryLimit) -> Result<Self> {
        if let Some(disk) = disk {
            // The input schema was fixed by the spilled part.
            disk.account().begin(schema)?;
        }
        let builder = base.begin(schema)?;
        Ok(Self { spec: base.spec().clone(), schema: schema.clone(), limit: limit.clone(), builder, full: None })
    }

    /// Adds batches. After an error the builder must be dropped.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let before = self.full.as_ref().map_or(0, |full| full.account().rows());
        self.builder.push(batches, context).map_err(|error| error.counted_from(before))?;
        // One third each for the base, this update, and the tables of both while they grow.
        if self.builder.bytes() as u64 > self.limit.memory / 3 {
            let next = CustomerBase::new(self.spec.clone())?.begin(&self.schema)?;
            let mut builder = std::mem::replace(&mut self.builder, next);
            builder.release();
            let part = CustomerBase::of(self.spec.clone(), builder.finish(context)?);
            if self.full.is_none() {
                self.full = Some(Spill::new(&self.limit.folder, self.spec.clone())?);
            }
            if let Some(full) = &mut self.full {
                full.add(&part, context)?;
            }
        }
        Ok(())
    }

    /// See [`UpdateBuilder::release`].
    pub fn release(&mut self) {
        self.builder.release();
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.full.as_ref().map_or(0, |full| full.account().rows()) + self.builder.rows()
    }

    /// Finishes the update.
    pub fn finish(self, context: &Context) -> Result<LimitedUpdate> {
        Ok(LimitedUpdate { full: self.full, rest: self.builder.finish(context)? })
    }
}

/// An error if a batch of this name was already loaded.
pub fn check_limited_batch(base: &CustomerBase, disk: Option<&Spill>, batch: Option<&str>) -> Result<()> {
    let Some(batch) = batch else { return Ok(()) };
    base.check_batch(batch)?;
    disk.map_or(Ok(()), |disk| disk.account().check_batch(batch))
}

/// Commits an update. After an error base and runs are unchanged.
pub fn commit_limited(
    base: &mut CustomerBase,
    disk: &mut Option<Spill>,
    limit: &MemoryLimit,
    update: LimitedUpdate,
    batch: Option<&str>,
    context: &Context,
) -> Result<()> {
    check_limited_batch(base, disk.as_ref(), batch)?;
    let LimitedUpdate { full, rest } = update;
    let together = (base.bytes() + rest.state.bytes()) as u64;
    if full.is_none() && together <= limit.memory {
        return base.commit(rest, batch, context);
    }
    if base.sealed().is_some() {
        let message = format!(
            "the base needs about {together} bytes, more than max_memory={}; a base with sealed orders cannot be spilled, because \
             late lines are checked against the open orders in memory. Raise max_memory",
            limit.memory
        );
        return Err(Error::new(ErrorKind::MemoryLimit, message));
    }
    let rest = CustomerBase::of(base.spec().clone(), rest);
    let empty = CustomerBase::new(base.spec().clone())?;
    let mut named = empty;
    named.merge(&rest, context)?;
    if let Some(batch) = batch {
        named.name_batch(batch);
    }
    let mut runs = match disk.take() {
        Some(runs) => runs,
        None => Spill::new(&limit.folder, base.spec().clone())?,
    };
    let result = runs.add(base, context).and_then(|()| full.map_or(Ok(()), |full| runs.append(full, context)));
    // If no run could be written, the base is still in memory.
    *disk = Some(runs).filter(|runs| !runs.is_empty());
    result?;
    *base = named;
    Ok(())
}

/// Spills the base, and empties it.
pub fn spill_all(base: &mut CustomerBase, disk: &mut Option<Spill>, context: &Context) -> Result<()> {
    let runs = disk.as_mut().ok_or_else(|| Error::internal("a base without spilled runs"))?;
    runs.add(base, context)?;
    *base = CustomerBase::new(base.spec().clone())?;
    Ok(())
}

/// Calls `work` with the base of each range of ids, ascending. The whole base must be spilled.
pub(crate) fn by_ranges<T>(
    disk: &Spill,
    limit: &MemoryLimit,
    context: &Context,
    mut work: impl FnMut(&CustomerBase) -> Result<T>,
) -> Result<Vec<T>> {
    // Half of the memory is for the results of a range.
    let mut parts = disk.parts(limit.memory / 2);
    let mut results = Vec::new();
    while let Some(part) = parts.next(context)? {
        context.check()?;
        results.push(work(&part)?);
    }
    Ok(results)
}

/// Number of customers and report of a spilled base.
pub fn limited_meta(disk: &Spill, limit: &MemoryLimit, context: &Context) -> Result<(usize, Report)> {
    let mut report = disk.account().report(None)?;
    let mut customers = 0;
    for (number, part) in by_ranges(disk, limit, context, |part| Ok((part.len(), part.report(None)?)))? {
        customers += number;
        report.join(&part);
    }
    Ok((customers, report))
}

/// The default folder for spilled runs.
pub fn default_spill_dir() -> PathBuf {
    std::env::temp_dir()
}

/// An error if the folder does not exist.
pub fn check_spill_dir(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    Err(Error::file("write", folder, &error))
}
