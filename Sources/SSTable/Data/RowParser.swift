/// Reads rows and markers of one SSTable (Cassandra's `UnfilteredSerializer`).
///
/// Every read starts at byte 0 of its cursor, so that what is read can be told to lie there.
final class RowParser: Sendable {
    /// What comes next in a partition.
    enum Unfiltered {
        case row, marker, end
    }

    private struct Flags: OptionSet {
        let rawValue: UInt8

        static var endOfPartition: Self { .init(rawValue: 0x01) }
        static var isMarker: Self { .init(rawValue: 0x02) }
        static var hasTimestamp: Self { .init(rawValue: 0x04) }
        static var hasTimeToLive: Self { .init(rawValue: 0x08) }
        static var hasDeletion: Self { .init(rawValue: 0x10) }
        static var hasAllColumns: Self { .init(rawValue: 0x20) }
        static var hasComplexDeletion: Self { .init(rawValue: 0x40) }
        static var isExtended: Self { .init(rawValue: 0x80) }
    }

    private static var isStatic: UInt8 { 0x01 }
    private static var isShadowable: UInt8 { 0x02 }

    /// What is needed of a column while reading.
    struct Column {
        /// Its place in the rows that come out.
        let place: Int32
        let isMultiCell: Bool
        let fixedLength: Int?
    }

    let version: FormatVersion
    let bases: SerializationHeader.Bases
    let clustering: [ColumnType]
    private let statics: [Column]
    private let regulars: [Column]
    private let rowBytesMax: Int

    /// A parser of one SSTable's rows. `places` tells where its columns stand in the rows that come out.
    init(_ header: SerializationHeader, _ version: FormatVersion, _ places: ColumnPlaces?, rowBytesMax: Int) {
        self.version = version
        self.bases = header.bases
        self.clustering = header.clustering
        self.statics = Self.columns(header.statics, places?.statics)
        self.regulars = Self.columns(header.regulars, places?.regulars)
        self.rowBytesMax = min(rowBytesMax, 1 << 30)
    }

    private static func columns(_ columns: [SerializationHeader.Column], _ places: [Int32]?) -> [Column] {
        columns.enumerated().map { index, column in
            Column(
                place: places?[index] ?? Int32(index),
                isMultiCell: column.type.isMultiCell,
                fixedLength: column.type.isMultiCell ? nil : column.type.fixedLength
            )
        }
    }

    var hasStatics: Bool { !self.statics.isEmpty }

    /// The head of a partition: its key and its deletion.
    func partition(_ cursor: inout ByteCursor) throws(Fault) -> (key: ByteRange, deletion: DeletionTime) {
        let key = try cursor.shortBytes("a partition's key")
        return (key, try cursor.deletionTime(self.version))
    }

    /// The static row, which stands before all others of its partition.
    func staticRow(_ cursor: inout ByteCursor, _ row: inout TableRow) throws(Fault) {
        row.clear()
        let flags = Flags(rawValue: try cursor.byte("the static row"))
        guard flags.contains(.isExtended), flags.isDisjoint(with: [.endOfPartition, .isMarker]),
            try cursor.byte("the static row") & Self.isStatic != 0
        else { throw Fault(.malformed, "the static row", at: 0, detail: "its flags are not those of one") }
        row.isStatic = true
        try self.body(&cursor, flags, isShadowable: false, self.statics, &row)
    }

    /// The next row or marker.
    func unfiltered(
        _ cursor: inout ByteCursor,
        _ row: inout TableRow,
        _ marker: inout RangeMarker
    ) throws(Fault) -> Unfiltered {
        let flags = Flags(rawValue: try cursor.byte("a row's flags"))
        if flags.contains(.endOfPartition) {
            guard flags == .endOfPartition else { throw Fault(.malformed, "a row's flags", at: 0) }
            return .end
        }
        let more = flags.contains(.isExtended) ? try cursor.byte("a row's flags") : 0
        if flags.contains(.isMarker) {
            guard flags == .isMarker else { throw Fault(.malformed, "a marker's flags", at: 0) }
            try self.marker(&cursor, &marker)
            return .marker
        }
        guard more & ~Self.isShadowable == 0 else { throw Fault(.malformed, "a row's flags", at: 1) }
        row.clear()
        try cursor.clusteringValues(self.clustering.count, self.clustering, into: &row.clustering)
        try self.body(&cursor, flags, isShadowable: more & Self.isShadowable != 0, self.regulars, &row)
        return .row
    }

