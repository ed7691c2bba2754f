import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Brings the dirty files of one journal to the disk, by a thread of its own where the policy is an interval and something is
/// owed that needs it (``SyncDebt``), and lets go of deleted files there, because freeing their blocks takes its time.
///
/// Any thread may call any method. Failures are counted, and the first one is told through the callback,
/// which must not close the journal.
public final class JournalSync: Sendable {
    private struct State {
        var logs: [ObjectIdentifier: LogSync] = [:]
        var retired: [SegmentFile] = []
        var firstFailure: JournalError?
        var isStopped = false
    }

    /// When bytes must be on the disk.
    public let policy: JournalSyncPolicy
    private let state = Mutex(State())
    private let failed = Atomic<Int>(0)
    private let onFailure: (@Sendable (JournalError) -> Void)?
    private let thread = Mutex<WorkerThread?>(nil)

    init(policy: JournalSyncPolicy, onFailure: (@Sendable (JournalError) -> Void)?) {
        self.policy = policy
        self.onFailure = onFailure
    }

    /// How often the disk refused. Above zero, bytes that were thought to be safe may not be: see ``firstFailure``.
    public var failures: Int { self.failed.load(ordering: .relaxed) }

    /// The first refusal.
    public var firstFailure: JournalError? { self.state.withLock { $0.firstFailure } }

    /// Returns when everything that was appended to any log before is on the disk. Waits for the disk.
    ///
    /// - Returns: whether every file arrived.
    @discardableResult
    public func syncNow() -> Bool {
        let logs = self.state.withLock { Array($0.logs.values) }
        var isComplete = true
        for log in logs where !self.sync(log) { isComplete = false }
        return isComplete
    }

    /// Syncs what is dirty of one log. Returns whether all of it arrived.
    func sync(_ log: LogSync) -> Bool {
        var isComplete = true
        for target in log.descriptors where !self.sync(target) { isComplete = false }
        return isComplete
    }

    /// Syncs one file. Returns whether it arrived.
    func sync(_ target: SyncedDescriptor) -> Bool {
        let number = target.sync()
        guard number != 0 else { return true }
        self.failed.wrappingAdd(1, ordering: .relaxed)
        let error = JournalError(
            .system,
            target.path,
            "the disk did not take '\(target.path)': \(SystemCalls.reason(number)). Records that were written last may be lost "
                + "if the machine stops; check the disk and the kernel's log"
        )
        let isFirst = self.state.withLock {
            guard $0.firstFailure == nil else { return false }
            $0.firstFailure = error
            return true
        }
        if isFirst { self.onFailure?(error) }
        return false
    }

    package func add(_ log: LogSync) {
        self.state.withLock { $0.logs[ObjectIdentifier(log)] = log }
    }

    package func remove(_ log: LogSync) {
        self.state.withLock { _ = $0.logs.removeValue(forKey: ObjectIdentifier(log)) }
    }

    /// Takes over a file that has no name any more.
    func retire(_ file: SegmentFile) {
        let isTaken = self.state.withLock {
            guard !$0.isStopped else { return false }
            $0.retired.append(file)
            return true
        }
        if isTaken { self.thread.withLock { $0?.wake() } }
    }

    /// Starts the thread. Called once, by the directory.
    func start() throws(JournalError) {
        let pause: Int32 =
            switch self.policy {
            case .never, .always: -1
            case .interval(let milliseconds): Int32(clamping: max(1, milliseconds))
            }
        // The thread holds this object weakly: the directory stops it.
        let thread = WorkerThread(pauseMilliseconds: pause) { [weak self] in self?.work() }
        guard let thread else {
            throw JournalError(
                .system,
                "",
                "the journal's sync thread cannot be started: the system has no thread or pipe left"
            )
        }
        self.thread.withLock { $0 = thread }
    }

    /// Ends the thread and returns when it has ended. What is dirty stays so.
    func stop() {
        let retired = self.state.withLock { state in
            state.isStopped = true
            defer { state.retired = [] }
            return state.retired
        }
        self.thread.withLock { slot in
            defer { slot = nil }
            return slot
        }?.stop()
        _ = retired
    }

    private func work() {
        // Freed outside the lock.
        let retired = self.state.withLock { state in
            defer { state.retired = [] }
            return state.retired
        }
        _ = retired
        guard case .interval = self.policy else { return }
        for log in self.state.withLock({ Array($0.logs.values) }) {
            guard let turn = log.endTurn(), self.sync(log) else { continue }
            log.arrived(turn)
        }
    }
}
