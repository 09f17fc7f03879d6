//! Sorting, interning and unions of keys with different encodings, lengths and numbers of threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, LargeStringArray, StringArray, StringViewArray};

use super::arena::ByteArena;
use super::byte_id::ByteId;
use super::intern_rows::{Remap, keys_of};
use super::interner::{Interner, NO_CODE};
use super::key_union::join;
use super::keys::Keys;
use super::sort::SortKeys;
use crate::column::customer_id::StoredId;
use crate::column::flag;
use crate::column::key::{KeyColumn, KeyKind};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};

fn bytes_of(ids: &[Vec<u8>]) -> Keys {
    let mut arena = ByteArena::default();
    ids.iter().for_each(|id| arena.push(&ByteId::of(id)));
    Keys::Bytes(arena)
}

/// A pseudorandom number.
fn mixed(i: u64) -> u64 {
    (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// The text of a UUID.
fn uuid(high: u64, low: u64) -> String {
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff)
}

/// A UUID, or what is nearly one, from a small number of values for the first half.
fn near_uuid(i: u64) -> String {
    let text = uuid(mixed(i / 7 % 100), mixed(i));
    match i % 9 {
        0 => text.to_uppercase(),
        1 => text[..35].to_owned(),
        2 => text + "0",
        3 => text.replace('-', "0"),
        4 => text[..16].to_owned(),
        5 => text[..14].to_owned() + &text[14..].to_uppercase(),
        6 => text.replace(['a', '0'], "g"),
        _ => text,
    }
}

#[test]
fn strings_with_equal_sort_keys_are_sorted_by_bytes() -> Result<()> {
    let n = ROWS_WORTH_THREADS as u64 + 10_000;
    let sets: [Vec<Vec<u8>>; 7] = [
        // A common prefix of more than 16 bytes: all sort keys are equal.
        (0..n).map(|i| [b"a prefix of 24 bytes is x".as_slice(), &mixed(i).to_be_bytes()].concat()).collect(),
        // More than 64 bits vary; the last of them decide.
        (0..n).map(|i| [mixed(i / 4).to_be_bytes(), mixed(i).to_be_bytes()].concat()).collect(),
        // Trailing zero bytes, which look like the padding of shorter ids.
        (0..n).map(|i| [mixed(i / 5).to_be_bytes()[..6].to_vec(), vec![0; i as usize % 5]].concat()).collect(),
        // Two runs of varying bits with constant bytes between them.
        (0..n).map(|i| [&mixed(i).to_be_bytes()[..3], b"--------", &mixed(i * 3).to_be_bytes()[..3]].concat()).collect(),
        // UUIDs alone, which are compared by value; more than 64 bits vary.
        (0..n).map(|i| uuid(mixed(i / 3), mixed(i)).into_bytes()).collect(),
        (0..n).map(|i| uuid(mixed(i / 3) | 0xa << 60, mixed(i)).to_uppercase().into_bytes()).collect(),
        // UUIDs among others, which are compared by text.
        (0..n).map(|i| near_uuid(i).into_bytes()).collect(),
    ];
    for (set, ids) in sets.iter().enumerate() {
        let keys = bytes_of(ids);
        let codes: Vec<u32> = (0..ids.len() as u32).collect();
        let mut expected: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
        expected.sort_unstable();
        for threads in [1, 3] {
            let sorted = Context::new(threads).install(|threads| SortKeys::of(&[&keys], threads).sort(&keys, &codes, threads))?;
            let found: Vec<&[u8]> = sorted.iter().map(|key| ids[key.1 as usize].as_slice()).collect();
            assert!(found == expected, "set {set}, {threads} threads");
            let Keys::Bytes(arena) = &keys else { return Err(Error::internal("no strings")) };
            assert!(codes.iter().all(|&code| *arena.get(code) == *ids[code as usize] && arena.length(code) == ids[code as usize].len()));
            let ascends =
                |pair: &[(u64, u32)]| keys.compare(pair[0].1, pair[1].1).is_le() && keys.compare_with(pair[1].1, &keys, pair[0].1).is_ge();
            assert!(sorted.windows(2).all(ascends), "set {set}, {threads} threads");
        }
    }
    Ok(())
}

/// Compares the union of parts, with one and several threads, with a map of all ids.
fn check_union<I: Ord>(parts: &[(&Keys, Vec<u32>)], id: impl Fn(&Keys, u32) -> I) -> Result<()> {
    let mut expected: BTreeMap<I, Vec<Vec<u32>>> = BTreeMap::new();
    for (part, (keys, codes)) in parts.iter().enumerate() {
        for &code in codes {
            expected.entry(id(keys, code)).or_insert_with(|| vec![Vec::new(); parts.len()])[part].push(code);
        }
    }
    for threads in [1, 3] {
        let joined = Context::new(threads).install(|threads| join(parts, threads))??;
        let found: Vec<I> = (0..joined.keys.len() as u32).map(|code| id(&joined.keys, code)).collect();
        assert!(found.iter().eq(expected.keys()), "{threads} threads");
        for (part, (keys, _)) in parts.iter().enumerate() {
            let mut positions = vec![NO_CODE; keys.len()];
            for (position, codes) in (0..).zip(expected.values()) {
                codes[part].iter().for_each(|&code| positions[code as usize] = position);
            }
            assert!(joined.positions(part, keys.len()) == positions, "part {part}, {threads} threads");
        }
    }
    Ok(())
}

#[test]
fn union_of_integers_from_a_range_a_dictionary_and_a_hash_table() -> Result<()> {
    let n = ROWS_WORTH_THREADS as i64 * 2;
    let range = Keys::Range { base: -1_000, len: n as usize };
    let hashed: Vec<i64> = [i64::MIN, i64::MAX].into_iter().chain((0..n).map(|i| (i * 7_919) % (2 * n) - n)).collect();
    // Duplicates, as a dictionary may have them.
    let repeated = Keys::Integers((0..n).map(|i| (i * 31) % (n / 3)).collect());
    let hashed = Keys::Integers(hashed);
    let all = |keys: &Keys| (0..keys.len() as u32).collect::<Vec<u32>>();
    // Some codes of the range did not occur.
    let seen = all(&range).into_iter().filter(|code| code % 5 != 2).collect();
    check_union(&[(&range, seen), (&hashed, all(&hashed)), (&repeated, all(&repeated))], |keys, code| match keys {
        Keys::Range { base, .. } => base + i64::from(code),
        Keys::Integers(ids) => ids[code as usize],
        Keys::Bytes(_) => i64::MIN,
    })
}

#[test]
fn union_of_strings_from_a_dictionary_and_a_hash_table() -> Result<()> {
    let n = ROWS_WORTH_THREADS as u64 * 2;
    let text =
        |i: u64| if i.is_multiple_of(3) { format!("a rather long customer id {i}").into_bytes() } else { format!("c{i}\0").into_bytes() };
    let repeated = bytes_of(&(0..n).map(|i| text(i * 31 % (n / 2))).collect::<Vec<_>>());
    let hashed = bytes_of(&(0..n).map(|i| text(i * 7_919 % n + n / 4)).collect::<Vec<_>>());
    let codes = |keys: &Keys| (0..keys.len() as u32).collect::<Vec<u32>>();
    let text = |keys: &Keys, code: u32| if let Keys::Bytes(arena) = keys { arena.get(code).to_vec() } else { Vec::new() };
    check_union(&[(&repeated, codes(&repeated)), (&hashed, codes(&hashed))], text)?;
    // A part of UUIDs alone, one of the same in upper case, and one of others among them.
    let lower = bytes_of(&(0..n).map(|i| uuid(mixed(i / 7 % 100), mixed(i)).into_bytes()).collect::<Vec<_>>());
    let upper = bytes_of(&(0..n).map(|i| uuid(mixed(i / 7 % 100), mixed(i)).to_uppercase().into_bytes()).collect::<Vec<_>>());
    let others = bytes_of(&(0..n).map(|i| near_uuid(i).into_bytes()).collect::<Vec<_>>());
    check_union(&[(&lower, codes(&lower)), (&others, codes(&others)), (&upper, codes(&upper))], text)?;
    check_union(&[(&lower, codes(&lower)), (&lower, codes(&lower))], text)
}

/// The codes of the rows of a column, and which rows are flagged as null.
fn interned(interner: &mut Interner, column: &KeyColumn, rows: usize) -> Result<(Vec<u32>, Vec<bool>)> {
    let (mut flags, mut codes) = (vec![0; rows], Vec::new());
    interner.intern_rows(column, 0, &mut flags, &mut codes, &mut Remap::default())?;
    Ok((codes, flags.iter().map(|flag| flag & flag::NULL_ID != 0).collect()))
}

#[test]
fn a_dictionary_with_duplicates_and_nulls_gives_the_same_ids_by_position_and_by_table() -> Result<()> {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None, Some("a"), Some("b"), Some("unused")]));
    let positions = [0, 1, 2, 3, 2, 0, 3];
    let dictionary: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from(positions.to_vec()), values.clone()));
    let column = KeyColumn::new("customer_id", "customer_id", &dictionary)?;
    let KeyColumn::Dictionary(dictionary) = &column else { return Err(Error::internal("no dictionary")) };
    let keys = Context::new(1).install(|threads| keys_of(dictionary.values(), threads))??;

    let mut by_position = Interner::of_dictionary(KeyKind::Text, Arc::new(keys), dictionary.values().nulls().cloned(), false);
    assert!(by_position.repeats());
    let (codes, missing) = interned(&mut by_position, &column, positions.len())?;
    assert_eq!(codes, [0, NO_CODE, 2, 3, 2, 0, 3]);
    let mut by_table = Interner::new(KeyKind::Text);
    let (table_codes, missing_by_table) = interned(&mut by_table, &column, positions.len())?;
    assert_eq!(table_codes, [0, NO_CODE, 1, 0, 1, 0, 0]);
    assert_eq!(missing, [false, true, false, false, false, false, false]);
    assert_eq!(missing, missing_by_table);

    // The union has the same ids, and the two codes of "b" become one.
    let parts = [(by_position.keys(), vec![0, 2, 3]), (by_table.keys(), vec![0, 1])];
    let joined = Context::new(1).install(|threads| join(&parts, threads))??;
    assert!(
        matches!(&joined.keys, Keys::Bytes(arena) if (&*arena.get(0), &*arena.get(1), arena.len()) == (b"a".as_slice(), b"b".as_slice(), 2))
    );
    assert_eq!(joined.positions(0, 5), [1, NO_CODE, 0, 1, NO_CODE]);
    assert_eq!(joined.positions(1, 2), [1, 0]);
    Ok(())
}

