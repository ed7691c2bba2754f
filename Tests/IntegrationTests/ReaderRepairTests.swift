import FoundationEssentials
import TestSupport
import Testing

/// `cluster-sync dual-reader repair` as a process between two nodes.
struct ReaderRepairTests {
    /// Differences of three kinds: an older value on the target, a newer one, a row that the target alone has.
    private static func drift(_ clusters: ReaderClusters) async throws {
        try await ReaderClusters.write(73, "newer", clusters.atSource, seconds: 1)
        try await ReaderClusters.write(74, "drift", clusters.atTarget, seconds: 1)
        try await ReaderClusters.write(1_005, "extra", clusters.atTarget)
        try await ReaderClusters.write(1_006, "missing", clusters.atSource)
    }

    @Test func `a dry run lists what it would write and writes nothing, and --apply makes both equal`() async throws {
        let clusters = try await ReaderClusters()
        try await Self.drift(clusters)
        let words = ["repair", "--policy", "source_wins", "--delete-extras", "--align-source"]
        let dry = try await clusters.run(words)
        #expect(dry.code == 1, "\(dry.errors)")
        #expect(dry.output.contains("4 rows not repaired, as nothing was to be written"), "\(dry.output)")
        #expect(try await ReaderClusters.row(1_006, clusters.atTarget) == [])
        let file = try #require(dry.output.firstMatch(of: #/report of repairs: (\S+)/#)?.output.1)
        let listed = try String(contentsOfFile: String(file), encoding: .utf8).split(separator: "\n")
        #expect(listed.count == 4 && listed.allSatisfy { $0.contains(#""action":"listed""#) }, "\(listed)")

        let applied = try await clusters.run(words + ["--apply"])
        #expect(applied.code == 0, "\(applied.errors) \(applied.output)")
        #expect(applied.output.contains("4 rows repaired"), "\(applied.output)")
        for row in [73, 74, 1_005, 1_006] {
            let source = try await ReaderClusters.row(row, clusters.atSource)
            #expect(try await ReaderClusters.row(row, clusters.atTarget) == source, "\(row)")
            #expect(source.isEmpty == (row == 1_005))
        }
        let compared = try await clusters.run(["compare"])
        #expect(compared.code == 0, "\(compared.output)")
        await clusters.stop()
    }

    @Test func `newest wins on either side, and extras are copied back rather than deleted`() async throws {
        let clusters = try await ReaderClusters()
        try await Self.drift(clusters)
        let repaired = try await clusters.run(["repair", "--policy", "newest_wins", "--apply"])
        #expect(repaired.code == 0, "\(repaired.errors) \(repaired.output)")
        #expect(try await clusters.run(["compare"]).code == 0)
        let drift = try await ReaderClusters.row(74, clusters.atTarget)
        #expect(try await ReaderClusters.row(74, clusters.atSource) == drift)
        #expect(try await !ReaderClusters.row(1_005, clusters.atSource).isEmpty)
        await clusters.stop()
    }

    @Test func `extras that nobody asked to delete stay, and end with 1`() async throws {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(1_005, "extra", clusters.atTarget)
        let result = try await clusters.run(["repair", "--policy", "source_wins", "--apply"])
        #expect(result.code == 1, "\(result.errors)")
        #expect(try await !ReaderClusters.row(1_005, clusters.atTarget).isEmpty)
        await clusters.stop()
    }

    @Test func `without somebody who is right nothing begins`() async throws {
        let clusters = try await ReaderClusters()
        let result = try await clusters.run(["repair", "--apply"])
        #expect(result.code == 64 && result.errors.contains("--policy"), "\(result.errors)")
        await clusters.stop()
    }
}
