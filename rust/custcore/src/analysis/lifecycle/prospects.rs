//! Ids that are listed as prospects: those without a purchase get a row beside the buyers.

use std::cmp::Ordering;

use crate::base::view::BaseView;
use crate::column::customer_id::CustomerId;
use crate::column::key_schema::KeySchema;
use crate::error::Result;
use crate::group::interner::{Interner, Keys};

/// The listed ids, each once.
#[derive(Debug)]
pub(super) struct Prospects {
    ids: Interner,
    /// Their codes, ascending by id.
    sorted: Vec<u32>,
    /// How many of them were taken.
    taken: usize,
}

impl Prospects {
    /// The ids as the base stores them; the types of `key` are widened to hold them. An id of another kind is an error.
    pub(super) fn new(ids: &[CustomerId], key: &mut KeySchema) -> Result<Self> {
        let mut interner = Interner::new(key.kind());
        for id in ids {
            key.stored_new(id)?.intern(&mut interner)?;
            key.widen_to_hold(id)?;
        }
        let mut sorted: Vec<u32> = (0..interner.len() as u32).collect();
        sorted.sort_unstable_by(|&a, &b| interner.keys().compare(a, b));
        Ok(Self { ids: interner, sorted, taken: 0 })
    }

    /// Number of ids.
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The ids.
    pub(super) fn keys(&self) -> &Keys {
        self.ids.keys()
    }

    /// Whether each code of a view is listed; empty if none is.
    pub(super) fn listed(&self, view: &BaseView<'_>) -> Vec<bool> {
        if self.sorted.is_empty() {
            return Vec::new();
        }
        let mut listed = vec![false; view.customers()];
        view.find_all(&self.ids).into_iter().flatten().for_each(|code| listed[code as usize] = true);
        listed
    }

    /// Takes the ids without a purchase in a view, ascending. Of the view of a range these are the ids up to the last one in it.
    pub(super) fn take(&mut self, view: &BaseView<'_>, is_range: bool) -> Vec<u32> {
        let end = match last(view.ids()) {
            _ if !is_range => self.sorted.len(),
            None => self.taken,
            Some(last) => {
                let up_to = |&code: &u32| self.keys().compare_with(code, view.ids(), last) != Ordering::Greater;
                self.sorted.partition_point(up_to).max(self.taken)
            }
        };
        let taken = &self.sorted[self.taken..end];
        self.taken = end;
        if taken.is_empty() {
            return Vec::new();
        }
        let found = view.find_all(&self.ids);
        let is_buyer = |code: u32| found[code as usize].is_some_and(|code| view.totals().orders(code) > 0);
        taken.iter().copied().filter(|&code| !is_buyer(code)).collect()
    }

    /// Takes the ids after those of all ranges.
    pub(super) fn take_rest(&mut self) -> Vec<u32> {
        let rest = self.sorted[self.taken..].to_vec();
        self.taken = self.sorted.len();
        rest
    }
}

/// The code of the last id.
fn last(keys: &Keys) -> Option<u32> {
    (0..keys.len() as u32).max_by(|&a, &b| keys.compare(a, b))
}
