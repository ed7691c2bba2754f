public import NIOCore

/// What may stand in a response's body before its message (native protocol v4 §2.2).
public struct ResponseExtras: Hashable, Sendable {
    /// The id of the trace, where the request asked for one.
    public var tracingID: CQLUUID?
    /// Warnings of the server (v4 only).
    public var warnings: [String]?
    /// The custom payload (v4 only).
    public var customPayload: WireMap<ByteBuffer?>?

    /// Extras; none by default.
    public init(
        tracingID: CQLUUID? = nil,
        warnings: [String]? = nil,
        customPayload: WireMap<ByteBuffer?>? = nil
    ) {
        self.tracingID = tracingID
        self.warnings = warnings
        self.customPayload = customPayload
    }

    /// The flags that announce them.
    public var flags: FrameFlags {
        var flags: FrameFlags = []
        if tracingID != nil { flags.insert(.tracing) }
        if warnings != nil { flags.insert(.warning) }
        if customPayload != nil { flags.insert(.customPayload) }
        return flags
    }

    init(flags: FrameFlags, from reader: inout WireReader) throws(CQLProtocolError) {
        if flags.contains(.tracing) { tracingID = try reader.uuid("tracing id") }
        if flags.contains(.warning) { warnings = try reader.stringList("warnings") }
        if flags.contains(.customPayload) { customPayload = try reader.bytesMap("custom payload") }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        if let tracingID { writer.uuid(tracingID) }
        if let warnings { try writer.stringList(warnings) }
        if let customPayload { try writer.bytesMap(customPayload) }
    }
}
