//! Reads a base range by range of ids: the customers of a range are read from all runs and merged.

use super::limit::MemoryLimit;
use super::list::Spilled;
use super::run::{BatchStart, DiskRun, MemoryRun, Run, RunSource};
use crate::base::CustomerBase;
use crate::base::export::BaseMeta;
use crate::base::known::{CachedCount, Known};
use crate::column::chunks::InputSchema;
use crate::column::key::{Key, OwnedKey};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::encoding::KeyEncoding;
use crate::group::interner::Interner;
use crate::report::Report;
use crate::state::customer_state::State;
use crate::state::spec::BaseSpec;

/// Peak memory of a range while it is merged and read by an analysis, as a multiple of its bytes in the runs.
const MEMORY_PER_BYTE: u64 = 5;

impl CustomerBase {
    /// Calls `work` with the bases of ascending ranges of ids, which together are this base: results of customers add up to the
    /// result of the base. The first one also has what belongs to no customer: number of rows, tallies, batch ids. All have the first
    /// and last day of the base. A base in memory is one range.
    pub(crate) fn by_ranges(&self, context: &Context, mut work: impl FnMut(&Self) -> Result<()>) -> Result<()> {
        let (Some(known), Some(mut ranges)) = (&self.known, self.ranges(context)?) else { return work(self) };
        let mut is_first = true;
        while let Some(state) = ranges.next(context)? {
            context.check()?;
            work(&known.part(&self.spec, state, is_first))?;
            is_first = false;
        }
        Ok(())
    }
}

impl CustomerBase {
    /// The base without its customers.
    pub(crate) fn without_customers(&self) -> Self {
        let known = self.known.as_ref().map(|known| {
            let state = known.state.without_customers(0);
            Known {
                input_schema: known.input_schema.clone(),
                state,
                spilled: Spilled::default(),
                batches: known.batches.clone(),
                customers: CachedCount::default(),
                ..*known
            }
        });
        Self { spec: self.spec.clone(), known, limit: None }
    }

    /// The report of a base that may be on disk.
    pub fn report_by_ranges(&self, context: &Context) -> Result<Report> {
        let mut whole: Option<Report> = None;
        self.by_ranges(context, |part| {
            let report = part.report(None)?;
            match &mut whole {
                None => whole = Some(report),
                Some(whole) => whole.join(&report),
            }
            Ok(())
        })?;
        whole.ok_or_else(|| Error::internal("a base without ranges"))
    }

    /// The ranges of a spilled base; `None` if all of it is in memory.
    pub(in crate::base) fn ranges(&self, context: &Context) -> Result<Option<RangeReader<'_>>> {
        let (Some(known), Some(limit)) = (&self.known, self.limit.as_ref().filter(|_| self.is_spilled())) else { return Ok(None) };
        RangeReader::of_base(&self.spec, known, limit, context).map(Some)
    }
}

impl Known {
    /// The base of a range.
    pub(super) fn part(&self, spec: &BaseSpec, mut state: State, is_first: bool) -> CustomerBase {
        let mut meta = BaseMeta { sealed: self.sealed, ..BaseMeta::default() };
        (state.first_day, state.last_day) = (self.state.first_day, self.state.last_day);
        if is_first {
            (state.rows, state.purchases) = (self.state.rows, self.state.purchases);
            state.daily_tallies.clone_from(&self.state.daily_tallies);
            (meta.rows, meta.batches) = (self.rows, self.batches.clone());
        }
        CustomerBase::of_parts(spec.clone(), Some((self.input_schema.clone(), state, meta)))
    }
}

/// Reads the states of ascending ranges of ids from runs.
#[derive(Debug)]
pub(crate) struct RangeReader<'a> {
    spec: &'a BaseSpec,
    input_schema: &'a InputSchema,
    sources: Vec<RunSource<'a>>,
    /// The batches of all sources, (source, batch), ascending by first id.
    starts: Vec<(u32, u32)>,
    /// Where the next range begins; `None` for the first one.
    low: Option<OwnedKey>,
    done: bool,
    /// Bytes of the runs in a range, about.
    target: u64,
}