#[test]
fn ids_outside_a_range_get_codes_after_it() -> Result<()> {
    let column = |ids: &[Option<i64>]| {
        let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
        KeyColumn::new("customer_id", "customer_id", &ids)
    };
    let mut interner = Interner::range(KeyKind::Signed, -2);
    interner.extend_range(4);
    assert_eq!(interned(&mut interner, &column(&[Some(1), Some(-2)])?, 2)?.0, [3, 0]);
    assert!(interner.is_sorted());
    // Far outside: the offset from the base needs more than 64 bits.
    assert_eq!(interner.intern_integer(i64::MAX)?, 4);
    assert_eq!(interner.intern_integer(i64::MIN)?, 5);
    assert!(!interner.is_sorted());
    assert_eq!(interned(&mut interner, &column(&[Some(i64::MAX), Some(0), Some(7), Some(i64::MIN)])?, 4)?.0, [4, 2, 6, 5]);
    assert!(matches!(interner.keys(), Keys::Integers(ids) if *ids == [-2, -1, 0, 1, i64::MAX, i64::MIN, 7]));
    Ok(())
}

#[test]
fn a_dropped_table_is_rebuilt_with_the_same_codes() -> Result<()> {
    let (mut integers, mut texts) = (Interner::new(KeyKind::Signed), Interner::new(KeyKind::Text));
    for i in 0..5_000_i64 {
        assert_eq!(integers.intern_integer(i * i)?, i as u32);
        assert_eq!(texts.intern_bytes(format!("customer {i}").as_bytes())?, i as u32);
    }
    for interner in [&mut integers, &mut texts] {
        let before = interner.bytes();
        interner.drop_table();
        assert!(interner.bytes() < before);
    }
    let mut copies = (integers.view(), texts.view());
    for i in (0..5_001_i64).rev() {
        let code = i as u32;
        assert_eq!((integers.intern_integer(i * i)?, copies.0.intern_integer(i * i)?), (code, code));
        let id = format!("customer {i}").into_bytes();
        assert_eq!((texts.intern_bytes(&id)?, copies.1.intern_bytes(&id)?), (code, code));
    }
    Ok(())
}

