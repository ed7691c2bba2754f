import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOHTTP1
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

/// A reader that serves, as a process of its own.
private final class ServingReader: ServingProcess {
    let process: ChildProcess
    let base: String

    init(_ clusters: ReaderClusters, settings: [String] = []) async throws {
        let process = try ChildProcess(clusters.arguments([], settings: settings))
        let listening = #/admin port listens address=\S*:(\d+)\n/#
        try await eventually { process.errors.contains(listening) }
        let port = try #require(process.errors.firstMatch(of: listening)?.output.1, "\(process.errors)")
        (self.process, self.base) = (process, "http://127.0.0.1:\(port)")
    }

    func status() async throws -> ReaderStatusDocument { try await self.ask("/status").0 }

    /// Waits until as many comparisons have ended.
    func ended(_ count: Int) async throws -> ReaderStatusDocument {
        try await eventually { try await self.status().history.count >= count }
        return try await self.status()
    }

    /// A client command against it.
    func command(_ words: String...) async throws -> ChildProcess.Result {
        try await ChildProcess.run(["dual-reader"] + words + ["--endpoint", self.base])
    }

    func stop() async -> ChildProcess.Result {
        self.process.signal(SIGTERM)
        return await self.process.result()
    }
}

/// `cluster-sync dual-reader` as a process between two nodes.
@Suite(.timeLimit(.minutes(2)))
struct ReaderServiceTests {
    @Test func `a comparison on request finds differences, which are reconciled one by one`() async throws {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "newer", clusters.atSource, seconds: 1)
        try await ReaderClusters.write(74, "newer", clusters.atSource, seconds: 1)
        let reader = try await ServingReader(clusters)
        #expect(try await reader.status().state == "idle")
        #expect(try await reader.command("status").code == 1, "there is no verdict yet")
        let begun = try await reader.command("validate")
        #expect(begun.code == 0, "\(begun.errors)")
        let status = try await reader.ended(1)
        #expect(status.lastWhole?.verdict == "differs" && status.discrepancies == 2)
        #expect(status.last?.counts.rows == ReaderClusters.rows)

        let list = try await reader.ask("/discrepancies/shop.t", as: DiscrepanciesDocument.self).0
        #expect(list.total == 2 && list.counted == ["value": 2])
        #expect(Set(list.discrepancies.map(\.key)) == [["7"]])
        let first = try #require(list.discrepancies.first?.id)
        let dry = try await reader.command("reconcile", first, "--policy", "source_wins")
        #expect(dry.code == 1 && dry.output.contains("1 statement would be sent"), "\(dry.output) \(dry.errors)")
        #expect(try await reader.status().discrepancies == 2)
        let done = try await reader.command("reconcile", first, "--policy", "source_wins", "--apply")
        #expect(done.code == 0 && done.output.contains("repaired"), "\(done.output) \(done.errors)")
        let listed = try await reader.command("discrepancies")
        #expect(listed.code == 1 && !listed.output.contains(first) && listed.output.contains("'newer'"))
        #expect(try await reader.command("discrepancies", "--clear").code == 0)
        #expect(try await reader.command("discrepancies").code == 0)
        #expect(try await reader.command("reconcile", first, "--policy", "source_wins").code == 1)

        _ = try await reader.command("validate", "shop.t")
        let again = try await reader.ended(2)
        #expect(again.last?.partial == true && again.last?.counts.rowsDifferent == 1)
        #expect(again.lastWhole?.counts.rowsDifferent == 2, "a table alone is not everything")
        #expect(await reader.stop().code == 0)
        await clusters.stop()
    }

    @Test func `an interval compares again and again, repairs where it may, and remembers over a restart`() async throws
    {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "newer", clusters.atSource, seconds: 1)
        let settings = ["service.interval_seconds=1", "service.history=3"]
        let repairing = settings + ["repair.policy=source_wins", "repair.automatically=true"]
        let reader = try await ServingReader(clusters, settings: repairing)
        let status = try await reader.ended(2)
        #expect(status.history.last?.rowsRepaired == 1 && status.history.first?.verdict == "in_sync")
        #expect(status.nextAt != nil)
        #expect(await reader.stop().code == 0)

        let next = try await ServingReader(clusters, settings: settings)
        try await eventually { try await next.status().history.count == 3 }
        #expect(try await next.command("status").code == 0)
        #expect(await next.stop().code == 0)
        await clusters.stop()
    }

    @Test func `a cluster that is away is waited for, and told`() async throws {
        let clusters = try await ReaderClusters()
        let port = clusters.target.port
        await clusters.atTarget.close()
        await clusters.target.stop()
        let reader = try await ServingReader(
            clusters,
            settings: ["source.request_timeout_ms=500", "target.request_timeout_ms=500"]
        )
        _ = try await reader.command("validate")
        try await eventually { try await reader.status().state == "waiting" }
        let health = try await reader.ask("/health", as: ReaderHealthDocument.self).0
        #expect(health.status == "degraded" && health.reason != nil)
        #expect(try await reader.command("stop").code == 0)
        try await eventually { try await reader.status().state == "stopped" }
        #expect(port > 0)
        #expect(await reader.stop().code == 0)
        await clusters.atSource.close()
        await clusters.source.stop()
    }

    @Test func `killed in the middle, it goes on with the next comparison of the same`() async throws {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "newer", clusters.atSource, seconds: 1)
        // The difference is waited for as long as nobody ends the process.
        let slow = ["settle.wait_ms=60000", "settle.pause_max_ms=60000", "job.lease_ms=5000"]
        let reader = try await ServingReader(clusters, settings: slow)
        _ = try await reader.command("validate")
        try await eventually { try await reader.status().current != nil }
        reader.process.signal(SIGKILL)
        _ = await reader.process.result()
        let next = try await ServingReader(clusters, settings: ["job.lease_ms=5000"])
        #expect(try await next.status().state == "idle", "a comparison that was killed is no verdict")
        _ = try await next.command("validate")
        let status = try await next.ended(1)
        #expect(status.last?.verdict == "differs" && status.last?.counts.rowsDifferent == 1)
        #expect(await next.stop().code == 0)
        await clusters.stop()
    }

    @Test func `a tenant is compared alone, and refused where nobody knows whose a row is`() async throws {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "newer", clusters.atSource, seconds: 1)
        try await ReaderClusters.write(84, "newer", clusters.atSource, seconds: 1)
        let plain = try await ServingReader(clusters)
        let refused = try await plain.command("validate", "shop.t", "--tenant", "7")
        #expect(refused.code == 64 && refused.errors.contains("tenants.column"), "\(refused.errors)")
        #expect(await plain.stop().code == 0)
        let reader = try await ServingReader(clusters, settings: ["tenants.column=p"])
        #expect(try await reader.command("validate", "shop.t", "--tenant", "7").code == 0)
        let status = try await reader.ended(1)
        #expect(status.last?.counts.rowsDifferent == 1 && status.last?.counts.rows == 10)
        let filter = try await reader.ask("/filter/stats", as: ReaderFilterDocument.self).0
        #expect(filter.rowsCompared == 10 && filter.rowsFiltered > 0)
        #expect(await reader.stop().code == 0)
        await clusters.stop()
    }
}
