import CQLProtocol
import LiveTables
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A place among the rows of one cluster. It cuts nothing and copies nothing: it only knows where the row at hand begins and
/// ends.
struct RowCursor: Sendable {
    let layout: RowLayout
    /// What is left of the page, the row at hand first.
    private(set) var bytes = ByteBuffer()
    private(set) var rowsLeft = 0
    /// When the page came, in seconds since 1970.
    private(set) var readAt: Int64 = 0
    /// Whether no page follows.
    private(set) var isLast = false
    /// Where the partition key of the row at hand ends, counted from its begin …
    private(set) var keyEnd = 0
    /// … its clustering …
    private(set) var clusteringEnd = 0
    /// … and the row.
    private(set) var end = 0
    /// Whether the row at hand stands for the static columns of a partition without rows.
    private(set) var isStaticOnly = false

    init(_ layout: RowLayout) { self.layout = layout }

    var hasRow: Bool { self.rowsLeft > 0 }

    /// The next page, when the one before it is used up.
    ///
    /// - Throws: ``LiveReadError`` where its rows do not have the columns that were asked for.
    mutating func supply(_ page: LiveRows) throws {
        precondition(!self.hasRow, "a page is read to its end")
        guard page.rows.rowCount == 0 || page.rows.metadata.columnCount == self.layout.cells.count else {
            throw CompareError(.malformed, "rows of \(self.layout.select.table.name) do not have the columns asked for")
        }
        self.bytes = page.rows.cells
        self.rowsLeft = page.rows.rowCount
        self.readAt = page.readAt
        self.isLast = page.isLast
        if self.hasRow { self.measure() }
    }

    /// Goes on to the next row.
    mutating func advance() {
        self.bytes.moveReaderIndex(forwardBy: self.end)
        self.rowsLeft -= 1
        if self.hasRow { self.measure() } else { self.bytes = ByteBuffer() }
    }

    private mutating func measure() {
        let layout = self.layout
        let (keyEnd, clusteringEnd, end, isNull) = self.bytes.withUnsafeReadableBytes { bytes in
            var (offset, keyEnd, clusteringEnd, isNull) = (0, 0, 0, false)
            for place in 0..<layout.cells.count {
                if place == layout.keyCount { keyEnd = offset }
                if place == layout.clusteringEnd { clusteringEnd = offset }
                // Whoever decoded the page has seen that all of it is there.
                let length: Int32 = ValueOrder.load(bytes, at: offset)
                if length < 0, place >= layout.keyCount, place < layout.clusteringEnd { isNull = true }
                offset += 4 + max(0, Int(length))
            }
            if layout.cells.count == layout.keyCount { keyEnd = offset }
            if layout.cells.count == layout.clusteringEnd { clusteringEnd = offset }
            return (keyEnd, clusteringEnd, offset, isNull)
        }
        (self.keyEnd, self.clusteringEnd, self.end, self.isStaticOnly) = (keyEnd, clusteringEnd, end, isNull)
    }

    /// The cells of the row at hand; they share the bytes of the page.
    var cells: [ByteBuffer?] {
        var rest = self.bytes
        return self.layout.cells.map { _ in
            guard let length = rest.readInteger(as: Int32.self), length >= 0 else { return nil }
            return rest.readSlice(length: Int(length))
        }
    }

    /// The values of the partition key of the row at hand, copied.
    var key: [ByteBuffer] { Self.copied(self.bytes, count: self.layout.keyCount, from: 0) }

    /// The values of its clustering columns, copied.
    var clustering: [ByteBuffer] {
        Self.copied(self.bytes, count: self.layout.clusteringEnd - self.layout.keyCount, from: self.keyEnd)
    }

    private static func copied(_ bytes: ByteBuffer, count: Int, from offset: Int) -> [ByteBuffer] {
        var rest = bytes
        rest.moveReaderIndex(forwardBy: offset)
        return (0..<count).map { _ in
            guard let length = rest.readInteger(as: Int32.self), length >= 0,
                let value = rest.readSlice(length: Int(length))
            else { return ByteBuffer() }
            return ByteBuffer(bytes: value.readableBytesView)
        }
    }

    /// Whether a cell of the row at hand is one of these values.
    func isCell(at place: Int, among values: Set<ByteBuffer>) -> Bool {
        var rest = self.bytes
        for index in 0...place {
            guard let length = rest.readInteger(as: Int32.self) else { return false }
            guard let value = length < 0 ? ByteBuffer() : rest.readSlice(length: Int(length)) else { return false }
            if index == place { return length >= 0 && values.contains(value) }
        }
        return false
    }

    // MARK: Two rows

    /// Whether both rows at hand are equal by their bytes, but for lives that end at about the same time.
    func agrees(with other: Self, within seconds: Int64) -> Bool {
        self.bytes.withUnsafeReadableBytes { one in
            other.bytes.withUnsafeReadableBytes { two in
                // Each value has its length before it: rows of equal bytes end at the same place.
                if two.count >= self.end, Self.isEqual(one, two, self.end) { return true }
                return self.agreesByCells(with: other, one, two, within: seconds)
            }
        }
    }

    private func agreesByCells(
        with other: Self,
        _ one: UnsafeRawBufferPointer,
        _ two: UnsafeRawBufferPointer,
        within seconds: Int64
    ) -> Bool {
        var (offset, otherOffset) = (0, 0)
        for cell in self.layout.cells {
            let (length, otherLength): (Int32, Int32) = (
                ValueOrder.load(one, at: offset), ValueOrder.load(two, at: otherOffset)
            )
            offset += 4
            otherOffset += 4
            let size = max(0, Int(length))
            switch cell {
            case .ignored: break
            case .exact:
                guard length == otherLength,
                    Self.isEqual(
                        UnsafeRawBufferPointer(rebasing: one[offset...]),
                        UnsafeRawBufferPointer(rebasing: two[otherOffset...]),
                        size
                    )
                else { return false }
            case .life:
                guard length == otherLength, length < 0 || length == 4 else { return false }
                guard length == 4 else { break }
                let (left, otherLeft): (Int32, Int32) = (
                    ValueOrder.load(one, at: offset), ValueOrder.load(two, at: otherOffset)
                )
                let distance = self.readAt + Int64(left) - other.readAt - Int64(otherLeft)
                guard abs(distance) <= seconds else { return false }
            }
            offset += size
            otherOffset += max(0, Int(otherLength))
        }
        return true
    }

    private static func isEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ count: Int) -> Bool {
        guard count > 0, let one = one.baseAddress, let other = other.baseAddress else { return true }
        return memcmp(one, other, count) == 0
    }
}
