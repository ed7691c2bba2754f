import CQLProtocol
import DualWriteCore
import NIOCore

/// One read that is compared, from the client's answer to a verdict. Bound to its loop.
final class ReadComparison {
    /// What it waits for, where it does not wait for a cluster's answer.
    enum Wait {
        /// For a moment on the loop's clock.
        case settle(until: Int64)
        /// Until the shadow has all that it was owed at a moment, in milliseconds since 1970; no longer than until another one
        /// on the loop's clock.
        case drain(since: Int64, until: Int64)
    }

    let read: ComparedRead
    /// The clusters' roles when the client was answered.
    let primary: Cluster
    let shadow: Cluster
    // What the client sent, for another time.
    let identity: ClientIdentity
    let opcode: Opcode
    let body: ByteBuffer
    let statement: PreparedStatement?
    let consistency: Consistency

    /// Nil until the primary's rows were looked at.
    var course: ComparisonCourse?
    var wait: Wait?
    var isOver = false

    init?(_ request: ProxiedRequest, _ read: ComparedRead, shadow: Cluster, body: ByteBuffer) {
        guard let identity = request.identity else { return nil }
        self.read = read
        self.primary = shadow.other
        self.shadow = shadow
        self.identity = identity
        self.opcode = request.opcode
        self.body = body
        self.statement = request.statement
        self.consistency = request.consistency
    }

    /// The table in counters and in the log.
    var table: String { "\(self.read.keyspace).\(self.read.table)" }
}
