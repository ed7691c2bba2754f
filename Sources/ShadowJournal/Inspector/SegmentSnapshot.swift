#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A copy of a segment's bytes as they are at one moment, while a writer may be at work on them.
final class SegmentSnapshot {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var count: Int
    let header: SegmentHeader?
    /// The length of the file.
    let fileBytes: Int

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.buffer[..<self.count]) }

    /// Copies the segment `number` at `path`. Without bytes and errno where the writer has made another segment of it meanwhile.
    static func take(_ path: String, number segment: UInt64) -> (snapshot: SegmentSnapshot?, errno: Int32) {
        let (descriptor, failure) = SystemCalls.open(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else { return (nil, failure == ENOENT ? 0 : failure) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, SystemCalls.isFile(status) else { return (nil, ENODATA) }
        let (snapshot, number) = Self.read(descriptor, Int(status.st_size))
        // The writer renames the file when it begins another segment, so a name that is still there was good all along.
        guard let now = SystemCalls.status(of: path).status, now.st_ino == status.st_ino else { return (nil, 0) }
        // … or is about to be renamed: nothing in the segment was owed.
        if let header = snapshot?.header, header.number > segment { return (nil, 0) }
        return (snapshot, number)
    }

    private static func read(_ descriptor: Int32, _ fileBytes: Int) -> (SegmentSnapshot?, Int32) {
        let snapshot = SegmentSnapshot(descriptor, fileBytes)
        let (count, number) = SystemCalls.read(descriptor, at: 0, into: snapshot.buffer)
        snapshot.count = min(count, snapshot.buffer.count)
        return number == 0 ? (snapshot, 0) : (nil, number)
    }

    private init(_ descriptor: Int32, _ fileBytes: Int) {
        // The header first: what was written when its end was read, is whole.
        var header: SegmentHeader?
        withUnsafeTemporaryAllocation(byteCount: SegmentHeader.byteCount, alignment: 8) { bytes in
            let (count, _) = SystemCalls.read(descriptor, at: 0, into: bytes)
            header = SegmentHeader(UnsafeRawBufferPointer(rebasing: bytes[..<max(0, count)]))
        }
        self.header = header
        self.fileBytes = fileBytes
        self.buffer = .allocate(byteCount: fileBytes, alignment: RecordLayout.alignment)
        self.count = 0
    }

    deinit { self.buffer.deallocate() }
}
