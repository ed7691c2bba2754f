import CQLProtocol

/// How values of a type compare (Cassandra's `AbstractType.compare`).
public indirect enum ValueOrder: Hashable, Sendable {
    /// Unsigned bytes, one after the other.
    case bytes
    /// Two's complement of one length; no bytes come first.
    case signed
    /// Floating point of 4 or 8 bytes, as Java orders it: NaN last, -0 before 0.
    case floating
    /// By version, then time or bytes.
    case uuid
    /// By time, then signed bytes.
    case timeuuid
    /// Two halves, each signed.
    case lexicalUUID
    /// An integer of any size.
    case varint
    /// A decimal of any size.
    case decimal
    /// Lists and sets: element by element, then the shorter first.
    case list(ValueOrder)
    /// Maps: key and value, pair by pair.
    case map(ValueOrder, ValueOrder)
    /// Tuples and user-defined types: component by component, null first.
    case tuple([ValueOrder])
    /// Elements of one length.
    case vector(ValueOrder, elementLength: Int)
    /// A class whose order is not known here; rows of such a table can be read but not merged.
    case unknown

    init(_ name: ClassName, _ type: DataType, _ vector: ColumnType.Vector?) {
        switch name.head {
        case "DateType", "EmptyType": self = .bytes
        case "LexicalUUIDType": self = .lexicalUUID
        case "VectorType":
            self =
                if let vector, let length = vector.elementLength {
                    .vector(Self(vector.element), elementLength: length)
                } else {
                    .unknown
                }
        default: self = Self(type)
        }
    }

    init(_ type: DataType) {
        self =
            switch type {
            case .ascii, .varchar, .blob, .inet, .date, .time, .boolean: .bytes
            case .tinyint, .smallint, .int, .bigint, .timestamp, .counter: .signed
            case .float, .double: .floating
            case .uuid: .uuid
            case .timeuuid: .timeuuid
            case .varint: .varint
            case .decimal: .decimal
            case .list(let element), .set(let element): .list(Self(element))
            case .map(let key, let value): .map(Self(key), Self(value))
            case .tuple(let types): .tuple(types.map { Self($0) })
            case .udt(_, _, let fields): .tuple(fields.map { Self($0.type) })
            case .native, .custom: .unknown
            }
    }

    /// Whether every part of it is known.
    public var isKnown: Bool {
        switch self {
        case .unknown: false
        case .list(let element), .vector(let element, _): element.isKnown
        case .map(let key, let value): key.isKnown && value.isKnown
        case .tuple(let parts): parts.allSatisfy(\.isKnown)
        default: true
        }
    }
}
