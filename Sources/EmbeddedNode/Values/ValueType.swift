import CQLProtocol
import CQLSyntax

/// The type of a column with what the wire leaves out: whether a collection is frozen.
indirect enum ValueType: Hashable, Sendable {
    /// A type without parameters, by its CQL name (`varchar` is `text`).
    case native(String)
    case list(ValueType)
    case set(ValueType)
    case map(ValueType, ValueType)
    case tuple([ValueType])
    case udt(keyspace: String, name: String, fields: [Field])
    case frozen(ValueType)

    /// A field of a user-defined type.
    struct Field: Hashable, Sendable {
        let name: String
        let type: ValueType
    }

    /// Type ids of the native protocol v4 §4.2.5.2.
    static let nativeIDs: [String: UInt16] = [
        "ascii": 0x01, "bigint": 0x02, "blob": 0x03, "boolean": 0x04, "counter": 0x05, "decimal": 0x06,
        "double": 0x07, "float": 0x08, "int": 0x09, "timestamp": 0x0b, "uuid": 0x0c, "text": 0x0d, "varint": 0x0e,
        "timeuuid": 0x0f, "inet": 0x10, "date": 0x11, "time": 0x12, "smallint": 0x13, "tinyint": 0x14,
    ]

    static var text: Self { .native("text") }
    static var int: Self { .native("int") }
    static var bigint: Self { .native("bigint") }

    /// The type without `frozen` around it.
    var thawed: ValueType {
        if case .frozen(let inner) = self { return inner.thawed }
        return self
    }

    /// Whether its values are stored element by element.
    var isComplex: Bool {
        switch self {
        case .list, .set, .map, .udt: true
        case .native, .tuple, .frozen: false
        }
    }

    /// Whether the bytes of every value of another type are a value of this one.
    func mayHold(_ other: ValueType) -> Bool {
        switch (self, other) {
        case _ where self == other: true
        case (.native("blob"), _), (.native("uuid"), .native("timeuuid")), (.native("bigint"), .native("timestamp")),
            (.native("text"), .native("ascii")),
            (.native("varint"), .native("bigint")), (.native("varint"), .native("int")):
            true
        default: false
        }
    }

    var isCounter: Bool { self == .native("counter") }

    /// The type as the wire names it.
    var wire: DataType {
        switch self {
        case .native("duration"): .custom("org.apache.cassandra.db.marshal.DurationType")
        case .native(let name): .native(Self.nativeIDs[name] ?? 0x03)
        case .list(let element): .list(element.wire)
        case .set(let element): .set(element.wire)
        case .map(let key, let value): .map(key.wire, value.wire)
        case .tuple(let elements): .tuple(elements.map(\.wire))
        case .frozen(let inner): inner.wire
        case .udt(let keyspace, let name, let fields):
            .udt(keyspace: keyspace, name: name, fields: fields.map { .init(name: $0.name, type: $0.type.wire) })
        }
    }

    /// The type as `system_schema.columns` writes it.
    var description: String {
        switch self {
        case .native(let name): name
        case .list(let element): "list<\(element.description)>"
        case .set(let element): "set<\(element.description)>"
        case .map(let key, let value): "map<\(key.description), \(value.description)>"
        case .tuple(let elements): "frozen<tuple<\(elements.map(\.description).joined(separator: ", "))>>"
        case .udt(_, let name, _): name
        case .frozen(.tuple(let elements)): ValueType.tuple(elements).description
        case .frozen(let inner): "frozen<\(inner.description)>"
        }
    }

    /// The type with new fields of a user type, wherever it is used.
    func replacing(_ name: String, of keyspace: String, with fields: [Field]) -> ValueType {
        func inner(_ type: ValueType) -> ValueType { type.replacing(name, of: keyspace, with: fields) }
        return switch self {
        case .native: self
        case .list(let element): .list(inner(element))
        case .set(let element): .set(inner(element))
        case .map(let key, let value): .map(inner(key), inner(value))
        case .tuple(let elements): .tuple(elements.map { inner($0) })
        case .frozen(let type): .frozen(inner(type))
        case .udt(keyspace, name, _): .udt(keyspace: keyspace, name: name, fields: fields)
        case .udt(let owner, let other, let own):
            .udt(keyspace: owner, name: other, fields: own.map { Field(name: $0.name, type: inner($0.type)) })
        }
    }
}
