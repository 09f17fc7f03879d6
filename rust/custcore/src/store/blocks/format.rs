//! What a file contains, and how it is named.

use std::collections::BTreeMap;

/// Metadata entries, sorted by name.
pub(crate) type Entries = BTreeMap<String, String>;

/// Type and version of the content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Name, such as `customer base`.
    pub name: &'static str,
    /// Version; files of a higher version are rejected.
    pub version: u32,
}
