import TestSupport
import Testing

/// The proof in small: everything that was injected is found, nothing else, and repaired, while applications write through a sidecar.
/// `Benchmarks/compare.py --repair` does it with a million rows.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ReaderProofTests {
    /// Releases that tell the times of elements, and that do not.
    @Test(arguments: ["5.0.3", "4.1.6"])
    func `differences of every class are found and repaired under writes, and writetimes are equal cell by cell`(
        release: String
    ) async throws {
        let scenario = try await ReaderScenario(partitions: 120, release: release)
        let expected = try await scenario.inject(each: 6, seed: 3)
        let sidecar = try await scenario.sidecar()
        let applications = Applications(scenario)
        let port = try await sidecar.listenPort()
        let writing = Task { try await applications.run(through: port, seed: 5) }

        let found = try await scenario.report(asking: sidecar, code: 1)
        #expect(found.verdict == "differs" && found.found == expected, "\(found.found.symmetricDifference(expected))")
        #expect(found.counts.rowsDifferent == expected.count && found.counts.rowsUndecided == 0)
        // A life has been given to one cell, and every difference is one.
        let counted = found.tables.map { $0.differences.values.reduce(0, +) }
        #expect(counted.reduce(0, +) == expected.count)

        let words = ["repair", "--policy", "source_wins", "--delete-extras", "--align-source", "--counters"]
        let dry = try await scenario.report(words, asking: sidecar, code: 1)
        #expect(dry.counts.rowsRepaired == 0 && dry.found == expected)
        let repaired = try await scenario.report(words + ["--apply"], asking: sidecar, code: 0)
        #expect(repaired.counts.rowsRepaired == expected.count && repaired.found == expected)
        let after = try await scenario.report(asking: sidecar, code: 0)
        #expect(after.verdict == "in_sync" && after.found == [] && after.counts.rowsUndecided == 0)

        try await eventually { applications.acknowledged > 100 || !applications.failures.isEmpty }
        applications.stop()
        try await writing.value
        #expect(applications.failures == [])
        try await scenario.settled(sidecar)
        #expect(scenario.unequal() == [])
        #expect(await sidecar.stop().code == 0)
        await scenario.stop()
    }
}
