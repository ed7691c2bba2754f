public import NIOCore

extension CQLValue {
    /// Decodes a cell, a bound value or an element. The type's own nesting bounds the recursion.
    public init(decoding bytes: ByteBuffer?, as type: DataType) throws(CQLProtocolError) {
        guard let bytes else {
            self = .null
            return
        }
        var reader = WireReader(bytes, version: .v4)
        self = try Self.decode(from: &reader, as: type)
        try reader.finish()
    }

    private static func decode(from reader: inout WireReader, as type: DataType) throws(CQLProtocolError) -> CQLValue {
        switch type {
        case .native(let id): return try native(id, from: &reader)
        case .custom(let name):
            guard let known = DataType(marshalClass: name) else { return .blob(reader.rest()) }
            return try decode(from: &reader, as: known)
        case .list(let element):
            return reader.remaining == 0 ? .empty : .list(try elements(of: element, from: &reader))
        case .set(let element):
            return reader.remaining == 0 ? .empty : .set(try elements(of: element, from: &reader))
        case .map(let key, let value):
            return reader.remaining == 0 ? .empty : .map(try entries(key, value, from: &reader))
        case .tuple(let types): return .tuple(try components(types, from: &reader))
        case .udt(_, _, let fields): return .tuple(try components(fields.map(\.type), from: &reader))
        }
    }

    private static func native(_ id: UInt16, from reader: inout WireReader) throws(CQLProtocolError) -> CQLValue {
        let type = DataType.native(id)
        if type == .varchar || type == .ascii {
            let bytes = reader.rest()
            guard let text = try? bytes.getUTF8ValidatedString(at: bytes.readerIndex, length: bytes.readableBytes)
            else { throw reader.error(.malformed, "text is not UTF-8") }
            return .text(text)
        }
        if type == .blob { return .blob(reader.rest()) }
        if reader.remaining == 0 { return .empty }
        switch type {
        case .tinyint: return .tinyint(try reader.integer("tinyint"))
        case .smallint: return .smallint(try reader.integer("smallint"))
        case .int: return .int(try reader.integer("int"))
        case .bigint, .counter: return .bigint(try reader.integer("bigint"))
        case .timestamp: return .timestamp(try reader.integer("timestamp"))
        case .time: return .time(try reader.integer("time"))
        case .date: return .date(try reader.integer("date"))
        case .float: return .float(Float(bitPattern: try reader.integer("float")))
        case .double: return .double(Double(bitPattern: try reader.integer("double")))
        case .boolean: return .boolean(try reader.byte("boolean") != 0)
        case .uuid, .timeuuid: return .uuid(try reader.uuid("uuid"))
        case .duration: return .duration(try CQLDuration(from: &reader))
        case .varint: return .varint(try varint(from: &reader))
        case .decimal:
            let scale = try reader.int("scale of a decimal")
            return .decimal(CQLDecimal(scale: scale, unscaled: try varint(from: &reader)))
        case .inet:
            guard let address = InetAddress(reader.rest()) else { throw reader.error(.malformed, "size of an inet") }
            return .inet(address)
        default: return .blob(reader.rest())
        }
    }

    private static func varint(from reader: inout WireReader) throws(CQLProtocolError) -> Varint {
        guard let varint = Varint(bytes: Array(reader.rest().readableBytesView)) else {
            throw reader.error(.truncated, "varint")
        }
        return varint
    }

    private static func elements(
        of type: DataType,
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> [CQLValue] {
        let count = try reader.checkedCount(Int(try reader.int("element count")), minimum: 4, "elements")
        var elements: [CQLValue] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try CQLValue(decoding: try reader.bytes("element"), as: type)) }
        return elements
    }

    private static func entries(
        _ key: DataType,
        _ value: DataType,
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> [Entry] {
        let count = try reader.checkedCount(Int(try reader.int("entry count")), minimum: 8, "entries")
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let key = try CQLValue(decoding: try reader.bytes("key"), as: key)
            entries.append(Entry(key: key, value: try CQLValue(decoding: try reader.bytes("value"), as: value)))
        }
        return entries
    }

    /// Components up to the end of the bytes: a value older than the last field of its type is shorter.
    private static func components(
        _ types: [DataType],
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> [CQLValue] {
        var components: [CQLValue] = []
        for type in types where reader.remaining > 0 {
            components.append(try CQLValue(decoding: try reader.bytes("component"), as: type))
        }
        return components
    }
}
