import CQLProtocol
import DualWriteCore
import EmbeddedNode
import NIOCore
import NIOPosix
import Synchronization

/// One cluster of a simulation: a store that outlives its node.
final class SimulatedCluster: Sendable {
    let name: Cluster
    let store = EmbeddedStore()
    private let state = Mutex<(node: EmbeddedNode?, port: Int, faults: [FaultRule], seed: UInt64)>((nil, 0, [], 1))

    init(_ name: Cluster) { self.name = name }

    var port: Int { self.state.withLock { $0.port } }
    private var node: EmbeddedNode? { self.state.withLock { $0.node } }

    /// Starts the node: where it was, or in a place that nobody knows yet.
    func start(anew: Bool = false) async throws {
        guard anew || self.node == nil else { return }
        let (port, faults, seed) = self.state.withLock { ($0.port, $0.faults, $0.seed) }
        let node = anew ? try await self.startSomewhere() : try await self.start(on: port)
        node.setFaults(faults, seed: seed)
        self.state.withLock { ($0.node, $0.port) = (node, node.port) }
    }

    private func start(on port: Int) async throws -> EmbeddedNode {
        try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton, port: port, store: self.store)
    }

    private func startSomewhere() async throws -> EmbeddedNode {
        for _ in 0..<100 {
            if let node = try? await self.start(on: Ports.next()) { return node }
        }
        return try await self.start(on: Ports.next())
    }

    /// Ports that are given out once in a long time, and that no outgoing connection takes: whoever still looks for the node of
    /// another history, or of a life that is over, must not find this one.
    private enum Ports {
        private static let range = 10_000..<30_000
        private static let last = Mutex(Int.random(in: Self.range))

        static func next() -> Int {
            self.last.withLock { last in
                last = last + 1 < Self.range.upperBound ? last + 1 : Self.range.lowerBound
                return last
            }
        }
    }

    func kill() async {
        let node = self.state.withLock { state in
            defer { state.node = nil }
            return state.node
        }
        await node?.kill()
    }

    func setFaults(_ faults: [FaultRule], seed: UInt64 = 1) {
        self.state.withLock { state in
            (state.faults, state.seed) = (faults, seed)
            state.node?.setFaults(faults, seed: seed)
        }
    }

    /// Does and answers nothing from this moment on: what a sidecar sees of a cluster after its own death.
    func freeze() { self.node?.setFaults([FaultRule(.any, .drop)]) }

    func disconnect() async { await self.node?.disconnectClients() }
    func forgetPrepared() { self.node?.forgetPrepared() }

    func makeTables() async throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: self.port)
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        _ = try await client.ask(
            query("CREATE KEYSPACE \(SimulatedTable.keyspace) WITH replication = \(replication)")
        )
        for table in SimulatedTable.allCases {
            _ = try await client.ask(query("CREATE TABLE \(table.name) (\(table.definition))"))
        }
        await client.close()
    }

    var contents: [SimulatedTable: [StoredCell]] {
        var contents: [SimulatedTable: [StoredCell]] = [:]
        for table in SimulatedTable.allCases {
            contents[table] = self.store.cells(keyspace: SimulatedTable.keyspace, table: table.rawValue)
        }
        return contents
    }
}
