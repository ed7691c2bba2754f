/// What a client registers for (native protocol v4 §4.1.8). Unknown types survive a round trip.
public struct EventType: RawRepresentable, Hashable, Sendable {
    /// The name on the wire.
    public let rawValue: String

    /// Any type.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// TOPOLOGY_CHANGE
    public static var topologyChange: Self { .init(rawValue: "TOPOLOGY_CHANGE") }
    /// STATUS_CHANGE
    public static var statusChange: Self { .init(rawValue: "STATUS_CHANGE") }
    /// SCHEMA_CHANGE
    public static var schemaChange: Self { .init(rawValue: "SCHEMA_CHANGE") }
}
