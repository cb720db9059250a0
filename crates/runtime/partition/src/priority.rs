//! Who goes first when processors are short.
//!
//! On Linux a thread has a priority of its own, and is named like a process. Where a priority cannot be had nothing but
//! time is lost.

use std::fs;

use rustix::process::{Pid, setpriority_process};
use rustix::thread::gettid;

/// As `nice` counts: from -20, first, to 19, last.
const LAST: i32 = 15;

/// Lets all threads that somebody waits for go before this one.
pub(crate) fn go_last() {
    let _ = setpriority_process(Some(gettid()), LAST);
}

/// The same for the threads of this process whose names begin like this. Those that open something are waited for, so
/// that it is only said of them once they have.
pub(crate) fn let_go_last(prefix: &str) {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for thread in threads {
        let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        let number = thread.file_name().to_str().and_then(|number| number.parse().ok());
        if let Some(thread) = number.and_then(Pid::from_raw).filter(|_| name.starts_with(prefix)) {
            let _ = setpriority_process(Some(thread), LAST);
        }
    }
}
