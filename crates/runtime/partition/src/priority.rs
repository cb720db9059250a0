//! Who goes first when processors are short.

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// As `nice` counts: from -20, first, to 19, last.
const LAST: i32 = 15;

/// Lets all threads that somebody waits for go before this one, and before those that it starts from now on. Where the
/// system does not allow it nothing but time is lost.
pub(crate) fn go_last() {
    // On Linux a thread has a priority of its own, and is named like a process.
    let _ = setpriority_process(Some(gettid()), LAST);
}
