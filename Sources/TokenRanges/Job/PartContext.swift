import Synchronization

/// What the work on a part has had.
public struct PartOutcome: Sendable, Hashable {
    /// Rows since the last checkpoint.
    public var rows: Int64
    /// Bytes since the last checkpoint.
    public var bytes: Int64

    /// All of the part is done.
    public init(rows: Int64 = 0, bytes: Int64 = 0) {
        self.rows = rows
        self.bytes = bytes
    }
}

/// Why the work on a part ends before its end. Anything else that is thrown counts as ``retry(_:)``.
public enum PartFailure: Error, Sendable, Hashable {
    /// It may succeed later.
    case retry(String)
    /// It is too much at once (a timeout, a limit): what is left is to be cut in so many pieces.
    case split(into: Int, String)
    /// It never will succeed.
    case fatal(String)

    /// What happened.
    public var reason: String {
        switch self {
        case .retry(let reason), .split(_, let reason), .fatal(let reason): reason
        }
    }
}

/// What the work on a part tells of itself. Thread-safe, but checkpoints are to be made one after the other.
public final class PartContext: Sendable {
    private struct State {
        var token: Int64?
        var rows: Int64
        var bytes: Int64
        var hasMoved = false
    }

    private let store: any JobStore
    private let lease: JobLease
    private let state: Mutex<State>

    init(store: any JobStore, lease: JobLease) {
        self.store = store
        self.lease = lease
        let part = lease.part
        self.state = Mutex(State(token: part.checkpoint, rows: part.rowsDone, bytes: part.bytesDone))
    }

    /// Notes that all up to a token is done and acknowledged by the target, so that nobody will do it again.
    ///
    /// A store that does not answer is no reason to end the work: the next checkpoint tells what this one could not.
    ///
    /// - Parameters:
    ///   - token: within the part's range, and not before the last checkpoint.
    ///   - rows: rows since the last checkpoint.
    ///   - bytes: bytes since the last checkpoint.
    /// - Throws: ``TokenRangesError/Code/leaseLost`` where somebody else has the part by now; the work should end.
    public func checkpoint(at token: Int64, rows: Int64, bytes: Int64) async throws {
        let (rows, bytes) = self.state.withLock { state in
            precondition(self.lease.part.range.contains(token), "a checkpoint is within its part")
            precondition(token >= state.token ?? .min, "a checkpoint does not go back")
            if token > state.token ?? self.lease.part.range.start { state.hasMoved = true }
            state.token = token
            state.rows += rows
            state.bytes += bytes
            return (state.rows, state.bytes)
        }
        do {
            try await self.store.checkpoint(self.lease, at: token, rows: rows, bytes: bytes)
        } catch let error as TokenRangesError where error.isSafeToRetry {}
    }

    /// The last checkpoint and what is done in all.
    var done: (token: Int64?, rows: Int64, bytes: Int64, hasMoved: Bool) {
        self.state.withLock { ($0.token, $0.rows, $0.bytes, $0.hasMoved) }
    }
}
