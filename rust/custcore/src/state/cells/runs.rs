//! The cells of one level: runs, and a buffer of those that were added last.

use std::sync::Arc;

use super::run::{Cell, CellRun, CellRunBuilder, Ends, Kept};

/// Cells that are sorted at a time.
const BUFFER: usize = 1 << 16;
/// A run is merged with the one before it, unless that is this many times longer.
const GROWTH: usize = 2;

/// The cells of the owners of one level.
#[derive(Debug, Clone)]
pub(crate) struct CellRuns {
    kept: Kept,
    ends: Ends,
    /// Descending by length, each shared with the copies of a base.
    runs: Vec<Arc<CellRun>>,
    buffer: Vec<(u32, Cell)>,
}

/// The cells of a buffer as a run.
fn sorted(buffer: &[(u32, Cell)], kept: Kept, ends: Ends) -> CellRun {
    // Positions are sorted, which are smaller than cells.
    let place = |(at, (owner, cell)): (u32, &(u32, Cell))| {
        let (category, day) = cell.place(kept);
        (u64::from(*owner) << 32 | u64::from(category), day, at)
    };
    let mut order: Vec<(u64, i32, u32)> = (0..).zip(buffer).map(place).collect();
    order.sort_unstable();
    let mut builder = CellRunBuilder::new(kept, ends);
    order.iter().map(|&(_, _, at)| &buffer[at as usize]).for_each(|(owner, cell)| builder.push(*owner, cell));
    builder.finish()
}

impl CellRuns {
    pub(super) fn new(kept: Kept, ends: Ends) -> Self {
        Self { kept, ends, runs: Vec::new(), buffer: Vec::new() }
    }

    /// Adds a cell.
    #[inline]
    pub(super) fn add(&mut self, owner: u32, cell: Cell) {
        self.buffer.push((owner, cell));
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Turns the buffer into a run, and frees it.
    pub(super) fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let run = sorted(&std::mem::take(&mut self.buffer), self.kept, self.ends);
            self.push(run);
        }
    }

    /// A builder of a run of this level.
    pub(super) fn builder(&self) -> CellRunBuilder {
        CellRunBuilder::new(self.kept, self.ends)
    }

    /// Adds a run.
    pub(super) fn push(&mut self, mut run: CellRun) {
        if run.len() == 0 {
            return;
        }
        while let Some(last) = self.runs.pop_if(|last| last.len() < GROWTH * run.len()) {
            run = last.merged(&run, self.kept, self.ends);
        }
        self.runs.push(Arc::new(run));
    }

    /// All runs, the buffer among them.
    pub(super) fn all(&self) -> Vec<Arc<CellRun>> {
        let mut runs = self.runs.clone();
        if !self.buffer.is_empty() {
            runs.push(Arc::new(sorted(&self.buffer, self.kept, self.ends)));
        }
        runs
    }

    /// A reader of these cells.
    pub(super) fn reader(&self) -> CellReader {
        let runs: Vec<_> = self.all().into_iter().map(|run| (run, 0)).collect();
        CellReader { kept: self.kept, ends: self.ends, runs, cells: Vec::new() }
    }

    /// Merges all runs into one.
    pub(super) fn settle(&mut self) {
        self.flush();
        while self.runs.len() > 1
            && let (Some(last), Some(before)) = (self.runs.pop(), self.runs.pop())
        {
            self.runs.push(Arc::new(before.merged(&last, self.kept, self.ends)));
        }
    }

    /// Removes the cells of these owners, which ascend.
    pub(super) fn remove(&mut self, owners: &[u32]) {
        self.flush();
        for run in &mut self.runs {
            if let Some(left) = run.of_owners(self.kept, self.ends, |owner| owners.binary_search(&owner).is_err()) {
                *run = Arc::new(left);
            }
        }
        self.runs.retain(|run| run.len() > 0);
    }

    /// Keeps the cells of these owners, renumbered from 0.
    pub(super) fn retain(&mut self, owners: &[u32]) {
        if self.is_empty() {
            return;
        }
        let mut builder = self.builder();
        if !owners.is_empty() {
            let mut reader = self.reader();
            for (own, &owner) in (0..).zip(owners) {
                reader.cells(owner).iter().for_each(|cell| builder.push(own, cell));
            }
        }
        (self.runs, self.buffer) = (Vec::new(), Vec::new());
        self.push(builder.finish());
    }

    /// Removes the cells after a day.
    pub(super) fn until(&mut self, day: i32) {
        self.flush();
        self.runs.iter_mut().for_each(|run| *run = Arc::new(run.until(day, self.kept, self.ends)));
        self.runs.retain(|run| run.len() > 0);
    }

    /// Removes all cells.
    pub(super) fn clear(&mut self) {
        (self.runs, self.buffer) = (Vec::new(), Vec::new());
    }

    fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.buffer.is_empty()
    }

    /// Number of cells, at least: those of a category in several runs count for each.
    pub(super) fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum::<usize>() + self.buffer.len()
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.runs.iter().map(|run| run.bytes()).sum::<usize>() + self.buffer.capacity() * size_of::<(u32, Cell)>()
    }
}

/// Reads the cells of owners; fastest in ascending order.
#[derive(Debug, Clone)]
pub(crate) struct CellReader {
    kept: Kept,
    ends: Ends,
    /// Each with the position of the owner that is expected next.
    runs: Vec<(Arc<CellRun>, usize)>,
    cells: Vec<Cell>,
}

impl CellReader {
    /// The cells of an owner, ascending by the code of the category, then by day.
    pub(crate) fn cells(&mut self, owner: u32) -> &[Cell] {
        self.cells.clear();
        let mut found = 0;
        for (run, next) in &mut self.runs {
            if let Some(at) = run.find(owner, next) {
                self.cells.extend(run.cells(at, self.kept));
                found += 1;
            }
        }
        if found > 1 {
            let (kept, ends) = (self.kept, self.ends);
            self.cells.sort_unstable_by_key(|cell| cell.place(kept));
            self.cells.dedup_by(|next, cell| {
                let is_same = next.place(kept) == cell.place(kept);
                if is_same {
                    cell.join(next, ends);
                }
                is_same
            });
        }
        &self.cells
    }
}
