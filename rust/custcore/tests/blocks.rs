//! Checked Arrow files: what is written is read, the same content is the same bytes, and damage is found.

#![expect(clippy::expect_used, reason = "what a test expects and does not find fails it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Decimal128Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::Schema;
use custcore::internals::{Format, Reader, Writer};
use custcore::{ErrorKind, Result};
use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

const THING: Format = Format { name: "thing", version: 2 };

fn entries(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Numbers of any size, text and lists of them.
fn batch(numbers: &[Option<i64>], texts: &[String]) -> RecordBatch {
    let lists = numbers.iter().map(|n| n.map(|n| (0..n.rem_euclid(4)).map(Some)));
    let columns: [(&str, ArrayRef); 4] = [
        ("n", Arc::new(Int64Array::from(numbers.to_vec()))),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
        ("wide", Arc::new(numbers.iter().map(|n| n.map(|n| i128::from(n) << 60)).collect::<Decimal128Array>())),
        ("list", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).expect("a batch")
}

fn small() -> Vec<RecordBatch> {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    vec![batch(&[Some(7), None, Some(-3)], &texts(&["a", "", "custcore.checksum"])), batch(&[], &[]), batch(&[Some(1)], &texts(&["b"]))]
}

fn written(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let mut writer = Writer::new(Vec::new(), Path::new("bytes"), THING, &schema, entries(&[("z", "1"), ("a", "{\"b\": 2}")]))?;
    for batch in batches {
        writer.write(batch)?;
    }
    // An entry that looks like a checksum is not taken for one.
    writer.finish(&entries(&[("rows", "12"), ("custcore.ch", &"0".repeat(32))]))
}

fn read(bytes: &[u8]) -> Result<(Vec<RecordBatch>, BTreeMap<String, String>)> {
    let mut reader = Reader::of_bytes(bytes, THING)?;
    let batches = (0..reader.len()).map(|i| reader.batch(i)).collect::<Result<_>>()?;
    Ok((batches, reader.entries().clone()))
}

fn columns(batches: &[RecordBatch]) -> Vec<&[ArrayRef]> {
    batches.iter().map(RecordBatch::columns).collect()
}

#[test]
fn what_is_written_is_read_in_any_order() -> Result<()> {
    let (batches, bytes) = (small(), written(&small())?);
    let (found, footer) = read(&bytes)?;
    assert_eq!(columns(&found), columns(&batches));
    assert_eq!(footer, entries(&[("rows", "12"), ("custcore.ch", &"0".repeat(32))]));
    let mut reader = Reader::of_bytes(&bytes, THING)?;
    assert_eq!(reader.batch(2)?.columns(), batches[2].columns());
    assert_eq!(reader.batch(0)?.columns(), batches[0].columns());
    assert_eq!(reader.schema().metadata().get("a").map(String::as_str), Some("{\"b\": 2}"));
    assert_eq!(written(&small())?, bytes);
    Ok(())
}

#[test]
fn files_without_batches_and_without_columns_are_files() -> Result<()> {
    assert!(read(&written(&[])?)?.0.is_empty());
    assert_eq!(read(&written(&[batch(&[], &[])])?)?.0[0].num_rows(), 0);
    Ok(())
}

#[test]
fn any_arrow_reader_opens_it() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let reader = FileReader::try_new(std::io::Cursor::new(written(&small())?), None)?;
    assert_eq!(reader.custom_metadata().get("rows").map(String::as_str), Some("12"));
    let found: Vec<RecordBatch> = reader.collect::<std::result::Result<_, _>>()?;
    assert_eq!(columns(&found), columns(&small()));
    Ok(())
}

/// Whether the bytes are refused as they should be.
fn is_refused(bytes: &[u8]) -> bool {
    match read(bytes) {
        Ok(_) => false,
        Err(error) => matches!(error.kind(), ErrorKind::ModelFormat | ErrorKind::ModelVersion),
    }
}

#[test]
fn every_changed_byte_and_every_truncation_is_found() -> Result<()> {
    let whole = written(&small())?;
    let mut bytes = whole.clone();
    for at in 0..whole.len() {
        assert!(is_refused(&whole[..at]), "first {at} of {} bytes", whole.len());
        for change in [1, 0x20, 0x80, 0xff] {
            bytes[at] ^= change;
            assert!(is_refused(&bytes), "byte {at} changed by {change:#x}");
            bytes[at] ^= change;
        }
    }
    bytes.push(0);
    assert!(is_refused(&bytes));
    Ok(())
}

#[test]
fn what_custcore_did_not_write_is_told_from_what_is_newer() -> Result<()> {
    let kind =
        |bytes: &[u8], format| Reader::of_bytes(bytes, format).map(|_| ()).map_err(|error| (error.kind(), error.message().to_owned()));
    let bytes = written(&small())?;
    let (found, message) = kind(&bytes, Format { version: 1, ..THING }).expect_err("newer");
    assert_eq!(found, ErrorKind::ModelVersion);
    assert!(message.contains("version 2"), "{message}");
    let (found, message) = kind(&bytes, Format { name: "box", version: 2 }).expect_err("another format");
    assert_eq!(found, ErrorKind::ModelFormat);
    assert!(message.contains("it contains a thing"), "{message}");
    let mut file = FileWriter::try_new(Vec::new(), &small()[0].schema()).expect("a writer");
    file.write(&small()[0]).expect("written");
    let arrow = file.into_inner().expect("finished");
    let (found, message) = kind(&arrow, THING).expect_err("no file of custcore");
    assert_eq!(found, ErrorKind::ModelFormat);
    assert!(message.contains("not written by custcore"), "{message}");
    for foreign in [&b""[..], b"ARROW1\0\0", b"{\"format\": \"custcore model\"}", &[0; 4096]] {
        assert_eq!(kind(foreign, THING).expect_err("foreign").0, ErrorKind::ModelFormat);
    }
    Ok(())
}

#[test]
fn a_file_that_is_not_there_says_so() {
    for path in [Path::new("no such folder/no such file"), Path::new(".")] {
        let error = Reader::open(path, THING).expect_err("no file");
        assert_eq!(error.kind(), ErrorKind::File);
        assert_eq!(error.path().map(|(path, _)| path), Some(path));
    }
}

fn any_batches() -> impl Strategy<Value = Vec<RecordBatch>> {
    let rows = prop::collection::vec((any::<Option<i64>>(), ".{0,20}"), 0..50);
    let one = rows.prop_map(|rows| {
        let (numbers, texts): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        batch(&numbers, &texts)
    });
    prop::collection::vec(one, 1..4)
}

/// The file with another batch block number `block`, and checksums that fit it.
fn forged(whole: &[u8], block: usize, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let hex = |bytes: &[u8]| format!("{:032x}", xxh3_128(bytes)).into_bytes();
    let position = |of: &[u8], what: &[u8]| of.windows(what.len()).rposition(|part| part == what).expect("it is there");
    let mut bytes = whole.to_vec();
    let mut reader = Reader::of_bytes(whole, THING).expect("a file");
    let tail: u64 = position(whole, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]) as u64;
    let start = (tail - (block..reader.len()).map(|batch| reader.size(batch)).sum::<u64>()) as usize;
    let range = start..start + reader.size(block) as usize;
    reader.batch(block).expect("a batch");
    let old = position(whole, &hex(&whole[range.clone()]));
    change(&mut bytes[range.clone()]);
    let new = hex(&bytes[range]);
    bytes[old..old + 32].copy_from_slice(&new);
    // The checksum of the tail, with its own digits as zeros: they stand behind a length of 32.
    let tail = tail as usize;
    let fits = |at: usize| {
        let mut zeroed = whole[tail..].to_vec();
        zeroed[at - tail..at - tail + 32].fill(b'0');
        hex(&zeroed) == whole[at..at + 32]
    };
    let digits = (tail + 4..whole.len() - 32).find(|&at| whole[at - 4..at] == [32, 0, 0, 0] && fits(at)).expect("a checksum");
    bytes[digits..digits + 32].fill(b'0');
    let sum = hex(&bytes[tail..]);
    bytes[digits..digits + 32].copy_from_slice(&sum);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn content_that_breaks_the_arrow_format_is_refused(
        batches in any_batches(),
        block in any::<prop::sample::Index>(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let whole = written(&batches).expect("written");
        let block = block.index(batches.len());
        let bytes = forged(&whole, block, |bytes| {
            for (at, byte) in places {
                let at = at.index(bytes.len().min(600));
                bytes[at] = byte;
            }
        });
        let mut reader = Reader::of_bytes(&bytes, THING).expect("the checksums fit");
        // Whatever was forged: a batch or an error, and no panic.
        if let Err(error) = reader.batch(block) {
            prop_assert_eq!(error.kind(), ErrorKind::ModelFormat);
        }
    }

    #[test]
    fn any_content_comes_back(batches in any_batches()) {
        let bytes = written(&batches).expect("written");
        let (found, _) = read(&bytes).expect("read");
        prop_assert_eq!(columns(&found), columns(&batches));
        prop_assert_eq!(written(&found).expect("written again"), bytes);
    }

    #[test]
    fn any_damage_is_found(
        batches in any_batches(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let whole = written(&batches).expect("written");
        let mut bytes = whole.clone();
        for (at, byte) in places {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(whole.len()));
        }
        prop_assert!(bytes == whole || is_refused(&bytes));
    }

    #[test]
    fn any_bytes_behind_a_magic_are_refused(middle in prop::collection::vec(any::<u8>(), 0..300), len in any::<i32>()) {
        let mut bytes = b"ARROW1\0\0".to_vec();
        bytes.extend(middle);
        bytes.extend(len.to_le_bytes());
        bytes.extend(b"ARROW1");
        prop_assert!(is_refused(&bytes));
    }
}
