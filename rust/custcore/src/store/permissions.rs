//! Owners, permissions and locks of drafts, by operating system.

#[cfg(unix)]
mod system {
    use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
    use std::io;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    use std::path::Path;

    /// Options for creating a file that only its owner can read.
    pub(crate) fn private() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.mode(0o600);
        options
    }

    /// Gives `file` the owner, the group and the permissions of the file that it replaces. Who may not give it to the old owner
    /// becomes the owner, as if he had copied the file; a group that cannot be kept gets the permissions of all others.
    pub(crate) fn keep(file: &File, old: &Metadata) -> io::Result<()> {
        let new = file.metadata()?;
        let mut mode = old.mode() & 0o777;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) && fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
            let group_is_kept = new.gid() == old.gid() || fchown(file, None, Some(old.gid())).is_ok();
            if !group_is_kept {
                mode = (mode & !0o070) | ((mode & 0o007) << 3);
            }
        }
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// Locks a new draft until it is closed. False if another process has locked it.
    pub(crate) fn lock(file: &File) -> bool {
        // A file system without locks has no locked drafts either, which could be deleted.
        !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Deletes the draft `path` if it has the owner of `own` and nobody holds its lock.
    pub(crate) fn remove_if_abandoned(path: &Path, own: &Metadata) {
        let is_ours = |metadata: &Metadata| metadata.is_file() && metadata.uid() == own.uid();
        if !fs::symlink_metadata(path).is_ok_and(|metadata| is_ours(&metadata)) {
            return;
        }
        if let Ok(file) = File::open(path)
            && file.try_lock().is_ok()
        {
            // What cannot be deleted is left, as it was before.
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(crate) fn private() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn keep(file: &File, old: &Metadata) -> io::Result<()> {
        file.set_permissions(old.permissions())
    }

    pub(crate) fn lock(_file: &File) -> bool {
        true
    }

    pub(crate) fn remove_if_abandoned(_path: &Path, _own: &Metadata) {}
}

pub(super) use self::system::{keep, lock, private, remove_if_abandoned};