impl<'a> RangeReader<'a> {
    /// The ranges of a base.
    pub(in crate::base) fn of_base(spec: &'a BaseSpec, known: &'a Known, limit: &MemoryLimit, context: &Context) -> Result<Self> {
        let memory = context.run_if_large(known.state.size(), |threads| {
            MemoryRun::new(&known.state, (spec, &known.input_schema), limit.batches(), threads)
        })??;
        let left = limit.memory.saturating_sub(known.state.bytes() as u64).max(limit.memory / 2);
        let mut sources: Vec<RunSource<'_>> = known.spilled.runs.iter().map(DiskRun::boxed).map(RunSource::Disk).collect();
        sources.push(RunSource::Memory(Box::new(memory)));
        Ok(Self::new((spec, &known.input_schema), sources, left))
    }

    /// The ranges of some runs.
    pub(super) fn of_runs(base: (&'a BaseSpec, &'a InputSchema), runs: impl Iterator<Item = &'a Run>, memory: u64) -> Self {
        Self::new(base, runs.map(DiskRun::boxed).map(RunSource::Disk).collect(), memory)
    }

    fn new((spec, input_schema): (&'a BaseSpec, &'a InputSchema), sources: Vec<RunSource<'a>>, memory: u64) -> Self {
        let of = |(source, run): (u32, &RunSource<'_>)| (0..run.starts().len() as u32).map(move |batch| (source, batch));
        let mut starts: Vec<(u32, u32)> = (0..).zip(&sources).flat_map(of).collect();
        let start = |at: (u32, u32)| &sources[at.0 as usize].starts()[at.1 as usize];
        starts.sort_unstable_by(|&a, &b| start(a).id.cmp(&start(b).id));
        Self { spec, input_schema, sources, starts, low: None, done: false, target: memory / MEMORY_PER_BYTE }
    }

    fn start(&self, at: usize) -> Option<&BatchStart> {
        self.starts.get(at).map(|&(source, batch)| &self.sources[source as usize].starts()[batch as usize])
    }

    /// The state of the next range, without tallies and days; `None` after the last one. There is at least one, which may be empty.
    pub(crate) fn next(&mut self, context: &Context) -> Result<Option<State>> {
        if self.done {
            return Ok(None);
        }
        let first = self.low.as_ref().map_or(0, |low| {
            self.starts.partition_point(|&(source, batch)| self.sources[source as usize].starts()[batch as usize].id < *low)
        });
        let (mut end, mut bytes) = (first, 0);
        while let Some(batch) = self.start(end) {
            // A range has at least one id.
            let is_later = self.start(first).is_none_or(|first| batch.id > first.id);
            if bytes > 0 && bytes + batch.bytes > self.target && is_later {
                break;
            }
            bytes += batch.bytes;
            end += 1;
        }
        let high = self.start(end).map(|batch| batch.id.clone());
        let state = self.between(self.low.as_ref().map(OwnedKey::borrow), high.as_ref().map(OwnedKey::borrow), context)?;
        self.done = high.is_none();
        self.low = high;
        Ok(Some(state))
    }

    /// The bounds of the range that follows: from this id on; `None` at the beginning.
    pub(super) fn low(&self) -> Option<&OwnedKey> {
        self.low.as_ref()
    }

    /// Continues from this id on, with larger ranges if asked.
    pub(crate) fn continue_from(&mut self, low: Option<OwnedKey>, larger: bool) {
        (self.low, self.done) = (low, false);
        if larger {
            self.target = self.target.saturating_mul(2);
        }
    }

    /// Whether the last range was read.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// The state of the ids from `low` to before `high`.
    pub(super) fn between(&self, low: Option<Key<'_>>, high: Option<Key<'_>>, context: &Context) -> Result<State> {
        let (spec, input_schema) = (self.spec, self.input_schema);
        context.install(|threads: Threads<'_>| {
            let read = |source: &RunSource<'_>| source.read((low, high), (spec, input_schema), context, threads);
            let read = threads.par_tasks(&self.sources, read);
            let mut states = read.into_iter().filter_map(Result::transpose).collect::<Result<Vec<State>>>()?;
            context.check()?;
            match (states.len(), states.pop()) {
                (_, None) => Ok(State::new(input_schema, spec, Interner::new(input_schema.id.kind()), KeyEncoding::Table)),
                (1, Some(state)) => Ok(state),
                (_, Some(last)) => {
                    states.push(last);
                    let mut state = State::unify(states, threads)?;
                    state.settle(threads);
                    Ok(state)
                }
            }
        })?
    }
}
