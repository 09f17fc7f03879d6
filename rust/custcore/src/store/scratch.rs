//! Temporary files of this process alone: private to its user, deleted with their last owner.
//!
//! The files are in a folder `custcore-<process>-<number>` with mode 700; files have mode 600. The folder and its files belong to
//! the process that created them. A forked child shares the open files, so it can read them even after its parent deleted them,
//! and deletes nothing itself.
//!
//! A lock on the file `lock` in the folder tells that its owner, or a child of it, is alive. Process ids would not do: containers that share a
//! folder have the same ids. Whoever creates a folder deletes those of dead processes of the same user beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

const PREFIX: &str = "custcore-";
const LOCK: &str = "lock";
/// A folder without a lock file is being created, or was left by a process that died while it was.
const CREATED_WITHIN: Duration = Duration::from_secs(60);

/// A folder of temporary files, deleted on drop by the process that created it.
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    path: PathBuf,
    owner: u32,
    next: AtomicU64,
    /// Locked as long as it is open here or in a child.
    _lock: Option<File>,
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if self.is_own() {
            // Errors on drop cannot be reported; the next process deletes what is left.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

impl ScratchFolder {
    /// A new folder in `parent`. Folders of dead processes in it are deleted.
    pub(crate) fn create(parent: &Path) -> Result<Arc<Self>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let failed = |error: &io::Error| Error::file("write", parent, error);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match create_private_folder(&path) {
                Ok(()) => {}
                // Of a process with the same id: a dead one, or one in another container.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed(&error)),
            }
            let lock = match lock_new(&path.join(LOCK)) {
                Ok(NewLock::Locked(lock)) => Some(lock),
                Ok(NewLock::Unsupported) => None,
                // It was taken for the folder of a dead process.
                Ok(NewLock::Lost) => {
                    drop(fs::remove_dir_all(&path));
                    continue;
                }
                Err(error) => {
                    drop(fs::remove_dir_all(&path));
                    return Err(failed(&error));
                }
            };
            sweep(parent, &path);
            return Ok(Arc::new(Self { path, owner: std::process::id(), next: AtomicU64::new(0), _lock: lock }));
        }
    }

    /// Whether this process created it.
    pub(crate) fn is_own(&self) -> bool {
        self.owner == std::process::id()
    }

    /// A new file.
    pub(crate) fn file(self: &Arc<Self>) -> Result<ScratchFile> {
        let path = self.path.join(format!("{}.arrow", self.next.fetch_add(1, Ordering::Relaxed)));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        private(&mut options);
        let file = options.open(&path).map_err(|error| Error::file("write", &path, &error))?;
        Ok(ScratchFile { file, path, folder: self.clone() })
    }
}

/// A temporary file, deleted on drop by the process that created it.
#[derive(Debug)]
pub(crate) struct ScratchFile {
    file: File,
    path: PathBuf,
    folder: Arc<ScratchFolder>,
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        if self.folder.is_own() {
            drop(fs::remove_file(&self.path));
        }
    }
}

impl ScratchFile {
    /// Its path, for errors.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Arc<ScratchFolder> {
        &self.folder
    }

    /// The file, for writing.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// A reader with a position of its own: threads and child processes read the same open file.
    pub(crate) fn reader(&self) -> ScratchReader<'_> {
        ScratchReader { file: &self.file, position: 0 }
    }
}

/// Reads a temporary file from the start.
#[derive(Debug)]
pub(crate) struct ScratchReader<'a> {
    file: &'a File,
    position: u64,
}

impl Read for ScratchReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.file, to, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for ScratchReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.file.metadata()?.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// The lock of a new folder.
enum NewLock {
    Locked(File),
    /// The file system has no locks. There is no lock file, so that the folder is never taken for one of a dead process.
    Unsupported,
    /// Another process got it first.
    Lost,
}

/// Creates and locks the lock file of a new folder.
fn lock_new(path: &Path) -> io::Result<NewLock> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    private(&mut options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(NewLock::Lost),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        // It may have been deleted between its creation and the lock.
        Ok(()) if path.exists() => Ok(NewLock::Locked(file)),
        Ok(()) | Err(fs::TryLockError::WouldBlock) => Ok(NewLock::Lost),
        Err(fs::TryLockError::Error(_)) => {
            fs::remove_file(path)?;
            Ok(NewLock::Unsupported)
        }
    }
}

