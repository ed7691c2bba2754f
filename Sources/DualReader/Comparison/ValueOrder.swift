public import CQLProtocol
public import NIOCore

/// The order of values of a type as Cassandra's `AbstractType.compare` has it, on their bytes. Pure.
public enum ValueOrder {
    /// Below 0 where `left` comes first, 0 where they are equal, above 0 where `right` comes first.
    public static func compare(_ left: ByteBuffer, _ right: ByteBuffer, as type: DataType) -> Int {
        left.withUnsafeReadableBytes { left in
            right.withUnsafeReadableBytes { right in Self.compare(left, right, type, isEquality: false) }
        }
    }

    /// Whether two values are equal: numbers however they are padded, a type's last fields missing or null, sets and maps
    /// whatever order their bytes have, not-a-number whatever its bits. Null is equal to null alone, and not to no bytes.
    public static func areEqual(_ left: ByteBuffer?, _ right: ByteBuffer?, as type: DataType) -> Bool {
        guard let left, let right else { return (left == nil) == (right == nil) }
        if left == right { return true }
        return left.withUnsafeReadableBytes { left in
            right.withUnsafeReadableBytes { right in Self.compare(left, right, type, isEquality: true) == 0 }
        }
    }

    typealias Bytes = UnsafeRawBufferPointer

    /// - Parameter isEquality: whether only equality is asked for, so that the order of sets and maps does not matter.
    static func compare(_ left: Bytes, _ right: Bytes, _ type: DataType, isEquality: Bool) -> Int {
        switch type {
        case .native(let id): return Self.native(left, right, DataType.native(id))
        case .custom(let name):
            guard let known = DataType(marshalClass: name) else { return Self.unsigned(left, right) }
            return Self.compare(left, right, known, isEquality: isEquality)
        case .list(let element):
            return Self.collection(left, right, [element], isEquality: isEquality, isSorted: false)
        case .set(let element):
            return Self.collection(left, right, [element], isEquality: isEquality, isSorted: true)
        case .map(let key, let value):
            return Self.collection(left, right, [key, value], isEquality: isEquality, isSorted: true)
        case .tuple(let types): return Self.components(left, right, types, isEquality: isEquality)
        case .udt(_, _, let fields):
            return Self.components(left, right, fields.map(\.type), isEquality: isEquality)
        }
    }

    /// `ByteBufferUtil.compareUnsigned`: byte by byte, then the shorter one first.
    static func unsigned(_ left: Bytes, _ right: Bytes) -> Int {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index] ? -1 : 1
        }
        return left.count - right.count
    }

    private static func native(_ left: Bytes, _ right: Bytes, _ type: DataType) -> Int {
        switch type {
        case .tinyint: Self.number(left, right, Int8.self)
        case .smallint: Self.number(left, right, Int16.self)
        case .int: Self.number(left, right, Int32.self)
        case .bigint, .counter, .timestamp: Self.number(left, right, Int64.self)
        case .boolean: Self.sized(left, right, 1) { ($0[0] == 0 ? 0 : 1) - ($1[0] == 0 ? 0 : 1) }
        case .float:
            Self.sized(left, right, 4) {
                Self.order(Double(Float(bitPattern: Self.load($0))), Double(Float(bitPattern: Self.load($1))))
            }
        case .double:
            Self.sized(left, right, 8) {
                Self.order(Double(bitPattern: Self.load($0)), Double(bitPattern: Self.load($1)))
            }
        case .uuid: Self.sized(left, right, 16) { Self.uuid($0, $1) }
        case .timeuuid: Self.sized(left, right, 16) { Self.timeUUID($0, $1) }
        case .varint: NumberOrder.varint(left, right)
        case .decimal: NumberOrder.decimal(left, right)
        // Text, blobs, addresses, dates (unsigned days), times of day and durations by their bytes.
        default: Self.unsigned(left, right)
        }
    }

    static func load<Number: FixedWidthInteger>(_ bytes: Bytes, at offset: Int = 0) -> Number {
        Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    static func order<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }

    private static func number<Number: FixedWidthInteger>(_ left: Bytes, _ right: Bytes, _: Number.Type) -> Int {
        Self.sized(left, right, MemoryLayout<Number>.size) {
            Self.order(Self.load($0) as Number, Self.load($1) as Number)
        }
    }

    /// No bytes come first; what has another size than its type is no value, and only its bytes can be compared.
    private static func sized(_ left: Bytes, _ right: Bytes, _ size: Int, _ body: (Bytes, Bytes) -> Int) -> Int {
        guard left.count == size, right.count == size else { return Self.unsigned(left, right) }
        return body(left, right)
    }

    /// `Double.compareTo`: negative zero below zero, and not-a-number above all and equal to itself.
    private static func order(_ left: Double, _ right: Double) -> Int {
        if left < right { return -1 }
        if left > right { return 1 }
        if left.isNaN || right.isNaN { return (left.isNaN ? 1 : 0) - (right.isNaN ? 1 : 0) }
        return (left.sign == .minus ? 0 : 1) - (right.sign == .minus ? 0 : 1)
    }

    // MARK: UUIDs

    /// `UUIDType`: by version, those of version 1 by their time, then by their bytes.
    private static func uuid(_ left: Bytes, _ right: Bytes) -> Int {
        let (one, other): (UInt64, UInt64) = (Self.load(left), Self.load(right))
        let (version, otherVersion) = (one >> 12 & 0xf, other >> 12 & 0xf)
        if version != otherVersion { return Self.order(version, otherVersion) }
        let high = version == 1 ? Self.order(Self.time(one), Self.time(other)) : Self.order(one, other)
        return high != 0 ? high : Self.order(Self.load(left, at: 8) as UInt64, Self.load(right, at: 8) as UInt64)
    }

    /// `TimeUUIDType`: by their time, then by the signed bytes of the rest.
    private static func timeUUID(_ left: Bytes, _ right: Bytes) -> Int {
        let high = Self.order(Self.time(Self.load(left)), Self.time(Self.load(right)))
        guard high == 0 else { return high }
        for index in 8..<16 where left[index] != right[index] {
            return Self.order(Int8(bitPattern: left[index]), Int8(bitPattern: right[index]))
        }
        return 0
    }

    /// The parts of a time, the highest ones first: `TimeUUIDType.reorderTimestampBytes`.
    private static func time(_ high: UInt64) -> Int64 {
        Int64(bitPattern: high << 48 | high << 16 & 0xffff_0000_0000 | high >> 32)
    }
}
