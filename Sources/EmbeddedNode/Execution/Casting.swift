import CQLProtocol

/// `CAST(value AS type)`.
enum Casting {
    private static let integers: Set<String> = ["tinyint", "smallint", "int", "bigint", "counter", "varint"]
    private static let fractions: Set<String> = ["float", "double", "decimal"]

    static func cast(_ bytes: Bytes, _ from: ValueType, _ to: ValueType) throws -> Bytes {
        if from == to { return bytes }
        guard case .native(let source) = from, case .native(let target) = to else { throw self.refused(from, to) }
        if target == "text" || target == "ascii" { return Bytes(JSONText.plain(bytes, from).utf8) }
        if self.integers.contains(target) {
            if self.integers.contains(source) { return Arithmetic.bytes(bytes.signed, target) }
            if self.fractions.contains(source) {
                let number = ValueType.number(bytes, source).rounded(.towardZero)
                guard abs(number) < 1e37 else { throw self.refused(from, to) }
                return Arithmetic.bytes(Int128(number), target)
            }
        }
        if self.integers.contains(source) || self.fractions.contains(source) {
            let number = ValueType.number(bytes, source)
            if target == "double" { return number.bitPattern.bytes }
            if target == "float" { return Float(number).bitPattern.bytes }
            if target == "decimal", self.integers.contains(source) { return Int32(0).bytes + .varint(bytes.signed) }
        }
        switch (source, target) {
        case ("timeuuid", "timestamp"), ("date", "timestamp"):
            return try ScalarFunction("totimestamp").call([bytes], [from], returning: to, now: 0) ?? []
        case ("timeuuid", "date"), ("timestamp", "date"):
            return try ScalarFunction("todate").call([bytes], [from], returning: to, now: 0) ?? []
        default: throw self.refused(from, to)
        }
    }

    private static func refused(_ from: ValueType, _ to: ValueType) -> NodeError {
        .invalid("\(from.description) cannot be cast to \(to.description)")
    }
}
