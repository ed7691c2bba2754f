import CQLProtocol
import DualWriteCore
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import Synchronization
import TestSupport
import Testing

/// Two clusters and several sidecars that share a write mode between them, each a process of its own.
final class ReplicaStage: Sendable {
    /// One sidecar, on a state folder that outlives its process.
    final class Replica: Sendable {
        private struct State {
            var process: ChildProcess
            var clientPort: Int
            var adminPort: Int
        }

        let id: String
        private let settings: [String]
        private let state: Mutex<State>

        init(id: String, _ settings: [String]) async throws {
            self.id = id
            self.settings = settings + ["replica.id=\(id)"]
            let process = try Self.start(self.settings, listen: 0, admin: 0)
            self.state = Mutex(State(process: process, clientPort: 0, adminPort: 0))
            try await self.noteClientPort()
        }

        private static func start(_ settings: [String], listen: Int, admin: Int) throws -> ChildProcess {
            let all = settings + ["listen=127.0.0.1:\(listen)", "admin.listen=127.0.0.1:\(admin)"]
            return try ChildProcess(["dual-writer"] + all.flatMap { ["--set", $0] })
        }

        /// Waits until the process listens; a later one of the same replica has the ports of this one.
        private func noteClientPort() async throws {
            let process = self.process
            try await eventually {
                process.errors.contains(#/dual-writer listens address=\S*:\d/#)
                    && process.errors.contains(#/admin port listens address=\S*:\d/#)
            }
            let clients = process.errors.firstMatch(of: #/dual-writer listens address=\S*:(\d+) /#)
            let admin = process.errors.firstMatch(of: #/admin port listens address=\S*:(\d+)\n/#)
            let ports = try #require(clients.flatMap { Int($0.output.1) }, "\(process.errors)")
            let adminPort = try #require(admin.flatMap { Int($0.output.1) }, "\(process.errors)")
            self.state.withLock { ($0.clientPort, $0.adminPort) = (ports, adminPort) }
        }

        var process: ChildProcess { self.state.withLock { $0.process } }
        var admin: String { "http://127.0.0.1:\(self.state.withLock { $0.adminPort })" }
        var address: SocketAddress {
            get throws { try SocketAddress(ipAddress: "127.0.0.1", port: self.state.withLock { $0.clientPort }) }
        }

        func kill() async {
            let process = self.process
            process.signal(9)
            _ = await process.result()
        }

        func restart() async throws {
            let (listen, admin) = self.state.withLock { ($0.clientPort, $0.adminPort) }
            let process = try Self.start(self.settings, listen: listen, admin: admin)
            self.state.withLock { $0.process = process }
            try await self.noteClientPort()
        }

        /// A command of an operator who has turned to this replica.
        func command(_ words: String...) async throws -> ChildProcess.Result {
            try await ChildProcess.run(words + ["--endpoint", self.admin])
        }

        func document<Document: Decodable>(_ type: Document.Type, _ words: String...) async throws -> Document {
            let result = try await ChildProcess.run(words + ["--endpoint", self.admin, "--json"])
            return try DocumentCoding.decode(type, from: Data(result.output.utf8))
        }

        /// Steps to a mode, again and again until it is let.
        func walk(to mode: WriteMode) async throws {
            var last = ""
            for _ in 0..<20 {
                let result = try await self.command("phase", "set", mode.name)
                if result.code == 0 { return }
                last = result.errors
                try await Task.sleep(for: .milliseconds(300))
            }
            Issue.record("\(mode) was never entered: \(last)")
        }
    }

    let folder: TemporaryFolder
    let nodes: [Cluster: (process: ChildProcess, address: SocketAddress)]
    let replicas: [Replica]

    /// Starts everything, with a table `shop.t` on both clusters.
    init(_ count: Int = 3, lifeMilliseconds: Int = 6_000, _ settings: String...) async throws {
        self.folder = try TemporaryFolder()
        var nodes: [Cluster: (process: ChildProcess, address: SocketAddress)] = [:]
        for cluster in Cluster.allCases {
            let process = try ChildProcess(["node", "--listen", "127.0.0.1:0", "--cluster-name", "\(cluster)"])
            let listening = #/accepts connections on \S*:(\d+)\n/#
            try await eventually { process.output.contains(listening) }
            let port = try #require(process.output.firstMatch(of: listening).flatMap { Int($0.output.1) })
            nodes[cluster] = (process, try SocketAddress(ipAddress: "127.0.0.1", port: port))
        }
        self.nodes = nodes
        var all = nodes.map { "\($0.key).hosts=127.0.0.1:\($0.value.address.port ?? 0)" } + settings
        // What no loader and no reader has told is not asked for; everything else is.
        all += ["gates.bulk_load=off", "gates.comparison=off", "gates.compared_reads=off"]
        // A node may be slow on a machine that has much to do.
        all += ["gates.limits.answer_ms=20000"]
        all += ["control=cluster", "replica.life_ms=\(lifeMilliseconds)", "replica.poll_ms=500"]
        var replicas: [Replica] = []
        for number in 0..<count {
            let id = "r\(number)"
            replicas.append(try await Replica(id: id, all + ["state_dir=\(self.folder.path)/\(id)"]))
        }
        self.replicas = replicas
        for cluster in Cluster.allCases {
            try await self.withClient(of: cluster) { try await $0.makeTables(in: "shop") }
        }
        for replica in replicas {
            try await eventually {
                let document = try await replica.document(ReplicasDocument.self, "replicas")
                let status = try await replica.document(StatusDocument.self, "status")
                return document.replicas.count { $0.state == "live" } == count && status.legs.allSatisfy(\.connected)
            }
        }
    }

    /// A client of a cluster itself, past all sidecars.
    func withClient<Result: Sendable>(
        of cluster: Cluster,
        _ body: (TestClient) async throws -> Result
    ) async throws -> Result {
        let address = try #require(self.nodes[cluster]).address
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        let result = try await body(client)
        await client.close()
        return result
    }

    /// The keys that a cluster has.
    func keys(of cluster: Cluster) async throws -> Set<String> {
        try await self.withClient(of: cluster) { client in
            guard case .result(.rows(let rows)) = try await client.ask(query("SELECT p FROM shop.t")) else { return [] }
            return Set(rows.compactMap { $0.cells.first.flatMap { $0 }.map { String(buffer: $0) } })
        }
    }

    /// Waits until all replicas act in one epoch, and no cluster is owed anything.
    func settled() async throws -> [ReplicasDocument] {
        for replica in self.replicas {
            try await eventually {
                let status = try await replica.document(StatusDocument.self, "status")
                let others = try await replica.document(ReplicasDocument.self, "replicas")
                return status.legs.allSatisfy { $0.shadowQueued == 0 } && others.isWhole && others.preparing == nil
                    && others.replicas.allSatisfy { $0.state == "live" }
            }
        }
        var documents: [ReplicasDocument] = []
        for replica in self.replicas {
            documents.append(try await replica.document(ReplicasDocument.self, "replicas"))
        }
        return documents
    }

    func stop() async {
        for replica in self.replicas {
            replica.process.signal(18)
            replica.process.signal(15)
        }
        for replica in self.replicas { _ = await replica.process.result() }
        for node in self.nodes.values {
            node.process.signal(15)
            _ = await node.process.result()
        }
    }

    /// Runs `body` on a stage, and stops that whatever comes of it.
    static func run(
        _ count: Int = 3,
        lifeMilliseconds: Int = 6_000,
        _ body: (ReplicaStage) async throws -> Void
    ) async throws {
        let stage = try await ReplicaStage(count, lifeMilliseconds: lifeMilliseconds)
        let result: Result<Void, any Error>
        do {
            try await body(stage)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await stage.stop()
        try result.get()
    }
}
