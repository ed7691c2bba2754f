import CQLProtocol
import DualReader
import NIOCore
import Operations
import TokenRanges

extension ReaderReportDocument {
    /// The document of a report.
    ///
    /// - Parameters:
    ///   - began: when the comparison began, in milliseconds since 1970.
    ///   - now: milliseconds since 1970.
    init(_ report: CompareReport, subject: ReaderStart.Subject, of settings: CompareSettings, began: Int64, now: Int64)
    {
        self.init(
            job: report.job,
            subject: subject.description,
            verdict: report.verdict.word,
            reason: report.verdict.reason,
            beganAt: Timestamp.text(milliseconds: began),
            at: Timestamp.text(milliseconds: now),
            ended: report.state == .ended,
            tokensCoveredRatio: report.coverage,
            sampledPercentage: settings.sampling.percentage,
            partial: subject != .everything,
            counts: Counts(report.tally),
            tables: report.tables.map { table in
                Table(
                    table: "\(table.name)",
                    verdict: table.verdict.word,
                    reason: table.verdict.reason,
                    tokensCoveredRatio: table.coverage,
                    counts: Counts(table.tally),
                    refused: table.refusal != nil
                )
            }
        )
    }
}

extension ReaderReportDocument.Counts {
    fileprivate init(_ tally: CompareTally) {
        self.init()
        self.rows = tally.rows
        self.partitions = tally.partitions
        self.cells = tally.cells
        self.sourceBytes = tally.sourceBytes
        self.targetBytes = tally.targetBytes
        self.rowsFiltered = tally.rowsLeftOut
        self.rowsDifferent = tally.rowsDifferent
        self.rowsSettled = tally.rowsSettled
        self.rowsUndecided = tally.rowsUndecided
        self.rowsRepaired = tally.rowsRepaired
        self.rowsUnrepaired = tally.rowsUnrepaired
        self.differences = Dictionary(uniqueKeysWithValues: tally.classes.map { ($0.kind.rawValue, $0.count) })
    }
}

extension Difference {
    /// Always the same for the same class, row, column and element, on whichever machine: 16 hexadecimal digits.
    var id: String {
        var bytes = ByteBuffer()
        func add(_ part: ByteBuffer) {
            bytes.writeInteger(UInt32(part.readableBytes))
            bytes.writeImmutableBuffer(part)
        }
        func add(_ text: String) { add(ByteBuffer(string: text)) }
        for text in [self.kind.rawValue, self.table.keyspace, self.table.table, self.column ?? ""] { add(text) }
        for part in self.place.key { add(part) }
        add(self.place.clustering == nil ? "static" : "row")
        for part in self.place.clustering ?? [] { add(part) }
        switch self.element {
        case .key(let key)?: add(key)
        case .index(let index)?: add("\(index)")
        case .field(let name)?: add(name)
        case nil: break
        }
        let number = UInt64(bitPattern: Murmur3Partitioner.token(of: bytes))
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension DiscrepancyDocument {
    /// The document of a difference.
    init(_ described: DescribedDifference, foundAt: String) {
        let difference = described.difference
        self.init(
            id: difference.id,
            class: difference.kind.rawValue,
            aspect: difference.aspect.rawValue,
            table: "\(difference.table)",
            key: described.key,
            clustering: described.clustering,
            column: difference.column,
            element: described.element,
            source: Content(difference.source, described.source),
            target: Content(difference.target, described.target),
            foundAt: foundAt
        )
    }
}

extension DiscrepancyDocument.Content {
    fileprivate init?(_ content: Difference.Content?, _ literal: String?) {
        guard let content else { return nil }
        self.init(value: literal, writetime: content.writetime, expiresAt: content.expiresAt)
    }
}
