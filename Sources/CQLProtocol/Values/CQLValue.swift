public import NIOCore

/// A value of any type of CQL (native protocol v4 §6).
///
/// The decoded forms keep what the bytes say, so that encoding gives the bytes back: a tuple that stops early stays
/// short, a number keeps its length.
public indirect enum CQLValue: Hashable, Sendable {
    /// One pair of a map.
    public struct Entry: Hashable, Sendable {
        /// The key.
        public var key: CQLValue
        /// The value.
        public var value: CQLValue

        /// A pair.
        public init(key: CQLValue, value: CQLValue) {
            self.key = key
            self.value = value
        }
    }

    /// No value.
    case null
    /// No bytes, in a type whose values have some; an old habit of Thrift that Cassandra still allows.
    case empty
    /// ascii, varchar.
    case text(String)
    /// tinyint.
    case tinyint(Int8)
    /// smallint.
    case smallint(Int16)
    /// int.
    case int(Int32)
    /// bigint and counter.
    case bigint(Int64)
    /// varint.
    case varint(Varint)
    /// decimal.
    case decimal(CQLDecimal)
    /// float.
    case float(Float)
    /// double.
    case double(Double)
    /// boolean.
    case boolean(Bool)
    /// blob, and values of custom types that are not known here.
    case blob(ByteBuffer)
    /// timestamp: milliseconds since 1970.
    case timestamp(Int64)
    /// date: days, with 2^31 for 1970-01-01.
    case date(UInt32)
    /// time: nanoseconds since midnight.
    case time(Int64)
    /// uuid and timeuuid.
    case uuid(CQLUUID)
    /// inet.
    case inet(InetAddress)
    /// duration.
    case duration(CQLDuration)
    /// list.
    case list([CQLValue])
    /// set.
    case set([CQLValue])
    /// map.
    case map([Entry])
    /// tuple and user-defined type; may be shorter than its type, then the rest is null.
    case tuple([CQLValue])
}
