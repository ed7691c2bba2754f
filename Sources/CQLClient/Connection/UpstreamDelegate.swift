public import CQLProtocol

/// Who sends on upstream connections and takes their answers. Called on the connection's event loop only.
public protocol UpstreamDelegate: AnyObject {
    /// Something was appended to a connection that had nothing to send; the delegate calls ``UpstreamConnection/flush()``
    /// when it has no more.
    func upstreamNeedsFlush(_ connection: UpstreamConnection)
    /// Something that nobody waits for was appended to a connection that had nothing to send; the delegate calls
    /// ``UpstreamConnection/flush()`` when it thinks fit. What is appended after it may still ask for a flush soon.
    func upstreamMayFlushLater(_ connection: UpstreamConnection)
    /// The answers of one read follow, or losses; ``upstreamBurstEnded(_:)`` comes after them.
    func upstreamBurstBegan(_ connection: UpstreamConnection)
    /// An answer. The body's bytes are valid during the call only.
    func upstream(
        _ connection: UpstreamConnection,
        received header: FrameHeader,
        body: UnsafeRawBufferPointer,
        ticket: UInt64
    )
    /// A request whose connection is gone; `wasSent` is false where its bytes certainly never left this process.
    func upstream(_ connection: UpstreamConnection, lost ticket: UInt64, wasSent: Bool)
    /// All answers of one read have been handed over.
    func upstreamBurstEnded(_ connection: UpstreamConnection)
}

extension UpstreamDelegate {
    /// Asks for a flush soon.
    public func upstreamMayFlushLater(_ connection: UpstreamConnection) { self.upstreamNeedsFlush(connection) }

    /// Nothing.
    public func upstreamBurstBegan(_ connection: UpstreamConnection) {}
}
