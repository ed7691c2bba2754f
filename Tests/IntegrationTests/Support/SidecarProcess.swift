import AsyncHTTPClient
import DualWriteCore
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

/// The built sidecar as a process of its own: configured with files, moved over its admin port, looked at from outside.
final class SidecarProcess: Sendable {
    /// What the process holds at one moment.
    struct Footprint: Sendable {
        var descriptors: Int
        /// Resident memory of its own, in KiB. Pages of the binary are left out: they come in as code runs for the first time.
        var kilobytes: Int
    }

    private static let timeout = TimeAmount.seconds(30)
    private let folder: TemporaryFolder
    private let process: ChildProcess
    let admin: String

    /// Starts it and waits until its admin port listens.
    ///
    /// - Parameter configuration: the YAML text, out of the folder in which `files` are. The admin port must be 0.
    init(files: [String: Data], configuration: (_ folder: String) -> String) async throws {
        self.folder = try TemporaryFolder()
        for (name, content) in files { try self.folder.put(name, content) }
        try self.folder.put("sidecar.yaml", Data(configuration(self.folder.path).utf8))
        let process = try ChildProcess(["dual-writer", "--config", "\(self.folder.path)/sidecar.yaml"])
        let listening = #/admin port listens address=\S*:(\d+)\n/#
        try await eventually { process.errors.contains(listening) }
        let port = try #require(process.errors.firstMatch(of: listening)?.output.1, "\(process.errors)")
        self.process = process
        self.admin = "http://127.0.0.1:\(port)"
    }

    // MARK: As an operator

    func status() async throws -> StatusDocument {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: self.admin + "/v1/status"),
            timeout: Self.timeout
        )
        let body = try await response.body.collect(upTo: 1 << 20)
        return try DocumentCoding.decode(StatusDocument.self, from: Data(body.readableBytesView))
    }

    /// The partitions in doubt.
    func dirty() async throws -> DirtyDocument {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: self.admin + "/v1/dirty"),
            timeout: Self.timeout
        )
        let body = try await response.body.collect(upTo: 1 << 20)
        return try DocumentCoding.decode(DirtyDocument.self, from: Data(body.readableBytesView))
    }

    /// The port on which it listens for applications, once it is connected to both clusters.
    func listenPort() async throws -> Int {
        try await eventually { try await self.status().legs.allSatisfy(\.connected) }
        return try #require(try await self.status().listen.firstMatch(of: #/:(\d+)$/#).flatMap { Int($0.output.1) })
    }

    /// Asks for a write mode; false where the sidecar refuses it.
    func setMode(_ mode: WriteMode) async throws -> Bool {
        var request = HTTPClientRequest(url: self.admin + "/v1/phase")
        request.method = .PUT
        request.body = .bytes(ByteBuffer(string: #"{"mode": "\#(mode.name)"}"#))
        let response = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
        _ = try await response.body.collect(upTo: 1 << 20)
        return response.status == .ok
    }

    /// Puts files in the place of others, and waits until the sidecar has logged so many times that it uses them.
    func replace(_ files: [String: Data], logged message: String, times: Int = 1) async throws {
        let before = self.count(message)
        for (name, content) in files { try self.folder.put(name, content) }
        try await eventually { self.count(message) >= before + times }
    }

    private func count(_ message: String) -> Int { self.process.errors.ranges(of: message).count }

    /// Asks it to stop, and waits for its end.
    func stop() async -> ChildProcess.Result {
        self.process.signal(SIGTERM)
        return await self.process.result()
    }

    // MARK: From outside

    func footprint() throws -> Footprint {
        let pid = self.process.pid
        // proc(5): size, resident, shared, …, in pages.
        let pages = try Fixtures.text("/proc/\(pid)/statm").split(separator: " ").compactMap { Int($0) }
        try #require(pages.count > 2)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        let kilobytesPerPage = Int(sysconf(Int32(_SC_PAGESIZE))) / 1_024
        return Footprint(descriptors: descriptors, kilobytes: (pages[1] - pages[2]) * kilobytesPerPage)
    }

    /// The most that was ever resident at a time, in KiB.
    func peak() throws -> Int {
        let status = try Fixtures.text("/proc/\(self.process.pid)/status")
        return try #require(status.firstMatch(of: #/VmHWM:\s*(\d+)/#).flatMap { Int($0.output.1) })
    }
}
