import NIOCore

@testable import SSTable

/// Makes rows as a scanner would hand them out.
struct RowMaker {
    private(set) var row = TableRow()

    init(_ clustering: [[UInt8]?] = [], isStatic: Bool = false) {
        self.row.isStatic = isStatic
        for value in clustering { self.row.clustering.append(value.map { self.put($0) } ?? .null) }
    }

    private mutating func put(_ bytes: [UInt8]) -> ByteRange {
        let start = self.row.bytes.readableBytes
        self.row.bytes.writeBytes(bytes)
        return ByteRange(start: start, count: bytes.count)
    }

    func with(_ change: (inout Self) -> Void) -> TableRow {
        var copy = self
        change(&copy)
        return copy.row
    }

    mutating func live(_ timestamp: Int64, timeToLive: Int32 = 0, until end: Int64 = .max) {
        self.row.liveness = Liveness(timestamp: timestamp, timeToLive: timeToLive, expiresAt: end)
    }

    mutating func deleted(_ timestamp: Int64) {
        self.row.deletion = DeletionTime(timestamp: timestamp, localDeletionTime: 1)
    }

    mutating func deletedCollection(_ column: Int32, _ timestamp: Int64) {
        let time = DeletionTime(timestamp: timestamp, localDeletionTime: 1)
        self.row.complexDeletions.append(.init(column: column, time: time))
    }

    mutating func cell(
        _ column: Int32,
        _ value: [UInt8],
        path: [UInt8]? = nil,
        _ timestamp: Int64,
        until end: Int64? = nil
    ) {
        self.row.cells.append(
            Cell(
                column: column,
                kind: end == nil ? .live : .expiring,
                timestamp: timestamp,
                timeToLive: end == nil ? 0 : 100,
                localDeletionTime: end ?? .max,
                path: path.map { self.put($0) } ?? .null,
                value: self.put(value)
            )
        )
    }

    mutating func tombstone(_ column: Int32, path: [UInt8]? = nil, _ timestamp: Int64) {
        self.row.cells.append(
            Cell(
                column: column,
                kind: .tombstone,
                timestamp: timestamp,
                timeToLive: 0,
                localDeletionTime: 1,
                path: path.map { self.put($0) } ?? .null,
                value: .empty
            )
        )
    }
}

/// Columns by the classes of their types.
func columns(
    key: [String] = ["Int32Type"],
    clustering: [String] = [],
    statics: [(String, String)] = [],
    regulars: [(String, String)]
) throws -> TableColumns {
    struct NoType: Error { let name: String }
    func type(_ name: String) throws -> ColumnType {
        // Every name in it begins with a capital letter behind its start, a bracket or a comma.
        var full = ""
        var isStart = true
        for character in name {
            if isStart && character.isUppercase { full += "org.apache.cassandra.db.marshal." }
            full.append(character)
            isStart = "(,:".contains(character)
        }
        guard let type = ColumnType(className: full) else { throw NoType(name: full) }
        return type
    }
    return TableColumns(
        partitionKey: try key.map { try type($0) },
        clustering: try clustering.map { try type($0) },
        statics: try statics.map { .init(name: $0.0, type: try type($0.1)) },
        regulars: try regulars.map { .init(name: $0.0, type: try type($0.1)) }
    )
}
