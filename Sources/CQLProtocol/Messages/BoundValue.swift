public import NIOCore

/// A [value] bound to a marker (native protocol v4 §3).
public enum BoundValue: Hashable, Sendable {
    /// Bytes, possibly none.
    case value(ByteBuffer)
    /// Null.
    case null
    /// Left as it is (v4 only).
    case unset
}