/// Deletes the folders in `parent` whose processes have died. What cannot be read or deleted is left alone.
fn sweep(parent: &Path, own: &Path) {
    let (Ok(own_metadata), Ok(entries)) = (fs::symlink_metadata(own), fs::read_dir(parent)) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let named = entry.file_name().to_str().is_some_and(is_scratch_name);
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if !named || path == own || !metadata.is_dir() || !has_same_owner(&metadata, &own_metadata) {
            continue;
        }
        match OpenOptions::new().read(true).write(true).open(path.join(LOCK)) {
            Ok(lock) => {
                if lock.try_lock().is_ok() {
                    drop(fs::remove_dir_all(&path));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
                if age.is_some_and(|age| age > CREATED_WITHIN) {
                    // Only if it is empty.
                    drop(fs::remove_dir(&path));
                }
            }
            Err(_) => {}
        }
    }
}

/// Whether a name is that of a folder of temporary files: `custcore-<process>-<number>`.
fn is_scratch_name(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).is_some_and(|(process, number)| is_number(process) && is_number(number))
}

#[cfg(unix)]
mod system {
    use std::fs::{self, DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    pub(super) fn create_private_folder(path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)?;
        // A umask may have taken rights of the owner.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).inspect_err(|_| drop(fs::remove_dir(path)))
    }

    pub(super) fn private(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn has_same_owner(a: &fs::Metadata, b: &fs::Metadata) -> bool {
        a.uid() == b.uid()
    }

    pub(super) fn read_at(file: &File, to: &mut [u8], position: u64) -> io::Result<usize> {
        file.read_at(to, position)
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{self, DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::windows::fs::FileExt;
    use std::path::Path;

    pub(super) fn create_private_folder(path: &Path) -> io::Result<()> {
        // The folder inherits the rights of its parent, as every folder does there.
        DirBuilder::new().create(path)
    }

    pub(super) fn private(_options: &mut OpenOptions) {}

    pub(super) fn has_same_owner(_a: &fs::Metadata, _b: &fs::Metadata) -> bool {
        true
    }

    pub(super) fn read_at(file: &File, to: &mut [u8], position: u64) -> io::Result<usize> {
        file.seek_read(to, position)
    }
}

use self::system::{create_private_folder, has_same_owner, private, read_at};

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn parent(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("custcore-scratch-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap_or_else(|error| unreachable!("{error}"));
        path
    }

    #[test]
    fn names_of_folders() {
        assert!(is_scratch_name("custcore-12-0"));
        for other in ["custcore-12", "custcore-a-1", "custcore-1-", "custcore-scratch-1", "other-1-2", "custcore-1-2-3"] {
            assert!(!is_scratch_name(other), "{other}");
        }
    }

    #[test]
    fn files_are_read_at_positions_of_their_own_and_go_with_the_folder() -> Result<()> {
        let parent = parent("read");
        let folder = ScratchFolder::create(&parent)?;
        let file = folder.file()?;
        assert!(file.file().write_all(b"0123456789").is_ok());
        let (mut a, mut b) = (file.reader(), file.reader());
        let mut two = [0; 2];
        assert!(a.seek(SeekFrom::End(-3)).is_ok() && a.read_exact(&mut two).is_ok());
        assert_eq!(&two, b"78");
        assert!(b.read_exact(&mut two).is_ok());
        assert_eq!(&two, b"01");
        let (path, at) = (file.path().to_owned(), folder.path.clone());
        drop(folder);
        assert!(path.exists());
        drop(file);
        assert!(!path.exists() && !at.exists());
        drop(fs::remove_dir_all(&parent));
        Ok(())
    }

    #[test]
    fn folders_of_dead_processes_are_deleted() -> Result<()> {
        let parent = parent("sweep");
        let dead = parent.join("custcore-4000000000-0");
        let (fresh, foreign) = (parent.join("custcore-4000000000-1"), parent.join("custcore-notes"));
        for folder in [&dead, &fresh, &foreign] {
            assert!(fs::create_dir(folder).is_ok());
        }
        assert!(fs::write(dead.join(LOCK), b"").is_ok() && fs::write(dead.join("0.arrow"), b"x").is_ok());
        assert!(fs::write(foreign.join(LOCK), b"").is_ok());
        let alive = ScratchFolder::create(&parent)?;
        let other = ScratchFolder::create(&parent)?;
        assert!(!dead.exists());
        // One of them may be being created, and the other is not one of ours.
        assert!(fresh.exists() && foreign.exists() && alive.path.exists() && other.path.exists());
        drop(fs::remove_dir_all(&parent));
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_them() -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let parent = parent("modes");
        let folder = ScratchFolder::create(&parent)?;
        let file = folder.file()?;
        let mode = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
        assert_eq!((mode(&folder.path), mode(file.path()), mode(&folder.path.join(LOCK))), (0o700, 0o600, 0o600));
        drop(fs::remove_dir_all(&parent));
        Ok(())
    }
}
