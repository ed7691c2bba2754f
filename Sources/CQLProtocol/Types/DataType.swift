/// The type of a column, marker or element (native protocol v4 §4.2.5.2, [option]).
public indirect enum DataType: Hashable, Sendable {
    /// A type without parameters, by its id; ids that are not known here survive a round trip.
    case native(UInt16)
    /// A type that only the server knows, by the name of its class.
    case custom(String)
    /// A list.
    case list(DataType)
    /// A set.
    case set(DataType)
    /// A map.
    case map(DataType, DataType)
    /// A tuple.
    case tuple([DataType])
    /// A user-defined type.
    case udt(keyspace: String, name: String, fields: [Field])

    /// A field of a user-defined type.
    public struct Field: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its type.
        public var type: DataType

        /// A field of known parts.
        public init(name: String, type: DataType) {
            self.name = name
            self.type = type
        }
    }

    /// Types nest no deeper than this; a server that sends more is not believed.
    public static var nestingMax: Int { 64 }

    /// 64-bit signed integer.
    public static var bigint: Self { .native(0x0002) }
    /// 32-bit signed integer.
    public static var int: Self { .native(0x0009) }
    /// UTF-8 text.
    public static var varchar: Self { .native(0x000d) }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        try self.init(from: &reader, depth: 0)
    }

    private init(from reader: inout WireReader, depth: Int) throws(CQLProtocolError) {
        guard depth < Self.nestingMax else { throw reader.error(.nestedTooDeeply, "type") }
        let id = try reader.short("type")
        switch id {
        case 0x0000: self = .custom(try reader.string("class of a custom type"))
        case 0x0020: self = .list(try Self(from: &reader, depth: depth + 1))
        case 0x0021:
            let key = try Self(from: &reader, depth: depth + 1)
            self = .map(key, try Self(from: &reader, depth: depth + 1))
        case 0x0022: self = .set(try Self(from: &reader, depth: depth + 1))
        case 0x0030:
            let keyspace = try reader.string("keyspace of a type")
            let name = try reader.string("name of a type")
            let count = try reader.checkedCount(Int(try reader.short("fields")), minimum: 4, "fields of a type")
            var fields: [Field] = []
            fields.reserveCapacity(count)
            for _ in 0..<count {
                let field = try reader.string("name of a field")
                fields.append(Field(name: field, type: try Self(from: &reader, depth: depth + 1)))
            }
            self = .udt(keyspace: keyspace, name: name, fields: fields)
        case 0x0031:
            let count = try reader.checkedCount(Int(try reader.short("elements")), minimum: 2, "elements of a tuple")
            var elements: [DataType] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(try Self(from: &reader, depth: depth + 1)) }
            self = .tuple(elements)
        default: self = .native(id)
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        switch self {
        case .native(let id): writer.short(id)
        case .custom(let name):
            writer.short(0x0000)
            try writer.string(name)
        case .list(let element):
            writer.short(0x0020)
            try element.write(to: &writer)
        case .map(let key, let value):
            writer.short(0x0021)
            try key.write(to: &writer)
            try value.write(to: &writer)
        case .set(let element):
            writer.short(0x0022)
            try element.write(to: &writer)
        case .udt(let keyspace, let name, let fields):
            writer.short(0x0030)
            try writer.string(keyspace)
            try writer.string(name)
            try writer.count(fields.count, "fields of a type")
            for field in fields {
                try writer.string(field.name)
                try field.type.write(to: &writer)
            }
        case .tuple(let elements):
            writer.short(0x0031)
            try writer.count(elements.count, "elements of a tuple")
            for element in elements { try element.write(to: &writer) }
        }
    }
}
