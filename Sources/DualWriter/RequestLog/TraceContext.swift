/// The trace that a request belongs to, as its custom payload says.
///
/// Read are the headers `traceparent` (W3C Trace Context, level 1, §3.2) and `b3`, else `X-B3-TraceId`, `X-B3-SpanId`,
/// `X-B3-Sampled` and `X-B3-Flags` (B3 propagation), as keys of the payload in any case of letters. What does not follow its
/// format is no context. The payload itself goes to the clusters as it came.
struct TraceContext: Equatable, Sendable {
    /// 32 digits of a hexadecimal number, or 16 with B3.
    let traceID: String
    /// 16 of them.
    let spanID: String
    /// Whether the trace is recorded.
    let isSampled: Bool

    private init?(traceID: some StringProtocol, spanID: some StringProtocol, isSampled: Bool, digits: [Int]) {
        guard digits.contains(traceID.utf8.count), spanID.utf8.count == 16, Self.isNumber(traceID),
            Self.isNumber(spanID)
        else { return nil }
        self.traceID = String(traceID)
        self.spanID = String(spanID)
        self.isSampled = isSampled
    }

    /// Reads `traceparent`: `version-trace-parent-flags`.
    init?(traceparent text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        // Later versions may say more behind the flags, and must say this much.
        guard parts.count >= 4, parts[0].utf8.count == 2, Self.isHexadecimal(parts[0]), parts[0] != "ff",
            parts[0] != "00" || parts.count == 4, parts[3].utf8.count == 2, Self.isHexadecimal(parts[3]),
            let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        self.init(traceID: parts[1], spanID: parts[2], isSampled: flags & 1 == 1, digits: [32])
    }

    /// Reads `b3`: `trace-span`, and then `-state` and `-parent`.
    init?(b3 text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (2...4).contains(parts.count) else { return nil }
        let state = parts.count > 2 ? parts[2] : "0"
        guard ["0", "1", "d"].contains(state) else { return nil }
        self.init(traceID: parts[0], spanID: parts[1], isSampled: state != "0", digits: [16, 32])
    }

    /// Finds it in a custom payload, a [bytes map] (native protocol v4 §2.2); nil where there is none.
    init?(customPayload bytes: UnsafeRawBufferPointer) {
        guard let count = AnswerLayout.uint16(bytes, at: 0) else { return nil }
        var headers: [String: String] = [:]
        var offset = 2
        for _ in 0..<count {
            guard let keyLength = AnswerLayout.uint16(bytes, at: offset) else { return nil }
            let key = offset + 2..<offset + 2 + Int(keyLength)
            guard let valueLength = AnswerLayout.int32(bytes, at: key.upperBound) else { return nil }
            let value = key.upperBound + 4..<key.upperBound + 4 + max(0, Int(valueLength))
            guard value.upperBound <= bytes.count else { return nil }
            offset = value.upperBound
            if key.count <= Self.keyBytesMax, value.count <= Self.valueBytesMax {
                headers[String(decoding: bytes[key], as: UTF8.self).lowercased()] =
                    String(decoding: bytes[value], as: UTF8.self)
            }
        }
        if let context = headers["traceparent"].flatMap({ Self(traceparent: $0) }) {
            self = context
        } else if let context = headers["b3"].flatMap({ Self(b3: $0) }) {
            self = context
        } else if let trace = headers["x-b3-traceid"], let span = headers["x-b3-spanid"] {
            let isSampled = ["1", "true"].contains(headers["x-b3-sampled"]) || headers["x-b3-flags"] == "1"
            self.init(traceID: trace, spanID: span, isSampled: isSampled, digits: [16, 32])
        } else {
            return nil
        }
    }

    /// No key or value that is looked for is longer.
    private static var keyBytesMax: Int { 16 }
    private static var valueBytesMax: Int { 256 }

    private static func isHexadecimal(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Nothing but zeros is no id.
    private static func isNumber(_ text: some StringProtocol) -> Bool {
        self.isHexadecimal(text) && text.utf8.contains { $0 != 0x30 }
    }
}
