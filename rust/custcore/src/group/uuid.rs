//! UUIDs as text: hexadecimal digits in groups of 8, 4, 4, 4 and 12, in one case. The text follows from the 16 bytes and the case.
//!
//! Eight digits are read and written at once, a digit in each byte of a word.

use crate::exec::hex::lower_uuid;

/// Length of the text.
pub(crate) const LENGTH: usize = 36;

/// The case of the letters. Text without letters is lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
}

/// Where the dashes are.
const DASHES: [usize; 4] = [8, 13, 18, 23];
/// The same byte, eight times.
const fn splat(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

/// The characters of eight digits, one in each byte.
#[inline]
fn characters(digits: u64, case: Case) -> u64 {
    let letter = match case {
        Case::Lower => b'a' - b'0' - 10,
        Case::Upper => b'A' - b'0' - 10,
    };
    // Digits above 9 carry into the fifth bit.
    let letters = (digits + splat(6)) >> 4 & splat(1);
    digits + splat(b'0') + ((letters << 8).wrapping_sub(letters) & splat(letter))
}

/// The eight digits of two groups of four, which start at these places. The first digit is the highest byte.
#[inline]
fn eight<const FIRST: usize, const SECOND: usize>(text: &[u8; LENGTH]) -> u64 {
    let [a, b, c, d] = [text[FIRST], text[FIRST + 1], text[FIRST + 2], text[FIRST + 3]];
    u64::from_be_bytes([a, b, c, d, text[SECOND], text[SECOND + 1], text[SECOND + 2], text[SECOND + 3]])
}

/// The 16 bytes and the case of a text; `None` if it is not exactly the text of a UUID.
#[inline]
pub(crate) fn parse(text: &[u8]) -> Option<([u8; 16], Case)> {
    let text: &[u8; LENGTH] = text.try_into().ok()?;
    lower_uuid(text).map(|bytes| (bytes, Case::Lower)).or_else(|| parse_words(text))
}

/// As [`parse`], by words.
fn parse_words(text: &[u8; LENGTH]) -> Option<([u8; 16], Case)> {
    let words = [eight::<0, 4>(text), eight::<9, 14>(text), eight::<19, 24>(text), eight::<28, 32>(text)];
    // Letters have the bit 64, and lower-case ones the bit 32 too. Plain loops, which the compiler vectorizes.
    let mut upper = 0;
    for word in &words {
        upper |= word >> 1 & !word & splat(0x20);
    }
    let case = if upper == 0 { Case::Lower } else { Case::Upper };
    let (mut digits, mut wrong) = ([0; 4], 0);
    for (digits, word) in digits.iter_mut().zip(&words) {
        let letters = word >> 6 & splat(1);
        *digits = ((word & splat(0x0f)) + (letters << 3) + letters) & splat(0x0f);
        // Written again, the digits must give the same text.
        wrong |= characters(*digits, case) ^ word;
    }
    for at in DASHES {
        wrong |= u64::from(text[at] ^ b'-');
    }
    if wrong != 0 {
        return None;
    }
    for digits in &mut digits {
        let pairs = (*digits | *digits >> 4) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        *digits = (fours | fours >> 16) & 0xffff_ffff;
    }
    let [a, b, c, d] = digits;
    Some(((u128::from(a << 32 | b) << 64 | u128::from(c << 32 | d)).to_be_bytes(), case))
}

/// The characters of eight digits, the first one first.
#[inline]
fn written(digits: u128, case: Case) -> [u8; 8] {
    let fours = u64::from(digits as u32);
    let fours = (fours | fours << 16) & 0x0000_ffff_0000_ffff;
    let pairs = (fours | fours << 8) & 0x00ff_00ff_00ff_00ff;
    characters((pairs | pairs << 4) & splat(0x0f), case).to_be_bytes()
}

/// The text of a UUID.
#[inline]
pub(crate) fn format(bytes: [u8; 16], case: Case) -> [u8; LENGTH] {
    let value = u128::from_be_bytes(bytes);
    let mut text = [b'-'; LENGTH];
    text[..8].copy_from_slice(&written(value >> 96, case));
    let [second, third] = [written(value >> 64, case), written(value >> 32, case)];
    text[9..13].copy_from_slice(&second[..4]);
    text[14..18].copy_from_slice(&second[4..]);
    text[19..23].copy_from_slice(&third[..4]);
    text[24..28].copy_from_slice(&third[4..]);
    text[28..].copy_from_slice(&written(value, case));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text digit by digit.
    fn plain(bytes: [u8; 16], case: Case) -> String {
        let mut text = String::new();
        for (at, byte) in bytes.iter().enumerate() {
            if [4, 6, 8, 10].contains(&at) {
                text.push('-');
            }
            let digits = if case == Case::Lower { format!("{byte:02x}") } else { format!("{byte:02X}") };
            text.push_str(&digits);
        }
        text
    }

    #[test]
    fn texts_are_read_and_written() {
        let mut value = 1_u128;
        let ends = [[0; 16], [0xff; 16], [0x09; 16], [0x90; 16], [0xa0; 16], [0x0a; 16], [0xf9; 16]];
        let random = (0..1_000).map(|_| {
            value = value.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
            value.to_be_bytes()
        });
        for bytes in ends.into_iter().chain(random) {
            for case in [Case::Lower, Case::Upper] {
                let text = plain(bytes, case);
                assert_eq!(format(bytes, case), text.as_bytes());
                let has_letters = text.contains(char::is_alphabetic);
                assert_eq!(parse(text.as_bytes()), Some((bytes, if has_letters { case } else { Case::Lower })), "{text}");
            }
        }
    }

    #[test]
    fn every_other_byte_is_refused_at_every_place() {
        for case in [Case::Lower, Case::Upper] {
            let text = plain(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10", case);
            for at in 0..LENGTH {
                for byte in 0..=u8::MAX {
                    let mut other = text.clone().into_bytes();
                    other[at] = byte;
                    let letters = if case == Case::Lower { b'a'..=b'f' } else { b'A'..=b'F' };
                    let fits = if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_digit() || letters.contains(&byte) };
                    let found = parse(&other);
                    assert_eq!(found.is_some(), fits, "{at} {byte}");
                    assert!(found.is_none_or(|(bytes, case)| format(bytes, case) == *other));
                    let other: Option<&[u8; LENGTH]> = other.first_chunk();
                    assert_eq!(other.and_then(parse_words), found);
                }
            }
            assert_eq!(parse(&text.as_bytes()[..35]), None);
            assert_eq!(parse(format!("{text}0").as_bytes()), None);
        }
    }
}
