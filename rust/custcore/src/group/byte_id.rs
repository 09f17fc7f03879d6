//! Byte strings in the form in which they are hashed, compared and stored.

use std::ops::Deref;

use super::uuid::{self, Case};

/// What up to 16 bytes, and texts of UUIDs, are stored as. Of longer strings it is the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first 16 bytes, padded with zeros; of the text of a UUID the 16 bytes of its value.
    pub(super) bytes: [u8; 16],
    /// The length of a string of up to 16 bytes, or one of the forms below.
    pub(super) form: u32,
}

/// Up to this many bytes the head is the whole string.
const SHORT: usize = 16;
/// The text of a UUID in lower case.
pub(super) const LOWER_UUID: u32 = 17;
/// The text of a UUID in upper case.
pub(super) const UPPER_UUID: u32 = 18;
/// A longer string.
pub(super) const LONG: u32 = 19;

impl Head {
    /// The form of a head that is the whole string takes this many bits.
    pub(crate) const FORM_BITS: u32 = 5;

    #[inline]
    fn of(id: &[u8]) -> Self {
        if id.len() <= SHORT {
            return Self { bytes: beginning(id), form: id.len() as u32 };
        }
        match uuid::parse(id) {
            Some((bytes, Case::Lower)) => Self { bytes, form: LOWER_UUID },
            Some((bytes, Case::Upper)) => Self { bytes, form: UPPER_UUID },
            None => Self { bytes: beginning(id), form: LONG },
        }
    }

    /// Whether it is the whole string.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.form < LONG
    }

    /// The text of a UUID, if it is one.
    #[inline]
    pub(super) fn uuid(&self) -> Option<[u8; uuid::LENGTH]> {
        match self.form {
            LOWER_UUID => Some(uuid::format(self.bytes, Case::Lower)),
            UPPER_UUID => Some(uuid::format(self.bytes, Case::Upper)),
            _ => None,
        }
    }

    /// The first 16 bytes of the string, as a big-endian number: it compares as the bytes do.
    #[inline]
    pub(super) fn beginning(&self) -> u128 {
        let bytes = self.uuid().and_then(|text| text.first_chunk().copied()).unwrap_or(self.bytes);
        u128::from_be_bytes(bytes)
    }

    /// The bytes as two words, to be hashed.
    #[inline]
    pub(super) fn words(&self) -> [u64; 2] {
        let bytes = u128::from_le_bytes(self.bytes);
        [bytes as u64, (bytes >> 64) as u64]
    }

    /// The bytes and the form of a whole string.
    #[inline]
    pub(crate) fn parts(self) -> ([u8; 16], u32) {
        (self.bytes, self.form)
    }
}

/// The first 16 bytes, padded with zeros.
#[inline]
fn beginning(id: &[u8]) -> [u8; 16] {
    let word = |at: usize| id.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let half = |at: usize| id.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // Two overlapping reads cover every length; the shared bytes are shifted out of the second.
    let (low, high) = match id.len() {
        16.. => (word(0), word(8)),
        n @ 9..16 => (word(0), word(n - 8) >> (8 * (16 - n))),
        8 => (word(0), 0),
        n @ 5..8 => (u64::from(half(0)) | u64::from(half(n - 4) >> (8 * (8 - n))) << 32, 0),
        4 => (u64::from(half(0)), 0),
        _ => (id.iter().zip([0, 8, 16]).fold(0, |word, (&byte, shift)| word | u64::from(byte) << shift), 0),
    };
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

/// A byte string to be looked up or added: its head, and all its bytes if the head is not the whole string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteId<'a> {
    pub(super) head: Head,
    /// Empty if the head is the whole string.
    pub(super) long: &'a [u8],
}

impl<'a> ByteId<'a> {
    /// The id with these bytes.
    #[inline]
    pub(crate) fn of(id: &'a [u8]) -> Self {
        let head = Head::of(id);
        Self { head, long: if head.is_whole() { &[] } else { id } }
    }

    /// The id of a head that is the whole string, from its [parts](Head::parts).
    #[inline]
    pub(crate) fn from_parts(bytes: [u8; 16], form: u32) -> Self {
        Self { head: Head { bytes, form }, long: &[] }
    }

    /// Its head.
    #[inline]
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Its bytes.
    #[inline]
    pub(super) fn bytes(&self) -> IdBytes<'_> {
        match self.head.uuid() {
            Some(text) => IdBytes::Uuid(text),
            None if self.head.is_whole() => IdBytes::Stored(&self.head.bytes[..self.head.form as usize]),
            None => IdBytes::Stored(self.long),
        }
    }
}

/// The bytes of a stored id.
#[derive(Debug, Clone, Copy)]
pub enum IdBytes<'a> {
    /// As they are stored.
    Stored(&'a [u8]),
    /// The text of a UUID.
    Uuid([u8; uuid::LENGTH]),
}

impl Deref for IdBytes<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Stored(bytes) => bytes,
            Self::Uuid(text) => text,
        }
    }
}

impl AsRef<[u8]> for IdBytes<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_the_first_bytes() {
        let long: Vec<u8> = (1..=20).collect();
        for n in 0..=20 {
            let mut want = [0; 16];
            want[..n.min(16)].copy_from_slice(&long[..n.min(16)]);
            let id = ByteId::of(&long[..n]);
            assert_eq!(id.head, Head { bytes: want, form: if n > 16 { LONG } else { n as u32 } }, "{n}");
            assert_eq!(id.long, if n > 16 { &long[..n] } else { &[] });
        }
    }
}
