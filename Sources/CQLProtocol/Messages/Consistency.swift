/// A consistency level (native protocol v4 §3). Unknown levels survive a round trip.
public struct Consistency: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The short on the wire.
    public let rawValue: UInt16

    /// Any level.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// ANY
    public static var any: Self { .init(rawValue: 0) }
    /// ONE
    public static var one: Self { .init(rawValue: 1) }
    /// TWO
    public static var two: Self { .init(rawValue: 2) }
    /// THREE
    public static var three: Self { .init(rawValue: 3) }
    /// QUORUM
    public static var quorum: Self { .init(rawValue: 4) }
    /// ALL
    public static var all: Self { .init(rawValue: 5) }
    /// LOCAL_QUORUM
    public static var localQuorum: Self { .init(rawValue: 6) }
    /// EACH_QUORUM
    public static var eachQuorum: Self { .init(rawValue: 7) }
    /// SERIAL
    public static var serial: Self { .init(rawValue: 8) }
    /// LOCAL_SERIAL
    public static var localSerial: Self { .init(rawValue: 9) }
    /// LOCAL_ONE
    public static var localOne: Self { .init(rawValue: 10) }

    private static var names: [String] {
        [
            "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL",
            "LOCAL_ONE",
        ]
    }

    /// The level with a name as CQL writes it, in any case.
    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name.uppercased()) else { return nil }
        self.init(rawValue: UInt16(index))
    }

    /// Whether it is SERIAL or LOCAL_SERIAL.
    public var isSerial: Bool { rawValue == 8 || rawValue == 9 }

    /// The name where there is one, else the number.
    public var description: String {
        let names = Self.names
        return Int(rawValue) < names.count ? names[Int(rawValue)] : "UNKNOWN(\(rawValue))"
    }
}
