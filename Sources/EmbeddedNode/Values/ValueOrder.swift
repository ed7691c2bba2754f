/// How Cassandra compares values of a type.
extension ValueType {
    /// Negative, zero or positive, as `left` is before, equal to or behind `right`.
    func compare(_ left: Bytes, _ right: Bytes) -> Int {
        switch self {
        case .native(let name): return Self.compare(left, right, native: name)
        case .frozen(let inner): return inner.compare(left, right)
        case .list(let element), .set(let element):
            return Self.compare(left.parts(from: 4) ?? [], right.parts(from: 4) ?? []) { _ in element }
        case .map(let key, let value):
            return Self.compare(left.parts(from: 4) ?? [], right.parts(from: 4) ?? []) { $0 % 2 == 0 ? key : value }
        case .tuple(let elements):
            return Self.compare(left.parts(from: 0) ?? [], right.parts(from: 0) ?? []) {
                $0 < elements.count ? elements[$0] : .native("blob")
            }
        case .udt(_, _, let fields):
            return Self.compare(left.parts(from: 0) ?? [], right.parts(from: 0) ?? []) {
                $0 < fields.count ? fields[$0].type : .native("blob")
            }
        }
    }

    private static func compare(_ left: [Bytes?], _ right: [Bytes?], type: (Int) -> ValueType) -> Int {
        for index in 0..<min(left.count, right.count) {
            let order: Int =
                switch (left[index], right[index]) {
                case (nil, nil): 0
                case (nil, _): -1
                case (_, nil): 1
                case (let one?, let other?): type(index).compare(one, other)
                }
            if order != 0 { return order }
        }
        return left.count - right.count
    }

    private static func compare(_ left: Bytes, _ right: Bytes, native name: String) -> Int {
        if left.isEmpty || right.isEmpty { return left.count - right.count }
        switch name {
        case "int", "bigint", "smallint", "tinyint", "varint", "counter", "timestamp", "time", "boolean":
            let (one, other) = (left.signed, right.signed)
            return one < other ? -1 : one == other ? 0 : 1
        case "double", "float", "decimal":
            let (one, other) = (self.number(left, name), self.number(right, name))
            return one < other ? -1 : one == other ? 0 : 1
        case "timeuuid" where left.count == 16 && right.count == 16:
            let order = self.unsigned(self.timeBits(left), self.timeBits(right))
            return order != 0 ? order : self.signedBytes(Bytes(left[8...]), Bytes(right[8...]))
        case "uuid" where left.count == 16 && right.count == 16:
            let (one, other) = (left[6] >> 4, right[6] >> 4)
            if one != other { return one < other ? -1 : 1 }
            if one == 1 {
                let order = self.unsigned(self.timeBits(left), self.timeBits(right))
                if order != 0 { return order }
            }
            return self.unsigned(left, right)
        default: return self.unsigned(left, right)
        }
    }

    /// The value of a floating or decimal number; decimals beyond a double's precision compare as equal.
    static func number(_ bytes: Bytes, _ name: String) -> Double {
        switch name {
        case "double": return Double(bitPattern: UInt64(bitPattern: bytes.int64))
        case "float": return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bytes.signed)))
        case "decimal":
            guard bytes.count > 4 else { return 0 }
            var value = Double(Bytes(bytes[4...]).signed)
            let scale = Bytes(bytes[..<4]).int64
            for _ in 0..<min(abs(scale), 400) { value = scale > 0 ? value / 10 : value * 10 }
            return value
        default: return Double(bytes.signed)
        }
    }

    private static func timeBits(_ uuid: Bytes) -> Bytes {
        [uuid[6] & 0x0f, uuid[7], uuid[4], uuid[5], uuid[0], uuid[1], uuid[2], uuid[3]]
    }

    private static func signedBytes(_ left: Bytes, _ right: Bytes) -> Int {
        self.unsigned(left.map { $0 ^ 0x80 }, right.map { $0 ^ 0x80 })
    }

    /// Lexical order of unsigned bytes.
    static func unsigned(_ left: Bytes, _ right: Bytes) -> Int {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index] ? -1 : 1
        }
        return left.count - right.count
    }
}
