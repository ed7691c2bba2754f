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
}
