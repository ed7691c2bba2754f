public import NIOCore

/// The cells of one row, raw; `nil` is null.
public struct Row: Hashable, Sendable {
    /// The columns, empty where the metadata was left out.
    public let columns: [ColumnSpec]
    /// The cells in the order of the columns.
    public let cells: [ByteBuffer?]

    /// A row.
    public init(columns: [ColumnSpec], cells: [ByteBuffer?]) {
        self.columns = columns
        self.cells = cells
    }

    /// The raw cell at `index`.
    public subscript(index: Int) -> ByteBuffer? { cells[index] }

    /// The raw cell of a column; `nil` also where there is no such column.
    public subscript(name: String) -> ByteBuffer? {
        guard let index = columns.firstIndex(where: { $0.name == name }) else { return nil }
        return cells[index]
    }

    /// The decoded value at `index`.
    ///
    /// - Throws: ``CQLProtocolError`` where there is no such column or its bytes are no value of its type.
    public func value(at index: Int) throws(CQLProtocolError) -> CQLValue {
        guard columns.indices.contains(index), cells.indices.contains(index) else {
            throw CQLProtocolError(.malformed, "no column \(index)")
        }
        return try CQLValue(decoding: cells[index], as: columns[index].type)
    }

    /// The decoded value of a column.
    ///
    /// - Throws: ``CQLProtocolError`` where there is no such column or its bytes are no value of its type.
    public func value(_ name: String) throws(CQLProtocolError) -> CQLValue {
        guard let index = columns.firstIndex(where: { $0.name == name }) else {
            throw CQLProtocolError(.malformed, "no column of that name")
        }
        return try value(at: index)
    }
}
