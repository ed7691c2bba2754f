/// The metadata of a prepared statement's bind markers (native protocol v4 §4.2.5.4).
public struct PreparedMetadata: Hashable, Sendable {
    /// The bind markers in order.
    public var markers: [ColumnSpec]
    /// For each component of the partition key the index of its marker; empty where they are not all bound, and in
    /// version 3, which has no such field.
    public var partitionKeyIndices: [UInt16]
    /// Whether keyspace and table stand once for all markers.
    public var isGlobal: Bool

    /// Metadata of these markers.
    public init(markers: [ColumnSpec], partitionKeyIndices: [UInt16] = [], isGlobal: Bool? = nil) {
        self.markers = markers
        self.partitionKeyIndices = partitionKeyIndices
        self.isGlobal = isGlobal ?? ResultMetadata.shareOneTable(markers)
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        let flags = ResultMetadata.Flags(rawValue: try reader.int("metadata flags"))
        guard flags.isSubset(of: .globalTable) else { throw reader.error(.unknownKind, "metadata flags") }
        isGlobal = flags.contains(.globalTable)
        let count = Int(try reader.int("marker count"))
        guard count >= 0 else { throw reader.error(.malformed, "negative marker count") }
        partitionKeyIndices = []
        if reader.version >= .v4 {
            let claimed = Int(try reader.int("partition key count"))
            let keys = try reader.checkedCount(claimed, minimum: 2, "partition key indices")
            partitionKeyIndices.reserveCapacity(keys)
            for _ in 0..<keys { partitionKeyIndices.append(try reader.short("partition key index")) }
        }
        markers = try ColumnSpec.list(count: count, isGlobal: isGlobal, from: &reader)
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        let flags: ResultMetadata.Flags = isGlobal ? .globalTable : []
        writer.int(flags.rawValue)
        try writer.intCount(markers.count, "markers")
        if writer.version >= .v4 {
            try writer.intCount(partitionKeyIndices.count, "partition key indices")
            for index in partitionKeyIndices { writer.short(index) }
        }
        try ColumnSpec.write(markers, global: try ResultMetadata.global(isGlobal, markers), to: &writer)
    }
}
