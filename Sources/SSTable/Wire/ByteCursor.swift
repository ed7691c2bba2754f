import NIOCore

/// Reads numbers and ranges from bytes that somebody else keeps alive, with a bounds check for each.
///
/// Offsets count from the first byte. A read that fails leaves the cursor where it was.
struct ByteCursor {
    /// The bytes; valid only within the scope that made the cursor.
    let bytes: UnsafeRawBufferPointer
    /// The next byte.
    private(set) var position = 0
    /// Where reading ends.
    private var end: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.end = bytes.count
    }

    var remaining: Int { self.end - self.position }
    var isAtEnd: Bool { self.position >= self.end }

    func fault(_ kind: Fault.Kind, _ what: StaticString, detail: String? = nil) -> Fault {
        Fault(kind, what, at: self.position, detail: detail)
    }

    /// Fails where fewer than `count` bytes are left.
    @inline(__always)
    func need(_ count: Int, _ what: StaticString) throws(Fault) {
        guard count <= self.remaining else { throw self.shortage(count, what) }
    }

    private func shortage(_ count: Int, _ what: StaticString) -> Fault {
        guard self.end == self.bytes.count else {
            return self.fault(.malformed, what, detail: "it goes past the end of what it is in")
        }
        return self.fault(.short(needed: self.position + count), what)
    }

    /// From here on nothing behind the next `count` bytes is read: whoever wants more is wrong, not short of bytes.
    mutating func narrow(to count: Int, _ what: StaticString) throws(Fault) {
        try self.need(count, what)
        self.end = self.position + count
    }

    mutating func integer<T: FixedWidthInteger>(_ what: StaticString, as type: T.Type = T.self) throws(Fault) -> T {
        try self.need(MemoryLayout<T>.size, what)
        let value = T(bigEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: T.self))
        self.position += MemoryLayout<T>.size
        return value
    }

    @inline(__always)
    mutating func byte(_ what: StaticString) throws(Fault) -> UInt8 {
        try self.need(1, what)
        let value = self.bytes[self.position]
        self.position += 1
        return value
    }

    mutating func boolean(_ what: StaticString) throws(Fault) -> Bool { try self.byte(what) != 0 }

    /// An unsigned number of one to nine bytes: the ones at the head of the first say how many follow
    /// (Cassandra's `VIntCoding`).
    @inline(__always)
    mutating func vint(_ what: StaticString) throws(Fault) -> UInt64 {
        try self.need(1, what)
        let first = self.bytes[self.position]
        if first < 0x80 {
            self.position += 1
            return UInt64(first)
        }
        return try self.longVint(first, what)
    }

    private mutating func longVint(_ first: UInt8, _ what: StaticString) throws(Fault) -> UInt64 {
        let extra = (~first).leadingZeroBitCount
        try self.need(1 + extra, what)
        var value: UInt64 = extra >= 8 ? 0 : UInt64(first & (0xff >> UInt8(extra)))
        if self.remaining >= 9 {
            let rest = UInt64(
                bigEndian: self.bytes.loadUnaligned(fromByteOffset: self.position + 1, as: UInt64.self)
            )
            value = extra >= 8 ? rest : value << UInt64(extra * 8) | rest >> UInt64(64 - extra * 8)
        } else {
            for place in 1...extra { value = value << 8 | UInt64(self.bytes[self.position + place]) }
        }
        self.position += 1 + extra
        return value
    }

    /// A signed number in the same form, its sign in the lowest bit.
    mutating func signedVint(_ what: StaticString) throws(Fault) -> Int64 {
        let value = try self.vint(what)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A vint that counts bytes or things: below 2^31.
    @inline(__always)
    mutating func count(_ what: StaticString) throws(Fault) -> Int {
        let start = self.position
        let value = try self.vint(what)
        guard value <= UInt64(Int32.max) else {
            throw Fault(.oversized, what, at: start, detail: "a count of \(value)")
        }
        return Int(value)
    }

    /// The next `count` bytes.
    @inline(__always)
    mutating func range(_ count: Int, _ what: StaticString) throws(Fault) -> ByteRange {
        try self.need(count, what)
        let range = ByteRange(start: self.position, count: count)
        self.position += count
        return range
    }

    /// Bytes with their length before them as a vint.
    @inline(__always)
    mutating func vintBytes(_ what: StaticString) throws(Fault) -> ByteRange {
        try self.range(try self.count(what), what)
    }

    /// Bytes with their length before them in two bytes.
    mutating func shortBytes(_ what: StaticString) throws(Fault) -> ByteRange {
        let count = try self.integer(what, as: UInt16.self)
        return try self.range(Int(count), what)
    }

    mutating func skip(_ count: Int, _ what: StaticString) throws(Fault) {
        try self.need(count, what)
        self.position += count
    }

    /// A text whose bytes are UTF-8.
    func text(_ range: ByteRange, _ what: StaticString) throws(Fault) -> String {
        guard let text = String(validating: self[range], as: UTF8.self) else {
            throw Fault(.malformed, what, at: Int(range.start), detail: "not UTF-8")
        }
        return text
    }

    subscript(range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[Int(range.start)..<Int(range.start + max(0, range.count))])
    }
}

extension ByteBuffer {
    /// Reads from the readable bytes without moving the reader's index.
    func withCursor<Result>(
        _ body: (inout ByteCursor) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        let result = self.withUnsafeReadableBytes { bytes in
            var cursor = ByteCursor(bytes)
            do throws(Fault) {
                return Swift.Result<Result, Fault>.success(try body(&cursor))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// A part of the readable bytes; shares their storage. Nil for null.
    func slice(_ range: ByteRange) -> ByteBuffer? {
        range.isNull ? nil : self.getSlice(at: self.readerIndex + Int(range.start), length: Int(range.count))
    }
}
