//! The byte strings of an interner.

use std::cmp::Ordering;

use super::byte_id::{ByteId, Head, IdBytes, LONG, LOWER_UUID, UPPER_UUID};
use super::uuid;
use crate::exec::simd::prefetch;

/// Byte strings by code. Those of up to 16 bytes and the texts of UUIDs take a slot of 20 bytes, longer ones a place in a buffer too.
#[derive(Debug, Default, Clone)]
pub struct ByteArena {
    /// The form of a long string is [`LONG`] and more: its number among the long ones.
    slots: Vec<Head>,
    /// The long strings, one after the other.
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<u64>,
    forms: Forms,
}

/// The forms of the strings of an arena, as far as the order of slots depends on them: the union of the bits below.
#[derive(Debug, Default, Clone, Copy)]
struct Forms(u8);

impl Forms {
    /// Some string is a UUID in lower case.
    const LOWER: u8 = 1;
    /// Some string is a UUID in upper case.
    const UPPER: u8 = 2;
    /// Some string is no UUID.
    const OTHER: u8 = 4;
    /// Some string is longer than its slot, or ends with a zero byte, which looks like the padding.
    const AMBIGUOUS: u8 = 8;

    fn of(slot: &Head) -> Self {
        Self(match slot.form {
            LOWER_UUID => Self::LOWER,
            UPPER_UUID => Self::UPPER,
            length if length >= LONG || length > 0 && slot.bytes[length as usize - 1] == 0 => Self::OTHER | Self::AMBIGUOUS,
            _ => Self::OTHER,
        })
    }

    fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether slots of different forms are to be compared, whose bytes mean different things.
    fn are_mixed(self) -> bool {
        (self.0 & (Self::LOWER | Self::UPPER | Self::OTHER)).count_ones() > 1
    }

    fn are_ambiguous(self) -> bool {
        self.0 & Self::AMBIGUOUS != 0
    }
}

/// How the strings of some arenas are compared by 128 bits each.
#[derive(Debug, Clone, Copy)]
pub(super) struct PrefixOrder {
    /// Whether the prefix of a UUID is its value; otherwise it is the beginning of its text.
    by_value: bool,
    /// Whether equal prefixes mean equal strings.
    pub(super) exact: bool,
}

impl PrefixOrder {
    /// The order of the strings of all these arenas.
    pub(super) fn of<'a>(arenas: impl Iterator<Item = &'a ByteArena>) -> Self {
        let forms = arenas.fold(Forms::default(), |forms, arena| forms.join(arena.forms));
        Self { by_value: !forms.are_mixed(), exact: !forms.are_ambiguous() && !forms.are_mixed() }
    }

    /// The prefix of id number `code`, which compares as the id does; equal ones do not decide unless they are `exact`.
    #[inline]
    pub(super) fn prefix(self, arena: &ByteArena, code: u32) -> u128 {
        let slot = &arena.slots[code as usize];
        if self.by_value {
            return u128::from_be_bytes(slot.bytes);
        }
        slot.beginning()
    }
}

impl ByteArena {
    /// None, with room for the slots of this many.
    pub(crate) fn with_capacity(ids: usize) -> Self {
        Self { slots: Vec::with_capacity(ids), ..Self::default() }
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Head>() + self.bytes.capacity() + 8 * self.ends.capacity()
    }

    /// The long string with this form.
    #[inline]
    fn long(&self, form: u32) -> &[u8] {
        let at = (form - LONG) as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start as usize..self.ends[at] as usize]
    }

    /// The bytes of id number `code`.
    #[inline]
    pub fn get(&self, code: u32) -> IdBytes<'_> {
        let slot = &self.slots[code as usize];
        match slot.uuid() {
            Some(text) => IdBytes::Uuid(text),
            None if slot.form >= LONG => IdBytes::Stored(self.long(slot.form)),
            None => IdBytes::Stored(&slot.bytes[..slot.form as usize]),
        }
    }

    /// Id number `code`, to be looked up in another arena.
    #[inline]
    pub(crate) fn id(&self, code: u32) -> ByteId<'_> {
        let slot = self.slots[code as usize];
        if slot.form < LONG {
            return ByteId { head: slot, long: &[] };
        }
        ByteId { head: Head { form: LONG, ..slot }, long: self.long(slot.form) }
    }

    /// The length of id number `code`.
    #[inline]
    pub fn length(&self, code: u32) -> usize {
        match self.slots[code as usize].form {
            LOWER_UUID | UPPER_UUID => uuid::LENGTH,
            form if form >= LONG => self.long(form).len(),
            length => length as usize,
        }
    }

    /// Copies id number `code` into a slice of the same length.
    #[inline]
    pub fn copy(&self, code: u32, to: &mut [u8]) {
        to.copy_from_slice(&self.get(code));
    }

    /// Compares id number `code` with another id, by bytes.
    #[inline]
    pub(crate) fn compare(&self, code: u32, id: &ByteId<'_>) -> Ordering {
        let slot = &self.slots[code as usize];
        match (slot.form, id.head.form) {
            (LOWER_UUID, LOWER_UUID) | (UPPER_UUID, UPPER_UUID) => slot.bytes.cmp(&id.head.bytes),
            _ => slot.beginning().cmp(&id.head.beginning()).then_with(|| self.get(code).cmp(&id.bytes())),
        }
    }

    /// Appends id number `code` of another arena.
    pub fn push_from(&mut self, other: &Self, code: u32) {
        self.push(&other.id(code));
    }

    /// Appends all ids of another arena.
    pub fn append(&mut self, other: Self) {
        let (before, bytes) = (self.ends.len() as u32, self.bytes.len() as u64);
        if other.ends.is_empty() {
            self.slots.extend_from_slice(&other.slots);
        } else {
            let moved = |slot: Head| if slot.form < LONG { slot } else { Head { form: slot.form + before, ..slot } };
            self.slots.extend(other.slots.into_iter().map(moved));
            self.ends.extend(other.ends.into_iter().map(|end| end + bytes));
            self.bytes.extend_from_slice(&other.bytes);
        }
        self.forms = self.forms.join(other.forms);
    }

    /// Prefetches the slot of id number `code`.
    #[inline]
    pub fn prefetch(&self, code: u32) {
        prefetch(&self.slots, code as usize);
    }

    /// Whether id number `code` equals `id`.
    #[inline]
    pub(crate) fn is(&self, code: u32, id: &ByteId<'_>) -> bool {
        let slot = &self.slots[code as usize];
        let is_same = if id.head.form < LONG { slot.form == id.head.form } else { slot.form >= LONG && self.long(slot.form) == id.long };
        is_same && slot.bytes == id.head.bytes
    }

    /// Appends an id.
    #[inline]
    pub(crate) fn push(&mut self, id: &ByteId<'_>) {
        let mut slot = id.head;
        if slot.form >= LONG {
            slot.form = LONG + self.ends.len() as u32;
            self.bytes.extend_from_slice(id.long);
            self.ends.push(self.bytes.len() as u64);
        }
        self.forms = self.forms.join(Forms::of(&slot));
        self.slots.push(slot);
    }
}