    /// Goes past the next row or marker without reading what is in it.
    func skip(_ cursor: inout ByteCursor, _ scratch: inout [ByteRange]) throws(Fault) -> Unfiltered {
        let flags = Flags(rawValue: try cursor.byte("a row's flags"))
        if flags.contains(.endOfPartition) {
            guard flags == .endOfPartition else { throw Fault(.malformed, "a row's flags", at: 0) }
            return .end
        }
        if flags.contains(.isExtended) { _ = try cursor.byte("a row's flags") }
        if flags.contains(.isMarker) {
            _ = try self.bound(&cursor, &scratch)
        } else {
            try cursor.clusteringValues(self.clustering.count, self.clustering, into: &scratch)
        }
        let size = try self.size(&cursor)
        try cursor.skip(size, "a row")
        return flags.contains(.isMarker) ? .marker : .row
    }

    /// The number of bytes that follow it.
    private func size(_ cursor: inout ByteCursor) throws(Fault) -> Int {
        let size = try cursor.count("a row's size")
        guard cursor.position + size <= self.rowBytesMax else {
            throw cursor.fault(
                .oversized,
                "a row",
                detail: "\(cursor.position + size) bytes, and \(self.rowBytesMax) are the limit"
            )
        }
        return size
    }

    private func body(
        _ cursor: inout ByteCursor,
        _ flags: Flags,
        isShadowable: Bool,
        _ columns: [Column],
        _ row: inout TableRow
    ) throws(Fault) {
        let size = try self.size(&cursor)
        let end = cursor.position + size
        try cursor.narrow(to: size, "a row")
        _ = try cursor.vint("the size of the row before")
        if flags.contains(.hasTimestamp) {
            let timestamp = try self.timestamp(&cursor)
            let timeToLive = flags.contains(.hasTimeToLive) ? try self.timeToLive(&cursor) : 0
            let expiresAt =
                flags.contains(.hasTimeToLive) ? try self.localDeletionTime(&cursor) : Cell.noDeletionTime
            row.liveness = Liveness(timestamp: timestamp, timeToLive: timeToLive, expiresAt: expiresAt)
        }
        if flags.contains(.hasDeletion) {
            row.deletion = try self.deletion(&cursor)
            row.isDeletionShadowable = isShadowable
        }
        let hasComplexDeletion = flags.contains(.hasComplexDeletion)
        if flags.contains(.hasAllColumns) {
            for column in columns { try self.column(&cursor, column, hasComplexDeletion, &row) }
        } else if columns.count < 64 {
            try self.bitmap(&cursor, columns, hasComplexDeletion, &row)
        } else {
            for place in try ColumnSubset.places(&cursor, of: columns.count) {
                try self.column(&cursor, columns[place], hasComplexDeletion, &row)
            }
        }
        guard cursor.position == end else {
            throw cursor.fault(
                .malformed,
                "a row",
                detail: "its cells end \(end - cursor.position) bytes before the end that it names"
            )
        }
    }

    /// The columns of a row of fewer than 64: a bit says which are missing.
    private func bitmap(
        _ cursor: inout ByteCursor,
        _ columns: [Column],
        _ hasComplexDeletion: Bool,
        _ row: inout TableRow
    ) throws(Fault) {
        let missing = try cursor.vint("a row's columns")
        guard missing >> UInt64(columns.count) == 0 else {
            throw cursor.fault(.malformed, "a row's columns", detail: "more than there are")
        }
        for (place, column) in columns.enumerated() where missing >> UInt64(place) & 1 == 0 {
            try self.column(&cursor, column, hasComplexDeletion, &row)
        }
    }

    @inline(__always)
    private func column(
        _ cursor: inout ByteCursor,
        _ column: Column,
        _ hasComplexDeletion: Bool,
        _ row: inout TableRow
    ) throws(Fault) {
        guard column.isMultiCell else {
            row.cells.append(try self.cell(&cursor, column, row.liveness))
            return
        }
        if hasComplexDeletion {
            let time = try self.deletion(&cursor)
            if !time.isLive { row.complexDeletions.append(.init(column: column.place, time: time)) }
        }
        for _ in 0..<(try cursor.count("the elements of a collection")) {
            row.cells.append(try self.cell(&cursor, column, row.liveness))
        }
    }
}
