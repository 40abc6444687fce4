//! What a process has used: processor time of all its threads, and memory.

use std::{fs, path::PathBuf};

use crate::error::{Error, during};

/// Nanoseconds that the threads of a process have run, from `/proc/PID/task/*/schedstat`.
///
/// A thread that has ended is no longer counted; none ends within a window of steady calls.
pub(crate) fn cpu_ns(pid: u32) -> Result<u64, Error> {
    let tasks = PathBuf::from(format!("/proc/{pid}/task"));
    let mut sum = 0;
    for task in fs::read_dir(tasks).map_err(during("the threads of the process"))?.flatten() {
        // Between the list and the reading, it may have ended.
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().and_then(|ran| ran.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// Kibibytes of memory that a process holds, from `/proc/PID/status`.
pub(crate) fn resident_kb(pid: u32) -> Result<u64, Error> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.map_err(during("the memory of the process"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
    Ok(kilobytes.and_then(|word| word.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let pid = std::process::id();
        let before = cpu_ns(pid).expect("it runs");
        let mut sum = 0u64;
        while cpu_ns(pid).expect("it runs") < before + 1_000_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident_kb(pid).expect("it runs") > 100);
    }
}
