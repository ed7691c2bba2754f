import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Operations

struct ConnectionGuardTests {
    private static let request = HTTPRequest(method: .put, scheme: "http", authority: "a", path: "/v1/phase")

    /// A connection that stands, with ten seconds for a request and thirty for an answer.
    private static func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([
            ConnectionGuard(requestTimeout: .seconds(10), answerTimeout: .seconds(30)), AnswerHeaders(),
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private static func answer(_ type: String = "application/json") -> HTTPResponsePart {
        .head(HTTPResponse(status: .ok, headerFields: [.contentType: type]))
    }

    @Test func `a connection that sends no request is closed`() throws {
        let channel = try Self.channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `a body that drips is cut off, however often a piece of it comes`() throws {
        let channel = try Self.channel()
        try channel.writeInbound(HTTPRequestPart.head(Self.request))
        for _ in 0..<9 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
            #expect(channel.isActive)
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `the sidecar itself may take as long as it needs, and the peer then gets its own time`() throws {
        let channel = try Self.channel()
        try channel.writeInbound(HTTPRequestPart.head(Self.request))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        try channel.writeOutbound(Self.answer())
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `a stream of events and a wait between two requests are left alone`() throws {
        for type in [EventFeed.contentType, "application/json"] {
            let channel = try Self.channel()
            try channel.writeInbound(HTTPRequestPart.head(Self.request))
            try channel.writeInbound(HTTPRequestPart.end(nil))
            try channel.writeOutbound(Self.answer(type))
            if type != EventFeed.contentType { try channel.writeOutbound(HTTPResponsePart.end(nil)) }
            channel.embeddedEventLoop.advanceTime(by: .hours(1))
            #expect(channel.isActive)
        }
    }

    @Test func `a request that is refused before its end gets its time only once`() throws {
        let channel = try Self.channel()
        try channel.writeInbound(HTTPRequestPart.head(Self.request))
        try channel.writeOutbound(Self.answer())
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        #expect(!channel.isActive)
    }

    @Test func `every answer carries the headers, and one of its own stays`() throws {
        let channel = try Self.channel()
        for policy in [nil, "default-src 'self'"] {
            var head = HTTPResponse(status: .badRequest)
            head.headerFields[.contentSecurityPolicy] = policy
            try channel.writeOutbound(HTTPResponsePart.head(head))
            guard case .head(let sent) = try channel.readOutbound(as: HTTPResponsePart.self) else {
                Issue.record("no head was sent")
                return
            }
            #expect(sent.headerFields[.xContentTypeOptions] == "nosniff")
            #expect(sent.headerFields[.cacheControl] == "no-store")
            #expect(sent.headerFields[values: .contentSecurityPolicy] == [policy ?? AnswerHeaders.nothingAllowed])
        }
    }
}
