import DualReader
import FoundationEssentials
import Operations
import TokenRanges

/// What a reader remembers of its comparisons: the last reports, the verdicts, and the differences. Pure and bounded.
struct ReaderMemory: Sendable, Codable, Equatable {
    /// A difference, as it is told and as it can be repaired.
    struct Discrepancy: Sendable, Codable, Equatable {
        var document: DiscrepancyDocument
        /// As ``Difference/line``.
        var line: String
    }

    /// What is remembered at most.
    struct Limits: Sendable, Equatable {
        var verdicts: Int
        var discrepancies: Int
    }

    var last: ReaderReportDocument?
    var lastWhole: ReaderReportDocument?
    /// The newest first.
    var history: [ReaderVerdictDocument] = []
    /// By table, in the order in which they were found.
    private(set) var discrepancies: [Discrepancy] = []

    /// A comparison has ended.
    mutating func add(
        _ document: ReaderReportDocument,
        _ report: CompareReport,
        of subject: ReaderStart.Subject,
        _ limits: Limits
    ) {
        self.last = document
        if subject == .everything { self.lastWhole = document }
        self.history = Array(([document.verdictAlone] + self.history).prefix(limits.verdicts))
        for table in report.tables {
            let samples = table.tally.rowsDifferent > table.tally.rowsRepaired ? table.samples : []
            let found = samples.map { described in
                Discrepancy(
                    document: DiscrepancyDocument(described, foundAt: document.beganAt),
                    line: described.difference.line
                )
            }
            let ids = Set(found.map(\.document.id))
            let isWhole = if case .tenant = subject { false } else { table.coverage == 1 }
            self.discrepancies.removeAll { known in
                known.document.table == "\(table.name)" && (isWhole || ids.contains(known.document.id))
            }
            self.discrepancies += found
        }
        self.discrepancies = Array(self.discrepancies.prefix(limits.discrepancies))
    }

    /// The differences of a table, or of all.
    func discrepancies(of table: String?) -> [Discrepancy] {
        guard let table else { return self.discrepancies }
        return self.discrepancies.filter { $0.document.table == table }
    }

    /// The differences by class that the last report has counted, of a table or of all.
    func counted(of table: String?) -> [String: Int] {
        guard let report = self.last else { return [:] }
        guard let table else { return report.counts.differences }
        return report.tables.first { $0.table == table }?.counts.differences ?? [:]
    }

    /// Forgets the differences of a table, or all; how many there were.
    mutating func clear(table: String?) -> Int {
        let before = self.discrepancies.count
        self.discrepancies.removeAll { table == nil || $0.document.table == table }
        return before - self.discrepancies.count
    }

    /// A row agrees: nothing of it differs any more.
    mutating func forget(rowOf one: DiscrepancyDocument) {
        self.discrepancies.removeAll { known in
            known.document.table == one.table && known.document.key == one.key
                && known.document.clustering == one.clustering
        }
    }
}

/// Keeps what a reader remembers in `reader.json` of its state folder.
struct ReaderMemoryFile: Sendable {
    static let name = "reader.json"
    /// The longest file that is read, in bytes.
    static let bytesMax = 256 << 20

    private struct Document: Codable {
        var format: Int
        var memory: ReaderMemory
    }

    let folder: StateFolder

    /// What the folder says; nil for a new one.
    ///
    /// - Throws: ``StateError``; a damaged file is told, as nothing is lost but what the next comparison tells again.
    func load() throws(StateError) -> ReaderMemory? {
        guard let bytes = try self.folder.content(of: Self.name, bytesMax: Self.bytesMax) else { return nil }
        guard let document = try? DocumentCoding.decode(Document.self, from: Data(bytes)), document.format == 1 else {
            throw StateError(
                code: .damaged,
                description: "\(Self.name) in '\(self.folder.path)' is not what a reader has written there"
            )
        }
        return document.memory
    }

    /// Returns when the disk has it.
    func save(_ memory: ReaderMemory) throws(StateError) {
        guard let bytes = try? DocumentCoding.encode(Document(format: 1, memory: memory)) else {
            preconditionFailure("what a reader remembers could not be written as JSON")
        }
        try self.folder.replace(Self.name, with: Array(bytes))
    }
}
