/// A version of the native protocol that this module speaks: 3 or 4 (native protocol v4 §2.1).
public struct ProtocolVersion: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The version number without the direction bit.
    public let rawValue: UInt8

    /// Any number; ask `isSupported`.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0x7f }

    /// Version 3.
    public static var v3: Self { .init(rawValue: 3) }
    /// Version 4.
    public static var v4: Self { .init(rawValue: 4) }

    /// The bit of the version byte that marks a response.
    public static var responseBit: UInt8 { 0x80 }

    /// Whether messages of this version can be decoded here.
    public var isSupported: Bool { rawValue == 3 || rawValue == 4 }
    /// The first byte of a request frame.
    public var requestByte: UInt8 { rawValue }
    /// The first byte of a response frame.
    public var responseByte: UInt8 { rawValue | Self.responseBit }

    /// By number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The name where there is one, else the number.
    public var description: String { "v\(rawValue)" }
}
