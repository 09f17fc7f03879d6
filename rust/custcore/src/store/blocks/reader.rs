//! Reads a checksummed Arrow file: first the footer, then blocks on demand. A block is decoded only after its checksum is
//! verified.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::MetadataVersion;
use arrow_ipc::reader::FileDecoder;
use arrow_schema::SchemaRef;
use xxhash_rust::xxh3::xxh3_128;

use super::checked::{CheckedBlock, END, HEAD, LARGEST_FOOTER, MAGIC, digits, guarded};
use super::footer::{Footer, Refusal, schema_of};
use super::format::{Entries, Format};
use crate::error::{Error, ErrorKind, Result};
use crate::store::regular;

/// Maximum number of bytes between the last batch and the footer: the end marker and its padding.
const LARGEST_MARK: u64 = 64;

/// An open checksummed Arrow file; its batches can be read in any order.
#[derive(Debug)]
pub struct Reader<R> {
    source: ByteSource<R>,
    schema: SchemaRef,
    entries: Entries,
    blocks: Vec<CheckedBlock>,
    batches: Vec<arrow_ipc::Block>,
    decoder: FileDecoder,
}

/// The bytes of the file, and its path for errors.
#[derive(Debug)]
struct ByteSource<R> {
    from: R,
    path: Option<PathBuf>,
    len: u64,
}

impl Reader<File> {
    /// Opens a file.
    pub fn open(path: &Path, format: Format) -> Result<Self> {
        let file = regular::open(path).map_err(|error| Error::file("read", path, &error))?;
        Self::new(file, Some(path.to_owned()), format)
    }
}

impl<'a> Reader<Cursor<&'a [u8]>> {
    /// Opens a file in memory.
    pub fn of_bytes(bytes: &'a [u8], format: Format) -> Result<Self> {
        Self::new(Cursor::new(bytes), None, format)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Opens a source; `path` names it in errors.
    pub fn new(from: R, path: Option<PathBuf>, format: Format) -> Result<Self> {
        let mut source = ByteSource { from, path, len: 0 };
        let len = source.from.seek(SeekFrom::End(0)).map_err(|error| source.failed(&error))?;
        source.len = len;
        if source.read(0..len.min(HEAD.len() as u64))? != HEAD {
            return Err(source.foreign("it does not start with the Arrow magic", format));
        }
        let Some(end) = len.checked_sub(END).filter(|end| *end >= HEAD.len() as u64) else {
            return Err(source.damaged("it is too short"));
        };
        let last = source.read(end..len)?;
        let footer_len = last.first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
        let start = u64::try_from(footer_len).ok().filter(|n| (1..=LARGEST_FOOTER).contains(n)).and_then(|n| end.checked_sub(n));
        let Some(start) = start.filter(|_| last.ends_with(MAGIC)) else {
            return Err(source.damaged("it does not end with an Arrow footer, so a part of it is missing or was changed"));
        };
        let footer = source.read(start..end)?;
        let found = Footer::read(&footer, format).map_err(|refusal| match refusal {
            Refusal::Foreign(why) => source.foreign(&why, format),
            Refusal::Damaged(why) => source.damaged(&why),
            Refusal::Newer(version) => source.newer(version, format),
        })?;
        let tail = found.blocks.last().map_or(0, |block| block.bytes.end);
        if start.checked_sub(tail).is_none_or(|mark| mark > LARGEST_MARK) {
            return Err(source.damaged("its blocks do not match its length"));
        }
        let mut bytes = source.read(tail..len)?;
        let before = (start - tail) as usize;
        bytes[before + found.digits.start..before + found.digits.end].fill(b'0');
        if digits(xxh3_128(&bytes)) != found.checksum {
            return Err(source.wrong_checksum(&(tail..len)));
        }
        let header = found.blocks.first().ok_or_else(|| source.damaged("it has no header"))?;
        source.checked(header)?;
        let schema = Arc::new(schema_of(&footer).map_err(|why| source.damaged(&why))?);
        let decoder = FileDecoder::new(schema.clone(), MetadataVersion::V5);
        Ok(Self { source, schema, entries: found.entries, blocks: found.blocks, batches: found.batches, decoder })
    }

    /// The schema of all batches, with its metadata.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The metadata of the footer.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Number of batches.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Size of batch `batch` in bytes.
    pub fn size(&self, batch: usize) -> u64 {
        let Range { start, end } = self.blocks[batch + 1].bytes;
        end - start
    }

    /// Reads batch `batch`.
    pub fn batch(&mut self, batch: usize) -> Result<RecordBatch> {
        let bytes = Buffer::from_vec(self.source.checked(&self.blocks[batch + 1])?);
        match guarded(|| self.decoder.read_record_batch(&self.batches[batch], &bytes)) {
            Ok(Some(batch)) => Ok(batch),
            Ok(None) => Err(self.source.damaged("a batch is missing")),
            Err(why) => Err(self.source.damaged(&why)),
        }
    }

    /// The error for damaged content.
    pub fn damaged(&self, why: &str) -> Error {
        self.source.damaged(why)
    }
}

impl<R: Read + Seek> ByteSource<R> {
    fn read(&mut self, bytes: Range<u64>) -> Result<Vec<u8>> {
        if bytes.start > bytes.end || bytes.end > self.len {
            return Err(self.damaged("it is shorter than its footer declares, so a part of it is missing"));
        }
        let count = bytes.end - bytes.start;
        let mut read = Vec::new();
        let reserved = usize::try_from(count).ok().and_then(|count| read.try_reserve_exact(count).ok());
        reserved.ok_or_else(|| Error::new(ErrorKind::MemoryLimit, format!("cannot allocate {count} bytes for {}", self.name())))?;
        self.from
            .seek(SeekFrom::Start(bytes.start))
            .and_then(|_| self.from.by_ref().take(count).read_to_end(&mut read))
            .map_err(|error| self.failed(&error))?;
        if read.len() as u64 != count {
            return Err(self.damaged("it became shorter while it was read"));
        }
        Ok(read)
    }

    /// Reads a block and verifies its checksum.
    fn checked(&mut self, block: &CheckedBlock) -> Result<Vec<u8>> {
        let bytes = self.read(block.bytes.clone())?;
        if xxh3_128(&bytes) == block.checksum { Ok(bytes) } else { Err(self.wrong_checksum(&block.bytes)) }
    }

    /// Its name in errors.
    fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "data".to_owned(), |path| format!("'{}'", path.display()))
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::file("read", self.path.as_deref().unwrap_or(Path::new("bytes")), error)
    }

    fn wrong_checksum(&self, bytes: &Range<u64>) -> Error {
        self.damaged(&format!("the checksum of bytes {} to {} does not match", bytes.start, bytes.end))
    }

    fn damaged(&self, why: &str) -> Error {
        let message = format!("{} cannot be read: {why}. It was damaged or changed after it was written; use another copy", self.name());
        Error::new(ErrorKind::ModelFormat, message)
    }

    fn foreign(&self, why: &str, format: Format) -> Error {
        Error::new(ErrorKind::ModelFormat, format!("{} is not a {} of custcore: {why}", self.name(), format.name))
    }

    fn newer(&self, version: u32, format: Format) -> Error {
        let message = format!(
            "{} has version {version} of its format; this custcore reads versions up to {}. Use a newer custcore",
            self.name(),
            format.version
        );
        Error::new(ErrorKind::ModelVersion, message)
    }
}
