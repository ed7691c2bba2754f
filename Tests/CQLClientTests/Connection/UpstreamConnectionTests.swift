import CQLProtocol
import Logging
import NIOCore
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
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            // No event tells when the last reference goes.
            if try await loop.submit({ attempt.value.isFailed && attempt.value.connection == nil }).get() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("whoever fails to connect again and again needs more and more memory")
    }
}
