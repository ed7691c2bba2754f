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

/// A loader that waits to be told, as a process of its own.
final class ServingLoader: ServingProcess {
    let process: ChildProcess
    let base: String

    init(_ clusters: LoaderClusters, _ settings: String...) async throws {
        let process = try ChildProcess(
            clusters.arguments(settings + ["job.auto_start=false", "job.exit_when_done=false"])
        )
        let listening = #/admin port listens address=\S*:(\d+)\n/#
        try await eventually { process.errors.contains(listening) }
        let port = try #require(process.errors.firstMatch(of: listening)?.output.1, "\(process.errors)")
        (self.process, self.base) = (process, "http://127.0.0.1:\(port)")
    }

    func indexes() async throws -> [IndexesDocument.Index] {
        try await self.ask("/indexes/status", as: IndexesDocument.self).0.indexes
    }

    /// A client command against it.
    func command(_ words: String...) async throws -> ChildProcess.Result {
        try await ChildProcess.run(["sstable-loader"] + words + ["--endpoint", self.base])
    }

    func stop() async -> ChildProcess.Result {
        self.process.signal(SIGTERM)
        return await self.process.result()
    }
}
