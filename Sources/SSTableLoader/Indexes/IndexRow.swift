import CQLProtocol

/// A row of `cluster_sync.indexes`.
struct IndexRow: Sendable {
    /// What a row is.
    enum Content: Sendable, Equatable {
        /// A record.
        case record(IndexRecords.Record)
        /// A lease of somebody who has not written a record yet, or is not going to.
        case lease
        /// Something that nobody has written here: an index may be missing. It says what is wrong.
        case damaged(String)
    }

    let content: Content
    /// Whose it is; nil where anybody may take it.
    let lease: CQLUUID?
    /// Who that is, as far as it is told.
    let holder: IndexHolder?

    /// - Throws: ``IndexError`` where not even the key can be read.
    init(_ row: Row) throws {
        let (keyspace, name) = (try row.text("keyspace_name"), try row.text("index_name"))
        let (table, kind) = (try Self.text(row, "table_name"), try Self.text(row, "kind"))
        let (statement, job) = (try Self.text(row, "statement"), try Self.text(row, "job"))
        let state = try Self.text(row, "state")
        var lease: CQLUUID?
        if case .uuid(let id) = try row.value("lease") { lease = id }
        self.lease = lease
        let (ownerJob, worker) = (try Self.text(row, "lease_job"), try Self.text(row, "worker"))
        self.holder = lease == nil ? nil : IndexHolder(job: ownerJob ?? "(unknown)", worker: worker ?? "(unknown)")
        let columns = [table, kind, statement, job, state]
        guard columns.contains(where: { $0 != nil }) else {
            self.content = lease == nil ? .damaged("\(keyspace).\(name): the row is empty") : .lease
            return
        }
        guard let table, let kind, let statement, job != nil, let state, let purpose = State(rawValue: state) else {
            let names = zip(["table_name", "kind", "statement", "job", "state"], columns).filter { $0.1 == nil }.map(
                \.0
            )
            let fault =
                names.isEmpty ? "its state '\(state ?? "")' is not known" : "it has no \(names.joined(separator: ", "))"
            self.content = .damaged("\(keyspace).\(name): \(fault)")
            return
        }
        let index = TableIndex(
            table: IndexedTable(keyspace: keyspace, name: table),
            name: name,
            kind: kind,
            options: try row.texts("options"),
            making: .statement(statement)
        )
        self.content = .record(
            IndexRecords.Record(
                index: index,
                isOwed: purpose != .there,
                purpose: purpose == .dropped ? .hand : .load,
                job: job,
                holder: self.holder
            )
        )
    }

    /// What the column `state` says.
    enum State: String {
        /// Dropped for a load, with whose end it comes back.
        case loading
        /// Dropped until somebody asks for it.
        case dropped
        /// Seen again.
        case there

        init(_ purpose: IndexRecords.Purpose) { self = purpose == .load ? .loading : .dropped }
    }

    var isOwed: Bool {
        if case .record(let record) = self.content { return record.isOwed }
        return false
    }

    private static func text(_ row: Row, _ name: String) throws -> String? {
        if case .text(let text) = try row.value(name) { text } else { nil }
    }
}
