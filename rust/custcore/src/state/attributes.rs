//! What is kept of each customer on request: attributes such as the country at the first purchase.

use std::cmp::Ordering;

use crate::column::chunks::Pick;
use crate::column::key::KeyKind;
use crate::error::Result;
use crate::group::interner::{Interner, Keys, NO_CODE};

/// A value and the time it was seen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Time, in whole seconds and nanoseconds: updates may come in different units of time.
    pub time: (i64, u32),
    /// Code of the value; [`NO_CODE`] for null.
    pub value: u32,
}

/// One attribute of every customer (or of every order).
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The values.
    pub values: Interner,
    pick: Pick,
    /// By customer code; nothing before the first purchase.
    seen: Vec<Option<Seen>>,
}

impl Attribute {
    /// An attribute of this kind, picked so.
    pub fn new(kind: KeyKind, pick: Pick) -> Self {
        Self { values: Interner::new(kind), pick, seen: Vec::new() }
    }

    /// The same attribute of nobody.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self::new(self.values.kind(), self.pick)
    }

    /// Takes a value of a customer into account.
    pub fn see(&mut self, customer: u32, seen: Seen) {
        let at = customer as usize;
        if at >= self.seen.len() {
            self.seen.resize(at + 1, None);
        }
        let better = self.seen[at].is_none_or(|known| is_better(self.values.keys(), self.pick, seen, known));
        if better {
            self.seen[at] = Some(seen);
        }
    }

    /// Which purchase it is taken from.
    pub fn pick(&self) -> Pick {
        self.pick
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.seen.capacity() * size_of::<Option<Seen>>() + self.values.bytes()
    }

    /// What is known of a customer.
    pub fn get(&self, customer: u32) -> Option<Seen> {
        self.seen.get(customer as usize).copied().flatten()
    }

    /// Codes here of all the values of another part.
    pub fn translate(&mut self, other: &Self) -> Result<Vec<u32>> {
        (0..other.values.len() as u32).map(|code| self.values.intern_from(other.values.keys(), code)).collect()
    }

    /// Adds what another part knows, whose customer codes `customer` translates; the answer is the codes here of its values.
    pub fn merge(&mut self, other: &Self, mut customer: impl FnMut(u32) -> u32) -> Result<Vec<u32>> {
        let values = self.translate(other)?;
        for (code, seen) in (0..).zip(&other.seen) {
            if let Some(seen) = seen {
                let value = if seen.value == NO_CODE { NO_CODE } else { values[seen.value as usize] };
                let customer = customer(code);
                if customer != NO_CODE {
                    self.see(customer, Seen { value, ..*seen });
                }
            }
        }
        Ok(values)
    }

    /// The better of two values of one order: its earliest line's.
    pub fn earlier(&self, a: Seen, b: Seen) -> Seen {
        if is_better(self.values.keys(), Pick::First, b, a) { b } else { a }
    }
}

fn is_better(values: &Keys, pick: Pick, new: Seen, known: Seen) -> bool {
    let by_time = match pick {
        Pick::First => new.time.cmp(&known.time),
        Pick::Last => known.time.cmp(&new.time),
    };
    match by_time {
        Ordering::Less => true,
        Ordering::Greater => false,
        // Null comes after every value.
        Ordering::Equal if new.value == NO_CODE => false,
        Ordering::Equal => known.value == NO_CODE || values.compare(new.value, known.value).is_lt(),
    }
}