#[test]
fn uuids_and_what_is_nearly_one_keep_their_codes_and_texts() -> Result<()> {
    let n = 20_000_u64;
    let texts: Vec<String> = (0..n).map(near_uuid).chain((0..n).map(|i| near_uuid(i * 31 % n))).collect();
    let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
    let expected: Vec<u32> = texts
        .iter()
        .map(|text| {
            let next = codes.len() as u32;
            *codes.entry(text).or_insert(next)
        })
        .collect();
    let mut interner = Interner::new(KeyKind::Text);
    let layouts: [ArrayRef; 3] = [
        Arc::new(StringArray::from_iter_values(&texts)),
        Arc::new(LargeStringArray::from_iter_values(&texts)),
        Arc::new(StringViewArray::from_iter_values(&texts)),
    ];
    for array in layouts {
        let column = KeyColumn::new("customer_id", "customer_id", &array)?;
        for (block, expected) in expected.chunks(1_000).enumerate() {
            let (mut flags, mut found) = (vec![0; expected.len()], Vec::new());
            interner.intern_rows(&column, 1_000 * block, &mut flags, &mut found, &mut Remap::default())?;
            assert!(found == expected, "block {block}");
        }
    }
    // By lookup, after selection, and after concatenation with others.
    let Keys::Bytes(arena) = interner.keys() else { return Err(Error::internal("no strings")) };
    let is_kept: Vec<bool> = (0..interner.len()).map(|code| code % 3 != 0).collect();
    let (selected, own) = interner.select(&is_kept);
    let mut others = Interner::new(KeyKind::Text);
    others.intern_bytes(b"a string of more than 16 bytes")?;
    let whole = Interner::concat(vec![others, selected.clone()])?;
    let (lookup, whole_lookup) = (interner.lookup(), whole.lookup());
    for (&text, &code) in &codes {
        assert_eq!((&*arena.get(code), lookup.find(interner.keys(), code)), (text.as_bytes(), Some(code)));
        let kept = Some(own[code as usize]).filter(|code| *code != NO_CODE);
        assert_eq!(whole_lookup.find(interner.keys(), code), kept.map(|code| code + 1));
    }
    let (sorted, all) = (SortKeys::of(&[selected.keys()], Threads::inline()), (0..selected.len() as u32).collect::<Vec<_>>());
    let mut ascending = ByteArena::default();
    for key in sorted.sort(selected.keys(), &all, Threads::inline()) {
        if let Keys::Bytes(arena) = selected.keys() {
            ascending.push_from(arena, key.1);
        }
    }
    assert_eq!(ascending.len(), selected.len());
    let ascending = Interner::of_sorted(KeyKind::Text, Keys::Bytes(ascending));
    assert!(ascending.keys().ascend(Threads::inline()));
    let (lookup, selected_lookup) = (ascending.lookup(), selected.lookup());
    for code in 0..ascending.len() as u32 {
        assert_eq!(lookup.find(ascending.keys(), code), Some(code));
    }
    for (&text, &code) in &codes {
        let (kept, found) = (is_kept[code as usize], lookup.find_stored(&StoredId::Bytes(text.as_bytes().to_vec())));
        assert_eq!((found.is_some(), selected_lookup.find(interner.keys(), code).is_some()), (kept, kept));
    }
    Ok(())
}
