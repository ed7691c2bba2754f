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
}
