//! A file written whole or not at all.
//!
//! The content goes to a new file in the folder of the target, is forced to the disk, and takes the target's name in one
//! step. Until then the old file stands, whatever fails and whenever the process is killed; a process that is killed in
//! the middle leaves a file `.<name>.<numbers>.tmp` behind, which nothing reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file that is being written; it takes its name in [`AtomicFile::commit`], and is gone when dropped before that.
///
/// ```
/// use std::io::Write;
/// use custcore::store::atomic::AtomicFile;
///
/// let path = std::env::temp_dir().join(format!("custcore-atomic-{}", std::process::id()));
/// let mut file = AtomicFile::create(&path)?;
/// file.write_all(b"whole")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    file: BufWriter<File>,
    temporary: Temporary,
    target: PathBuf,
}

/// The name of a file that is taken away when dropped.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    is_there: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.is_there {
            // There is nobody to tell, and the target is as it was.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Distinguishes the temporary files of one process.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl AtomicFile {
    /// Begins a file that will stand at `path`. A symbolic link is followed: what it points to is replaced.
    pub fn create(path: &Path) -> io::Result<Self> {
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        // Where the old file may not be written (or is a folder), replacing it would go behind its owner's back.
        let old = match OpenOptions::new().write(true).open(&target) {
            Ok(file) => Some(file.metadata()?.permissions()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(name) = target.file_name() else { return Err(ErrorKind::InvalidFilename.into()) };
        // A name of 255 bytes has no room for an ending, so the temporary file takes the beginning of a long one only.
        let stem: String = name.to_string_lossy().chars().take(40).collect();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let temporary = folder(&target).join(format!(".{stem}.{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    let temporary = Temporary { path: temporary, is_there: true };
                    if let Some(permissions) = old {
                        file.set_permissions(permissions)?;
                    }
                    return Ok(Self { file: BufWriter::with_capacity(1 << 16, file), temporary, target });
                }
                // Left behind by a process of the same number that was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Forces the content to the disk and gives it its name.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary.path, &self.target)?;
        self.temporary.is_there = false;
        sync_folder(folder(&self.target))
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

/// Writes `bytes` as the file `path`, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the new name last; elsewhere than on Unix a folder cannot be opened for that.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems have no such thing for folders; the file itself is safe by then.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for a test, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> io::Result<Self> {
            let path = std::env::temp_dir().join(format!("custcore-{name}-{}", std::process::id()));
            fs::create_dir_all(&path)?;
            Ok(Self(path))
        }

        fn files(&self) -> io::Result<Vec<String>> {
            fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn the_old_file_stands_until_the_new_one_is_whole() -> io::Result<()> {
        let folder = Folder::new("atomic-old")?;
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
    fn long_names_have_room() -> io::Result<()> {
        let folder = Folder::new("atomic-long")?;
        let name = "é".repeat(127);
        write(&folder.0.join(&name), b"x")?;
        assert_eq!(folder.files()?, [name]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_written_is_told_and_leaves_nothing() -> io::Result<()> {
        let folder = Folder::new("atomic-not")?;
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

        let folder = Folder::new("atomic-link")?;
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
