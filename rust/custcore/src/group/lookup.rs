//! Read-only lookup of ids: an update is checked against the base before any of its ids is interned.

use std::cmp::Ordering;

use super::byte_id::ByteId;
use super::interner::{CodeTable, Interner};
use super::keys::Keys;
use crate::column::customer_id::StoredId;

impl Interner {
    /// A read-only view that finds ids.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        let built = match &self.table {
            // Without a hash table and unsorted: build a table for this lookup.
            CodeTable::Unbuilt if !self.sorted => {
                let mut view = self.view();
                view.build_table();
                Some(view.table)
            }
            _ => None,
        };
        Lookup { ids: self, built }
    }
}

impl Interner {
    /// The code of each of these few ids, if present. Without a hash table it is one pass over the ids here, not a new table.
    pub(crate) fn find_all(&self, asked: &Self) -> Vec<Option<u32>> {
        let codes = 0..asked.len() as u32;
        if self.sorted || !matches!(self.table, CodeTable::Unbuilt) {
            let lookup = self.lookup();
            return codes.map(|code| lookup.find(asked.keys(), code)).collect();
        }
        let (mut found, lookup) = (vec![None; asked.len()], asked.lookup());
        for code in 0..self.len() as u32 {
            if let Some(asked) = lookup.find(self.keys(), code) {
                found[asked as usize] = Some(code);
            }
        }
        found
    }
}

/// Finds the codes of ids and interns none.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    ids: &'a Interner,
    /// A hash table, if the interner has none and is not sorted.
    built: Option<CodeTable>,
}

impl Lookup<'_> {
    /// The code of id number `code` of another interner of the same kind, if present.
    pub(crate) fn find(&self, other: &Keys, code: u32) -> Option<u32> {
        match other {
            Keys::Range { base, .. } => self.find_integer(base.wrapping_add(i64::from(code))),
            Keys::Integers(ids) => self.find_integer(ids[code as usize]),
            Keys::Bytes(arena) => self.find_bytes(&arena.id(code)),
        }
    }

    /// The code of an id, if present.
    pub(crate) fn find_stored(&self, id: &StoredId) -> Option<u32> {
        match id {
            StoredId::Integer(id) => self.find_integer(*id),
            StoredId::Bytes(id) => self.find_bytes(&ByteId::of(id)),
        }
    }

    fn find_integer(&self, id: i64) -> Option<u32> {
        match (&*self.ids.keys, self.built.as_ref().unwrap_or(&self.ids.table)) {
            (Keys::Range { base, len }, _) => {
                usize::try_from(i128::from(id) - i128::from(*base)).ok().filter(|code| code < len).map(|code| code as u32)
            }
            (Keys::Integers(_), CodeTable::Integers(table)) => table.find(id),
            (Keys::Integers(_), CodeTable::Ranks(ranks)) => ranks.find(id),
            (Keys::Integers(ids), _) => ids.binary_search(&id).ok().map(|code| code as u32),
            (Keys::Bytes(_), _) => None,
        }
    }

    fn find_bytes(&self, id: &ByteId<'_>) -> Option<u32> {
        let Keys::Bytes(arena) = &*self.ids.keys else { return None };
        if let CodeTable::Bytes(table) = self.built.as_ref().unwrap_or(&self.ids.table) {
            return table.find(id, arena);
        }
        let (mut low, mut high) = (0, arena.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match arena.compare(middle, id) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(middle),
                Ordering::Greater => high = middle,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::key::KeyKind;
    use crate::error::Result;
    use crate::group::arena::ByteArena;

    #[test]
    fn integers_are_found_by_table_by_binary_search_and_by_offset() -> Result<()> {
        let ids = [-5, 3, 4, 900];
        let sorted = Interner::of_sorted(KeyKind::Signed, Keys::Integers(ids.to_vec()));
        let mut table = Interner::new(KeyKind::Signed);
        for id in ids {
            table.intern_integer(id)?;
        }
        let mut dropped = table.clone();
        dropped.drop_table();
        let others = Keys::Integers(vec![900, 5, -5, i64::MIN]);
        for interner in [&sorted, &table, &dropped] {
            let (bytes, lookup) = (interner.bytes(), interner.lookup());
            assert_eq!([0, 1, 2, 3].map(|code| lookup.find(&others, code)), [Some(3), None, Some(0), None]);
            assert_eq!((interner.bytes(), interner.len()), (bytes, 4));
            let mut asked = Interner::new(KeyKind::Signed);
            for id in [900, 5, -5] {
                asked.intern_integer(id)?;
            }
            assert_eq!(interner.find_all(&asked), [Some(3), None, Some(0)]);
            assert_eq!(interner.bytes(), bytes);
        }
        let mut range = Interner::range(KeyKind::Signed, -5);
        range.extend_range(906);
        assert_eq!([0, 1, 2, 3].map(|code| range.lookup().find(&others, code)), [Some(905), Some(10), Some(0), None]);
        Ok(())
    }

    #[test]
    fn strings_are_found_by_table_and_by_binary_search() -> Result<()> {
        let ids = ["", "a", "a long id that is no prefix", "a long id that is more", "b"];
        let mut table = Interner::new(KeyKind::Text);
        for id in ids {
            table.intern_bytes(id.as_bytes())?;
        }
        let mut arena = ByteArena::default();
        let mut ascending = ids;
        ascending.sort_unstable();
        for id in ascending {
            arena.push(&ByteId::of(id.as_bytes()));
        }
        let sorted = Interner::of_sorted(KeyKind::Text, Keys::Bytes(arena));
        let mut others = ByteArena::default();
        for id in ["a long id that is more", "a long id that is missing", "", "c"] {
            others.push(&ByteId::of(id.as_bytes()));
        }
        let others = Keys::Bytes(others);
        assert_eq!([0, 1, 2, 3].map(|code| table.lookup().find(&others, code)), [Some(3), None, Some(0), None]);
        assert_eq!([0, 1, 2, 3].map(|code| sorted.lookup().find(&others, code)), [Some(2), None, Some(0), None]);
        Ok(())
    }
}
