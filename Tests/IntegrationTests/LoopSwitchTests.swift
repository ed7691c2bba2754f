import CQLProtocol
import DualWriteCore
import EmbeddedNode
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import DualWriter

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Several loops of one sidecar come to other modes one after the other: what one has acknowledged the others read meanwhile.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LoopSwitchTests {
    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (p text PRIMARY KEY, v text)",
        "CREATE TABLE one.c (tenant text, p text, PRIMARY KEY (tenant, p))",
    ]
    private static let loops = 3
    /// How long one loop stands still in the middle of a change, and how long copies take to the cluster that is left.
    private static let standstill = Duration.milliseconds(150)

    /// Whose step it is: that of the sidecar, or of one table.
    enum Step: Sendable, CaseIterable {
        case ofSidecar, ofTable

        func take(_ mode: WriteMode, _ proxy: DualWriterService) async throws {
            switch self {
            case .ofSidecar: try await proxy.setMode(mode)
            case .ofTable:
                let override = try ModeOverride(tables: "one.t", mode: mode.name)
                try await proxy.setOverrides(try ModeOverrides([override]))
            }
        }
    }

    /// Tells those who write and read that it is over, and counts what they have done.
    final class End: Sendable {
        let hasCome = Atomic(false)
        let keys = Atomic(0)
    }

    /// Stops one loop in the middle of those that change, so that the others wait for it.
    private static func hold(_ proxy: DualWriterService) {
        let loops = proxy.state.withLock { $0.loops }
        loops[1].eventLoop.execute { usleep(UInt32(Self.standstill / .microseconds(1))) }
    }

    /// Writes through one client after the other, and reads each key through all of them as soon as it is acknowledged.
    ///
    /// - Parameter tenant: whose rows they are; nil where the table has no tenants.
    private static func traffic(
        _ clients: [TestClient],
        _ name: String,
        of tenant: String? = nil,
        until end: End
    ) async -> [String] {
        var (number, missed) = (0, [String]())
        while !end.hasCome.load(ordering: .relaxed) {
            let key = "\(name)-\(number)"
            let writer = clients[number % clients.count]
            number += 1
            let (insert, select) =
                if let tenant {
                    (
                        query("INSERT INTO one.c (tenant, p) VALUES ('\(tenant)', '\(key)')"),
                        query("SELECT p FROM one.c WHERE tenant = '\(tenant)' AND p = '\(key)'")
                    )
                } else {
                    (
                        query("INSERT INTO one.t (p, v) VALUES ('\(key)', 'x')"),
                        query("SELECT p FROM one.t WHERE p = '\(key)'")
                    )
                }
            guard (try? await writer.ask(insert)) == .result(.void) else { continue }
            end.keys.add(1, ordering: .relaxed)
            missed += await withTaskGroup(of: Bool.self) { group in
                for client in clients {
                    group.addTask {
                        let answer = try? await client.ask(select)
                        return answer?.firstColumn == [key]
                    }
                }
                return await group.reduce(into: []) { if !$1 { $0.append(key) } }
            }
        }
        return missed
    }

    @Test(arguments: Step.allCases)
    func `what one loop acknowledges the others read, while reads and writes go to the target and back`(_ step: Step)
        async throws
    {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) {
            $0.loops = Self.loops
        } _: { harness in
            // Copies to the cluster that is not the primary are late.
            for node in [harness.source, harness.target] {
                node.setFaults([FaultRule(.textContains("INSERT INTO one.t"), .delay(.milliseconds(20)))])
            }
            if step == .ofTable { try await step.take(.dualWriteSync, harness.proxy) }
            // Several connections of clients for each loop.
            var clients: [TestClient] = []
            for _ in 0..<(2 * Self.loops) { clients.append(try await harness.client()) }
            let (users, end) = (clients, End())
            try await withThrowingTaskGroup(of: [String].self) { group in
                for lane in 0..<4 {
                    let turned = Array(users[lane...] + users[..<lane])
                    group.addTask { await Self.traffic(turned, "\(lane)", until: end) }
                }
                for round in 0..<8 {
                    Self.hold(harness.proxy)
                    let before = end.keys.load(ordering: .relaxed)
                    try await step.take(round.isMultiple(of: 2) ? .shadowPrimary : .dualWriteSync, harness.proxy)
                    try await eventually { end.keys.load(ordering: .relaxed) > before + 4 }
                }
                end.hasCome.store(true, ordering: .relaxed)
                for try await missed in group { #expect(missed.isEmpty, "\(missed.prefix(5))") }
            }
            for client in users { await client.close() }
        }
    }

    /// From DualWriteSync back to DualWriteAsync a write is acknowledged on the source alone: tenants who are ahead must have come
    /// back on all loops before the first one does so.
    @Test(arguments: Step.allCases)
    func `tenants who are ahead read what any loop acknowledges, while their tables leave DualWriteSync and come back`(
        _ step: Step
    ) async throws {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) {
            $0.loops = Self.loops
        } _: { harness in
            harness.target.setFaults([FaultRule(.textContains("INSERT INTO one.c"), .delay(.milliseconds(30)))])
            let canaries = ModeOverride(
                try TableFilter.Pattern(parsing: "one.c"),
                ahead: try CanaryTenants(column: "tenant", values: ["acme"])
            )
            func take(_ mode: WriteMode) async throws {
                switch step {
                case .ofSidecar: try await harness.proxy.setMode(mode)
                case .ofTable:
                    let table = try ModeOverride(tables: "one.c", mode: mode.name)
                    try await harness.proxy.setOverrides(try ModeOverrides([canaries, table]))
                }
            }
            try await harness.proxy.setOverrides(try ModeOverrides([canaries]))
            var clients: [TestClient] = []
            for _ in 0..<(2 * Self.loops) { clients.append(try await harness.client()) }
            let (users, end) = (clients, End())
            try await withThrowingTaskGroup(of: [String].self) { group in
                for lane in 0..<4 {
                    let turned = Array(users[lane...] + users[..<lane])
                    group.addTask { await Self.traffic(turned, "\(lane)", of: "acme", until: end) }
                }
                for round in 0..<8 {
                    let answered = await harness.proxy.status().counters.canaries.answered
                    if round.isMultiple(of: 2) {
                        // They are ahead, so that there is something to come back from.
                        try await eventually {
                            await harness.proxy.status().counters.canaries.answered > answered + 4
                        }
                    }
                    Self.hold(harness.proxy)
                    let before = end.keys.load(ordering: .relaxed)
                    try await take(round.isMultiple(of: 2) ? .dualWriteAsync : .dualWriteSync)
                    try await eventually { end.keys.load(ordering: .relaxed) > before + 4 }
                }
                end.hasCome.store(true, ordering: .relaxed)
                for try await missed in group { #expect(missed.isEmpty, "\(missed.prefix(5))") }
            }
            for client in users { await client.close() }
        }
    }
}
