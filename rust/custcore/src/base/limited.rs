//! A base with a limit to its memory: what exceeds it goes to a folder ([`super::spill`]), and results are made range by
//! range of ids. As long as everything fits, it is a base like any other.

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

/// How much memory a base may take, and where to put what exceeds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Bytes.
    pub memory: u64,
    /// The folder in which a folder for the runs is made.
    pub folder: PathBuf,
}

/// The smallest limit that can be kept: a group of batches is folded at once.
const LEAST_MEMORY: u64 = 1 << 20;

impl MemoryLimit {
    /// A limit of so many bytes, at least a mebibyte.
    pub fn new(memory: u64, folder: PathBuf) -> Result<Self> {
        if memory < LEAST_MEMORY {
            let message = format!("max_memory={memory} bytes is less than a base can work in; give it at least {LEAST_MEMORY}");
            return Err(Error::new(ErrorKind::MemoryLimit, message));
        }
        Ok(Self { memory, folder })
    }
}

/// A fold that goes to the folder when it outgrows its share of the memory.
#[derive(Debug)]
pub struct LimitedBuilder {
    spec: BaseSpec,
    schema: Schema,
    limit: MemoryLimit,
    builder: UpdateBuilder,
    full: Option<Spill>,
}

/// What was folded: the runs that were written, and what came after them.
#[derive(Debug)]
pub struct LimitedUpdate {
    full: Option<Spill>,
    rest: Update,
}

impl LimitedBuilder {
    /// Begins an update of a base that has perhaps been put on disk.
    pub fn begin(base: &CustomerBase, disk: Option<&Spill>, schema: &Schema, limit: &MemoryLimit) -> Result<Self> {
        if let Some(disk) = disk {
            // The kinds are known there; what is in memory came after.
            disk.account().begin(schema)?;
        }
        let builder = base.begin(schema)?;
        Ok(Self { spec: base.spec().clone(), schema: schema.clone(), limit: limit.clone(), builder, full: None })
    }

    /// Folds some batches. After an error it is of no further use.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let before = self.full.as_ref().map_or(0, |full| full.account().rows());
        self.builder.push(batches, context).map_err(|error| error.counted_from(before))?;
        // The base that is there, this update, and the tables of both while they grow: a third for each.
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

    /// Rows folded so far.
    pub fn rows(&self) -> u64 {
        self.full.as_ref().map_or(0, |full| full.account().rows()) + self.builder.rows()
    }

    /// All that was folded.
    pub fn finish(self, context: &Context) -> Result<LimitedUpdate> {
        Ok(LimitedUpdate { full: self.full, rest: self.builder.finish(context)? })
    }
}

/// An error where the batch of this name was given already.
pub fn check_limited_batch(base: &CustomerBase, disk: Option<&Spill>, batch: Option<&str>) -> Result<()> {
    let Some(batch) = batch else { return Ok(()) };
    base.check_batch(batch)?;
    disk.map_or(Ok(()), |disk| disk.account().check_batch(batch))
}

/// Ends an update. After an error base and disk are what they were.
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
            "the base needs about {together} bytes, more than max_memory={}; one whose orders were sealed cannot be put on disk, where \
             nobody would know which orders are open. Raise max_memory",
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
    // A base of which nothing could be put on disk is still in memory as a whole.
    *disk = Some(runs).filter(|runs| !runs.is_empty());
    result?;
    *base = named;
    Ok(())
}

/// Puts all that is in memory on disk, and empties the base.
pub fn spill_all(base: &mut CustomerBase, disk: &mut Option<Spill>, context: &Context) -> Result<()> {
    let runs = disk.as_mut().ok_or_else(|| Error::internal("a base in memory was to be read from disk"))?;
    runs.add(base, context)?;
    *base = CustomerBase::new(base.spec().clone())?;
    Ok(())
}

/// What the whole base is asked: `work` is done with the base of each range of ids, ascending. All must be on disk.
pub(crate) fn by_ranges<T>(
    disk: &Spill,
    limit: &MemoryLimit,
    context: &Context,
    mut work: impl FnMut(&CustomerBase) -> Result<T>,
) -> Result<Vec<T>> {
    // Some of the memory is for what is made of a range.
    let mut parts = disk.parts(limit.memory / 2);
    let mut results = Vec::new();
    while let Some(part) = parts.next(context)? {
        context.check()?;
        results.push(work(&part)?);
    }
    Ok(results)
}

/// Customers and report of a base on disk.
pub fn limited_meta(disk: &Spill, limit: &MemoryLimit, context: &Context) -> Result<(usize, Report)> {
    let mut report = disk.account().report(None)?;
    let mut customers = 0;
    for (number, part) in by_ranges(disk, limit, context, |part| Ok((part.len(), part.report(None)?)))? {
        customers += number;
        report.join(&part);
    }
    Ok((customers, report))
}

/// The folder that is used where none is named.
pub fn default_spill_dir() -> PathBuf {
    std::env::temp_dir()
}

/// Whether a folder is there.
pub fn check_spill_dir(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    Err(Error::file("write", folder, &error))
}
