import DualWriteCore
import FoundationEssentials
import Operations
import Testing

/// Several replicas walk a migration together, as processes between two clusters that are processes, too.
///
/// `CLUSTER_SYNC_TEST_RATE` sets the requests per second (3000 by hand, on a release build: `CLUSTER_SYNC_TEST_BINARY`).
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReplicaWalkTests {
    /// What was asked for by hand must have been held.
    private static var wantedRate: Int? {
        ProcessInfo.processInfo.environment["CLUSTER_SYNC_TEST_RATE"].flatMap { Int($0) }
    }

    /// When each mode was asked for, and when all replicas were in it.
    private struct Walk {
        var asked: [WriteMode: ContinuousClock.Instant] = [:]
        var entered: [WriteMode: ContinuousClock.Instant] = [:]
    }

    /// Walks through modes, each step asked of another replica. `during` runs while the step to a mode is on its way.
    private static func walk(
        _ stage: ReplicaStage,
        _ modes: [WriteMode],
        _ traffic: ReplicaTraffic,
        killing victim: ReplicaStage.Replica,
        on killed: WriteMode
    ) async throws -> Walk {
        var walk = Walk()
        let guides = stage.replicas.filter { $0.id != victim.id }
        for (index, mode) in modes.enumerated() {
            walk.asked[mode] = .now
            if mode == killed {
                await victim.kill()
                async let step: Void = guides[index % guides.count].walk(to: mode)
                try await traffic.advanced(by: 50)
                try await victim.restart()
                try await step
            } else {
                try await guides[index % guides.count].walk(to: mode)
            }
            walk.entered[mode] = .now
            try await traffic.advanced(by: 100)
        }
        return walk
    }

    @Test
    func `three replicas walk there and back under traffic while one after the other is killed, and nothing is lost`()
        async throws
    {
        let stage = try await ReplicaStage()
        let traffic = ReplicaTraffic(stage, rate: Self.wantedRate ?? 300)
        let running = Task { await traffic.run() }
        try await traffic.advanced(by: 50)
        let (began, before) = (ContinuousClock.now, traffic.requests)
        let modes = WriteMode.allCases
        let there = try await Self.walk(
            stage,
            Array(modes.dropFirst()),
            traffic,
            killing: stage.replicas[2],
            on: .dualWriteSync
        )
        let back = try await Self.walk(
            stage,
            modes.dropLast().reversed(),
            traffic,
            killing: stage.replicas[2],
            on: .dualWriteSync
        )
        let perSecond = Double(traffic.requests - before) / ((ContinuousClock.now - began) / .seconds(1))
        traffic.stop()
        await running.value
        if let wanted = Self.wantedRate { #expect(perSecond > Double(wanted) * 0.9) }

        let documents = try await stage.settled()
        #expect(Set(documents.map(\.epoch)).count == 1)
        #expect(Set(documents.map(\.stage)) == ["PrimaryOnly"])
        #expect(documents.allSatisfy { $0.replicas.allSatisfy { $0.appliedEpoch == documents[0].epoch } })

        let failures = traffic.failures.filter { $0.replica != stage.replicas[2].id }
        #expect(failures.isEmpty, "\(failures.count), the first: \(failures.prefix(5))")
        let missed = traffic.failures.filter { $0.description.contains("is not there") }
        #expect(missed.isEmpty, "\(missed.prefix(5))")

        // A mode that writes to one cluster alone leaves the other one without what is written meanwhile: that is what it is.
        let dualAgain = try #require(back.entered[.shadowPrimary])
        let targetOnly = try #require(there.asked[.targetOnly])
        let dual = try #require(there.entered[.dualWriteAsync])
        let primaryOnly = try #require(back.asked[.primaryOnly])
        let (source, target) = (try await stage.keys(of: .source), try await stage.keys(of: .target))
        let writes = traffic.writes
        let ofSource = writes.filter { $0.answered < targetOnly || $0.sent > dualAgain }
        let ofTarget = writes.filter { $0.sent > dual && $0.answered < primaryOnly }
        #expect(ofSource.count > 200 && ofTarget.count > 200 && traffic.reads > 100)
        #expect(ofSource.allSatisfy { source.contains($0.key) })
        #expect(ofTarget.allSatisfy { target.contains($0.key) })
        #expect(writes.allSatisfy { source.contains($0.key) || target.contains($0.key) })
        await stage.stop()
    }
}
