//! Atomic file replacement.
//!
//! The content is written to a temporary file in the directory of the target, synced, and renamed to the target. Until the
//! rename the old file is unchanged, whatever fails. A process that is killed before it leaves a file
//! `.<name>.<numbers>.tmp`, which is never read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file that is being written. [`AtomicFile::commit`] renames it to its target; if it is dropped before, it is deleted.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: BufWriter<File>,
    temporary: Temporary,
    target: PathBuf,
}

/// The path of a temporary file, which is deleted on drop.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    exists: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.exists {
            // An error cannot be reported here, and the target is unchanged.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Makes the names of the temporary files of one process unique.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl AtomicFile {
    /// Creates the temporary file for `path`. A symbolic link is followed: its target is replaced.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        // A rename would also replace a file that is not writable, so it is opened for writing first. This rejects directories, too.
        let old = match OpenOptions::new().write(true).open(&target) {
            Ok(file) => Some(file.metadata()?.permissions()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(name) = target.file_name() else { return Err(ErrorKind::InvalidFilename.into()) };
        // A name of 255 bytes, the maximum, cannot be extended, so the temporary name uses only the first 40 characters.
        let stem: String = name.to_string_lossy().chars().take(40).collect();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let temporary = parent_dir(&target).join(format!(".{stem}.{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    let temporary = Temporary { path: temporary, exists: true };
                    if let Some(permissions) = old {
                        file.set_permissions(permissions)?;
                    }
                    return Ok(Self { file: BufWriter::with_capacity(1 << 16, file), temporary, target });
                }
                // Left by a killed process with the same id.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Syncs the content and renames the file to its target.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary.path, &self.target)?;
        self.temporary.exists = false;
        sync_parent(parent_dir(&self.target))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes `bytes` to the file `path` atomically.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

fn parent_dir(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the directory, so that the rename is durable. Only Unix allows directories to be opened.
#[cfg(unix)]
fn sync_parent(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some file systems cannot sync directories; the file itself is already synced.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn sync_parent(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary directory for one test, removed on drop.
    struct ParentDir(PathBuf);

    impl ParentDir {
        fn new(name: &str) -> io::Result<Self> {
            let path = std::env::temp_dir().join(format!("custcore-{name}-{}", std::process::id()));
            fs::create_dir_all(&path)?;
            Ok(Self(path))
        }

        fn files(&self) -> io::Result<Vec<String>> {
            fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        }
    }

    impl Drop for ParentDir {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn the_old_file_is_kept_until_the_new_one_is_complete() -> io::Result<()> {
        let folder = ParentDir::new("atomic-old")?;
        let path = folder.0.join("model");
        write(&path, b"old")?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(&vec![1; 1 << 20])?;
        assert_eq!(fs::read(&path)?, b"old");
        drop(file);
        assert_eq!(fs::read(&path)?, b"old");
        assert_eq!(folder.files()?, ["model"]);
        write(&path, b"new")?;
        assert_eq!(fs::read(&path)?, b"new");
        assert_eq!(folder.files()?, ["model"]);
        Ok(())
    }

    #[test]
    fn long_names_are_written() -> io::Result<()> {
        let folder = ParentDir::new("atomic-long")?;
        let name = "é".repeat(127);
        write(&folder.0.join(&name), b"x")?;
        assert_eq!(folder.files()?, [name]);
        Ok(())
    }

    #[test]
    fn a_failed_write_is_an_error_and_leaves_no_files() -> io::Result<()> {
        let folder = ParentDir::new("atomic-not")?;
        assert_eq!(write(&folder.0, b"x").map_err(|error| error.kind()), Err(ErrorKind::IsADirectory));
        let nowhere = folder.0.join("nowhere").join("model");
        assert_eq!(write(&nowhere, b"x").map_err(|error| error.kind()), Err(ErrorKind::NotFound));
        assert!(folder.files()?.is_empty());
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;

        let folder = ParentDir::new("atomic-link")?;
        let (path, link) = (folder.0.join("model"), folder.0.join("link"));
        write(&path, b"old")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        std::os::unix::fs::symlink(&path, &link)?;
        write(&link, b"new")?;
        assert!(fs::symlink_metadata(&link)?.is_symlink());
        assert_eq!((fs::read(&path)?, fs::metadata(&path)?.permissions().mode() & 0o777), (b"new".to_vec(), 0o600));
        Ok(())
    }
}
