import CQLClient
import CQLProtocol
import LiveTables
import NIOCore

/// What a writer has done so far.
public struct WriteCounts: Sendable, Hashable {
    /// Statements that the target has.
    public internal(set) var statements = 0
    /// Bytes of their values.
    public internal(set) var bytes = 0
    /// Requests that they were sent in.
    public internal(set) var requests = 0
    /// Requests that were sent again.
    public internal(set) var retries = 0
    /// Statements, and what no statement says, that went to the dead letters.
    public internal(set) var deadLetters = 0
}

/// A statement with all that sending it needs.
struct WriterStatement: Sendable {
    let prepared: CQLStatement
    let statement: TargetStatement
    let values: [BoundValue]
    let bytes: Int
}

/// One EXECUTE, or a BATCH of statements of one partition.
struct WriterRequest: Sendable {
    let key: ByteBuffer
    var statements: [WriterStatement] = []
    var bytes = 0

    var isIdempotent: Bool { self.statements.allSatisfy(\.statement.isIdempotent) }
}

/// What a writer must remember. It decides nothing that waits; its owner guards it with a lock.
struct WriterState {
    /// What is gathered for the partition that is being written.
    var gathered: WriterRequest?
    var inFlight = 0
    var bytesInFlight = 0
    var counts = WriteCounts()
    var failure: (any Error)?
    /// Whoever waits for room or for the end; there is at most one.
    var waiter: CheckedContinuation<Void, Never>?
    var isCancelled = false

    /// Adds a statement to what is gathered. Returns what must be sent before.
    mutating func gather(_ statement: WriterStatement, _ key: ByteBuffer, _ limits: TargetWriter.Limits)
        -> WriterRequest?
    {
        var full: WriterRequest?
        if let gathered {
            let isJoined =
                gathered.key == key && gathered.statements.count < limits.batchStatementsMax
                && gathered.bytes + statement.bytes <= limits.batchBytesMax
                // One that may not be sent again would forbid it to all others.
                && gathered.isIdempotent && statement.statement.isIdempotent
            if !isJoined {
                full = gathered
                self.gathered = nil
            }
        }
        var request = self.gathered ?? WriterRequest(key: key)
        request.statements.append(statement)
        request.bytes += statement.bytes
        self.gathered = request
        return full
    }

    /// Whether a request of so many bytes may go; one always may.
    func hasRoom(bytes: Int, inFlightMax: Int, bytesMax: Int) -> Bool {
        self.inFlight == 0 || self.inFlight < inFlightMax && self.bytesInFlight + bytes <= bytesMax
    }

    /// The one who waits, to be resumed outside of the lock.
    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { self.waiter = nil }
        return self.waiter
    }
}
