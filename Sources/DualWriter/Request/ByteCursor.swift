/// A position in bytes that only moves where there is something.
struct ByteCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { self.offset == self.bytes.count }

    mutating func take(_ count: Int) -> Range<Int>? {
        guard count >= 0, count <= self.bytes.count - self.offset else { return nil }
        defer { self.offset += count }
        return self.offset..<self.offset + count
    }

    /// Null (-1) and unset (-2) values have no bytes; nothing lies below.
    mutating func takeValue() -> Bool {
        guard let length = self.int32(), length >= -2 else { return false }
        return length < 0 || self.take(Int(length)) != nil
    }

    /// The range of a string behind its two bytes of length.
    mutating func takeString() -> Range<Int>? {
        guard let length = self.uint16() else { return nil }
        return self.take(Int(length))
    }

    mutating func uint8() -> UInt8? { self.integer() }
    mutating func uint16() -> UInt16? { self.integer() }
    mutating func int32() -> Int32? { self.integer() }

    private mutating func integer<Value: FixedWidthInteger>() -> Value? {
        guard let range = self.take(MemoryLayout<Value>.size) else { return nil }
        return Value(bigEndian: self.bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Value.self))
    }
}
