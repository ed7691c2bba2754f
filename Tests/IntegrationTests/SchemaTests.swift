import CQLClient
import CQLProtocol
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Testing

/// What the control connection reads of a node's schema.
@Suite struct SchemaTests {
    @Test(.timeLimit(.minutes(1)))
    func `the monitor tells default lives and partition keys, and when they change`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let logger = Logger(label: "schema") { _ in SwiftLogNoOpLogHandler() }
        let node = try await EmbeddedNode.start(on: group)
        let configuration = ClusterConfiguration(
            name: "embedded",
            contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)]
        )
        try await CQLSession.withSession(configuration, on: group.next(), logger: logger) { session in
            for text in [
                "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
                "CREATE TABLE k.t (a int, b text, c int, v text, PRIMARY KEY ((b, a), c)) WITH default_time_to_live = 3600",
            ] {
                try await eventually { (try? await session.query(text)) != nil }
            }
            let (notices, feed) = AsyncStream.makeStream(of: ClusterMonitor.Notice.self)
            let monitor = ClusterMonitor(configuration: configuration, eventLoop: group.next(), logger: logger) {
                feed.yield($0)
            }
            let running = Task { await monitor.run() }
            defer { running.cancel() }
            var isAltered = false
            for await case .topology(let topology) in notices {
                let table = try #require(topology.schema?.tables["k"]?["t"])
                #expect(table.partitionKey == ["b", "a"])
                #expect(table.columnTypes["b"] == "text")
                if table.defaultTimeToLive == 60 { break }
                #expect(table.defaultTimeToLive == 3600)
                if !isAltered { _ = try await session.query("ALTER TABLE k.t WITH default_time_to_live = 60") }
                isAltered = true
            }
            #expect(isAltered)
        }
        await node.stop()
    }
}
