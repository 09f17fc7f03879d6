//! The draft of a file: a temporary file in the folder of its target, which it replaces when it is complete.
//!
//! A draft is called `.<name>.<process id>-<number>.tmp`. Only its owner can read it, and its process holds a lock on it until the
//! process ends. So the drafts that killed processes left are recognized: the next draft in their folder deletes them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::permissions;
use super::regular::{parent_dir, target};

/// A file that is being written. [`Draft::commit`] renames it to its target; if it is dropped before, it is deleted.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
    target: PathBuf,
    /// The file that is replaced.
    old: Option<Metadata>,
    /// The process that deletes it if it is dropped; its children do not.
    process: u32,
    exists: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.exists && self.process == std::process::id() {
            // An error cannot be reported here, and the target is unchanged.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Makes the names of the drafts of one process unique.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Draft {
    /// Creates the draft of `path`. A symbolic link is followed: its target is replaced, or created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (target, old) = target(path)?;
        if old.is_some() {
            // A rename would also replace a file that is not writable, so it is opened for writing first. This rejects folders, too.
            File::options().write(true).open(&target)?;
        }
        let (file, path) = new_file(&target, permissions::private())?;
        let draft = Self { file, path, target, old, process: std::process::id(), exists: true };
        sweep(&draft)?;
        Ok(draft)
    }

    /// The path of the draft.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the content, gives the file its permissions, and renames it to its target.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(old) = &self.old {
            permissions::keep(&self.file, old)?;
        } else {
            // Only a new file tells what the umask and the folder leave.
            let (probe, path) = new_file(&self.target, File::options())?;
            let found = probe.metadata();
            fs::remove_file(&path)?;
            self.file.set_permissions(found?.permissions())?;
        }
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.exists = false;
        sync_dir(parent_dir(&self.target))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A new file with the name of a draft of `target`, locked.
fn new_file(target: &Path, mut options: OpenOptions) -> io::Result<(File, PathBuf)> {
    let Some(name) = target.file_name() else { return Err(ErrorKind::InvalidFilename.into()) };
    // A name of 255 bytes, the maximum, cannot be extended, so the name of the draft uses only the first 40 characters.
    let stem: String = name.to_string_lossy().chars().take(40).collect();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent_dir(target).join(format!(".{stem}.{}-{number}.tmp", std::process::id()));
        match options.write(true).create_new(true).open(&path) {
            Ok(file) => {
                if permissions::lock(&file) && fs::symlink_metadata(&path).is_ok() {
                    return Ok((file, path));
                }
                // Another process took it for the draft of a killed one before it was locked, and deletes it.
            }
            // Left by a killed process with the same id.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether a file name is that of a draft.
fn is_draft(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp")).and_then(|name| name.rsplit_once('.'));
    number.and_then(|(_, number)| number.split_once('-')).is_some_and(|(process, number)| digits(process) && digits(number))
}

/// Deletes the drafts that killed processes of this user left in the folder of `draft`.
fn sweep(draft: &Draft) -> io::Result<()> {
    let own = draft.file.metadata()?;
    // A folder that may be written, but not listed, is not swept.
    let Ok(entries) = fs::read_dir(parent_dir(&draft.path)) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_draft) && entry.path() != draft.path {
            permissions::remove_if_abandoned(&entry.path(), &own);
        }
    }
    Ok(())
}

/// Syncs the folder, so that the rename is durable. Only Unix allows folders to be opened.
#[cfg(unix)]
fn sync_dir(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems cannot sync folders; the file itself is already synced.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn sync_dir(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_have_names_of_their_own() {
        for name in [".model.json.123-0.tmp", ".a.1-22.tmp", ".é.9-9.tmp"] {
            assert!(is_draft(name), "{name}");
        }
        for name in ["model.123-0.tmp", ".model.123-0.tm", ".model.123.tmp", ".model.-0.tmp", ".model.1-x.tmp", ".tmp", ".1-2.tmp", "."] {
            assert!(!is_draft(name), "{name}");
        }
    }
}
