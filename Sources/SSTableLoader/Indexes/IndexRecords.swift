import LiveTables

/// The indexes that a job has dropped or is about to drop, as a file keeps them: a JSON object a line, each with a checksum.
///
/// A line that cannot be read is kept as it is for an operator to see. It stands for an index that may be missing.
struct IndexRecords: Sendable, Equatable {
    /// What an index is dropped for.
    enum Purpose: Sendable, Hashable {
        /// For a load: it comes back with its end, whatever that is.
        case load
        /// For somebody who is going to ask for it.
        case hand
    }

    struct Record: Sendable, Hashable {
        var index: TableIndex
        /// Whether it may be missing: from before its DROP until it has been seen again.
        var isOwed: Bool
        /// What it is dropped for; a file does not tell, and its records come back with the next load.
        var purpose = Purpose.load
        /// The job that has dropped it, where that is kept.
        var job: String?
        /// Who answers for it at this moment, where that is kept.
        var holder: IndexHolder?
    }

    private(set) var records: [Record] = []
    private(set) var damagedLines: [String] = []

    /// Nothing recorded.
    init() {}

    init(lines text: String) {
        for line in text.split(separator: "\n") {
            if let record = Self.record(line) {
                self.records.append(record)
            } else {
                self.damagedLines.append(String(line))
            }
        }
    }

    /// The records of rows, with what is wrong of each that is damaged.
    init(rows: [IndexRow]) {
        for row in rows {
            switch row.content {
            case .record(let record): self.records.append(record)
            case .damaged(let fault): self.damagedLines.append(fault)
            case .lease: break
            }
        }
    }

    var text: String {
        let lines = self.records.map(Self.line) + self.damagedLines
        return lines.map { $0 + "\n" }.joined()
    }

    /// The indexes that may be missing.
    var owed: [TableIndex] { self.owedRecords.map(\.index) }
    /// Their records.
    var owedRecords: [Record] { self.records.filter(\.isOwed) }

    /// The record of a name, which a keyspace has once.
    func record(_ keyspace: String, _ name: String) -> Record? {
        self.records.first { $0.index.table.keyspace == keyspace && $0.index.name == name }
    }

    /// Puts an index in the place of what its name meant before.
    mutating func put(_ index: TableIndex, isOwed: Bool) {
        self.remove(index.table.keyspace, index.name)
        self.records.append(Record(index: index, isOwed: isOwed))
    }

    /// Forgets an index.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    mutating func remove(_ keyspace: String, _ name: String) -> Bool {
        let before = self.records.count
        self.records.removeAll { $0.index.table.keyspace == keyspace && $0.index.name == name }
        return self.records.count < before
    }

    // MARK: Lines

    private static func line(_ record: Record) -> String {
        var line = JSONLine([
            "keyspace": .text(record.index.table.keyspace), "table": .text(record.index.table.name),
            "index": .text(record.index.name), "kind": .text(record.index.kind),
            "options": .object(record.index.options),
            "state": .text(record.isOwed ? "dropped" : "there"),
        ])
        if let statement = record.index.statement { line.fields["statement"] = .text(statement) }
        line.fields["checksum"] = .text(self.checksum(line.text))
        return line.text
    }

    private static func record(_ text: Substring) -> Record? {
        guard var line = JSONLine(String(text)), case .text(let checksum) = line.fields.removeValue(forKey: "checksum"),
            checksum == self.checksum(line.text), case .text(let keyspace) = line.fields["keyspace"],
            case .text(let table) = line.fields["table"], case .text(let name) = line.fields["index"],
            case .text(let kind) = line.fields["kind"], case .object(let options) = line.fields["options"],
            case .text(let state) = line.fields["state"], ["dropped", "there"].contains(state),
            case .text(let statement) = line.fields["statement"]
        else { return nil }
        let index = TableIndex(
            table: IndexedTable(keyspace: keyspace, name: table),
            name: name,
            kind: kind,
            options: options,
            making: .statement(statement)
        )
        return Record(index: index, isOwed: state == "dropped")
    }

    /// FNV-1a of 64 bits: enough to tell a torn or edited line from a whole one.
    private static func checksum(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
