/// When appended bytes must be on the disk. They survive the death of the process in every case; this is about the machine.
public enum JournalSyncPolicy: Sendable, Hashable {
    /// When the kernel writes them, and when the journal is closed.
    case never
    /// By a thread, so many milliseconds (at least 1) after the last time.
    case interval(milliseconds: Int)
    /// Before the answer leaves: the owner calls ``JournalLog/syncNow()``.
    case always
}
