extension DataType {
    /// The package of Cassandra's own type classes.
    static var marshalPackage: String { "org.apache.cassandra.db.marshal." }

    /// The type that a class of Cassandra stands for, as custom types (native protocol v4 §4.2.5.2) and old schema
    /// tables name it; `nil` where its values are not known here. Frozen and reversed types are what they wrap.
    public init?(marshalClass name: String) {
        var parser = MarshalClassParser(name)
        guard let type = parser.type(depth: 0), parser.isAtEnd else { return nil }
        if case .custom = type { return nil }
        self = type
    }
}

/// Reads class names such as `MapType(UTF8Type,FrozenType(ListType(Int32Type)))`.
private struct MarshalClassParser {
    private var rest: Substring.UTF8View

    init(_ name: String) { rest = Substring(name).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func type(depth: Int) -> DataType? {
        guard depth < DataType.nestingMax else { return nil }
        let start = rest
        let full = String(token())
        guard !full.isEmpty else { return nil }
        let isOwn = full.hasPrefix(DataType.marshalPackage)
        let name = isOwn ? String(full.dropFirst(DataType.marshalPackage.count)) : full
        guard take("(") else { return Self.simple(name) ?? .custom(full) }
        switch name {
        case "FrozenType", "ReversedType": return closed(type(depth: depth + 1))
        case "ListType": return closed(type(depth: depth + 1).map { .list($0) })
        case "SetType": return closed(type(depth: depth + 1).map { .set($0) })
        case "MapType":
            guard let key = type(depth: depth + 1), take(","), let value = type(depth: depth + 1) else { return nil }
            return closed(.map(key, value))
        case "TupleType":
            var types: [DataType] = []
            repeat {
                guard let type = type(depth: depth + 1) else { return nil }
                types.append(type)
            } while take(",")
            return closed(.tuple(types))
        case "UserType": return userType(depth: depth)
        default: return unknown(from: start)
        }
    }

    private mutating func userType(depth: Int) -> DataType? {
        let keyspace = String(token())
        guard take(","), let name = hexadecimalName() else { return nil }
        var fields: [DataType.Field] = []
        while take(",") {
            guard let field = hexadecimalName(), take(":"), let type = type(depth: depth + 1) else { return nil }
            fields.append(DataType.Field(name: field, type: type))
        }
        return closed(.udt(keyspace: keyspace, name: name, fields: fields))
    }

    private mutating func hexadecimalName() -> String? {
        Hexadecimal.bytes(token()).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// A class with parameters that is not known: all up to its closing parenthesis.
    private mutating func unknown(from start: Substring.UTF8View) -> DataType? {
        var open = 1
        while open > 0 {
            guard let byte = rest.popFirst() else { return nil }
            if byte == UInt8(ascii: "(") { open += 1 }
            if byte == UInt8(ascii: ")") { open -= 1 }
        }
        return .custom(String(Substring(start[start.startIndex..<rest.startIndex])))
    }

    private mutating func token() -> Substring {
        let end = rest.firstIndex { "(),:".utf8.contains($0) } ?? rest.endIndex
        let token = Substring(rest[..<end])
        rest = rest[end...]
        return token
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == sign.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func closed(_ type: DataType?) -> DataType? {
        guard let type, take(")") else { return nil }
        return type
    }

    private static func simple(_ name: String) -> DataType? {
        switch name {
        case "AsciiType": .ascii
        case "LongType": .bigint
        case "BytesType": .blob
        case "BooleanType": .boolean
        case "CounterColumnType": .counter
        case "DecimalType": .decimal
        case "DoubleType": .double
        case "FloatType": .float
        case "Int32Type": .int
        case "TimestampType", "DateType": .timestamp
        case "UUIDType": .uuid
        case "UTF8Type": .varchar
        case "IntegerType": .varint
        case "TimeUUIDType": .timeuuid
        case "InetAddressType": .inet
        case "SimpleDateType": .date
        case "TimeType": .time
        case "ShortType": .smallint
        case "ByteType": .tinyint
        case "DurationType": .duration
        default: nil
        }
    }
}
