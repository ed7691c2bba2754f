import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import ShadowJournal

/// Whose writes a cluster is owed, as far as one look at a journal tells.
struct OwedTables: Sendable {
    /// Records that one look sees at most.
    static var recordsMax: Int { 10_000 }
    /// How long it takes at most, because it is the loop's time; one record is always seen.
    static var nanosecondsMax: Int64 { 2_000_000 }
    /// Records between two looks at the clock.
    static var recordsPerReading: Int { 16 }
    /// Longer texts and batches are not read for it.
    static var bytesMax: Int { 8_192 }
    /// What stands for tables that nobody can tell, and for those beyond ``DualWriterStatus/Leg/tablesMax``.
    static var unknown: String { "unknown" }
    static var others: String { "other" }

    struct Table: Sendable {
        var records = 0
        /// When the oldest of them was written, in milliseconds since 1970.
        var oldest = Int64.max
    }

    /// By name; nil for tables that nobody can tell. A record that writes to several tables counts for each.
    private(set) var tables: [TableName?: Table] = [:]
    /// Records that were looked at, from the oldest on.
    private(set) var records = 0

    mutating func add(_ names: [TableName?], writtenAt: Int64) {
        self.records += 1
        for name in names {
            self.tables[name, default: Table()].records += 1
            self.tables[name, default: Table()].oldest = min(self.tables[name]?.oldest ?? .max, writtenAt)
        }
    }

    mutating func add(_ other: OwedTables) {
        self.records += other.records
        self.tables.merge(other.tables) {
            Table(records: $0.records + $1.records, oldest: min($0.oldest, $1.oldest))
        }
    }

    /// The tables with the most records by name, and the rest as one.
    func named(max: Int, now: Int64) -> [String: DualWriterStatus.Leg.Table] {
        let sorted = self.tables.sorted {
            ($0.value.records, $0.key?.description ?? "") > ($1.value.records, $1.key?.description ?? "")
        }
        var named: [String: DualWriterStatus.Leg.Table] = [:]
        for (index, entry) in sorted.enumerated() {
            let name = index < max ? entry.key?.description ?? Self.unknown : Self.others
            let age = Int(clamping: Swift.max(0, now - entry.value.oldest))
            named[name, default: .init()].records += entry.value.records
            named[name, default: .init()].oldestMilliseconds = Swift.max(named[name]?.oldestMilliseconds ?? 0, age)
        }
        return named
    }
}

extension ShadowLane {
    /// Looks at the writes that are owed, from the oldest on.
    func owedTables() -> OwedTables {
        var owed = OwedTables()
        guard let log = self.log, var record = log.oldestOpen().flatMap({ log.record(at: $0.position) }) else {
            return owed
        }
        let end = LoopClock.nanoseconds + OwedTables.nanosecondsMax
        var reader = TableReader(loop: self.loop, log: log)
        while true {
            owed.add(reader.tables(of: record), writtenAt: record.time)
            // Behind the last open record nothing is looked for.
            guard owed.records < min(OwedTables.recordsMax, log.openRecords),
                !owed.records.isMultiple(of: OwedTables.recordsPerReading) || LoopClock.nanoseconds < end,
                let next = log.next(after: record.position)
            else { return owed }
            record = next
        }
    }
}

/// Tells the tables of records, each statement's once.
struct TableReader {
    private let loop: DualWriterLoop
    private let log: JournalLog
    private var ofStatements: [StatementID: [TableName?]] = [:]
    private var keyspaces: [StatementID: String?] = [:]

    init(loop: DualWriterLoop, log: JournalLog) { (self.loop, self.log) = (loop, log) }

    mutating func tables(of record: JournalRecordView) -> [TableName?] {
        guard let entry = JournalEntry(record.payload) else { return [nil] }
        let segment = record.position.segment
        switch entry.opcode {
        case .execute:
            return entry.statements.first.map { self.tables(of: $0, segment) } ?? [nil]
        case .query:
            guard let layout = RequestLayout(query: entry.body) else { return [nil] }
            return self.tables(ofText: entry.body[layout.subject], self.keyspace(of: entry, segment))
        case .batch:
            guard entry.body.count <= OwedTables.bytesMax,
                case .batch(let batch)? = try? RequestRewriter.decode(entry.body, opcode: .batch)
            else { return [nil] }
            var tables: Set<TableName?> = []
            for child in batch.children {
                switch child.statement {
                case .prepared(let id):
                    let id = id.withUnsafeReadableBytes { StatementID($0) }
                    tables.formUnion(id.map { self.tables(of: $0, segment) } ?? [nil])
                case .text(let text):
                    tables.formUnion(self.tables(ofText: text, self.keyspace(of: entry, segment)))
                }
            }
            return Array(tables)
        default:
            return [nil]
        }
    }

    private mutating func tables(of id: StatementID, _ segment: UInt64) -> [TableName?] {
        if let known = self.ofStatements[id] { return known }
        let tables: [TableName?]
        if let known = self.loop.statements[id]?.known ?? self.loop.registry.statement(id) {
            tables = Self.tables(known.analysis, known.keyspace)
        } else if let bytes = self.log.definition(JournalKey(id), in: segment),
            let definition = JournalDefinition(bytes), let text = definition.text
        {
            tables = self.tables(ofText: text, definition.qualifier)
        } else {
            tables = [nil]
        }
        self.ofStatements[id] = tables
        return tables
    }

    private func tables(ofText bytes: Slice<UnsafeRawBufferPointer>, _ keyspace: String?) -> [TableName?] {
        guard bytes.count <= OwedTables.bytesMax else { return [nil] }
        return self.tables(ofText: String(decoding: bytes, as: UTF8.self), keyspace)
    }

    private func tables(ofText text: String, _ keyspace: String?) -> [TableName?] {
        guard text.utf8.count <= OwedTables.bytesMax else { return [nil] }
        return self.loop.analyses.analysis(of: text).map { Self.tables($0, keyspace) } ?? [nil]
    }

    private mutating func keyspace(of entry: JournalEntry, _ segment: UInt64) -> String? {
        guard let identity = entry.identity else { return nil }
        if let known = self.keyspaces[identity] { return known }
        let keyspace = self.log.definition(JournalKey(identity), in: segment).flatMap { JournalDefinition($0)?.text }
        self.keyspaces[identity] = .some(keyspace)
        return keyspace
    }

    private static func tables(_ analysis: StatementAnalysis, _ keyspace: String?) -> [TableName?] {
        let writes = analysis.children.isEmpty ? [analysis] : analysis.children
        let names = writes.map { write -> TableName? in
            guard let keyspace = write.keyspace ?? keyspace, let table = write.table else { return nil }
            return TableName(keyspace: keyspace, table: table)
        }
        return Array(Set(names))
    }
}
