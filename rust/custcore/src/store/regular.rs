//! Paths of regular files: what else a path can name is an error before anything is opened, since opening a named pipe waits.

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Symbolic links that are followed to a file that does not exist yet; systems follow about as many.
const MAX_LINKS: usize = 40;

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    check(fs::metadata(path)?.file_type(), "read")?;
    let mut file = File::open(path)?;
    // Another process may have replaced it since.
    let kind = file.metadata()?.file_type();
    check(kind, "read")?;
    if kind.is_dir() {
        // The error of the system.
        file.read_exact(&mut [0])?;
    }
    Ok(file)
}

/// The file that a path names, symbolic links followed, and its metadata if it exists. The last link may lead to a file that does
/// not exist yet.
pub(super) fn target(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    match fs::canonicalize(path) {
        Ok(target) => {
            let old = fs::metadata(&target)?;
            check(old.file_type(), "written")?;
            Ok((target, Some(old)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((followed(path)?, None)),
        Err(error) => Err(error),
    }
}

/// The end of a chain of links, which does not exist.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = parent_dir(&target).join(next),
            // It is no link, or its folder does not exist, which creating the file reports.
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "too many symbolic links"))
}

/// The folder of a file.
pub(super) fn parent_dir(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Rejects what is neither a file nor a folder, whose errors are those of the system.
fn check(kind: FileType, done: &str) -> io::Result<()> {
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    let message = format!("it is {}; only regular files are {done}. Use a regular file, or to_bytes and from_bytes", name(kind));
    Err(io::Error::new(ErrorKind::InvalidInput, message))
}

#[cfg(unix)]
fn name(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn name(_kind: FileType) -> &'static str {
    "not a regular file"
}
