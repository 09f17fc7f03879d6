//! The memory limit of a base.

use std::path::{Path, PathBuf};

use crate::base::export::BatchLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::BaseSpec;

/// The memory limit of a base, and where its folder of runs is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Bytes.
    pub memory: u64,
    /// The parent of the folder.
    pub folder: PathBuf,
}

/// The smallest limit.
const LEAST_MEMORY: u64 = 1 << 20;

impl MemoryLimit {
    /// A limit in bytes, at least 1 MiB. `folder` must exist; by default it is the system's temporary folder.
    pub fn new(memory: u64, folder: Option<PathBuf>) -> Result<Self> {
        if memory < LEAST_MEMORY {
            let message = format!("max_memory={memory} bytes is too small for a base; use at least {LEAST_MEMORY}");
            return Err(Error::new(ErrorKind::MemoryLimit, message));
        }
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        check_folder(&folder)?;
        Ok(Self { memory, folder })
    }

    /// Bytes that a base keeps in memory between changes. The rest is for the change, or for a range of ids; day records and
    /// cells are merged to be read or written, which takes them once more.
    pub(crate) fn resident(&self, spec: &BaseSpec) -> u64 {
        self.memory / if spec.keeps_days() || spec.roles.categories.is_kept() { 4 } else { 2 }
    }

    /// Bytes of an update while it is built, if it and the work on it may take `left`. Its parts are merged: their ids are sorted, and
    /// the merged state and the parts are in memory together.
    pub(super) fn built(left: u64) -> u64 {
        left / 3
    }

    /// The batches of runs. Some dozens of runs are read at a time, each from the middle of a batch to the middle of another.
    pub(crate) fn batches(&self) -> BatchLimits {
        let weight = usize::try_from(self.memory >> 16).unwrap_or(usize::MAX).clamp(1 << 8, 1 << 15);
        BatchLimits { customers: weight, weight }
    }
}

/// An error if the folder does not exist.
fn check_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    Err(Error::file("write", folder, &error))
}
