import CQLProtocol

/// Where things lie in an answer's body that the proxy must look at: all reads are bounds-checked, nothing is copied.
enum AnswerLayout {
    /// The bytes in front of the message: tracing id, warnings, custom payload (native protocol v4 §2.2), or nil where they
    /// are malformed.
    @inline(__always)
    static func prefixLength(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Int? {
        if flags.isDisjoint(with: [.tracing, .warning, .customPayload]) { return 0 }
        return self.walkPrefix(body, flags: flags)
    }

    private static func walkPrefix(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Int? {
        var offset = flags.contains(.tracing) ? 16 : 0
        if flags.contains(.warning) {
            guard let count = self.uint16(body, at: offset) else { return nil }
            offset += 2
            for _ in 0..<count {
                guard let length = self.uint16(body, at: offset) else { return nil }
                offset += 2 + Int(length)
            }
        }
        if flags.contains(.customPayload) {
            guard let count = self.uint16(body, at: offset) else { return nil }
            offset += 2
            for _ in 0..<count {
                guard let key = self.uint16(body, at: offset) else { return nil }
                offset += 2 + Int(key)
                guard let value = self.int32(body, at: offset) else { return nil }
                offset += 4 + max(0, Int(value))
            }
        }
        return offset <= body.count ? offset : nil
    }

    /// The code of an ERROR.
    static func errorCode(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Int32? {
        self.prefixLength(body, flags: flags).flatMap { self.int32(body, at: $0) }
    }

    /// The kind of a RESULT.
    static func resultKind(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Int32? {
        self.prefixLength(body, flags: flags).flatMap { self.int32(body, at: $0) }
    }

    /// The range of the paging state in a Rows result, without its four bytes of length; nil where it has none, or where
    /// the body does not hold what that length claims.
    @inline(__always)
    static func pagingState(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Range<Int>? {
        guard let prefix = self.prefixLength(body, flags: flags), self.int32(body, at: prefix) == 2,
            let metadata = self.int32(body, at: prefix + 4), metadata & 0x02 != 0,
            let length = self.int32(body, at: prefix + 12), length >= 0,
            Int(length) <= body.count - (prefix + 16)
        else { return nil }
        return prefix + 16..<prefix + 16 + Int(length)
    }

    /// The range of the id in a Prepared result, without its two bytes of length.
    static func preparedID(_ body: UnsafeRawBufferPointer, flags: FrameFlags) -> Range<Int>? {
        guard let prefix = self.prefixLength(body, flags: flags), self.int32(body, at: prefix) == 4,
            let length = self.uint16(body, at: prefix + 4), prefix + 6 + Int(length) <= body.count
        else { return nil }
        return prefix + 6..<prefix + 6 + Int(length)
    }

    static func uint16(_ body: UnsafeRawBufferPointer, at offset: Int) -> UInt16? {
        guard offset >= 0, offset + 2 <= body.count else { return nil }
        return UInt16(bigEndian: body.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    static func int32(_ body: UnsafeRawBufferPointer, at offset: Int) -> Int32? {
        guard offset >= 0, offset + 4 <= body.count else { return nil }
        return Int32(bigEndian: body.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
}
