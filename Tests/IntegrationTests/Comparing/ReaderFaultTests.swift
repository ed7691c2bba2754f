import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import Operations
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Comparisons that are killed again and again while a cluster is slow, silent or away and applications write on: in the end
/// everything is compared, every difference is found and none is invented.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReaderFaultTests {
    /// What makes a comparison slow enough to be killed in its middle, and patient with clusters that are not themselves.
    private static let settings = [
        "job.lease_ms=5000", "concurrency=4", "source.request_timeout_ms=1000", "target.request_timeout_ms=1000",
        "settle.tries=20", "retries.ranges=1000", "connect.wait_ms=30000", "limits.rows_per_second=400",
    ]

    /// What the source does to whoever reads ranges of it, and to nobody else.
    private static func trouble(_ reaction: FaultRule.Reaction, _ share: Double) -> FaultRule {
        FaultRule(.all([.opcode(.execute), .textContains("token("), .probability(share)]), reaction)
    }

    /// Lines of all files of findings: how far comparisons have come.
    private static func findings(_ scenario: ReaderScenario) -> Int {
        let folder = "\(scenario.folder.path)/state/findings"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".findings.jsonl") }.reduce(0) { lines, name in
            lines + ((try? Fixtures.text("\(folder)/\(name)"))?.split(separator: "\n").count ?? 0)
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func
        `killed again and again, with one cluster silent for a while and the other one faulty, nothing false is reported`(
            seed: UInt64
        ) async throws
    {
        let scenario = try await ReaderScenario(partitions: 160, ranges: 64, isTargetApart: true)
        let target = try #require(scenario.far)
        let expected = try await scenario.inject(each: 4, seed: seed)
        let sidecar = try await scenario.sidecar()
        let applications = Applications(scenario)
        let port = try await sidecar.listenPort()
        let writing = Task { try await applications.run(through: port, seed: seed) }
        var random = SeededRandom(seed: seed)

        scenario.source.setFaults(
            [Self.trouble(.drop, 0.02), Self.trouble(.close, 0.02), Self.trouble(.delay(.milliseconds(300)), 0.1)],
            seed: seed
        )
        for round in 0..<4 {
            let reader = try scenario.reader(["compare"], sidecar, settings: Self.settings)
            let goal = Self.findings(scenario) + random.number(1...12)
            try await eventually { Self.findings(scenario) >= goal }
            if round % 2 == 1 {
                // In the middle of whatever the reader does; for as long as applications need for some writes, which are owed then.
                target.signal(SIGSTOP)
                try await eventually { try await sidecar.status().legs.contains { $0.shadowQueued > 500 } }
                if random.percent(50) { target.signal(SIGCONT) }
            }
            reader.signal(SIGKILL)
            let end = await reader.result()
            target.signal(SIGCONT)
            #expect(end.code == 128 + SIGKILL, "seed \(seed): it was done before: \(end.output) \(end.errors)")
            #expect(end.output.isEmpty, "no verdict before the end")
        }
        let report = try await scenario.report(asking: sidecar, settings: Self.settings, code: 1)
        let writes = applications.acknowledged
        applications.stop()
        try await writing.value
        #expect(report.verdict == "differs" && report.counts.rowsUndecided == 0, "seed \(seed): \(report.counts)")
        #expect(report.found == expected, "seed \(seed): \(report.found.symmetricDifference(expected))")
        #expect(report.tables.allSatisfy { $0.coverage == 1 }, "seed \(seed)")
        #expect(report.counts.rowsDifferent == expected.count, "seed \(seed)")
        #expect(writes > 100 && applications.failures == [], "\(writes) \(applications.failures)")

        // A repair that is killed in its middle is gone on with, and leaves nothing behind.
        scenario.source.setFaults([])
        let words = ["repair", "--policy", "source_wins", "--delete-extras", "--align-source", "--counters", "--apply"]
        let repairing = try scenario.reader(words, sidecar, settings: Self.settings)
        let goal = Self.findings(scenario) + 5
        try await eventually { Self.findings(scenario) >= goal }
        repairing.signal(SIGKILL)
        _ = await repairing.result()
        let rest = try await scenario.report(words, asking: sidecar, settings: ["job.lease_ms=5000"], code: 0)
        #expect(rest.verdict == "in_sync")
        try await scenario.settled(sidecar)
        #expect(try await scenario.report(asking: sidecar, code: 0).found == [])
        #expect(await sidecar.stop().code == 0)
        await scenario.stop()
    }
}
