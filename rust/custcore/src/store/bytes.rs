//! A file in memory. Without memory for it a write is an error; a `Vec` would abort the process.

use std::io::{self, ErrorKind, Write};

/// The bytes that were written.
#[derive(Debug, Default)]
pub(crate) struct Bytes(pub Vec<u8>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Twice the size may not fit where the bytes alone do.
        if self.0.try_reserve(bytes.len()).is_err() && self.0.try_reserve_exact(bytes.len()).is_err() {
            return Err(ErrorKind::OutOfMemory.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
