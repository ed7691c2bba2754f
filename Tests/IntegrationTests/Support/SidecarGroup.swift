import EmbeddedNode
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Two nodes with a table, and several sidecars between them, each a process of its own with a write mode of its own.
final class SidecarGroup: Sendable {
    static let token = "hush"

    let source: EmbeddedNode
    let target: EmbeddedNode
    let folder: TemporaryFolder
    let sidecars: [ChildProcess]
    /// Their admin ports.
    let admins: [String]
    /// Where applications connect.
    let ports: [Int]

    init(_ count: Int, settings: [String] = []) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        self.folder = try TemporaryFolder()
        self.source = try await EmbeddedNode.start(on: group)
        self.target = try await EmbeddedNode.start(on: group)
        for node in [self.source, self.target] {
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
            let client = try await TestClient.start(on: address, group: group)
            try await client.makeTables("p int PRIMARY KEY, v text", in: "shop")
            await client.close()
        }
        var sidecars: [ChildProcess] = []
        for number in 0..<count {
            let all =
                [
                    "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                    "admin.listen=127.0.0.1:0", "admin.token=\(Self.token)", "listen=127.0.0.1:0",
                    "state_dir=\(self.folder.path)/\(number)", "log.format=text", "gates.limits.answer_ms=20000",
                ] + settings
            sidecars.append(try ChildProcess(["dual-writer"] + all.flatMap { ["--set", $0] }))
        }
        self.sidecars = sidecars
        let listening = #/admin port listens address=\S*:(\d+)\n/#
        let serving = #/dual-writer listens address=\S*:(\d+) /#
        var admins: [String] = []
        var ports: [Int] = []
        for sidecar in sidecars {
            try await eventually { sidecar.errors.contains(listening) && sidecar.errors.contains(serving) }
            let errors = sidecar.errors
            admins.append("http://127.0.0.1:\(try #require(errors.firstMatch(of: listening)?.output.1, "\(errors)"))")
            ports.append(try #require(errors.firstMatch(of: serving).flatMap { Int($0.output.1) }, "\(errors)"))
        }
        self.admins = admins
        self.ports = ports
        try await eventually {
            for admin in admins {
                let status = try await ChildProcess.run(["status", "--endpoint", admin])
                guard status.output.ranges(of: "connected").count == 2 else { return false }
            }
            return true
        }
    }

    /// A command of an operator about all of them, or about some.
    func command(_ words: String..., to places: [Int]? = nil) async throws -> ChildProcess.Result {
        let endpoints = (places ?? Array(self.admins.indices)).flatMap { ["--endpoint", self.admins[$0]] }
        return try await ChildProcess.run(words + endpoints, environment: ["CLUSTER_SYNC_ADMIN_TOKEN": Self.token])
    }

    func stop() async {
        for sidecar in self.sidecars {
            sidecar.signal(15)
            _ = await sidecar.result()
        }
        await self.source.stop()
        await self.target.stop()
    }
}
