import CQLClient
import CQLProtocol

/// The records in keyspace `cluster_sync` of the cluster whose indexes they are about, for workers anywhere.
///
/// Each index has a row, and who works with it a lease: a cell with a TTL that a write on condition has set (`IF lease = null`),
/// decided by Paxos at SERIAL. Every further write names the lease (`IF lease = …`), so that whoever has lost it changes nothing.
/// While a load runs, one of its live workers has the lease of each index that the load has dropped: the others take it when its
/// holder dies. When a lease has run out is judged by the servers alone; no clock of a worker counts.
///
/// A record is there at QUORUM before its index is dropped. Reads of the whole table at QUORUM therefore see whatever is dropped;
/// what is decided from is read again at SERIAL.
struct ClusterIndexStore: IndexStore {
    static let table = """
        CREATE TABLE IF NOT EXISTS cluster_sync.indexes (
            keyspace_name text, index_name text, table_name text, kind text, options map<text, text>, statement text,
            job text, state text, dropped_at timestamp, lease uuid, lease_job text, worker text,
            PRIMARY KEY (keyspace_name, index_name))
        """
    private static let row = "WHERE keyspace_name = ? AND index_name = ?"
    private static let update = "UPDATE cluster_sync.indexes"
    /// How often a write is tried of which nobody knows what it did, and a lease that runs out at that moment.
    private static let triesMax = 4

    let session: any IndexRecordSession
    let job: String
    let worker: String
    /// How long a lease lasts, at least a second.
    let lease: Duration
    let replication: String?
    /// Milliseconds since 1970, for people who look at the table.
    let wallClock: @Sendable () -> Int64
    /// What this store's leases are told by.
    let id = CQLUUID.random()

    var place: String { "cluster_sync.indexes" }
    var holdInterval: Duration? { self.lease / 3 }

    // MARK: Reading

    func read() async throws -> IndexRecords {
        let known = try await self.session.rows(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
            [.text(ServiceKeyspace.name), .text("indexes")],
            consistency: .one
        )
        if known.isEmpty { return IndexRecords() }
        return IndexRecords(rows: try await self.all())
    }

    private func all() async throws -> [IndexRow] {
        try await self.session.rows("SELECT * FROM cluster_sync.indexes", [], consistency: .quorum).map(IndexRow.init)
    }

    private func find(_ key: [CQLValue]) async throws -> IndexRow? {
        let text = "SELECT * FROM cluster_sync.indexes \(Self.row)"
        return try await self.session.rows(text, key, consistency: .serial).first.map(IndexRow.init)
    }

    private static func key(_ index: TableIndex) -> [CQLValue] { [.text(index.table.keyspace), .text(index.name)] }

    func open() async throws -> any IndexLedger {
        try await self.session.makeTable(Self.table, replication: self.replication)
        return self
    }

    // MARK: Leases

    /// What comes of asking for a row's lease.
    private enum Lease {
        case taken(IndexRow?)
        case held(IndexHolder)
    }

    private var leaseValues: [CQLValue] {
        let (seconds, rest) = self.lease.components
        return [
            .int(Int32(clamping: max(1, seconds + (rest > 0 ? 1 : 0)))), .uuid(self.id), .text(self.job),
            .text(self.worker),
        ]
    }

    /// Takes a row's lease, or has it last longer where it is this store's already.
    private func acquire(_ key: [CQLValue]) async throws -> Lease {
        var holder = IndexHolder(job: "(unknown)", worker: "(unknown)")
        for _ in 0..<Self.triesMax {
            let isTaken = try await self.change(
                "\(Self.update) USING TTL ? SET lease = ?, lease_job = ?, worker = ? \(Self.row) IF lease = null",
                self.leaseValues,
                key
            ) { $0?.lease == self.id }
            let row = try await self.find(key)
            if isTaken {
                guard row?.lease == self.id, try await self.renew(key) else { continue }
                return .taken(row)
            }
            if let found = row?.holder { holder = found } else { continue }
            return .held(holder)
        }
        return .held(holder)
    }

    /// - Returns: whether the lease is still this store's.
    private func renew(_ key: [CQLValue]) async throws -> Bool {
        let text = "\(Self.update) USING TTL ? SET lease = ?, lease_job = ?, worker = ? \(Self.row) IF lease = ?"
        return try await self.change(text, self.leaseValues, key, if: [.uuid(self.id)]) { $0?.lease == self.id }
    }

