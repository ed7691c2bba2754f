import CQLProtocol
import NIOCore
import Testing

@testable import DualWriter

struct BindMetadataTests {
    /// Where the markers are that the client does not know of.
    private static let added = [0, 3]

    private static let types: [DataType] = [
        .int, .list(.native(0x000f)), .map(.native(0x000d), .set(.int)),
        .custom("org.apache.cassandra.db.marshal.DurationType"),
        .tuple([.int, .list(.int)]),
        .udt(keyspace: "ks", name: "u", fields: [.init(name: "a", type: .int), .init(name: "b", type: .set(.int))]),
    ]

    private static func marker(_ name: String, _ type: DataType, table: String = "t") -> ColumnSpec {
        ColumnSpec(keyspace: "ks", table: table, name: name, type: type)
    }

    /// What stands behind the id in the answer to a PREPARE.
    private static func bytes(
        _ markers: [ColumnSpec],
        keys: [UInt16] = [],
        isGlobal: Bool,
        version: ProtocolVersion
    ) throws -> [UInt8] {
        let prepared = Prepared(
            id: ByteBuffer(),
            variables: PreparedMetadata(
                markers: markers,
                partitionKeyIndices: version >= .v4 ? keys : [],
                isGlobal: isGlobal
            ),
            result: ResultMetadata(columns: [Self.marker("[applied]", .native(0x0004))])
        )
        let frame = try ResponseFrame(version: version, response: .result(.prepared(prepared))).encoded()
        // The frame's header, the kind of the result, and the length of an id without bytes.
        return Array(frame.readableBytesView.dropFirst(FrameHeader.byteCount + 4 + 2))
    }

    private static func removing(_ indices: [Int]?, _ bytes: [UInt8], _ version: ProtocolVersion) -> [UInt8]? {
        bytes.withUnsafeBytes { BindMetadata.removing({ _ in indices }, from: $0, version: version) }.map {
            Array($0.readableBytesView)
        }
    }

    /// Markers of all types with two more among them.
    private static func withMore(table: String) -> [ColumnSpec] {
        var markers = Self.types.enumerated().map { Self.marker("c\($0)", $1) }
        for index in Self.added { markers.insert(Self.marker("added", .native(0x0003), table: table), at: index) }
        return markers
    }

    @Test(arguments: [ProtocolVersion.v3, .v4], [true, false])
    func `the client's own markers are left as they were`(version: ProtocolVersion, isGlobal: Bool) throws {
        let own = Self.types.enumerated().map { Self.marker("c\($0)", $1) }
        let markers = Self.withMore(table: isGlobal ? "t" : "other")
        let given = try Self.bytes(markers, keys: [4, 1], isGlobal: isGlobal, version: version)
        let expected = try Self.bytes(own, keys: [2, 0], isGlobal: isGlobal, version: version)
        #expect(Self.removing(Self.added, given, version) == expected)
    }

    @Test(arguments: [ProtocolVersion.v3, .v4], [true, false])
    func `nothing is left where all markers go`(version: ProtocolVersion, isGlobal: Bool) throws {
        let markers = [Self.marker("added", .native(0x0003)), Self.marker("added", .native(0x0003))]
        let given = try Self.bytes(markers, keys: [0], isGlobal: isGlobal, version: version)
        // Cassandra names no table where there is nothing to name it for.
        let expected = try Self.bytes([], isGlobal: false, version: version)
        #expect(Self.removing([0, 1], given, version) == expected)
    }

    @Test func `a key of which the proxy knows a part is not wholly the client's`() throws {
        let markers = [Self.marker("a", .int), Self.marker("added", .int), Self.marker("b", .int)]
        let own = [markers[0], markers[2]]
        for (keys, expected): ([UInt16], [UInt16]) in [
            ([0, 2], [0, 1]), ([2, 0], [1, 0]), ([0, 1], []), ([1], []), ([9], []),
        ] {
            #expect(
                Self.removing([1], try Self.bytes(markers, keys: keys, isGlobal: true, version: .v4), .v4)
                    == (try Self.bytes(own, keys: expected, isGlobal: true, version: .v4))
            )
        }
    }

    @Test func `flags and types that are not known here pass`() throws {
        let markers = [Self.marker("a", .native(0x0099)), Self.marker("added", .int)]
        var given = try Self.bytes(markers, keys: [0], isGlobal: true, version: .v4)
        var expected = try Self.bytes([markers[0]], keys: [0], isGlobal: true, version: .v4)
        (given[0], expected[0]) = (0x80, 0x80)
        #expect(Self.removing([1], given, .v4) == expected)
    }

    @Test(arguments: [ProtocolVersion.v3, .v4], [true, false])
    func `what is cut off is malformed, and never read beyond`(version: ProtocolVersion, isGlobal: Bool) throws {
        let markers = Self.withMore(table: isGlobal ? "t" : "other")
        let given = try Self.bytes(markers, keys: [4, 1], isGlobal: isGlobal, version: version)
        let result = try Self.bytes([], isGlobal: false, version: version).count - (version >= .v4 ? 12 : 8)
        for count in 0..<(given.count - result) {
            #expect(Self.removing(Self.added, Array(given.prefix(count)), version) == nil, "\(count)")
        }
        // What describes rows is passed on as it came.
        #expect(Self.removing(Self.added, Array(given.dropLast(result)), version) != nil)
    }

    @Test func `nonsense is malformed`() throws {
        let markers = [Self.marker("a", .int), Self.marker("added", .int)]
        let given = try Self.bytes(markers, keys: [0], isGlobal: true, version: .v4)
        #expect(Self.removing([2], given, .v4) == nil, "a marker that is not there")
        #expect(Self.removing([1, 9], given, .v4) == nil, "one of two that is not there")
        #expect(Self.removing(nil, given, .v4) == nil, "another number of markers")
        for (offset, bytes): (Int, [UInt8]) in [
            (4, [0xff, 0xff, 0xff, 0xff]), (4, [0x7f, 0xff, 0xff, 0xff]), (8, [0x80, 0, 0, 0]),
            (8, [0x7f, 0xff, 0xff, 0xff]),
        ] {
            var broken = given
            broken.replaceSubrange(offset..<offset + 4, with: bytes)
            #expect(Self.removing([1], broken, .v4) == nil, "\(offset) \(bytes)")
        }
        // A list of lists of lists …
        var deep = Array(given.prefix(4)) + [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0x6b, 0, 1, 0x74, 0, 1, 0x61]
        for _ in 0..<100_000 { deep += [0x00, 0x20] }
        #expect(Self.removing([], deep, .v4) == nil)
    }
}
