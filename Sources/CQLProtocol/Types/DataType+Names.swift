extension DataType {
    /// ASCII text.
    public static var ascii: Self { .native(0x0001) }
    /// Bytes.
    public static var blob: Self { .native(0x0003) }
    /// True or false.
    public static var boolean: Self { .native(0x0004) }
    /// Counter.
    public static var counter: Self { .native(0x0005) }
    /// Decimal number of any precision.
    public static var decimal: Self { .native(0x0006) }
    /// 64-bit floating point.
    public static var double: Self { .native(0x0007) }
    /// 32-bit floating point.
    public static var float: Self { .native(0x0008) }
    /// Milliseconds since 1970.
    public static var timestamp: Self { .native(0x000b) }
    /// UUID.
    public static var uuid: Self { .native(0x000c) }
    /// Integer of any size.
    public static var varint: Self { .native(0x000e) }
    /// UUID of version 1.
    public static var timeuuid: Self { .native(0x000f) }
    /// Internet address.
    public static var inet: Self { .native(0x0010) }
    /// Day (v4).
    public static var date: Self { .native(0x0011) }
    /// Time of day (v4).
    public static var time: Self { .native(0x0012) }
    /// 16-bit signed integer (v4).
    public static var smallint: Self { .native(0x0013) }
    /// 8-bit signed integer (v4).
    public static var tinyint: Self { .native(0x0014) }
    /// Duration by its id, which versions 3 and 4 do not have: see `durationClass`.
    public static var duration: Self { .native(0x0015) }
    /// Duration as Cassandra sends it in versions 3 and 4.
    public static var durationClass: Self { .custom(marshalPackage + "DurationType") }

    private static var nativeNames: [String] {
        [
            "", "ascii", "bigint", "blob", "boolean", "counter", "decimal", "double", "float", "int", "", "timestamp",
            "uuid", "text", "varint", "timeuuid", "inet", "date", "time", "smallint", "tinyint", "duration",
        ]
    }

    /// Whether it is a native type whose values are known here.
    var isKnownNative: Bool {
        guard case .native(let id) = self, Int(id) < Self.nativeNames.count else { return false }
        return !Self.nativeNames[Int(id)].isEmpty
    }
}

extension DataType: CustomStringConvertible {
    /// The type as CQL writes it.
    public var description: String {
        switch self {
        case .native(let id): isKnownNative ? Self.nativeNames[Int(id)] : "0x" + String(id, radix: 16)
        case .custom(let name): "'\(name)'"
        case .list(let element): "list<\(element)>"
        case .set(let element): "set<\(element)>"
        case .map(let key, let value): "map<\(key), \(value)>"
        case .tuple(let types): "tuple<\(types.map(\.description).joined(separator: ", "))>"
        case .udt(_, let name, _): name
        }
    }
}