    func hold(_ tables: Set<IndexedTable>) async throws {
        for row in try await self.all() {
            guard case .record(let record) = row.content, record.isOwed, record.purpose == .load,
                tables.contains(record.index.table)
            else { continue }
            let key = Self.key(record.index)
            if row.lease == self.id {
                _ = try await self.renew(key)
            } else if row.lease == nil {
                // Its holder is dead, or has left. If it was one of another job, this one brings the index back now.
                guard case .taken(let row) = try await self.acquire(key) else { continue }
                guard row?.isOwed == true else {
                    try await self.release(key)
                    continue
                }
                let text = "\(Self.update) SET job = ? \(Self.row) IF lease = ?"
                _ = try await self.change(text, [.text(self.job)], key, if: [.uuid(self.id)]) { _ in false }
            }
        }
    }

    private func release(_ key: [CQLValue]) async throws {
        let text = "\(Self.update) SET lease = null, lease_job = null, worker = null \(Self.row) IF lease = ?"
        _ = try await self.change(text, [], key, if: [.uuid(self.id)]) { $0?.lease != self.id }
    }

    // MARK: Writes on condition

    /// Runs a write on condition until it is known what it did.
    ///
    /// Where an answer does not come, a serial read ends what is on its way in Paxos, either way; only then is it sent again.
    ///
    /// - Parameter isDone: whether a row is as the write leaves it.
    /// - Returns: whether it was applied, or the row is as it leaves it.
    private func change(
        _ text: String,
        _ values: [CQLValue],
        _ key: [CQLValue],
        if condition: [CQLValue] = [],
        isDone: (IndexRow?) -> Bool
    ) async throws -> Bool {
        var tries = 1
        while true {
            do {
                if try await self.session.apply(text, values + key + condition) { return true }
                return isDone(try await self.find(key))
            } catch let error as CQLSessionError where error.isTransient && tries < Self.triesMax {
                tries += 1
                if isDone(try await self.find(key)) { return true }
            }
        }
    }
}

extension ClusterIndexStore: IndexLedger {
    func record(_ indexes: [TableIndex], for purpose: IndexRecords.Purpose) async throws -> [TableIndex] {
        var own: [TableIndex] = []
        for index in indexes {
            let key = Self.key(index)
            switch try await self.acquire(key) {
            case .held(let holder) where holder.job == self.job && purpose == .load: continue
            case .held(let holder):
                throw IndexError(.inUse, "\(holder) works with the index \(index); nothing of this was dropped")
            case .taken: break
            }
            let values: [CQLValue] = [
                .text(index.table.name), .text(index.kind),
                .map(
                    index.options.sorted { $0.key < $1.key }.map { .init(key: .text($0.key), value: .text($0.value)) }
                ),
                .text(index.statement ?? ""), .text(self.job), .text(IndexRow.State(purpose).rawValue),
                .timestamp(self.wallClock()),
            ]
            let text =
                "\(Self.update) SET table_name = ?, kind = ?, options = ?, statement = ?, job = ?, state = ?, "
                + "dropped_at = ? \(Self.row) IF lease = ?"
            guard try await self.change(text, values, key, if: [.uuid(self.id)], isDone: { _ in false }) else {
                throw IndexError(.inUse, "the lease on the index \(index) was lost; nothing of this was dropped")
            }
            own.append(index)
        }
        return own
    }

    func take(_ index: TableIndex) async throws -> IndexTaking {
        let key = Self.key(index)
        switch try await self.acquire(key) {
        case .held(let holder): return .held(holder)
        case .taken(let row):
            if row?.isOwed == true { return .taken }
            try await self.release(key)
            return .settled
        }
    }

    func settle(_ index: TableIndex) async throws {
        let key = Self.key(index)
        let text =
            "\(Self.update) SET state = 'there', lease = null, lease_job = null, worker = null \(Self.row) IF lease = ?"
        // Where the lease was lost, whoever has it finds the index there, and says so.
        _ = try await self.change(text, [], key, if: [.uuid(self.id)]) { $0?.isOwed != true }
    }

    func release(_ index: TableIndex) async throws { try await self.release(Self.key(index)) }

    func remove(_ keyspace: String, _ name: String) async throws -> Bool {
        let key: [CQLValue] = [.text(keyspace), .text(name)]
        switch try await self.acquire(key) {
        case .held(let holder):
            throw IndexError(.inUse, "\(holder) works with the index \(keyspace).\(name)")
        case .taken(let row):
            guard let row, row.content != .lease else {
                try await self.release(key)
                return false
            }
            let text = "DELETE FROM cluster_sync.indexes \(Self.row) IF lease = ?"
            return try await self.change(text, [], key, if: [.uuid(self.id)]) { $0 == nil }
        }
    }
}
