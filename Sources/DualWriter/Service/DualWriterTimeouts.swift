/// How long the proxy waits, per kind of request. All can be changed at run time and apply to requests that arrive later.
public struct DualWriterTimeouts: Sendable, Equatable {
    /// A read without an answer for this long is answered READ_TIMEOUT by the proxy, in milliseconds.
    public var readMilliseconds: Int = 10_000

    /// A write (or PREPARE, or schema change) that the primary has not answered for this long is answered WRITE_TIMEOUT by
    /// the proxy, in milliseconds. Its outcome is unknown, so it is shipped to the shadow as if it had happened.
    public var primaryWriteMilliseconds: Int = 10_000

    /// How long one attempt on the shadow may take, in milliseconds; then it is tried again where that is safe.
    public var shadowWriteMilliseconds: Int = 5_000

    /// How long requests in flight and shadow writes may take to finish after a stop was asked for, in milliseconds.
    public var drainMilliseconds: Int = 30_000

    /// The times documented on each property.
    public init() {}
}
