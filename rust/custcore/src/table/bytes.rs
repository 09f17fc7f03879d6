//! A table as bytes, with its report: what a pickle of a result holds.
//!
//! `CUSTCORE TABLE 1\n`, the 128-bit XXH3 of all that follows, the length of the report, the report as JSON, and the rows as
//! an Arrow IPC stream, which keeps any type of column, dictionaries included. Equal tables give equal bytes. The checksum
//! detects damage; nothing in the bytes is executed, and Arrow data are validated as they are read.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use xxhash_rust::xxh3::xxh3_128;

use super::report_text::ReportText;
use crate::error::{Error, ErrorKind, Result};
use crate::report::Report;

const HEAD: &[u8] = b"CUSTCORE TABLE 1\n";
const CHECKSUM: usize = 16;
const LENGTH: usize = 8;

/// Batches of one schema, with their report.
#[derive(Debug, Clone)]
pub struct StoredTable {
    /// The schema of all batches.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// What was excluded, and why.
    pub report: Report,
}

/// The table as bytes.
pub fn table_to_bytes(table: &StoredTable) -> Result<Vec<u8>> {
    let StoredTable { schema, batches, report } = table;
    let text = serde_json::to_vec(&ReportText::of(report)).map_err(Error::internal)?;
    let mut bytes = HEAD.to_vec();
    bytes.extend([0; CHECKSUM]);
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text);
    let mut stream = StreamWriter::try_new(bytes, schema).map_err(Error::internal)?;
    for batch in batches {
        stream.write(batch).map_err(Error::internal)?;
    }
    let mut bytes = stream.into_inner().map_err(Error::internal)?;
    let start = HEAD.len() + CHECKSUM;
    let checksum = xxh3_128(&bytes[start..]);
    bytes[HEAD.len()..start].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The table of the bytes of [`table_to_bytes`]. Bytes that are not such a table, or were changed, are an error.
pub fn table_from_bytes(bytes: &[u8]) -> Result<StoredTable> {
    let wrong = |why: &str| Error::new(ErrorKind::ModelFormat, format!("the bytes are not a table of custcore: {why}"));
    let Some(rest) = bytes.strip_prefix(HEAD) else { return Err(wrong("they begin otherwise")) };
    let Some((checksum, content)) = rest.split_first_chunk::<CHECKSUM>() else { return Err(wrong("they are too short")) };
    if xxh3_128(content).to_le_bytes() != *checksum {
        return Err(wrong("they were damaged or changed after they were written; use another copy"));
    }
    let split = content.split_first_chunk::<LENGTH>().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        rest.split_at_checked(length)
    });
    let Some((text, stream)) = split else { return Err(wrong("the report is missing")) };
    let text: ReportText = serde_json::from_slice(text).map_err(|error| wrong(&format!("the report is invalid: {error}")))?;
    let Some(report) = text.report() else { return Err(wrong("a sum of the report is no number")) };
    // The Arrow reader may panic on invalid data.
    let read = || -> Result<_, arrow_schema::ArrowError> {
        let reader = StreamReader::try_new(Cursor::new(stream), None)?;
        let schema = reader.schema();
        Ok((schema, reader.collect::<Result<Vec<_>, _>>()?))
    };
    let found = catch_unwind(AssertUnwindSafe(read)).map_err(|_| wrong("the rows are not valid Arrow data"))?;
    let (schema, batches) = found.map_err(|error| wrong(&format!("the rows are not valid Arrow data: {error}")))?;
    Ok(StoredTable { schema, batches, report })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{ArrayRef, DictionaryArray, Int64Array, StringViewArray};

    use super::*;
    use crate::num::money::Money;
    use crate::report::{EntryKind, ReportEntry, ReportUnit, Tally};

    fn table() -> Result<StoredTable> {
        let words: DictionaryArray<Int8Type> = [Some("a"), None, Some("b")].into_iter().collect();
        let columns: [(&str, ArrayRef); 3] = [
            ("id", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(3)]))),
            ("text", Arc::new(StringViewArray::from(vec![Some("a string that is stored outside its view"), None, Some("x")]))),
            ("segment", Arc::new(words)),
        ];
        let batch = RecordBatch::try_from_iter(columns).map_err(Error::internal)?;
        let other: DictionaryArray<Int8Type> = [Some("c"), Some("b")].into_iter().collect();
        let more = RecordBatch::try_new(
            batch.schema(),
            vec![batch.column(0).slice(1, 2), batch.column(1).slice(1, 2), Arc::new(other) as ArrayRef],
        )
        .map_err(Error::internal)?;
        let mut tally = Tally::default();
        tally.add(-(1_i128 << 100), 7);
        let entry = |name, money| ReportEntry::new(name, EntryKind::LeftOut, ReportUnit::Rows, &tally, money);
        let money = [Some(Money::Float { decimals: 6 }), Some(Money::Integer), Some(Money::Decimal { scale: -2 }), None];
        let entries = money.map(|money| entry("removed", money)).into();
        let report = Report { entries, n_rows: 9, as_of: Some(-1), remarks: vec!["a \"remark\"".to_owned()] };
        Ok(StoredTable { schema: batch.schema(), batches: vec![batch, more], report })
    }

    #[test]
    fn tables_come_back() -> Result<()> {
        let table = table()?;
        let bytes = table_to_bytes(&table)?;
        let back = table_from_bytes(&bytes)?;
        assert_eq!((&back.schema, &back.batches, &back.report), (&table.schema, &table.batches, &table.report));
        assert_eq!(table_to_bytes(&back)?, bytes);
        let empty = StoredTable { batches: Vec::new(), ..table };
        assert_eq!(table_from_bytes(&table_to_bytes(&empty)?)?.batches, []);
        Ok(())
    }

    #[test]
    fn changed_bytes_are_an_error() -> Result<()> {
        let bytes = table_to_bytes(&table()?)?;
        let kind = |bytes: &[u8]| table_from_bytes(bytes).map(|_| ()).map_err(|error| error.kind());
        for length in 0..bytes.len() {
            assert_eq!(kind(&bytes[..length]), Err(ErrorKind::ModelFormat), "{length} bytes");
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(kind(&changed), Err(ErrorKind::ModelFormat), "byte {place}");
        }
        // A checksum of wrong content is no proof against forgery, and must not lead to a crash.
        let start = HEAD.len() + CHECKSUM;
        for place in (start..bytes.len()).step_by(7) {
            let mut forged = bytes.clone();
            forged[place] = forged[place].wrapping_add(101);
            let checksum = xxh3_128(&forged[start..]).to_le_bytes();
            forged[HEAD.len()..start].copy_from_slice(&checksum);
            table_from_bytes(&forged).ok();
        }
        Ok(())
    }
}
