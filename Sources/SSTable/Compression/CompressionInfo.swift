import NIOCore

/// `CompressionInfo.db`: how `Data.db` is cut into chunks, and where each begins (Cassandra's `CompressionMetadata`).
///
/// The places of chunks stay in the file, because a large SSTable has millions of them.
struct CompressionInfo: Sendable {
    let compressor: Compressor
    /// Plain bytes of each chunk but the last.
    let chunkLength: Int
    /// A chunk that takes at least this many bytes is kept plain.
    let plainFrom: Int
    /// Plain bytes of all chunks.
    let dataLength: Int64
    let chunkCount: Int
    let file: ComponentFile
    /// Where the places begin in the file.
    let placesStart: Int64

    private static var headBytesMax: Int { 64 << 10 }

    init(_ path: String, _ version: FormatVersion, _ limits: SSTableLimits) throws(SSTableError) {
        let file = try ComponentFile(path)
        let head = try file.bytes(at: 0, Int(min(file.size, Int64(Self.headBytesMax))), "its head")
        do throws(Fault) {
            self = try head.withCursor { (cursor) throws(Fault) in
                try Self(&cursor, file, version, limits)
            }
        } catch {
            throw SSTableError(error, path)
        }
    }

    private init(
        _ cursor: inout ByteCursor,
        _ file: ComponentFile,
        _ version: FormatVersion,
        _ limits: SSTableLimits
    ) throws(Fault) {
        let name = cursor.text(validating: try cursor.shortBytes("the compressor's name"))
        guard let compressor = Compressor(className: name) else {
            throw cursor.fault(.unsupported, "the compressor", detail: "'\(name)' is not read here")
        }
        let options = try cursor.integer("the number of options", as: Int32.self)
        guard (0...1_024).contains(options) else { throw cursor.fault(.malformed, "the number of options") }
        for _ in 0..<options {
            _ = try cursor.shortBytes("an option's name")
            _ = try cursor.shortBytes("an option's value")
        }
        let chunkLength = try cursor.integer("the chunk length", as: Int32.self)
        guard chunkLength > 0, chunkLength <= limits.chunkBytesMax else {
            throw cursor.fault(.oversized, "the chunk length", detail: "\(chunkLength) bytes")
        }
        let plainFrom =
            version.hasMetadataChecksums ? try cursor.integer("the maximum of compressed bytes", as: Int32.self) : .max
        guard plainFrom > 0 else { throw cursor.fault(.malformed, "the maximum of compressed bytes") }
        let dataLength = try cursor.integer("the data length", as: Int64.self)
        let chunkCount = try cursor.integer("the number of chunks", as: Int32.self)
        // Written so that no length, however large, overflows.
        let needed = dataLength / Int64(chunkLength) + (dataLength % Int64(chunkLength) > 0 ? 1 : 0)
        // Some writers end with a chunk of no bytes.
        guard dataLength >= 0, (needed...(needed + 1)).contains(Int64(chunkCount)) else {
            throw cursor.fault(.malformed, "the number of chunks", detail: "\(chunkCount) for \(dataLength) bytes")
        }
        guard file.size - Int64(cursor.position) == Int64(chunkCount) * 8 else {
            throw cursor.fault(.malformed, "the places of chunks", detail: "\(chunkCount) do not fit the file's size")
        }
        self.compressor = compressor
        self.chunkLength = Int(chunkLength)
        self.plainFrom = Int(plainFrom)
        self.dataLength = dataLength
        self.chunkCount = Int(chunkCount)
        self.file = file
        self.placesStart = Int64(cursor.position)
    }
}

extension ByteCursor {
    /// A text for a message: bytes that are not UTF-8 are replaced.
    func text(validating range: ByteRange) -> String { String(decoding: self[range], as: UTF8.self) }
}
