//! UUIDs as text: hexadecimal digits in groups of 8, 4, 4, 4 and 12, in one case. The text follows from the 16 bytes and the case.
//!
//! Eight digits are read and written at once, a digit in each byte of a word.

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
/// Where the groups of four digits start.
const FOURS: [usize; 8] = [0, 4, 9, 14, 19, 24, 28, 32];

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

/// The 16 bytes and the case of a text; `None` if it is not exactly the text of a UUID.
#[inline]
pub(crate) fn parse(text: &[u8]) -> Option<([u8; 16], Case)> {
    let text: &[u8; LENGTH] = text.try_into().ok()?;
    let four = |at: usize| u64::from(u32::from_be_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]));
    let [a, b, c, d, e, f, g, h] = FOURS;
    let words = [(a, b), (c, d), (e, f), (g, h)].map(|(first, second)| four(first) << 32 | four(second));
    // Letters have the bit 64, and lower-case ones the bit 32 too.
    let upper = words.iter().fold(0, |any, word| any | (word >> 1 & !word & splat(0x20)));
    let case = if upper == 0 { Case::Lower } else { Case::Upper };
    let digits = words.map(|word| {
        let letters = word >> 6 & splat(1);
        ((word & splat(0x0f)) + (letters << 3) + letters) & splat(0x0f)
    });
    // Written again, the digits must give the same text.
    let wrong = digits.iter().zip(&words).fold(0, |wrong, (&digits, word)| wrong | (characters(digits, case) ^ word));
    let dashes = DASHES.iter().fold(0, |wrong, &at| wrong | (text[at] ^ b'-'));
    if wrong | u64::from(dashes) != 0 {
        return None;
    }
    let [a, b, c, d] = digits.map(|digits| {
        let pairs = (digits | digits >> 4) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        u128::from((fours | fours >> 16) as u32)
    });
    Some(((a << 96 | b << 64 | c << 32 | d).to_be_bytes(), case))
}

/// The text of a UUID.
#[inline]
pub(crate) fn format(bytes: [u8; 16], case: Case) -> [u8; LENGTH] {
    let value = u128::from_be_bytes(bytes);
    let mut text = [b'-'; LENGTH];
    for (word, [first, second]) in FOURS.as_chunks().0.iter().enumerate() {
        let fours = u64::from((value >> (96 - 32 * word)) as u32);
        let fours = (fours | fours << 16) & 0x0000_ffff_0000_ffff;
        let pairs = (fours | fours << 8) & 0x00ff_00ff_00ff_00ff;
        let characters = characters((pairs | pairs << 4) & splat(0x0f), case).to_be_bytes();
        text[*first..first + 4].copy_from_slice(&characters[..4]);
        text[*second..second + 4].copy_from_slice(&characters[4..]);
    }
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
            text += &if case == Case::Lower { format!("{byte:02x}") } else { format!("{byte:02X}") };
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
                }
            }
            assert_eq!(parse(&text.as_bytes()[..35]), None);
            assert_eq!(parse(format!("{text}0").as_bytes()), None);
        }
    }
}
