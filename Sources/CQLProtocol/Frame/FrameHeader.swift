public import NIOCore

/// The nine bytes before every body of versions 3 and 4 (native protocol v4 §2).
///
/// Parsing and writing are for the data path: no checks beyond the length of the input, no allocation.
public struct FrameHeader: Hashable, Sendable {
    /// The version and, in the highest bit, the direction.
    public var versionByte: UInt8
    /// The flags.
    public var flags: FrameFlags
    /// The stream id; -1 for events.
    public var stream: Int16
    /// What the frame is.
    public var opcode: Opcode
    /// The body's bytes as the header claims them. Check it against a limit before waiting for it.
    public var bodyLength: Int

    /// The bytes of a header.
    public static var byteCount: Int { 9 }
    /// Where the length field begins.
    public static var bodyLengthOffset: Int { 5 }
    /// The longest body that the specification allows: 256 MiB (§2.5).
    public static var maximumBodyLength: Int { 256 * 1024 * 1024 }

    /// A header from its parts.
    @inlinable
    public init(versionByte: UInt8, flags: FrameFlags = [], stream: Int16, opcode: Opcode, bodyLength: Int) {
        self.versionByte = versionByte
        self.flags = flags
        self.stream = stream
        self.opcode = opcode
        self.bodyLength = bodyLength
    }

    /// The header at the beginning of `bytes`, or `nil` where fewer than nine bytes are there.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        self.versionByte = bytes[0]
        self.flags = FrameFlags(rawValue: bytes[1])
        self.stream = Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: Int16.self))
        self.opcode = Opcode(rawValue: bytes[4])
        // A negative length becomes one above every limit.
        self.bodyLength = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self)))
    }

    /// The version without the direction.
    @inlinable public var version: ProtocolVersion { ProtocolVersion(rawValue: versionByte) }
    /// Whether the direction bit says response.
    @inlinable public var isResponse: Bool { versionByte & ProtocolVersion.responseBit != 0 }
    /// Header and body together.
    @inlinable public var frameLength: Int { Self.byteCount + bodyLength }

    /// Appends the nine bytes.
    @inlinable
    public func write(into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.byteCount) { target in
            self.store(into: target)
            return Self.byteCount
        }
    }

    /// Appends a whole frame, its body in up to three parts, in one piece. ``bodyLength`` must be the sum of theirs.
    @inlinable
    public func write(
        with part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        _ part2: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into buffer: inout ByteBuffer
    ) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: self.frameLength) { target in
            self.store(into: target)
            let end0 = Self.append(part0, at: Self.byteCount, of: target)
            let end1 = Self.append(part1, at: end0, of: target)
            return Self.append(part2, at: end1, of: target)
        }
    }

    @inlinable
    static func append(
        _ part: UnsafeRawBufferPointer,
        at offset: Int,
        of target: UnsafeMutableRawBufferPointer
    ) -> Int {
        if part.count > 0 { UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: part) }
        return offset + part.count
    }

    /// Stores the nine bytes at the beginning of `target`, which must hold as many.
    @inlinable
    public func store(into target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= Self.byteCount, "no room for a frame header")
        target[0] = versionByte
        target[1] = flags.rawValue
        target.storeBytes(of: stream.bigEndian, toByteOffset: 2, as: Int16.self)
        target[4] = opcode.rawValue
        target.storeBytes(of: UInt32(truncatingIfNeeded: bodyLength).bigEndian, toByteOffset: 5, as: UInt32.self)
    }
}
