import CQLProtocol
import NIOCore
import Testing

@testable import DualWriter

/// Traces in custom payloads, by the formats' own examples.
struct TraceContextTests {
    private static func payload(_ headers: [(String, String?)]) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(headers.count))
        for (key, value) in headers {
            buffer.writeInteger(UInt16(key.utf8.count))
            buffer.writeString(key)
            buffer.writeInteger(value.map { Int32($0.utf8.count) } ?? -1)
            buffer.writeString(value ?? "")
        }
        return Array(buffer.readableBytesView)
    }

    private static func context(_ headers: [(String, String?)]) -> TraceContext? {
        self.payload(headers).withUnsafeBytes { TraceContext(customPayload: $0) }
    }

    /// W3C Trace Context §3.2.
    private static let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `traceparent names the trace, the span and whether it is recorded`() throws {
        let context = try #require(Self.context([("other", "x"), ("TraceParent", Self.traceparent)]))
        #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.spanID == "00f067aa0ba902b7")
        #expect(context.isSampled)
        let quiet = try #require(TraceContext(traceparent: Self.traceparent.dropLast(2) + "00"))
        #expect(!quiet.isSampled)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    ])
    func `what does not follow the format of traceparent is no context`(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func `a later version of traceparent may say more`() throws {
        let context = try #require(
            TraceContext(traceparent: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-holds")
        )
        #expect(context.spanID == "00f067aa0ba902b7")
    }

    @Test func `b3 is read as one header and as several`() throws {
        let one = try #require(
            Self.context([("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90")])
        )
        #expect(one.traceID == "80f198ee56343ba864fe8b2a57d3eff7" && one.spanID == "e457b5a2e4d86bd1" && one.isSampled)
        let several = Self.context([
            ("X-B3-TraceId", "463ac35c9f6413ad"), ("X-B3-SpanId", "a2fb4a1d1a96d312"), ("X-B3-Sampled", "1"),
        ])
        #expect(several?.traceID == "463ac35c9f6413ad" && several?.isSampled == true)
        let debug = Self.context([
            ("X-B3-TraceId", "463ac35c9f6413ad"), ("X-B3-SpanId", "a2fb4a1d1a96d312"), ("X-B3-Flags", "1"),
        ])
        #expect(debug?.isSampled == true)
        #expect(TraceContext(b3: "0") == nil)
        #expect(TraceContext(b3: "463ac35c9f6413ad-a2fb4a1d1a96d312-x") == nil)
        #expect(TraceContext(b3: "463ac35c9f6413ad-a2fb4a1d1a96d312")?.isSampled == false)
    }

    @Test func `a payload without a trace, and one that is cut anywhere, has no context`() {
        #expect(Self.context([]) == nil)
        #expect(Self.context([("traceparent", nil)]) == nil)
        let whole = Self.payload([("traceparent", Self.traceparent)])
        for length in whole.indices {
            let cut = Array(whole[..<length])
            #expect(cut.withUnsafeBytes { TraceContext(customPayload: $0) } == nil, "\(length) bytes")
        }
    }
}
