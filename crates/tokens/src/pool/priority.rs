//! The priority of threads that count.

/// How much nicer a worker is than the thread that started it. Where it competes for a processor
/// it gets a third as much as that one does.
#[cfg(target_os = "linux")]
pub(super) const NICER: i32 = 5;

/// Lowers the priority of this thread, where the system has priorities of threads.
///
/// On Linux niceness is a thread's own; elsewhere it is the process's, which is not ours to change.
pub(super) fn lower() {
    #[cfg(target_os = "linux")]
    {
        // Where it is not allowed, the thread counts all the same.
        let _ = rustix::process::nice(NICER);
    }
}
