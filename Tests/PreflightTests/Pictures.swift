import CQLClient
import CQLProtocol

@testable import Preflight

/// Two clusters as a test needs them.
enum Pictures {
    static func cluster(_ role: ClusterRole, _ keyspaces: [String: KeyspacePicture] = [:]) -> ClusterPicture {
        var picture = ClusterPicture(role: role)
        picture.name = role.rawValue
        picture.release = "4.1.8"
        picture.partitioner = Murmur3Partitioner.className
        picture.localDatacenter = "dc1"
        picture.nodes = ["dc1": 3]
        picture.hosts = ["\(role.rawValue)-1"]
        picture.releases = ["4.1.8"]
        picture.schemaVersions = ["a"]
        picture.keyspaces = keyspaces
        picture.access.isOpen = true
        picture.clock = ClockReading(asked: 1_000, server: 1_001, answered: 1_002)
        return picture
    }

    static func keyspace(_ tables: [String: TablePicture], replicas: [String: String] = ["dc1": "3"]) -> KeyspacePicture
    {
        var keyspace = KeyspacePicture(
            replication: ["class": "org.apache.cassandra.locator.NetworkTopologyStrategy"].merging(replicas) { $1 }
        )
        keyspace.tables = tables
        return keyspace
    }

    /// `(p int, c int, v text, PRIMARY KEY (p, c))`
    static func table(_ more: [String: TablePicture.Column] = [:]) -> TablePicture {
        var table = TablePicture(
            columns: [
                "p": .init(.partitionKey, "int", position: 0), "c": .init(.clustering, "int", position: 0),
                "v": .init(.regular, "text"),
            ]
        )
        table.columns.merge(more) { $1 }
        return table
    }

    static func rules(
        _ source: ClusterPicture,
        _ target: ClusterPicture,
        _ change: (inout PreflightRules.Intent) -> Void = { _ in }
    ) -> PreflightRules {
        var intent = PreflightRules.Intent { _, _ in true }
        change(&intent)
        return PreflightRules(source: source, target: target, intent: intent)
    }

    /// The findings between two clusters that have these keyspaces.
    static func findings(_ source: KeyspacePicture, _ target: KeyspacePicture) -> [Finding] {
        Self.rules(Self.cluster(.source, ["shop": source]), Self.cluster(.target, ["shop": target])).findings()
    }
}

extension [Finding] {
    /// `blocks missing_table shop.t`, without notes.
    var words: [String] {
        self.filter { $0.severity != .note }.map { "\($0.severity) \($0.kind) \($0.place ?? "-")" }
    }
}
