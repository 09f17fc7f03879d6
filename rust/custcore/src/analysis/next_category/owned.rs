//! The categories that customers have, as lists.

use crate::analysis::holdings::{Holding, Holdings, pieces};
use crate::base::view::BaseView;
use crate::error::Result;
use crate::exec::context::Context;
use crate::group::interner::Interner;

/// Lists of categories, by customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lists {
    /// Start of each list, and the end.
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }
}

impl Lists {
    /// Number of lists.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of items of all lists.
    pub(super) fn items(&self) -> &[u32] {
        &self.items
    }

    /// The list of a customer.
    #[inline]
    pub(super) fn get(&self, at: usize) -> &[u32] {
        &self.items[self.starts[at]..self.starts[at + 1]]
    }

    /// Adds a list.
    pub(super) fn push(&mut self, items: impl Iterator<Item = u32>) {
        self.items.extend(items);
        self.starts.push(self.items.len());
    }

    fn append(&mut self, other: &Self) {
        let before = self.items.len();
        self.items.extend_from_slice(&other.items);
        self.starts.extend(other.starts[1..].iter().map(|start| before + start));
    }
}

/// The codes of the categories of a view, by rank, interned.
pub(super) fn interned(holdings: &Holdings<'_>, values: &mut Interner) -> Result<Vec<u32>> {
    let code = |rank: usize| {
        let (keys, code) = holdings.value(rank as u32);
        values.intern_from(keys, code)
    };
    (0..holdings.len()).map(code).collect()
}

/// The categories of what a customer has an order of, by rank.
pub(super) fn owned(held: &[Holding]) -> impl Iterator<Item = u32> + Clone + '_ {
    held.iter().filter(|holding| holding.orders > 0).map(|holding| holding.category)
}

/// Adds the lists of the buyers of a view, in the order of ids; and with `later`, a view of the same base as of a later day, what each
/// had then and not before.
pub(super) fn add_lists(
    (lists, new): (&mut Lists, &mut Lists),
    (view, holdings, codes): (&BaseView<'_>, &Holdings<'_>, &[u32]),
    later: Option<(&Holdings<'_>, &[u32])>,
    context: &Context,
) -> Result<()> {
    let mut buyers = view.codes_by_id(context)?;
    buyers.retain(|&code| view.totals().orders(code) > 0);
    let parts: Vec<(Lists, Lists)> = context
        .run_if_large(holdings.cells(), |threads| {
            threads.par_tasks(buyers.chunks(pieces(buyers.len(), threads.count())), |buyers| {
                context.check()?;
                let (mut lists, mut new) = (Lists::default(), Lists::default());
                let mut reader = holdings.reader();
                let mut later = later.map(|(holdings, codes)| (holdings.reader(), codes));
                for &buyer in buyers {
                    let (held, _) = reader.read(buyer);
                    let first = lists.items.len();
                    lists.push(owned(held).map(|rank| codes[rank as usize]));
                    if let Some((reader, codes)) = &mut later {
                        let before = &lists.items[first..];
                        let (held, _) = reader.read(buyer);
                        let then: Vec<u32> = owned(held).map(|rank| codes[rank as usize]).filter(|code| !before.contains(code)).collect();
                        new.push(then.into_iter());
                    }
                }
                Ok((lists, new))
            })
        })?
        .into_iter()
        .collect::<Result<_>>()?;
    for (more, more_new) in parts {
        lists.append(&more);
        new.append(&more_new);
    }
    Ok(())
}
