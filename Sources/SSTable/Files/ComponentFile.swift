import NIOCore

/// One file of an SSTable, open for reading. It is read by place, so that many readers can share it.
final class ComponentFile: Sendable {
    let path: String
    let size: Int64
    private let descriptor: Int32

    init(_ path: String) throws(SSTableError) {
        let (descriptor, number) = SystemCalls.open(path)
        guard descriptor >= 0 else { throw .failed("opening it", path, number) }
        guard let size = SystemCalls.size(descriptor) else {
            SystemCalls.close(descriptor)
            throw SSTableError(.name, path, "is not a regular file", advice: "name a file that ends in -Data.db")
        }
        self.path = path
        self.size = size
        self.descriptor = descriptor
    }

    deinit { SystemCalls.close(self.descriptor) }

    /// Fills `buffer` with the bytes at `offset`. A file that ends before is an error that names `what`.
    func read(
        at offset: Int64,
        into buffer: UnsafeMutableRawBufferPointer,
        _ what: @autoclosure () -> String
    ) throws(SSTableError) {
        let (count, number) = SystemCalls.read(self.descriptor, at: offset, into: buffer)
        guard number == 0 else { throw .failed("reading it", self.path, number) }
        guard count == buffer.count else {
            throw SSTableError(.truncated, self.path, at: offset + Int64(count), "the file ends within \(what())")
        }
    }

    /// The `count` bytes at `offset`; the caller has compared them with a limit.
    func bytes(
        at offset: Int64,
        _ count: Int,
        _ what: @autoclosure () -> String
    ) throws(SSTableError) -> ByteBuffer {
        guard offset >= 0, Int64(count) <= self.size - min(self.size, offset) else {
            throw SSTableError(.truncated, self.path, at: self.size, "the file ends within \(what())")
        }
        var buffer = ByteBuffer()
        try buffer.append(count) { (target) throws(SSTableError) in
            try self.read(at: offset, into: target, what())
        }
        return buffer
    }

    /// The whole file, of at most `limit` bytes.
    func whole(limit: Int) throws(SSTableError) -> ByteBuffer {
        guard self.size <= Int64(limit) else {
            throw SSTableError(
                .oversized,
                self.path,
                "has \(self.size) bytes, and \(limit) are the limit of such a file"
            )
        }
        return try self.bytes(at: 0, Int(self.size), "the file")
    }
}

extension ByteBuffer {
    /// Appends `count` bytes that `fill` writes; nothing where it fails.
    mutating func append(
        _ count: Int,
        _ fill: (UnsafeMutableRawBufferPointer) throws(SSTableError) -> Void
    ) throws(SSTableError) {
        var failure: SSTableError?
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            do throws(SSTableError) {
                try fill(UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
                return count
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
    }
}
