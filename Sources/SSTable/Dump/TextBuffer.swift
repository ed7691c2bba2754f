/// Text in UTF-8 that grows at its end, in memory that is used again. Not for two threads at once.
///
/// A dump appends some 50 pieces for each row, most of them of a few bytes. An `Array` asks at each of them whether its
/// storage is its own; this has but one owner, and asks for room alone.
struct TextBuffer: ~Copyable {
    /// The number of bytes.
    private(set) var count = 0
    private var capacity: Int
    private var base: UnsafeMutablePointer<UInt8>

    init(capacity: Int = 256) {
        self.capacity = max(16, capacity)
        self.base = .allocate(capacity: self.capacity)
    }

    deinit { self.base.deallocate() }

    /// The text that `write` appends.
    static func text(_ write: (inout TextBuffer) -> Void) -> String {
        var buffer = TextBuffer()
        write(&buffer)
        return buffer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes; valid within `body` alone.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
    }

    /// Forgets all but the first `count` bytes and keeps the memory.
    mutating func truncate(to count: Int) { self.count = min(self.count, max(0, count)) }

    /// Appends up to `most` bytes: `write` puts them at the place that it is given, and says how many they are.
    @inline(__always)
    mutating func append(atMost most: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        if self.capacity - self.count < most { self.grow(most) }
        self.count += write(self.base + self.count)
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        self.capacity = max(2 * self.capacity, self.count + more)
        let longer = UnsafeMutablePointer<UInt8>.allocate(capacity: self.capacity)
        longer.update(from: self.base, count: self.count)
        self.base.deallocate()
        self.base = longer
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        self.append(atMost: 1) {
            $0.pointee = byte
            return 1
        }
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        self.append(atMost: count) {
            $0.update(from: text.utf8Start, count: count)
            return count
        }
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        self.append(atMost: bytes.count) {
            UnsafeMutableRawPointer($0).copyMemory(from: start, byteCount: bytes.count)
            return bytes.count
        }
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.append($0) } }

    mutating func append(_ text: some StringProtocol) {
        let isCopied: Void? = text.utf8.withContiguousStorageIfAvailable { self.append(UnsafeRawBufferPointer($0)) }
        if isCopied == nil { for byte in text.utf8 { self.append(byte) } }
    }

    mutating func append(spaces count: Int) {
        self.append(atMost: count) {
            $0.update(repeating: UInt8(ascii: " "), count: count)
            return count
        }
    }
}

extension TextBuffer {
    /// A whole number, with zeros before it where it has fewer digits than `width`.
    mutating func append(_ value: Int64, width: Int = 1) {
        if value < 0 { self.append(UInt8(ascii: "-")) }
        self.append(digitsOf: value.magnitude, width: width)
    }

    @inline(__always)
    private mutating func append(digitsOf value: UInt64, width: Int) {
        let count = max(width, Self.digits(value))
        self.append(atMost: count) { place in
            var rest = value
            var index = count
            while index > 0 {
                index -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                place[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            }
            return count
        }
    }

    @inline(__always)
    private static func digits(_ value: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while value >= bound {
            count += 1
            // 20 digits are the most that a number of 64 bits has.
            guard count < 20 else { break }
            bound *= 10
        }
        return count
    }

    /// Bytes as two hexadecimal digits each; four bytes at a time, because a blob of a megabyte is nothing unusual.
    mutating func append(hexadecimal bytes: UnsafeRawBufferPointer) {
        self.append(atMost: 2 * bytes.count) { place in
            let target = UnsafeMutableRawPointer(place)
            var index = 0
            while index + 4 <= bytes.count {
                let four = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
                target.storeBytes(of: Self.hexadecimal(four).littleEndian, toByteOffset: 2 * index, as: UInt64.self)
                index += 4
            }
            while index < bytes.count {
                let digits = Self.hexadecimal(UInt32(bytes[index]))
                place[2 * index] = UInt8(truncatingIfNeeded: digits)
                place[2 * index + 1] = UInt8(truncatingIfNeeded: digits >> 8)
                index += 1
            }
            return 2 * bytes.count
        }
    }

    /// The digits of four bytes, the lowest byte's first and in the lowest bytes.
    @inline(__always)
    private static func hexadecimal(_ bytes: UInt32) -> UInt64 {
        var spread = UInt64(bytes)
        spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff
        spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff
        let digits = (spread >> 4 | spread << 8) & 0x0f0f_0f0f_0f0f_0f0f
        // A digit above 9 is a letter: 39 characters behind where a figure would be.
        let letters = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits + 0x3030_3030_3030_3030 + letters * 39
    }
}
