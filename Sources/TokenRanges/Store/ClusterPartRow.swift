import CQLProtocol

/// A row of `cluster_sync.job_parts`.
struct ClusterPartRow: Sendable {
    let part: JobPart
    /// Who has it, or that it rests; nil where anybody may take it.
    let lease: CQLUUID?
    /// The last lease that was ended.
    let endedBy: CQLUUID?

    /// - Throws: ``TokenRangesError/Code/storage`` for a row that no store has written.
    init(_ row: Row) throws {
        guard case .text(let keyspace) = try row.value("keyspace_name"),
            case .text(let table) = try row.value("table_name"),
            case .bigint(let start) = try row.value("range_start"), case .bigint(let end) = try row.value("range_end"),
            let range = TokenRange(after: start, through: end), case .text(let state) = try row.value("state")
        else { throw TokenRangesError(.storage, "a part in cluster_sync.job_parts is damaged") }
        self.lease = try Self.uuid(row, "lease")
        self.endedBy = try Self.uuid(row, "ended_by")
        var attempts = 0
        if case .int(let count) = try row.value("attempts") { attempts = Int(count) }
        var beginnings = 0
        if case .int(let count) = try row.value("beginnings") { beginnings = Int(count) }
        self.part = JobPart(
            table: TableName(keyspace: keyspace, table: table),
            range: range,
            expectedBytes: try Self.bigint(row, "expected_bytes"),
            checkpoint: try Self.bigint(row, "checkpoint"),
            rowsDone: try Self.bigint(row, "rows_done") ?? 0,
            bytesDone: try Self.bigint(row, "bytes_done") ?? 0,
            attempts: attempts,
            beginnings: beginnings,
            state: try Self.state(state, row)
        )
    }

    private static func state(_ text: String, _ row: Row) throws -> JobPart.State {
        switch text {
        case "done": return .done
        case "failed":
            if case .text(let reason) = try row.value("reason") { return .failed(reason: reason) }
            return .failed(reason: "")
        case "pending":
            // What rests has a lease, but of no worker.
            if case .text(let worker) = try row.value("worker") { return .leased(worker: worker) }
            return .pending
        default: throw TokenRangesError(.storage, "a part in cluster_sync.job_parts has an unknown state")
        }
    }

    static func bigint(_ row: Row, _ name: String) throws -> Int64? {
        if case .bigint(let value) = try row.value(name) { value } else { nil }
    }

    static func uuid(_ row: Row, _ name: String) throws -> CQLUUID? {
        if case .uuid(let value) = try row.value(name) { value } else { nil }
    }
}
