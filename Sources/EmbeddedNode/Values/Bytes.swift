import NIOCore

/// The bytes of a value as the protocol carries them.
typealias Bytes = [UInt8]

extension FixedWidthInteger {
    /// Big-endian bytes.
    var bytes: Bytes { withUnsafeBytes(of: self.bigEndian) { Bytes($0) } }
}

extension Array where Element == UInt8 {
    /// The bytes as a big-endian two's complement number of any length up to sixteen bytes.
    var signed: Int128 {
        guard let first else { return 0 }
        var value: Int128 = first & 0x80 == 0 ? 0 : -1
        for byte in self.prefix(16) { value = value << 8 | Int128(byte) }
        return value
    }

    var int64: Int64 { Int64(truncatingIfNeeded: self.signed) }
    var string: String { String(decoding: self, as: UTF8.self) }
    var buffer: ByteBuffer { ByteBuffer(bytes: self) }

    /// The parts of a collection, tuple or UDT: values with a length of four bytes before each.
    func parts(from start: Int, limit: Int = .max) -> [Bytes?]? {
        var parts: [Bytes?] = []
        var offset = start
        while offset < self.count, parts.count < limit {
            guard offset + 4 <= self.count else { return nil }
            let length = Int(Int32(truncatingIfNeeded: Bytes(self[offset..<offset + 4]).signed))
            offset += 4
            if length < 0 {
                parts.append(nil)
                continue
            }
            guard length <= self.count - offset else { return nil }
            parts.append(Bytes(self[offset..<offset + length]))
            offset += length
        }
        return offset == self.count ? parts : nil
    }

    /// Appends a length of four bytes and the value.
    mutating func appendPart(_ part: Bytes?) {
        guard let part else { return self.append(contentsOf: Int32(-1).bytes) }
        self.append(contentsOf: Int32(part.count).bytes)
        self.append(contentsOf: part)
    }

    /// Shortest two's complement form.
    static func varint(_ value: Int128) -> Bytes {
        var bytes = value.bytes
        while bytes.count > 1,
            (bytes[0] == 0 && bytes[1] & 0x80 == 0) || (bytes[0] == 0xff && bytes[1] & 0x80 != 0)
        {
            bytes.removeFirst()
        }
        return bytes
    }

    /// A collection value of its parts.
    static func collection(count: Int, _ parts: [Bytes?]) -> Bytes {
        var bytes = Int32(count).bytes
        for part in parts { bytes.appendPart(part) }
        return bytes
    }

    /// A tuple or UDT value of its parts.
    static func tuple(_ parts: [Bytes?]) -> Bytes {
        var bytes = Bytes()
        for part in parts { bytes.appendPart(part) }
        return bytes
    }
}

extension ByteBuffer {
    var bytes: Bytes { Bytes(self.readableBytesView) }
}
