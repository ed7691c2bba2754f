/// The flags of a frame (native protocol v4 §2.2).
public struct FrameFlags: OptionSet, Hashable, Sendable {
    /// The byte on the wire.
    public var rawValue: UInt8

    /// Any byte; unknown bits are kept.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The body is compressed.
    public static var compression: Self { .init(rawValue: 0x01) }
    /// Request: trace it. Response: the body begins with a tracing id.
    public static var tracing: Self { .init(rawValue: 0x02) }
    /// The body holds a custom payload (v4).
    public static var customPayload: Self { .init(rawValue: 0x04) }
    /// The body holds warnings (v4, responses).
    public static var warning: Self { .init(rawValue: 0x08) }
    /// The client accepts a beta version (v5 and later).
    public static var beta: Self { .init(rawValue: 0x10) }
}
