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
    private(set) var statements: [WriterStatement]
    private(set) var bytes: Int
    /// Whether it may be sent again; one statement that may not forbids it to all.
    private(set) var isIdempotent: Bool

    init(key: ByteBuffer, _ statement: WriterStatement) {
        self.key = key
        self.statements = [statement]
        self.bytes = statement.bytes
        self.isIdempotent = statement.statement.isIdempotent
    }

    /// Whether a statement may go with these.
    func takes(_ statement: WriterStatement, _ key: ByteBuffer, _ limits: TargetWriter.Limits) -> Bool {
        self.key == key && self.statements.count < limits.batchStatementsMax
            && self.bytes + statement.bytes <= limits.batchBytesMax
            && self.isIdempotent && statement.statement.isIdempotent
    }

    mutating func add(_ statement: WriterStatement) {
        self.statements.append(statement)
        self.bytes += statement.bytes
        self.isIdempotent = self.isIdempotent && statement.statement.isIdempotent
    }
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
        guard self.gathered?.takes(statement, key, limits) ?? false else {
            defer { self.gathered = WriterRequest(key: key, statement) }
            return self.gathered
        }
        // In its place: a copy of the request would copy all its statements for each one that comes.
        self.gathered?.add(statement)
        return nil
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
