public import NIOCore

extension BodyCompression {
    /// Bodies shorter than this, in bytes, are sent as they are: packing them costs more than it saves.
    public static var worthwhileBytesMin: Int { 512 }

    /// The compressed form of a body that lies in up to three parts; nil where sending it plain is as good: it is short, or
    /// does not get shorter.
    public func packed(
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer,
        _ part2: UnsafeRawBufferPointer
    ) -> ByteBuffer? {
        let length = part0.count + part1.count + part2.count
        guard length >= Self.worthwhileBytesMin else { return nil }
        var plain = ByteBuffer()
        plain.reserveCapacity(length)
        plain.writeBytes(part0)
        plain.writeBytes(part1)
        plain.writeBytes(part2)
        // A body that cannot be compressed may always be sent as it is.
        guard let packed = try? self.compress(plain), packed.readableBytes < length else { return nil }
        return packed
    }
}
