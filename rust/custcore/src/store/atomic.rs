//! Atomic file replacement: the content is written to a [`Draft`], synced, and renamed to the target. Until the rename the old file
//! is unchanged, whatever fails.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::draft::Draft;

/// A file that is being written. [`AtomicFile::commit`] renames it to its target; if it is dropped before, it is deleted.
#[derive(Debug)]
pub(crate) struct AtomicFile(BufWriter<Draft>);

impl AtomicFile {
    /// Creates the draft of `path`. A symbolic link is followed: its target is replaced, or created.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(BufWriter::with_capacity(1 << 16, Draft::create(path)?)))
    }

    /// Syncs the content and renames the file to its target.
    pub(crate) fn commit(self) -> io::Result<()> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes `bytes` to the file `path` atomically.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::path::PathBuf;

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

    #[cfg(unix)]
    #[test]
    fn dangling_links_are_followed() -> io::Result<()> {
        let folder = ParentDir::new("atomic-dangling")?;
        fs::create_dir(folder.0.join("there"))?;
        let (link, other) = (folder.0.join("link"), folder.0.join("other"));
        std::os::unix::fs::symlink("other", &link)?;
        std::os::unix::fs::symlink("there/../there/model", &other)?;
        write(&link, b"new")?;
        assert!(fs::symlink_metadata(&link)?.is_symlink() && fs::symlink_metadata(&other)?.is_symlink());
        assert_eq!(fs::read(folder.0.join("there").join("model"))?, b"new");
        let circle = folder.0.join("circle");
        std::os::unix::fs::symlink("circle", &circle)?;
        assert!(write(&circle, b"new").is_err());
        let nowhere = folder.0.join("nowhere");
        std::os::unix::fs::symlink("not/there", &nowhere)?;
        assert_eq!(write(&nowhere, b"new").map_err(|error| error.kind()), Err(ErrorKind::NotFound));
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn drafts_are_private_and_new_files_have_the_usual_permissions() -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;

        let folder = ParentDir::new("atomic-mode")?;
        let (path, plain) = (folder.0.join("model"), folder.0.join("plain"));
        let file = AtomicFile::create(&path)?;
        let mode = |path: &Path| io::Result::Ok(fs::metadata(path)?.permissions().mode() & 0o777);
        assert_eq!(mode(file.0.get_ref().path())?, 0o600);
        file.commit()?;
        fs::write(&plain, b"")?;
        assert_eq!(mode(&path)?, mode(&plain)?);
        let mut files = folder.files()?;
        files.sort();
        assert_eq!(files, ["model", "plain"]);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn drafts_of_ended_processes_are_deleted() -> io::Result<()> {
        let folder = ParentDir::new("atomic-sweep")?;
        let live = AtomicFile::create(&folder.0.join("live"))?;
        let kept = [".notes.tmp", ".model.x-1.tmp", "model.1-1.tmp"];
        for name in [".model.1-0.tmp", ".other.json.4000000-17.tmp"].iter().chain(&kept) {
            fs::write(folder.0.join(name), b"draft")?;
        }
        write(&folder.0.join("model"), b"new")?;
        let mut files = folder.files()?;
        files.sort();
        let own = live.0.get_ref().path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut expected: Vec<String> = kept.iter().map(|&name| name.to_owned()).chain([own, "model".to_owned()]).collect();
        expected.sort();
        assert_eq!(files, expected);
        live.commit()?;
        assert!(folder.files()?.contains(&"live".to_owned()));
        Ok(())
    }
}
