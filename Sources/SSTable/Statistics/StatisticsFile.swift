import NIOCore

/// `Statistics.db`: its table of contents, its checksums, and the parts that are read here (Cassandra's
/// `MetadataSerializer`).
struct StatisticsFile {
    let header: SerializationHeader
    let statistics: Statistics

    /// The parts by their numbers (Cassandra's `MetadataType`).
    private enum Part: UInt32, CaseIterable {
        case validation = 0
        case compaction = 1
        case statistics = 2
        case header = 3
    }

    private static var partsMax: UInt32 { 16 }

    init(_ name: SSTableName, _ limits: SSTableLimits) throws(SSTableError) {
        let file = try ComponentFile(name.path(.statistics))
        let bytes = try file.whole(limit: limits.smallFileBytesMax)
        try self.init(bytes, name.version, limits, path: file.path)
    }

    init(
        _ bytes: ByteBuffer,
        _ version: FormatVersion,
        _ limits: SSTableLimits,
        path: String
    ) throws(SSTableError) {
        do throws(Fault) {
            self = try bytes.withCursor { (cursor) throws(Fault) in try Self(&cursor, version, limits) }
        } catch {
            if error.what == Self.checksumFault {
                throw SSTableError(.checksum, path, at: Int64(error.offset), "a checksum does not match")
            }
            throw SSTableError(error, path)
        }
    }

    private static var checksumFault: StaticString { "the checksum" }

    private init(_ cursor: inout ByteCursor, _ version: FormatVersion, _ limits: SSTableLimits) throws(Fault) {
        let places = try Self.contents(&cursor, version)
        func part(_ part: Part) throws(Fault) -> (cursor: ByteCursor, start: Int) {
            guard let place = places.first(where: { $0.part == part.rawValue }) else {
                throw cursor.fault(.malformed, "the table of contents", detail: "part \(part) is missing")
            }
            return (ByteCursor(UnsafeRawBufferPointer(rebasing: cursor.bytes[place.start..<place.end])), place.start)
        }
        var start = 0
        do throws(Fault) {
            var body: ByteCursor
            (body, start) = try part(.header)
            let header = try SerializationHeader(&body, limits)
            (body, start) = try part(.validation)
            let partitioner = Partitioner(className: body.text(validating: try body.shortBytes("the partitioner")))
            (body, start) = try part(.statistics)
            self.header = header
            self.statistics = try Statistics(&body, version, header, partitioner)
        } catch {
            throw Fault(error.kind, error.what, at: start + error.offset, detail: error.detail)
        }
    }

    private typealias Place = (part: UInt32, start: Int, end: Int)

    /// Where the parts lie, without their checksums, which are checked.
    private static func contents(_ cursor: inout ByteCursor, _ version: FormatVersion) throws(Fault) -> [Place] {
        let count = try cursor.integer("the number of parts", as: UInt32.self)
        guard count > 0, count <= Self.partsMax else { throw cursor.fault(.malformed, "the number of parts") }
        let checksumBytes = version.hasMetadataChecksums ? 4 : 0
        if version.hasMetadataChecksums { try Self.check(&cursor, Array(cursor.bytes[..<4])) }
        var starts: [(part: UInt32, start: Int)] = []
        var covered = Array(cursor.bytes[..<4])
        for _ in 0..<count {
            let range = try cursor.range(8, "the table of contents")
            covered += cursor[range]
            var entry = ByteCursor(cursor[range])
            let part = try entry.integer("a part", as: UInt32.self)
            starts.append((part, Int(try entry.integer("the place of a part", as: UInt32.self))))
        }
        if version.hasMetadataChecksums { try Self.check(&cursor, covered) }
        var places: [Place] = []
        for (index, entry) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1].start : cursor.bytes.count
            guard entry.start >= cursor.position, entry.start + checksumBytes <= end, end <= cursor.bytes.count else {
                throw cursor.fault(.malformed, "the place of a part", detail: "byte \(entry.start) to \(end)")
            }
            let part = UnsafeRawBufferPointer(rebasing: cursor.bytes[entry.start..<(end - checksumBytes)])
            if version.hasMetadataChecksums {
                var stored = ByteCursor(UnsafeRawBufferPointer(rebasing: cursor.bytes[(end - checksumBytes)..<end]))
                guard try stored.integer("the checksum", as: UInt32.self) == Checksum.of(part) else {
                    throw Fault(.malformed, Self.checksumFault, at: end - checksumBytes)
                }
            }
            places.append((entry.part, entry.start, end - checksumBytes))
        }
        return places
    }

    private static func check(_ cursor: inout ByteCursor, _ bytes: [UInt8]) throws(Fault) {
        let start = cursor.position
        let stored = try cursor.integer("the checksum", as: UInt32.self)
        guard bytes.withUnsafeBytes({ Checksum.of($0) }) == stored else {
            throw Fault(.malformed, Self.checksumFault, at: start)
        }
    }
}

extension StaticString {
    fileprivate static func == (left: StaticString, right: StaticString) -> Bool {
        left.description == right.description
    }
}
