public import NIOCore

/// Writes the notations of a body (native protocol v4 §3). What a length field cannot carry is an error.
public struct WireWriter: Sendable {
    /// What is written so far.
    public var buffer = ByteBuffer()
    /// The version that decides the layout.
    public let version: ProtocolVersion

    /// An empty writer.
    public init(version: ProtocolVersion) { self.version = version }

    /// A big-endian integer.
    public mutating func integer<T: FixedWidthInteger>(_ value: T) { buffer.writeInteger(value) }
    /// [byte]
    public mutating func byte(_ value: UInt8) { buffer.writeInteger(value) }
    /// [short]
    public mutating func short(_ value: UInt16) { buffer.writeInteger(value) }
    /// [int]
    public mutating func int(_ value: Int32) { buffer.writeInteger(value) }
    /// [long]
    public mutating func long(_ value: Int64) { buffer.writeInteger(value) }
    /// [uuid]
    public mutating func uuid(_ value: CQLUUID) { buffer.writeMultipleIntegers(value.high, value.low) }
    /// [consistency]
    public mutating func consistency(_ value: Consistency) { buffer.writeInteger(value.rawValue) }

    /// A count as [short].
    public mutating func count(_ count: Int, _ what: @autoclosure () -> String) throws(CQLProtocolError) {
        guard let short = UInt16(exactly: count) else {
            throw CQLProtocolError(.notEncodable, "\(what()) above 65535", offset: buffer.writerIndex)
        }
        buffer.writeInteger(short)
    }

    /// A length or count as [int].
    public mutating func intCount(_ count: Int, _ what: @autoclosure () -> String) throws(CQLProtocolError) {
        guard let int = Int32(exactly: count) else {
            throw CQLProtocolError(.notEncodable, "\(what()) above 2^31-1", offset: buffer.writerIndex)
        }
        buffer.writeInteger(int)
    }

    /// [string]
    public mutating func string(_ value: String) throws(CQLProtocolError) {
        try count(value.utf8.count, "string")
        buffer.writeString(value)
    }

    /// [long string]
    public mutating func longString(_ value: String) throws(CQLProtocolError) {
        try intCount(value.utf8.count, "long string")
        buffer.writeString(value)
    }

    /// [bytes]
    public mutating func bytes(_ value: ByteBuffer?) throws(CQLProtocolError) {
        guard let value else { return int(-1) }
        try intCount(value.readableBytes, "bytes")
        buffer.writeImmutableBuffer(value)
    }

    /// [short bytes]
    public mutating func shortBytes(_ value: ByteBuffer) throws(CQLProtocolError) {
        try count(value.readableBytes, "short bytes")
        buffer.writeImmutableBuffer(value)
    }

    /// [value]
    public mutating func value(_ value: BoundValue) throws(CQLProtocolError) {
        switch value {
        case .value(let bytes): try self.bytes(bytes)
        case .null: int(-1)
        case .unset:
            guard version >= .v4 else { throw CQLProtocolError(.notEncodable, "unset value before version 4") }
            int(-2)
        }
    }

    /// [string list]
    public mutating func stringList(_ list: [String]) throws(CQLProtocolError) {
        try count(list.count, "string list")
        for element in list { try string(element) }
    }

    /// [string map]
    public mutating func stringMap(_ map: WireMap<String>) throws(CQLProtocolError) {
        try count(map.count, "string map")
        for pair in map.pairs {
            try string(pair.key)
            try string(pair.value)
        }
    }

    /// [string multimap]
    public mutating func stringMultimap(_ map: WireMap<[String]>) throws(CQLProtocolError) {
        try count(map.count, "string multimap")
        for pair in map.pairs {
            try string(pair.key)
            try stringList(pair.value)
        }
    }

    /// [bytes map]
    public mutating func bytesMap(_ map: WireMap<ByteBuffer?>) throws(CQLProtocolError) {
        try count(map.count, "bytes map")
        for pair in map.pairs {
            try string(pair.key)
            try bytes(pair.value)
        }
    }

    /// [inet]
    public mutating func inet(_ endpoint: InetEndpoint) {
        let bytes = endpoint.address.bytes
        byte(UInt8(bytes.readableBytes))
        buffer.writeImmutableBuffer(bytes)
        int(endpoint.port)
    }
}
