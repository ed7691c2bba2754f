import CQLProtocol
import CQLSyntax
import NIOCore

/// The statements that clients have prepared on a node, by id; beyond its limit it forgets the one used longest ago.
struct PreparedCache {
    private struct Entry {
        let query: PreparedQuery
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [ByteBuffer: Entry] = [:]
    private var uses: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    /// The id that Cassandra gives: the digest of keyspace and text.
    static func id(of text: String, keyspace: String?) -> ByteBuffer {
        MD5.digest(Bytes((keyspace ?? "").utf8) + Bytes(text.utf8)).buffer
    }

    mutating func insert(_ query: PreparedQuery, id: ByteBuffer) {
        self.uses += 1
        if self.entries[id] == nil, self.entries.count >= self.limit,
            let oldest = self.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            self.entries[oldest.key] = nil
        }
        self.entries[id] = Entry(query: query, lastUse: self.uses)
    }

    mutating func find(_ id: ByteBuffer) -> PreparedQuery? {
        self.uses += 1
        self.entries[id]?.lastUse = self.uses
        return self.entries[id]?.query
    }

    mutating func removeAll() { self.entries = [:] }

    /// Forgets what a change of the schema may have made another statement, as Cassandra does: it is prepared anew.
    mutating func removeAffected(by change: CQLProtocol.SchemaChange) {
        switch (change.change, change.target) {
        case ("CREATED", _): return
        // It has other replicas, not other tables; and a type that can be dropped is in no table.
        case ("UPDATED", .keyspace), ("DROPPED", .type): return
        default: break
        }
        self.entries = self.entries.filter { _, entry in
            let analysis = StatementAnalysis.analyze(entry.query.text)
            guard (analysis.keyspace ?? entry.query.keyspace) == change.keyspace else { return true }
            if case .table(let table) = change.target { return analysis.table != table }
            return false
        }
    }
}
