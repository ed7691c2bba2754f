public import NIOCore

/// Reads the notations of a body (native protocol v4 §3) with a bounds check and a clear error for each.
///
/// Counts are checked against what the remaining bytes can hold before anything is reserved for them.
public struct WireReader: Sendable {
    /// What is left of the body.
    public private(set) var buffer: ByteBuffer
    /// The version that decides the layout.
    public let version: ProtocolVersion
    private let start: Int

    /// A reader of `body`.
    public init(_ body: ByteBuffer, version: ProtocolVersion) {
        self.buffer = body
        self.version = version
        self.start = body.readerIndex
    }

    init(plainBodyOf frame: RawFrame) throws(CQLProtocolError) {
        guard !frame.header.flags.contains(.compression) else {
            throw CQLProtocolError(.compression, "body is still compressed")
        }
        self.init(frame.body, version: frame.header.version)
    }

    /// How far the body is read.
    public var offset: Int { buffer.readerIndex - start }
    /// How much is left.
    public var remaining: Int { buffer.readableBytes }

    /// An error at the present place.
    public func error(_ code: CQLProtocolError.Code, _ what: String) -> CQLProtocolError {
        CQLProtocolError(code, what, offset: offset)
    }

    /// Fails where bytes are left.
    public func finish() throws(CQLProtocolError) {
        guard remaining == 0 else { throw error(.trailingBytes, "\(remaining) bytes after the message") }
    }

    /// A big-endian integer.
    public mutating func integer<T: FixedWidthInteger>(
        _ what: @autoclosure () -> String,
        as type: T.Type = T.self
    ) throws(CQLProtocolError) -> T {
        guard let value = buffer.readInteger(as: T.self) else { throw error(.truncated, what()) }
        return value
    }

    /// [byte]
    public mutating func byte(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> UInt8 {
        try integer(what())
    }

    /// [short]
    public mutating func short(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> UInt16 {
        try integer(what())
    }

    /// [int]
    public mutating func int(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> Int32 {
        try integer(what())
    }

    /// [long]
    public mutating func long(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> Int64 {
        try integer(what())
    }

    /// Exactly `length` bytes, sharing the body's storage.
    public mutating func slice(
        _ length: Int,
        _ what: @autoclosure () -> String
    ) throws(CQLProtocolError) -> ByteBuffer {
        guard length >= 0 else { throw error(.malformed, "negative length of \(what())") }
        guard let slice = buffer.readSlice(length: length) else { throw error(.truncated, what()) }
        return slice
    }

    /// What is left.
    public mutating func rest() -> ByteBuffer {
        let slice = buffer.slice()
        buffer.moveReaderIndex(forwardBy: slice.readableBytes)
        return slice
    }

    private mutating func text(_ length: Int, _ what: String) throws(CQLProtocolError) -> String {
        guard length >= 0 else { throw error(.malformed, "negative length of \(what)") }
        guard buffer.readableBytes >= length else { throw error(.truncated, what) }
        guard let text = try? buffer.readUTF8ValidatedString(length: length) else {
            throw error(.malformed, "\(what) is not UTF-8")
        }
        return text
    }

    /// [string]
    public mutating func string(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> String {
        try text(Int(try short(what())), what())
    }

    /// [long string]
    public mutating func longString(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> String {
        try text(Int(try int(what())), what())
    }

    /// [uuid]
    public mutating func uuid(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> CQLUUID {
        CQLUUID(high: try integer(what()), low: try integer(what()))
    }

    /// [bytes]; `nil` for any negative length.
    public mutating func bytes(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> ByteBuffer? {
        let length = try int(what())
        return length < 0 ? nil : try slice(Int(length), what())
    }

    /// [short bytes]
    public mutating func shortBytes(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> ByteBuffer {
        try slice(Int(try short(what())), what())
    }

    /// [value]: -1 is null, -2 is unset and exists from version 4 on (§3).
    public mutating func value(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> BoundValue {
        let length = try int(what())
        if length >= 0 { return .value(try slice(Int(length), what())) }
        if length == -1 || version < .v4 { return .null }
        guard length == -2 else { throw error(.malformed, "length \(length) of \(what())") }
        return .unset
    }

    /// [consistency]
    public mutating func consistency(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> Consistency {
        Consistency(rawValue: try short(what()))
    }

    /// Checks a count before room is made for it: each element takes at least `minimum` bytes.
    public func checkedCount(
        _ count: Int,
        minimum: Int,
        _ what: @autoclosure () -> String
    ) throws(CQLProtocolError) -> Int {
        guard count >= 0 else { throw error(.malformed, "negative count of \(what())") }
        guard count <= remaining / max(minimum, 1) else { throw error(.oversized, "count of \(what())") }
        return count
    }

    /// [string list]
    public mutating func stringList(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> [String] {
        let count = try checkedCount(Int(try short(what())), minimum: 2, what())
        var list: [String] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try string(what())) }
        return list
    }

    private mutating func map<Value>(
        _ what: String,
        minimum: Int,
        _ read: (inout WireReader) throws(CQLProtocolError) -> Value
    ) throws(CQLProtocolError) -> WireMap<Value> {
        let count = try checkedCount(Int(try short(what)), minimum: minimum, what)
        var map = WireMap<Value>()
        map.pairs.reserveCapacity(count)
        for _ in 0..<count {
            let key = try string(what)
            map.pairs.append(.init(key: key, value: try read(&self)))
        }
        return map
    }

    /// [string map]
    public mutating func stringMap(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> WireMap<String> {
        let what = what()
        return try map(what, minimum: 4) { reader throws(CQLProtocolError) in try reader.string(what) }
    }

    /// [string multimap]
    public mutating func stringMultimap(
        _ what: @autoclosure () -> String
    ) throws(CQLProtocolError) -> WireMap<[String]> {
        let what = what()
        return try map(what, minimum: 4) { reader throws(CQLProtocolError) in try reader.stringList(what) }
    }

    /// [bytes map]
    public mutating func bytesMap(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> WireMap<ByteBuffer?> {
        let what = what()
        return try map(what, minimum: 6) { reader throws(CQLProtocolError) in try reader.bytes(what) }
    }

    /// [inet]: an address with its size before it, and a port.
    public mutating func inet(_ what: @autoclosure () -> String) throws(CQLProtocolError) -> InetEndpoint {
        let size = try byte(what())
        let bytes = try slice(Int(size), what())
        guard let address = InetAddress(bytes) else { throw error(.malformed, "size of \(what())") }
        return InetEndpoint(address: address, port: try int(what()))
    }
}
