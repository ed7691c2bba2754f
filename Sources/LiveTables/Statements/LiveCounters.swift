public import CQLClient
import CQLProtocol
package import NIOCore

/// Copies counters: what a source's counter has above the target's is added to it.
///
/// A counter cannot be written with a value and a timestamp, so that this is right only while nobody else adds to either
/// side. Read again with the target's new values, nothing is added twice.
public struct LiveCounters {
    /// What is read.
    public let source: LiveTable
    /// What is added to.
    public let target: TargetTable
    private var texts: StatementTexts

    /// Counters of a table.
    public init(_ source: LiveTable, _ target: TargetTable) {
        self.source = source
        self.target = target
        self.texts = StatementTexts(target)
    }

    /// What an operator is told who did not ask for counters.
    static func refusal(of table: LiveTable) -> String {
        "\(table.keyspace).\(table.name) is a table of counters. They can only be added to, and a copy is right only while "
            + "nothing writes the table on either side: stop its writers, also those behind the dual writer, then set the "
            + "option for counters"
    }

    /// The text that reads the counters of one row of the target, or the static ones of one partition.
    func readText(isStatic: Bool) -> String {
        func quoted(_ name: String) -> String { StatementTexts.Target.quoted(name) }
        let names = self.columns(isStatic: isStatic).map { quoted($0.name) }
        let key = self.target.partitionKey + (isStatic ? [] : self.target.clustering.map(\.name))
        return
            "SELECT \(names.joined(separator: ", ")) FROM \(quoted(self.target.keyspace)).\(quoted(self.target.name)) "
            + "WHERE \(key.map { "\(quoted($0)) = ?" }.joined(separator: " AND "))" + (isStatic ? " LIMIT 1" : "")
    }

    /// The columns that are read, in the order in which they are.
    package func columns(isStatic: Bool) -> [LiveTable.Column] {
        self.source.columns.filter { $0.isStatic == isStatic && self.target.columns.contains($0.name) }
    }

    /// What must be added; nil where nothing must. What the target lacks counts from 0.
    package mutating func difference(
        key: [ByteBuffer],
        clustering: [ByteBuffer],
        _ cells: [LiveCell?],
        target: [ByteBuffer?]?,
        isStatic: Bool
    ) -> TargetStatement? {
        let all = self.source.columns.filter { $0.isStatic == isStatic }
        let there = self.columns(isStatic: isStatic)
        var names: [String] = []
        var values: [ByteBuffer?] = []
        for (column, cell) in zip(all, cells) {
            guard let place = there.firstIndex(of: column), let wanted = cell.flatMap({ Self.count($0.value) }) else {
                continue
            }
            let have = target.flatMap { $0.indices.contains(place) ? $0[place].flatMap(Self.count) : nil }
            guard wanted != have ?? 0 || have == nil else { continue }
            names.append(column.name)
            values.append(ByteBuffer(integer: wanted &- (have ?? 0)))
        }
        guard !names.isEmpty else { return nil }
        return TargetStatement(
            self.texts.text(.count(names, isStatic: isStatic)),
            values + key + (isStatic ? [] : clustering),
            timestamp: 0,
            isIdempotent: false,
            isCounter: true
        )
    }

    private static func count(_ value: ByteBuffer) -> Int64? { value.getInteger(at: value.readerIndex) }

    /// The statements of a part of a partition; each row is read in the target.
    ///
    /// - Throws: ``CQLSessionError`` of the target.
    public mutating func statements(for part: LivePart, readingFrom session: CQLSession) async throws
        -> [TargetStatement]
    {
        var statements: [TargetStatement] = []
        if let statics = part.statics, statics.contains(where: { $0 != nil }) {
            let there = try await self.read(part.key, isStatic: true, session)
            let statement = self.difference(key: part.key, clustering: [], statics, target: there, isStatic: true)
            if let statement { statements.append(statement) }
        }
        for row in part.rows where row.cells.contains(where: { $0 != nil }) {
            let there = try await self.read(part.key + row.clustering, isStatic: false, session)
            let statement = self.difference(
                key: part.key,
                clustering: row.clustering,
                row.cells,
                target: there,
                isStatic: false
            )
            if let statement { statements.append(statement) }
        }
        return statements
    }

    private var reads: [Bool: CQLStatement] = [:]

    private mutating func read(_ key: [ByteBuffer], isStatic: Bool, _ session: CQLSession) async throws
        -> [ByteBuffer?]?
    {
        let statement: CQLStatement
        if let known = self.reads[isStatic] {
            statement = known
        } else {
            statement = try await session.prepare(self.readText(isStatic: isStatic), isIdempotent: true)
            self.reads[isStatic] = statement
        }
        let values = try zip(key, statement.variables.markers).map { bytes, marker in
            try CQLValue(decoding: bytes, as: marker.type)
        }
        return try await session.execute(statement, values).rows?.first?.cells
    }
}
