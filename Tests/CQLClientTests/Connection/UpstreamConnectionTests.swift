import CQLProtocol
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import CQLClient

struct UpstreamConnectionTests {
    private final class Nobody: UpstreamDelegate {
        func upstreamNeedsFlush(_ connection: UpstreamConnection) {}
        func upstream(
            _ connection: UpstreamConnection,
            received header: FrameHeader,
            body: UnsafeRawBufferPointer,
            ticket: UInt64
        ) {}
        func upstream(_ connection: UpstreamConnection, lost ticket: UInt64, wasSent: Bool) {}
        func upstreamBurstEnded(_ connection: UpstreamConnection) {}
    }

    /// Lives on an event loop.
    private final class Attempt {
        let delegate = Nobody()
        weak var connection: UpstreamConnection?
        var isFailed = false
    }

    @Test func `a connection that could not be made is let go`() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let attempt = try await loop.submit {
            let attempt = Attempt()
            // Port 1 on the loopback interface is served by nobody.
            let node = NodeID(host: "127.0.0.1", port: 1)
            let configuration = ClusterConfiguration(name: "nobody", contactPoints: [])
            let connection = UpstreamConnection(
                node: node,
                version: .v4,
                credentials: nil,
                keyspace: nil,
                configuration: configuration,
                delegate: attempt.delegate,
                logger: Logger(label: "nobody") { _ in SwiftLogNoOpLogHandler() }
            ) { result in
                if case .failure = result { attempt.isFailed = true }
            }
            attempt.connection = connection
            ConnectionOpener.open(connection, on: loop, configuration: configuration)
            return NIOLoopBound(attempt, eventLoop: loop)
        }.get()
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            // No event tells when the last reference goes.
            if try await loop.submit({ attempt.value.isFailed && attempt.value.connection == nil }).get() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("whoever fails to connect again and again needs more and more memory")
    }

    /// A channel that is full for a moment during each write, and says so.
    private final class Flapping: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var written: [ByteBuffer] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            self.written.append(self.unwrapOutboundIn(data))
            context.fireChannelWritabilityChanged()
            promise?.succeed()
        }
    }

    @Test func `a frame is written once, also where the channel becomes writable while it is written`() throws {
        let channel = EmbeddedChannel()
        let flapping = Flapping()
        let connection = UpstreamConnection(
            node: NodeID(host: "127.0.0.1", port: 1),
            version: .v4,
            credentials: nil,
            keyspace: nil,
            configuration: ClusterConfiguration(name: "flapping", contactPoints: []),
            delegate: Nobody(),
            logger: Logger(label: "flapping") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in }
        try channel.pipeline.syncOperations.addHandlers([flapping, connection])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        // The answer to STARTUP.
        try channel.writeInbound(try ResponseFrame(version: .v4, stream: 0, response: .ready).encoded())
        #expect(connection.isReady)
        let before = flapping.written.count
        for ticket in UInt64(1)...3 {
            _ = [UInt8](repeating: 7, count: 10).withUnsafeBytes {
                connection.send(versionByte: 4, flags: 0, opcode: Opcode.query.rawValue, $0, ticket: ticket)
            }
            connection.flush()
        }
        let bursts = flapping.written.dropFirst(before).map { Array($0.readableBytesView) }
        #expect(bursts.map(\.count) == [19, 19, 19])
        // Each on a stream of its own.
        #expect(Set(bursts.map { $0[3] }).count == 3)
        _ = try? channel.finish()
    }

    /// A connection whose handshake is over.
    private static func ready(_ configuration: ClusterConfiguration) throws -> (EmbeddedChannel, UpstreamConnection) {
        let channel = EmbeddedChannel()
        let connection = UpstreamConnection(
            node: NodeID(host: "127.0.0.1", port: 1),
            version: .v4,
            credentials: nil,
            keyspace: nil,
            configuration: configuration,
            delegate: Nobody(),
            logger: Logger(label: "asked") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in }
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(try ResponseFrame(version: .v4, stream: 0, response: .ready).encoded())
        _ = try channel.readOutbound(as: ByteBuffer.self)
        return (channel, connection)
    }

    private final class Signs { var heard: [SignOfLife] = [] }

    @Test func `however many ask whether a node answers, it is asked once, and each hears of it once`() throws {
        let (channel, connection) = try Self.ready(ClusterConfiguration(name: "asked", contactPoints: []))
        let signs = Signs()
        // The time of this loop begins at 0, and stands still until it is moved.
        connection.ask(deadline: .uptimeNanoseconds(1_000)) { signs.heard.append($0) }
        connection.ask(deadline: .uptimeNanoseconds(2_000)) { signs.heard.append($0) }
        // Nothing is closed because somebody has asked.
        #expect(connection.inFlight == 1 && connection.heartbeatSince == nil)
        connection.flush()
        var reader = FrameReader()
        reader.append(try #require(try channel.readOutbound(as: ByteBuffer.self)))
        let frame = try RequestFrame(decoding: try #require(try reader.nextFrame()))
        guard case .query(let query) = frame.request else {
            Issue.record("\(frame.request)")
            return
        }
        #expect(query.text.contains("system.local"))

        // The deadline of the first one passes; the answer comes for the second one, and is no news to anybody later.
        channel.embeddedEventLoop.advanceTime(to: .uptimeNanoseconds(1_500))
        guard case .silent? = signs.heard.first, signs.heard.count == 1 else {
            Issue.record("\(signs.heard)")
            return
        }
        let answer = ResponseFrame(version: .v4, stream: frame.stream, response: .result(.void))
        try channel.writeInbound(try answer.encoded())
        guard case .answered? = signs.heard.last, signs.heard.count == 2 else {
            Issue.record("\(signs.heard)")
            return
        }
        channel.embeddedEventLoop.advanceTime(to: .uptimeNanoseconds(3_000))
        #expect(signs.heard.count == 2 && connection.inFlight == 0)
        _ = try? channel.finish()
    }

    @Test func `a node that refuses to serve does not answer, one that refuses the reader does, a lost one is lost`()
        throws
    {
        let (channel, connection) = try Self.ready(ClusterConfiguration(name: "asked", contactPoints: []))
        let signs = Signs()
        for code in [ErrorCode.overloaded, .unauthorized] {
            connection.ask(deadline: .uptimeNanoseconds(1_000)) { signs.heard.append($0) }
            connection.flush()
            let asked = try #require(try channel.readOutbound(as: ByteBuffer.self))
            let stream = try #require(asked.getInteger(at: asked.readerIndex + 2, as: Int16.self))
            let error = ErrorMessage(code, "no")
            try channel.writeInbound(try ResponseFrame(version: .v4, stream: stream, response: .error(error)).encoded())
        }
        #expect(signs.heard.first == .refused("\(ErrorCode.overloaded): no"))
        guard case .answered? = signs.heard.last, signs.heard.count == 2 else {
            Issue.record("\(signs.heard)")
            return
        }
        connection.ask(deadline: .uptimeNanoseconds(1_000)) { signs.heard.append($0) }
        try channel.close().wait()
        #expect(signs.heard.last == .lost && signs.heard.count == 3)
        connection.ask(deadline: .uptimeNanoseconds(1_000)) { signs.heard.append($0) }
        #expect(signs.heard.count == 4)
    }

    @Test func `where no stream is free, whatever comes is a sign of life`() throws {
        var configuration = ClusterConfiguration(name: "busy", contactPoints: [])
        configuration.inFlightPerConnectionMax = 1
        let (channel, connection) = try Self.ready(configuration)
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        _ = connection.send(versionByte: 4, flags: 0, opcode: Opcode.options.rawValue, empty, ticket: 1)
        let signs = Signs()
        connection.ask(deadline: .uptimeNanoseconds(1_000)) { signs.heard.append($0) }
        channel.embeddedEventLoop.advanceTime(to: .uptimeNanoseconds(1_000))
        guard case .silent? = signs.heard.last else {
            Issue.record("\(signs.heard)")
            return
        }
        connection.ask(deadline: .uptimeNanoseconds(2_000)) { signs.heard.append($0) }
        try channel.writeInbound(try ResponseFrame(version: .v4, stream: 0, response: .ready).encoded())
        channel.embeddedEventLoop.advanceTime(to: .uptimeNanoseconds(2_000))
        guard case .answered? = signs.heard.last, signs.heard.count == 2 else {
            Issue.record("\(signs.heard)")
            return
        }
        _ = try? channel.finish()
    }
}
