import CQLClient
import CQLProtocol
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix

@testable import LiveTables
@testable import SSTableLoader

/// A source and a target, each an embedded node with a session.
struct LiveClusters: Sendable {
    let source: EmbeddedNode
    let target: EmbeddedNode
    let sourceSession: CQLSession
    let targetSession: CQLSession

    /// Starts both, runs `body`, and stops them.
    static func with<Result: Sendable>(
        release: String = "4.1.6",
        limits: CQLSession.Limits = .init(),
        _ body: @Sendable @escaping (LiveClusters) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup.singleton
        var configuration = EmbeddedNodeConfiguration()
        configuration.releaseVersion = release
        let source = try await EmbeddedNode.start(on: group, configuration: configuration)
        let target = try await EmbeddedNode.start(on: group)
        let logger = Logger(label: "live") { _ in SwiftLogNoOpLogHandler() }
        func cluster(_ name: String, _ node: EmbeddedNode) -> ClusterConfiguration {
            ClusterConfiguration(name: name, contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)])
        }
        let (from, to) = (cluster("source", source), cluster("target", target))
        let result = try await CQLSession.withSession(from, limits: limits, on: group.next(), logger: logger) { one in
            try await CQLSession.withSession(to, on: group.next(), logger: logger) { other in
                let clusters = LiveClusters(
                    source: source,
                    target: target,
                    sourceSession: one,
                    targetSession: other
                )
                for session in [one, other] { try await Self.createKeyspace(session) }
                return try await body(clusters)
            }
        }
        await source.stop()
        await target.stop()
        return result
    }

    /// A session that is given little time may need more than that on a busy machine to have its first connection.
    private static func createKeyspace(_ session: CQLSession) async throws {
        let text =
            "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        for _ in 0..<100 {
            do {
                try await session.query(text)
                return
            } catch let error as CQLSessionError where error.code == .timeout { continue }
        }
        try await session.query(text)
    }

    /// Runs a text on both.
    func both(_ text: String) async throws {
        try await self.sourceSession.query(text)
        try await self.targetSession.query(text)
    }

    /// Everything of a table, in ranges between these tokens, and its statements on the target.
    func copy(
        _ name: String,
        at tokens: [Int64] = [],
        reading: LiveReader.Options = .init(),
        _ options: LiveStatements.Options
    ) async throws -> Translation {
        let table = try await LiveTable.read(keyspace: "k", name: name, from: self.sourceSession)
        let prepared = try await LiveSelect.prepare(table, on: self.sourceSession)
        var statements = LiveStatements(table, table.target(), options)
        var all = Translation()
        let bounds = [.min] + tokens.sorted() + [.max]
        for (start, end) in zip(bounds, bounds.dropFirst()) {
            let reader = LiveReader(prepared, on: self.sourceSession, after: start, through: end, options: reading)
            for try await page in reader {
                for part in page.parts {
                    statements.add(part, readAt: page.readAt, now: page.readAt, into: &all)
                }
            }
        }
        try await self.execute(all.statements)
        return all
    }

    /// Executes statements on the target.
    func execute(_ statements: [TargetStatement]) async throws {
        var prepared: [String: CQLStatement] = [:]
        for statement in statements {
            if prepared[statement.text] == nil {
                prepared[statement.text] = try await self.targetSession.prepare(statement.text)
            }
            guard let target = prepared[statement.text] else { continue }
            let values = try zip(statement.values, target.variables.markers).map { value, marker in
                try CQLValue(decoding: value, as: marker.type)
            }
            try await self.targetSession.execute(target, values)
        }
    }
}

/// Where a cell lies.
struct CellPlace: Hashable {
    let partition: [UInt8]
    let clustering: [[UInt8]]
    /// The column; nil for the row's marker.
    let column: String?
    let path: [UInt8]
}

extension EmbeddedNode {
    /// The live cells and markers of a table by their places.
    func liveCells(_ table: String) -> [CellPlace: StoredCell] {
        var cells: [CellPlace: StoredCell] = [:]
        for cell in self.store.cells(keyspace: "k", table: table) where cell.value != nil {
            let column: String? =
                switch cell.kind {
                case .cell(let column): column
                default: nil
                }
            cells[CellPlace(partition: cell.partition, clustering: cell.clustering, column: column, path: cell.path)] =
                cell
        }
        return cells
    }
}
