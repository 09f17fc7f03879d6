//! What stands for the reader and the writer in a build without the feature `bases`: neither can be made.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::format::{Entries, Format};
use crate::error::{Error, ErrorKind, Result};

fn absent<T>(format: Format) -> Result<T> {
    let message = format!("this build of custcore neither reads nor writes a {}: build it with the feature `bases`", format.name);
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// A reader that is never made.
#[derive(Debug)]
pub struct Reader<R>(Infallible, PhantomData<R>);

impl Reader<File> {
    /// An error.
    pub fn open(_: &Path, format: Format) -> Result<Self> {
        absent(format)
    }
}

impl<'a> Reader<Cursor<&'a [u8]>> {
    /// An error.
    pub fn of_bytes(_: &'a [u8], format: Format) -> Result<Self> {
        absent(format)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// An error.
    pub fn new(_: R, _: Option<PathBuf>, format: Format) -> Result<Self> {
        absent(format)
    }

    /// The schema of all batches.
    pub fn schema(&self) -> &SchemaRef {
        match self.0 {}
    }

    /// The metadata of the footer.
    pub fn entries(&self) -> &Entries {
        match self.0 {}
    }

    /// Number of batches.
    pub fn len(&self) -> usize {
        match self.0 {}
    }

    /// Whether there are no batches.
    pub fn is_empty(&self) -> bool {
        match self.0 {}
    }

    /// Reads batch `batch`.
    pub fn batch(&mut self, _: usize) -> Result<RecordBatch> {
        match self.0 {}
    }

    /// The error for damaged content.
    pub fn damaged(&self, _: &str) -> Error {
        match self.0 {}
    }
}

/// A writer that is never made.
#[derive(Debug)]
pub struct Writer<W>(Infallible, PhantomData<W>);

impl<W: Write> Writer<W> {
    /// An error.
    pub fn new(_: W, _: &Path, format: Format, _: &Schema, _: Entries) -> Result<Self> {
        absent(format)
    }

    /// Writes a batch.
    pub fn write(&mut self, _: &RecordBatch) -> Result<u64> {
        match self.0 {}
    }

    /// Finishes the file.
    pub fn finish(self, _: &Entries) -> Result<W> {
        match self.0 {}
    }
}
