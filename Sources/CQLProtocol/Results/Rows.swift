public import NIOCore

/// Rows of a result (native protocol v4 §4.2.5.2). The cells stay the bytes that came; decoding checked that all of
/// them are there, and a pass over the rows cuts them.
public struct Rows: Hashable, Sendable {
    /// The metadata.
    public var metadata: ResultMetadata
    /// The number of rows.
    public private(set) var rowCount: Int
    /// All cells, each with its length before it.
    public private(set) var cells: ByteBuffer

    /// Rows of these cells.
    public init(metadata: ResultMetadata, rows: [[ByteBuffer?]] = []) throws(CQLProtocolError) {
        self.metadata = metadata
        self.rowCount = 0
        self.cells = ByteBuffer()
        for row in rows { try append(row) }
    }

    /// Appends a row, which must have as many cells as the metadata has columns.
    public mutating func append(_ row: [ByteBuffer?]) throws(CQLProtocolError) {
        guard row.count == metadata.columnCount, !row.isEmpty else {
            throw CQLProtocolError(.notEncodable, "\(row.count) cells for \(metadata.columnCount) columns")
        }
        for cell in row {
            guard let cell else {
                cells.writeInteger(Int32(-1))
                continue
            }
            guard let length = Int32(exactly: cell.readableBytes) else {
                throw CQLProtocolError(.notEncodable, "cell above 2^31-1 bytes")
            }
            cells.writeInteger(length)
            cells.writeImmutableBuffer(cell)
        }
        rowCount += 1
    }

    /// All rows.
    public var rows: [Row] { Array(self) }
    /// The first row.
    public var first: Row? { first { _ in true } }
    /// Whether there is no row.
    public var isEmpty: Bool { rowCount == 0 }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        metadata = try ResultMetadata(from: &reader)
        let claimed = Int(try reader.int("row count"))
        guard claimed == 0 || metadata.columnCount > 0 else { throw reader.error(.malformed, "rows without columns") }
        let (minimum, overflow) = metadata.columnCount.multipliedReportingOverflow(by: 4)
        guard !overflow else { throw reader.error(.oversized, "column count") }
        rowCount = try reader.checkedCount(claimed, minimum: minimum, "rows")
        let start = reader
        for _ in 0..<(rowCount * metadata.columnCount) { _ = try reader.bytes("cell") }
        var whole = start
        cells = try whole.slice(reader.offset - start.offset, "cells")
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        try metadata.write(to: &writer)
        try writer.intCount(rowCount, "rows")
        writer.buffer.writeImmutableBuffer(cells)
    }
}

extension Rows: Sequence {
    /// Cuts the rows one after the other.
    public struct Iterator: IteratorProtocol {
        private var reader: WireReader
        private var left: Int
        private let metadata: ResultMetadata

        init(_ rows: Rows) {
            reader = WireReader(rows.cells, version: .v4)
            left = rows.rowCount
            metadata = rows.metadata
        }

        /// The next row.
        public mutating func next() -> Row? {
            guard left > 0 else { return nil }
            left -= 1
            var cells: [ByteBuffer?] = []
            cells.reserveCapacity(metadata.columnCount)
            for _ in 0..<metadata.columnCount {
                guard let cell = try? reader.bytes("cell") else {
                    // Decoding has walked these bytes before, so only a null cell comes here.
                    cells.append(nil)
                    continue
                }
                cells.append(cell)
            }
            return Row(columns: metadata.columns, cells: cells)
        }
    }

    /// A pass over the rows.
    public func makeIterator() -> Iterator { Iterator(self) }
    /// The number of rows.
    public var underestimatedCount: Int { rowCount }
}
