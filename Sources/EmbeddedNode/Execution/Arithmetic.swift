import CQLProtocol
import CQLSyntax

/// Arithmetic of values of one numeric type.
enum Arithmetic {
    static func apply(_ sign: ArithmeticOperator, _ left: Bytes, _ right: Bytes, _ type: ValueType) throws -> Bytes {
        guard case .native(let name) = type else { throw self.refused(type) }
        switch name {
        case "tinyint", "smallint", "int", "bigint", "counter", "varint":
            return self.bytes(try self.integer(sign, left.signed, right.signed), name)
        case "float", "double":
            let one = ValueType.number(left, name)
            let other = ValueType.number(right, name)
            let result: Double =
                switch sign {
                case .add: one + other
                case .subtract: one - other
                case .multiply: one * other
                case .divide: one / other
                case .remainder: one.truncatingRemainder(dividingBy: other)
                }
            return name == "float" ? Float(result).bitPattern.bytes : result.bitPattern.bytes
        default: throw self.refused(type)
        }
    }

    static func negate(_ bytes: Bytes, _ type: ValueType) throws -> Bytes {
        guard case .native(let name) = type else { throw self.refused(type) }
        switch name {
        case "float": return Float(-ValueType.number(bytes, name)).bitPattern.bytes
        case "double": return (-ValueType.number(bytes, name)).bitPattern.bytes
        default: return try self.apply(.subtract, [0], bytes, type)
        }
    }

    /// An integer as bytes of a type, its high bits lost where it is too wide, as in Java.
    static func bytes(_ value: Int128, _ name: String) -> Bytes {
        switch name {
        case "tinyint": Int8(truncatingIfNeeded: value).bytes
        case "smallint": Int16(truncatingIfNeeded: value).bytes
        case "int": Int32(truncatingIfNeeded: value).bytes
        case "varint": .varint(value)
        default: Int64(truncatingIfNeeded: value).bytes
        }
    }

    private static func integer(_ sign: ArithmeticOperator, _ one: Int128, _ other: Int128) throws -> Int128 {
        switch sign {
        case .add: return one &+ other
        case .subtract: return one &- other
        case .multiply: return one &* other
        case .divide, .remainder:
            guard other != 0 else {
                let details = ErrorMessage.Details.functionFailure(
                    keyspace: "system",
                    function: "_divide",
                    arguments: []
                )
                throw NodeError(.functionFailure, "the operation failed: / by zero", details: details)
            }
            return sign == .divide ? one / other : one % other
        }
    }

    private static func refused(_ type: ValueType) -> NodeError { .unsupported("arithmetic with \(type.description)") }
}
