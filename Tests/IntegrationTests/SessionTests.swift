import CQLClient
import CQLProtocol
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Testing

/// The async session against embedded nodes with faults.
@Suite struct SessionTests {
    private func withNodes(
        _ count: Int = 1,
        limits: CQLSession.Limits = .init(),
        _ body: @Sendable @escaping ([EmbeddedNode], CQLSession) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let store = EmbeddedStore()
        var nodes: [EmbeddedNode] = []
        for index in 0..<count {
            // Nodes of one cluster differ by their address, as they do everywhere.
            nodes.append(try await EmbeddedNode.start(on: group, address: "127.0.0.\(index + 1)", store: store))
        }
        let configuration = ClusterConfiguration(
            name: "embedded",
            contactPoints: nodes.enumerated().map {
                ContactPoint(host: "127.0.0.\($0.offset + 1)", port: $0.element.port)
            }
        )
        let running = nodes
        try await CQLSession.withSession(
            configuration,
            limits: limits,
            on: group.next(),
            logger: Logger(label: "session") { _ in SwiftLogNoOpLogHandler() }
        ) { session in
            // A session that is given little time may need more than that on a busy machine to have its first connection.
            for text in [
                "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
                "CREATE TABLE IF NOT EXISTS k.t (p int, c int, v text, PRIMARY KEY (p, c))",
            ] {
                try await eventually { (try? await session.query(text)) != nil }
            }
            try await body(running, session)
        }
        for node in nodes { await node.stop() }
    }

    @Test func `a prepared statement writes and pages bring all rows back`() async throws {
        try await withNodes { _, session in
            let insert = try await session.prepare("INSERT INTO k.t (p, c, v) VALUES (?, ?, ?)", isIdempotent: true)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for c in 0..<1_000 {
                    group.addTask { try await session.execute(insert, [.int(1), .int(Int32(c)), .text("v\(c)")]) }
                }
                try await group.waitForAll()
            }
            let select = try await session.prepare("SELECT c FROM k.t WHERE p = ?")
            var sizes: [Int] = []
            var seen: [CQLValue] = []
            for try await page in session.pages(select, [.int(1)], pageSize: 300) {
                sizes.append(page.rowCount)
                seen += try page.map { try $0.value(at: 0) }
            }
            #expect(sizes == [300, 300, 300, 100])
            #expect(seen == (0..<1_000).map { .int($0) })
        }
    }

    @Test func `a statement that the node forgot is prepared again`() async throws {
        try await withNodes { nodes, session in
            let insert = try await session.prepare("INSERT INTO k.t (p, c) VALUES (?, ?)")
            nodes[0].forgetPrepared()
            try await session.execute(insert, [.int(1), .int(1)])
            nodes[0].forgetPrepared()
            try await session.batch([(insert, [.int(1), .int(2)]), (insert, [.int(1), .int(3)])])
            let count = try await session.query("SELECT count(*) FROM k.t").rows?.first?.value(at: 0)
            #expect(count == .bigint(3))
        }
    }

    @Test func `an answer that never comes is a timeout, and the session goes on`() async throws {
        var limits = CQLSession.Limits()
        limits.requestMilliseconds = 300
        try await withNodes(limits: limits) { nodes, session in
            nodes[0].setFaults([FaultRule(.textContains("silent"), .drop, times: 1)])
            let error = await #expect(throws: CQLSessionError.self) {
                try await session.query("INSERT INTO k.t (p, c, v) VALUES (1, 1, 'silent')")
            }
            #expect(error?.code == .timeout)
            #expect(error?.isSafeToRetry == false)
            try await eventually {
                (try? await session.query("INSERT INTO k.t (p, c, v) VALUES (1, 1, 'silent')")) != nil
            }
        }
    }

    @Test func `an idempotent request survives the loss of its connection, another one does not`() async throws {
        try await withNodes(2) { nodes, session in
            for node in nodes { node.setFaults([FaultRule(.textContains("fatal"), .close, times: 1)]) }
            let error = await #expect(throws: CQLSessionError.self) {
                try await session.query("INSERT INTO k.t (p, c, v) VALUES (1, 1, 'fatal')")
            }
            #expect(error?.code == .connectionLost)
            for node in nodes { node.setFaults([]) }
            nodes[0].setFaults([FaultRule(.textContains("fatal"), .close, times: 1)])
            for _ in 0..<4 {
                try await session.query("INSERT INTO k.t (p, c, v) VALUES (1, 1, 'fatal')", isIdempotent: true)
            }
        }
    }

    @Test func `a cancelled request ends at once`() async throws {
        try await withNodes { nodes, session in
            nodes[0].setFaults([FaultRule(.textContains("silent"), .drop)])
            let request = Task { try await session.query("INSERT INTO k.t (p, c, v) VALUES (1, 1, 'silent')") }
            try await eventually { nodes[0].statistics.requests[.query] ?? 0 > 2 }
            request.cancel()
            await #expect(throws: CancellationError.self) { try await request.value }
        }
    }

    @Test func `what exceeds the waiting room is refused as overloaded`() async throws {
        var limits = CQLSession.Limits()
        limits.inFlightMax = 1
        limits.waitingMax = 1
        try await withNodes(limits: limits) { nodes, session in
            nodes[0].setFaults([FaultRule(.textContains("slow"), .delay(.seconds(1)))])
            let codes = await withTaskGroup(of: CQLSessionError.Code?.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        do {
                            try await session.query("INSERT INTO k.t (p, c, v) VALUES (1, 1, 'slow')")
                            return nil
                        } catch { return (error as? CQLSessionError)?.code }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 2)
            #expect(codes.count { $0 == .overloaded } == 3)
        }
    }

    @Test func `the cluster's own error is told, with its code and without values`() async throws {
        try await withNodes { _, session in
            let error = await #expect(throws: CQLSessionError.self) { try await session.query("SELECT * FROM k.nope") }
            #expect(error?.serverError?.code == .invalid)
            let insert = try await session.prepare("INSERT INTO k.t (p, c) VALUES (?, ?)")
            let wrong = await #expect(throws: CQLSessionError.self) {
                try await session.execute(insert, [.text("secret"), .int(1)])
            }
            #expect(wrong?.description.contains("secret") == false)
        }
    }
}
