//! Writes a checksummed Arrow file, batch by batch.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Fields, Schema};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::checked::{BLOCKS, CHECKSUM, CheckedBlock, END, FORMAT, FORMAT_VERSION, LARGEST_FOOTER, digits};
use super::footer::{Footer, Refusal, text_of};
use super::format::{Entries, Format};
use crate::error::{Error, Result};

/// A checksummed Arrow file that is being written. It is complete only after [`Writer::finish`].
pub struct Writer<W: Write> {
    file: FileWriter<Sink<W>>,
    path: PathBuf,
    format: Format,
    fields: Fields,
    blocks: Vec<CheckedBlock>,
}

impl<W: Write> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("format", &self.format).field("blocks", &self.blocks).finish_non_exhaustive()
    }
}

/// Passes bytes on to the file and hashes them.
struct Sink<W> {
    to: W,
    hash: Box<Xxh3>,
    start: u64,
    position: u64,
    /// The tail, which is buffered because it contains its own checksum.
    tail: Option<Vec<u8>>,
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(tail) = &mut self.tail {
            return tail.write(bytes);
        }
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W> Sink<W> {
    /// Ends a block.
    fn end_block(&mut self) -> CheckedBlock {
        let block = CheckedBlock { bytes: self.start..self.position, checksum: self.hash.digest128() };
        self.hash.reset();
        self.start = self.position;
        block
    }
}

impl<W: Write> Writer<W> {
    /// Starts a file in `to`, which should be buffered; `path` names it in errors. `entries` are added to the schema metadata.
    pub fn new(to: W, path: &Path, format: Format, schema: &Schema, entries: Entries) -> Result<Self> {
        let mut metadata = entries;
        metadata.extend(schema.metadata().iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        metadata.insert(FORMAT.to_owned(), format.name.to_owned());
        metadata.insert(FORMAT_VERSION.to_owned(), format.version.to_string());
        let schema = Schema::new_with_metadata(schema.fields().clone(), metadata);
        let sink = Sink { to, hash: Box::new(Xxh3::new()), start: 0, position: 0, tail: None };
        let mut file = FileWriter::try_new(sink, &schema).map_err(|error| failed(path, error))?;
        let header = file.get_mut().end_block();
        Ok(Self { file, path: path.to_owned(), format, fields: schema.fields, blocks: vec![header] })
    }

    /// Writes a batch of the schema; returns its size in bytes.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<u64> {
        if *batch.schema_ref().fields() != self.fields {
            return Err(Error::internal("a batch of another schema"));
        }
        self.file.write(batch).map_err(|error| failed(&self.path, error))?;
        let block = self.file.get_mut().end_block();
        let bytes = block.bytes.end - block.bytes.start;
        self.blocks.push(block);
        Ok(bytes)
    }

    /// Writes the footer with `entries` added to its metadata, flushes, and returns the underlying writer.
    pub fn finish(mut self, entries: &Entries) -> Result<W> {
        for (key, value) in entries {
            self.file.write_metadata(key, value);
        }
        self.file.write_metadata(BLOCKS, text_of(&self.blocks));
        self.file.write_metadata(CHECKSUM, digits(0));
        self.file.get_mut().tail = Some(Vec::new());
        self.file.finish().map_err(|error| failed(&self.path, error))?;
        let mut sink = self.file.into_inner().map_err(|error| failed(&self.path, error))?;
        let mut tail = sink.tail.take().unwrap_or_default();
        let footer = footer_in(&tail).ok_or_else(|| Error::internal("a file without a footer"))?;
        if footer.len() as u64 > LARGEST_FOOTER {
            return Err(Error::internal(format!("a footer of {} bytes", footer.len())));
        }
        let found = Footer::read(&tail[footer.clone()], self.format).map_err(|refusal| {
            let (Refusal::Foreign(why) | Refusal::Damaged(why)) = refusal else { return Error::internal("an unexpected version") };
            Error::internal(format!("a file that cannot be read: {why}"))
        })?;
        let checksum = digits(xxh3_128(&tail));
        let position = footer.start + found.digits.start..footer.start + found.digits.end;
        tail[position].copy_from_slice(checksum.as_bytes());
        sink.to.write_all(&tail).and_then(|()| sink.to.flush()).map_err(|error| failed(&self.path, error.into()))?;
        Ok(sink.to)
    }
}

/// Position of the footer in the tail.
fn footer_in(tail: &[u8]) -> Option<Range<usize>> {
    let end = tail.len().checked_sub(END as usize)?;
    let len = i32::from_le_bytes(*tail[end..].first_chunk()?);
    Some(end.checked_sub(usize::try_from(len).ok()?)?..end)
}

fn failed(path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::file("write", path, &error),
        other => Error::internal(other),
    }
}
