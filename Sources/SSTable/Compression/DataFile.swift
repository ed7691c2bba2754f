import NIOCore

/// `Data.db` as a row of plain chunks. It can be shared; each reader has a `ChunkReader` of its own.
struct DataFile: Sendable {
    enum Layout: Sendable {
        case compressed(CompressionInfo)
        /// Plain, with the checksums of `CRC.db`; without them where that file is missing.
        case plain(chunkLength: Int, checksums: ComponentFile?)
    }

    let file: ComponentFile
    let layout: Layout
    /// Plain bytes.
    let length: Int64
    let limits: SSTableLimits

    /// Chunks of a plain file without checksums.
    private static var plainChunkLength: Int { 64 << 10 }

    init(_ name: SSTableName, hasCompressionInfo: Bool, _ limits: SSTableLimits) throws(SSTableError) {
        self.file = try ComponentFile(name.path(.data))
        self.limits = limits
        if hasCompressionInfo {
            let info = try CompressionInfo(name.path(.compressionInfo), name.version, limits)
            self.layout = .compressed(info)
            self.length = info.dataLength
            return
        }
        self.length = self.file.size
        let path = name.path(.checksums)
        guard SystemCalls.isFolder(path) == false else {
            self.layout = .plain(chunkLength: Self.plainChunkLength, checksums: nil)
            return
        }
        let checksums = try ComponentFile(path)
        var head = try checksums.bytes(at: 0, 4, "the chunk length")
        guard let chunkLength = head.readInteger(as: Int32.self), chunkLength > 0, chunkLength <= limits.chunkBytesMax
        else { throw SSTableError(.malformed, path, at: 0, "the chunk length is not possible") }
        let chunks = (self.length + Int64(chunkLength) - 1) / Int64(chunkLength)
        guard checksums.size == 4 + chunks * 4 else {
            throw SSTableError(
                .malformed,
                path,
                "has the checksums of \((checksums.size - 4) / 4) chunks, and the data file has \(chunks)"
            )
        }
        self.layout = .plain(chunkLength: Int(chunkLength), checksums: checksums)
    }

    /// Plain bytes of each chunk but the last.
    var chunkLength: Int {
        switch self.layout {
        case .compressed(let info): info.chunkLength
        case .plain(let length, _): length
        }
    }

    /// Plain bytes of one chunk.
    func chunkLength(_ index: Int64) -> Int {
        Int(min(Int64(self.chunkLength), self.length - index * Int64(self.chunkLength)))
    }
}
