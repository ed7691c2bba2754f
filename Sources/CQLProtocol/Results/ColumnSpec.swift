/// A column of a result or a bind marker of a prepared statement (native protocol v4 §4.2.5.2).
public struct ColumnSpec: Hashable, Sendable {
    /// The keyspace of the table.
    public var keyspace: String
    /// The table.
    public var table: String
    /// The column's or marker's name.
    public var name: String
    /// Its type.
    public var type: DataType

    /// A column.
    public init(keyspace: String, table: String, name: String, type: DataType) {
        self.keyspace = keyspace
        self.table = table
        self.name = name
        self.type = type
    }

    /// The shortest spec: an empty name and a type without parameters.
    static var minimumByteCount: Int { 4 }

    /// Reads `count` specs, with the keyspace and table before them where they are global.
    static func list(
        count: Int,
        isGlobal: Bool,
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> [ColumnSpec] {
        var keyspace = ""
        var table = ""
        if isGlobal {
            keyspace = try reader.string("keyspace")
            table = try reader.string("table")
        }
        let minimum = isGlobal ? minimumByteCount : minimumByteCount + 4
        let count = try reader.checkedCount(count, minimum: minimum, "columns")
        var columns: [ColumnSpec] = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            if !isGlobal {
                keyspace = try reader.string("keyspace")
                table = try reader.string("table")
            }
            let name = try reader.string("column name")
            columns.append(
                ColumnSpec(keyspace: keyspace, table: table, name: name, type: try DataType(from: &reader))
            )
        }
        return columns
    }

    static func write(
        _ columns: [ColumnSpec],
        global: GlobalTable?,
        to writer: inout WireWriter
    ) throws(CQLProtocolError) {
        if let global {
            try writer.string(global.keyspace)
            try writer.string(global.table)
        }
        for column in columns {
            if global == nil {
                try writer.string(column.keyspace)
                try writer.string(column.table)
            }
            try writer.string(column.name)
            try column.type.write(to: &writer)
        }
    }
}
