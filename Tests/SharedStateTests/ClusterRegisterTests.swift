import CQLClient
import CQLProtocol
import DualWriteCore
import EmbeddedNode
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import SharedState

/// Modes as lines: a stage, then the overrides.
struct LinesCoding: ModesCoding {
    func text(of modes: TableModes) -> String {
        ([modes.stage.name] + modes.overrides.list.map(\.description)).joined(separator: "\n")
    }

    func modes(in text: String) throws -> TableModes {
        let lines = text.split(separator: "\n").map(String.init)
        guard let stage = lines.first.flatMap({ ModeStage(name: $0) }) else { throw ModeOverridesError("no stage") }
        return TableModes(stage, try ModeOverrides(lines.dropFirst().map { try ModeOverride(parsing: $0) }))
    }
}

/// The shared row and the list of replicas in an embedded node, over sockets.
struct ClusterRegisterTests {
    static func withRegister(
        node: EmbeddedNodeConfiguration = EmbeddedNodeConfiguration(),
        _ body: (ClusterRegister, EmbeddedNode) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let node = try await EmbeddedNode.start(on: group, configuration: node)
        let register = Self.register(node)
        await register.start()
        let result: Result<Void, any Error>
        do {
            try await Self.eventually { (try? await register.read(isSerial: true)) != nil }
            try await body(register, node)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await register.stop()
        await node.stop()
        try result.get()
    }

    static func register(_ node: EmbeddedNode, name: String = "default") -> ClusterRegister {
        var logger = Logger(label: "register")
        logger.logLevel = .critical
        let place = ContactPoint(host: "127.0.0.1", port: node.port)
        return ClusterRegister(
            name: name,
            in: ClusterConfiguration(name: "source", contactPoints: [place]),
            coding: LinesCoding(),
            on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: logger
        )
    }

    /// Waits for something that is about to come.
    static func eventually(_ condition: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while await !condition() {
            try #require(ContinuousClock.now < deadline, "it did not come")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static let change = StageChange(
        id: .random(),
        by: "HTTP 10.0.0.1",
        reason: "it's time",
        forced: true,
        at: 1_700
    )

    private static func row(_ epoch: Int64, _ stage: ModeStage, proposal: Proposal? = nil) -> RegisterRow {
        RegisterRow(
            revision: .random(),
            record: SharedRecord(epoch: epoch, stage: stage, change: Self.change),
            proposal: proposal
        )
    }

    @Test func `a row is written on its revision alone, and read as it was written`() async throws {
        try await Self.withRegister { register, _ in
            #expect(try await register.read(isSerial: true).row == nil)
            let proposal = Proposal(epoch: 4, to: .readsFirst, decider: .target, change: Self.change)
            let first = Self.row(3, .dualWriteSync, proposal: proposal)
            try await register.write(expected: nil, first)
            #expect(try await register.read(isSerial: true).row == first)
            // There is one now.
            try await register.write(expected: nil, Self.row(9, .targetOnly))
            #expect(try await register.read(isSerial: true).row == first)
            let second = Self.row(4, .readsFirst)
            try await register.write(expected: first, second)
            #expect(try await register.read(isSerial: false).row == second)
            // It has another revision now.
            try await register.write(expected: first, Self.row(5, .shadowPrimary))
            #expect(try await register.read(isSerial: true).row == second)
        }
    }

    @Test func `overrides stand in the columns of the stages, where an older program finds no stage that it knows`()
        async throws
    {
        try await Self.withRegister { register, node in
            let list = try ModeOverrides([
                try ModeOverride(parsing: "app.t=ReadsFirst"), try ModeOverride(parsing: #""My Ks".*=0"#),
            ])
            let row = RegisterRow(
                revision: .random(),
                record: SharedRecord(epoch: 3, modes: TableModes(.dualWriteSync, list), change: Self.change),
                proposal: Proposal(
                    epoch: 4,
                    to: TableModes(.readsFirst, list),
                    decider: .target,
                    change: Self.change
                )
            )
            try await register.write(expected: nil, row)
            #expect(try await register.read(isSerial: true).row == row)
            let cells = try await Self.text(node, "SELECT stage, proposed_stage FROM cluster_sync.control")
            #expect(cells.count == 2 && cells.allSatisfy { ModeStage(name: $0) == nil })
            // Once there are none any more, everybody can read it again.
            let plain = Self.row(4, .readsFirst)
            try await register.write(expected: row, plain)
            #expect(try await Self.text(node, "SELECT stage FROM cluster_sync.control") == ["ReadsFirst"])
            #expect(try await register.read(isSerial: false).row == plain)
        }
    }

    @Test func `modes that a newer program has written are not guessed`() async throws {
        try await Self.withRegister { register, node in
            try await register.write(expected: nil, Self.row(3, .dualWriteSync))
            _ = try await Self.text(node, "UPDATE cluster_sync.control SET stage = 'Sideways' WHERE name = 'default'")
            let fault = await #expect(throws: RegisterFault.self) { try await register.read(isSerial: false) }
            #expect(fault?.kind == .newer && fault?.description.contains("the stage 'Sideways', which") == true)
        }
    }

    /// The texts of the first row that a statement finds.
    private static func text(_ node: EmbeddedNode, _ statement: String) async throws -> [String] {
        let place = ContactPoint(host: "127.0.0.1", port: node.port)
        let configuration = ClusterConfiguration(name: "source", contactPoints: [place])
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        return try await CQLSession.withSession(configuration, on: eventLoop, logger: Logger(label: "test")) {
            session in
            let rows = try await session.query(statement).rows
            guard let row = rows?.first else { return [] }
            return try row.columns.map(\.name).compactMap {
                if case .text(let text) = try row.value($0) { text } else { nil }
            }
        }
    }

    @Test func `a replica is in the list, lives as long as its sign of life, and can leave`() async throws {
        try await Self.withRegister { register, _ in
            var times = Replica.Times()
            times.lifeMilliseconds = 60_000
            let entry = ReplicaEntry(
                id: "a",
                address: "http://a:8080",
                applied: 7,
                answer: .refused(.random(), "17 writes are owed"),
                owed: PerCluster(source: 0, target: 17),
                fault: "no room",
                at: 12
            )
            try await register.announce(entry, times: times)
            #expect(try await register.read(isSerial: false).entries == [entry])
            times.lifeMilliseconds = 1_000
            try await register.announce(entry, times: times)
            try await Self.eventually { (try? await register.read(isSerial: false).entries.first?.isSeen) == false }
            let faded = try #require(try await register.read(isSerial: false).entries.first)
            #expect(faded.isSame(as: entry))
            try await register.leave("a")
            #expect(try await register.read(isSerial: false).entries == [])
        }
    }

    @Test func `an entry that says less than before keeps nothing of it`() async throws {
        try await Self.withRegister { register, _ in
            let prepared = ReplicaEntry(
                id: "a",
                address: "x",
                applied: 1,
                answer: .prepared(.random()),
                fault: "f",
                at: 1
            )
            try await register.announce(prepared, times: Replica.Times())
            let later = ReplicaEntry(id: "a", address: "x", applied: nil, at: 2)
            try await register.announce(later, times: Replica.Times())
            #expect(try await register.read(isSerial: false).entries == [later])
        }
    }

    @Test func `another migration in the same cluster has its own row and its own replicas`() async throws {
        try await Self.withRegister { register, node in
            try await register.write(expected: nil, Self.row(3, .dualWriteSync))
            let other = Self.register(node, name: "other")
            await other.start()
            try await Self.eventually { (try? await other.read(isSerial: true)) != nil }
            #expect(try await other.read(isSerial: true).row == nil)
            await other.stop()
        }
    }

    @Test func `tables that were dropped are made again`() async throws {
        try await Self.withRegister { register, node in
            let place = ContactPoint(host: "127.0.0.1", port: node.port)
            let configuration = ClusterConfiguration(name: "source", contactPoints: [place])
            let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
            _ = try await CQLSession.withSession(configuration, on: eventLoop, logger: Logger(label: "test")) {
                session in
                try await session.query("DROP TABLE cluster_sync.control")
            }
            try await Self.eventually { (try? await register.read(isSerial: true)) != nil }
            #expect(try await register.read(isSerial: true).row == nil)
        }
    }
}
