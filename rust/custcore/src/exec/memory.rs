//! The memory that this process may still take, as far as the system tells: what the machine has left, the limit of the
//! container, and the limit of the address space. What is known to need more is an error before anything is allocated.

use crate::error::{Error, ErrorKind, Result};

/// Less than this is never looked up.
const SMALL: u64 = 64 << 20;

/// An error where `bytes` are more than this process may still take; `what` names what needs them, and the way out.
pub(crate) fn check_room(bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
    match available() {
        Some(available) if bytes >= SMALL && bytes > available => {
            let (bytes, available) = (bytes.div_ceil(1 << 20), available >> 20);
            let message = format!("{}; it needs about {bytes} MiB, and this process may take {available} MiB more", what());
            Err(Error::new(ErrorKind::MemoryLimit, message))
        }
        _ => Ok(()),
    }
}

/// Bytes that this process may still take; `None` where the system does not tell.
pub(crate) fn available() -> Option<u64> {
    [machine(), container(), address_space()].into_iter().flatten().min()
}

/// What the machine can give without swapping.
fn machine() -> Option<u64> {
    kilobytes(&read("/proc/meminfo")?, "MemAvailable:")
}

/// What the limit of the address space leaves.
fn address_space() -> Option<u64> {
    let limit = soft_limit(&read("/proc/self/limits")?)?;
    Some(limit.saturating_sub(kilobytes(&read("/proc/self/status")?, "VmSize:")?))
}

/// What the container's limit leaves; pages of files that can be dropped do not count.
fn container() -> Option<u64> {
    let groups = read("/proc/self/cgroup")?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let folders = [format!("/sys/fs/cgroup{}", path.trim_end_matches('/')), "/sys/fs/cgroup".to_owned()];
    let of = |folder: &str, limit: &str, used: &str, droppable: &str| {
        let number = |name: &str| read(&format!("{folder}/{name}"))?.trim().parse::<u64>().ok();
        let files = field(&read(&format!("{folder}/memory.stat"))?, droppable).unwrap_or(0);
        Some(number(limit)?.saturating_sub(number(used)?.saturating_sub(files)))
    };
    let second = folders.iter().find_map(|folder| of(folder, "memory.max", "memory.current", "inactive_file"));
    second.or_else(|| of("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
}

fn read(path: &str) -> Option<String> {
    if cfg!(target_os = "linux") { std::fs::read_to_string(path).ok() } else { None }
}

/// The number behind a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    field(text, name).map(|number| number << 10)
}

/// The soft limit of the address space; `None` where there is none.
fn soft_limit(limits: &str) -> Option<u64> {
    field(limits, "Max address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        let text = "Max cpu time              unlimited            unlimited            seconds\n\
                    Max address space         4294967296           unlimited            bytes\n";
        assert_eq!(soft_limit(text), Some(4 << 30));
        assert_eq!(soft_limit("Max address space         unlimited            unlimited            bytes\n"), None);
        assert_eq!(kilobytes("VmPeak:\t  100 kB\nVmSize:\t   96 kB\n", "VmSize:"), Some(96 << 10));
    }

    #[test]
    fn only_what_is_too_large_is_an_error() {
        assert_eq!(check_room(SMALL - 1, String::new), Ok(()));
        let error = check_room(u64::MAX, || "the table has many rows".to_owned());
        if available().is_some() {
            assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::MemoryLimit));
        }
    }
}
