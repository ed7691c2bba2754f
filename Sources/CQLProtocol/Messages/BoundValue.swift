public import NIOCore

/// A [value] bound to a marker (native protocol v4 §3).
public enum BoundValue: Hashable, Sendable {
    /// Bytes, possibly none.
    case value(ByteBuffer)
    /// Null.
    case null
    /// Left as it is (v4 only).
    case unset

    /// A value of these bytes.
    public init(bytes: [UInt8]) { self = .value(ByteBuffer(bytes: bytes)) }

    /// A copy of the bytes, which keeps no receive buffer alive; nil for null and unset.
    public var bytes: [UInt8]? {
        guard case .value(let bytes) = self else { return nil }
        return Array(bytes.readableBytesView)
    }
}
