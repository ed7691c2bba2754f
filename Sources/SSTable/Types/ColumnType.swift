public import CQLProtocol

/// The type of a column as an SSTable names it: a class of Cassandra.
///
/// Besides the type of its values it says how they lie on disk, in which order they stand, and whether each element is
/// a cell of its own.
public struct ColumnType: Hashable, Sendable, CustomStringConvertible {
    /// The class as the file has it.
    public let className: String
    /// The type of values; `.custom` for a class that is not known here.
    public let dataType: DataType
    /// Whether larger values come first in the clustering.
    public let isReversed: Bool
    /// Whether it is a collection or user-defined type whose elements are cells of their own.
    public let isMultiCell: Bool
    /// Bytes of each value that is not empty, where all have the same; such values stand without their length.
    public let fixedLength: Int?
    /// How values compare, leaving aside whether they are reversed.
    public let order: ValueOrder
    /// Elements of a vector and their type (Cassandra 5.0); nil for other types.
    public let vector: Vector?

    /// What a vector consists of.
    public struct Vector: Hashable, Sendable {
        /// The type of the elements.
        public let element: DataType
        /// Bytes of each element; nil where each has its own length.
        public let elementLength: Int?
        /// The number of elements.
        public let dimension: Int
    }

    /// The type of a class; nil where the name is not one.
    init?(className: String) {
        guard let outer = ClassName(className[...]) else { return nil }
        var name = className[...]
        var inner = outer
        if outer.head == "ReversedType" {
            guard outer.parameters.count == 1, let wrapped = ClassName(outer.parameters[0]) else { return nil }
            name = outer.parameters[0]
            inner = wrapped
        }
        self.className = className
        self.isReversed = outer.head == "ReversedType"
        self.isMultiCell = ["ListType", "SetType", "MapType", "UserType"].contains(inner.head)
        self.vector = inner.head == "VectorType" ? Vector(inner) : nil
        self.dataType = DataType(marshalClass: String(name)) ?? .custom(String(name))
        self.fixedLength = Self.fixedLength(inner, self.vector)
        self.order = ValueOrder(inner, self.dataType, self.vector)
    }

    private init(frozen type: ColumnType) {
        self.className = type.className
        self.dataType = type.dataType
        self.isReversed = type.isReversed
        self.isMultiCell = false
        self.fixedLength = type.fixedLength
        self.order = type.order
        self.vector = type.vector
    }

    /// The same type with each value as one cell.
    var frozen: Self { Self(frozen: self) }

    /// The class.
    public var description: String { self.className }

    /// The types of the parts of a partition key: of a `CompositeType` its components, else the type itself.
    static func keyComponents(_ className: String) -> [ColumnType]? {
        guard let name = ClassName(className[...]) else { return nil }
        guard name.head == "CompositeType" else { return ColumnType(className: className).map { [$0] } }
        let types = name.parameters.compactMap { ColumnType(className: String($0)) }
        return types.count == name.parameters.count && !types.isEmpty ? types : nil
    }

    /// Types whose values have one length (Cassandra's `valueLengthIfFixed`); smallint, tinyint, date and time are not
    /// among them.
    static func fixedLength(_ name: ClassName, _ vector: Vector?) -> Int? {
        switch name.head {
        case "BooleanType": 1
        case "Int32Type", "FloatType": 4
        case "LongType", "DoubleType", "TimestampType", "DateType": 8
        case "UUIDType", "TimeUUIDType", "LexicalUUIDType": 16
        case "EmptyType": 0
        case "FrozenType":
            name.parameters.first.flatMap { ClassName($0) }.flatMap { Self.fixedLength($0, nil) }
        case "VectorType":
            vector.flatMap { vector in vector.elementLength.map { $0 * vector.dimension } }
        default: nil
        }
    }
}

extension ColumnType.Vector {
    /// Vectors have at most so many elements (Cassandra's `VectorType.MAX_DIMENSIONS` is far below).
    private static var dimensionMax: Int { 65_536 }

    fileprivate init?(_ name: ClassName) {
        guard name.parameters.count == 2, let dimension = Int(name.parameters[1]),
            (1...Self.dimensionMax).contains(dimension), let element = ClassName(name.parameters[0]),
            let type = DataType(marshalClass: String(name.parameters[0]))
        else { return nil }
        self.init(element: type, elementLength: ColumnType.fixedLength(element, nil), dimension: dimension)
    }
}
