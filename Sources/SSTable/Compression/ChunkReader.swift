import NIOCore

/// Reads chunks of a data file in their order, checks their checksums and unpacks them. Not for two threads at once.
///
/// It reads ahead: one system call serves many chunks.
final class ChunkReader {
    private let data: DataFile
    private let decompressor: Decompressor
    private var ahead: ReadAhead
    private var places: ChunkPlaces?
    private var checksums: ReadAhead?
    /// The checksum of all that was read of the file; nil where nobody wants it.
    private(set) var digest: RunningDigest?

    init(_ data: DataFile, takesDigest: Bool = false) {
        self.data = data
        self.digest = takesDigest ? RunningDigest() : nil
        self.ahead = ReadAhead(data.file, data.limits.readAheadBytes)
        switch data.layout {
        case .compressed(let info):
            self.decompressor = Decompressor(info.compressor)
            self.places = ChunkPlaces(info, dataFileSize: data.file.size)
        case .plain(_, let checksums):
            self.decompressor = Decompressor(.none)
            self.checksums = checksums.map { ReadAhead($0, 4_096) }
        }
    }

    /// Appends the plain bytes of a chunk.
    func append(_ index: Int64, to buffer: inout ByteBuffer) throws(SSTableError) {
        switch self.data.layout {
        case .compressed(let info): try self.appendCompressed(index, info, to: &buffer)
        case .plain: try self.appendPlain(index, to: &buffer)
        }
    }

    private func appendCompressed(
        _ index: Int64,
        _ info: CompressionInfo,
        to buffer: inout ByteBuffer
    ) throws(SSTableError) {
        let length = self.data.chunkLength(index)
        guard let (place, count) = try self.places?.chunk(Int(index)) else { return }
        let checksumBytes = 4
        // What does not compress may grow a little, but never to twice its size and this.
        guard count > 0, count <= 2 * info.chunkLength + 1_024 else {
            throw SSTableError(
                .malformed,
                info.file.path,
                at: info.placesStart + index * 8,
                "chunk \(index) would have \(count) bytes for \(length)"
            )
        }
        let path = self.data.file.path
        try self.ahead.with(place, count + checksumBytes, "chunk \(index)") { (bytes) throws(SSTableError) in
            let packed = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            let stored = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: count, as: UInt32.self))
            guard Checksum.of(packed) == stored else {
                throw SSTableError(
                    .checksum,
                    path,
                    at: index * Int64(info.chunkLength),
                    "the checksum of chunk \(index) (\(count) bytes at byte \(place) of the file) does not match"
                )
            }
            self.digest?.add(bytes, at: place)
            try buffer.append(length) { (target) throws(SSTableError) in
                let isPlain = count >= info.plainFrom
                if isPlain && count == length {
                    target.copyMemory(from: packed)
                } else if isPlain || !self.decompressor.unpack(packed, into: target) {
                    throw SSTableError(
                        .malformed,
                        path,
                        at: index * Int64(info.chunkLength),
                        "chunk \(index) (\(count) bytes at byte \(place) of the file) does not unpack to \(length) bytes"
                    )
                }
            }
        }
    }

    private func appendPlain(_ index: Int64, to buffer: inout ByteBuffer) throws(SSTableError) {
        let length = self.data.chunkLength(index)
        let place = index * Int64(self.data.chunkLength)
        var stored: UInt32?
        if self.checksums != nil {
            try self.checksums?.with(4 + index * 4, 4, "the checksum of chunk \(index)") {
                (bytes) throws(SSTableError) in
                stored = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
            }
        }
        let path = self.data.file.path
        try self.ahead.with(place, length, "the data") { (bytes) throws(SSTableError) in
            if let stored, Checksum.of(bytes) != stored {
                throw SSTableError(.checksum, path, at: place, "the checksum of chunk \(index) does not match")
            }
            self.digest?.add(bytes, at: place)
            buffer.writeBytes(bytes)
        }
    }
}

/// A part of a file in memory, refilled where more of it is wanted.
struct ReadAhead {
    private let file: ComponentFile
    private let capacity: Int
    private var start: Int64 = 0
    private var bytes = ByteBuffer()

    init(_ file: ComponentFile, _ capacity: Int) {
        self.file = file
        self.capacity = capacity
    }

    /// Hands `body` exactly `count` bytes at `place`.
    mutating func with(
        _ place: Int64,
        _ count: Int,
        _ what: @autoclosure () -> String,
        _ body: (UnsafeRawBufferPointer) throws(SSTableError) -> Void
    ) throws(SSTableError) {
        if place < self.start || place + Int64(count) > self.start + Int64(self.bytes.readableBytes) {
            guard place >= 0, place <= self.file.size, Int64(count) <= self.file.size - place else {
                throw SSTableError(.truncated, self.file.path, at: self.file.size, "the file ends within \(what())")
            }
            let file = self.file
            let size = Int(min(Int64(max(count, self.capacity)), file.size - place))
            self.bytes.clear()
            self.start = place
            try self.bytes.append(size) { (target) throws(SSTableError) in
                try file.read(at: place, into: target, "the data")
            }
        }
        let offset = Int(place - self.start)
        var failure: SSTableError?
        self.bytes.withUnsafeReadableBytes { all in
            do throws(SSTableError) {
                try body(UnsafeRawBufferPointer(rebasing: all[offset..<(offset + count)]))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// Where compressed chunks begin: a window of the places in `CompressionInfo.db`.
struct ChunkPlaces {
    private let info: CompressionInfo
    private let dataFileSize: Int64
    private var ahead: ReadAhead

    init(_ info: CompressionInfo, dataFileSize: Int64) {
        self.info = info
        self.dataFileSize = dataFileSize
        self.ahead = ReadAhead(info.file, 32 << 10)
    }

    /// Where a chunk begins in the file, and its bytes without the checksum.
    mutating func chunk(_ index: Int) throws(SSTableError) -> (place: Int64, count: Int) {
        guard (0..<self.info.chunkCount).contains(index) else {
            throw SSTableError(.malformed, self.info.file.path, "has no chunk \(index) of \(self.info.chunkCount)")
        }
        let isLast = index == self.info.chunkCount - 1
        var place: Int64 = 0
        var end = self.dataFileSize
        let start = self.info.placesStart + Int64(index) * 8
        try self.ahead.with(start, isLast ? 8 : 16, "the places of chunks") { (bytes) throws(SSTableError) in
            place = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            if !isLast { end = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self)) }
        }
        guard place >= 0, place < end, end <= self.dataFileSize else {
            throw SSTableError(
                isLast && place >= end ? .truncated : .malformed,
                self.info.file.path,
                at: start,
                "chunk \(index) would lie at byte \(place) to \(end) of a data file of \(self.dataFileSize) bytes"
            )
        }
        return (place, Int(clamping: end - place - 4))
    }
}
