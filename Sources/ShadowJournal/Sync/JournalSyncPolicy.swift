/// When appended bytes must be on the disk. They survive the death of the process in every case; this is about the machine.
public enum JournalSyncPolicy: Sendable, Hashable {
    /// When the kernel writes them, and when the journal is closed.
    case never
    /// By a thread that looks every so many milliseconds (at least 1): what is still open then, and was the last time, is on the
    /// disk before the next time. What is finished within an interval is never waited for; it follows within a hundred.
    case interval(milliseconds: Int)
    /// Before the answer leaves: the owner calls ``JournalLog/syncNow()``.
    case always
}
