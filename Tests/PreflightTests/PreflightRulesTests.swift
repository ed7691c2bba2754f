import CQLClient
import CQLProtocol
import Testing

@testable import Preflight

struct PreflightRulesTests {
    @Test func `two clusters with one schema have nothing that blocks or needs care`() {
        let keyspace = Pictures.keyspace(["t": Pictures.table()])
        #expect(Pictures.findings(keyspace, keyspace).words == [])
    }

    @Test func `what the target lacks blocks`() {
        var source = Pictures.keyspace(["t": Pictures.table(), "u": Pictures.table(["w": .init(.regular, "bigint")])])
        source.types["address"] = .init(fields: ["street"], types: ["text"])
        let target = Pictures.keyspace(["u": Pictures.table()])
        #expect(
            Pictures.findings(source, target).words
                == ["blocks missing_type shop", "blocks missing_table shop.t", "blocks missing_column shop.u"]
        )
        let none = Pictures.rules(Pictures.cluster(.source, ["shop": source]), Pictures.cluster(.target)).findings()
        #expect(none.words == ["blocks missing_keyspace shop"])
    }

    @Test func `another key, order, type or static blocks`() {
        func findings(_ change: (inout TablePicture) -> Void) -> [String] {
            var other = Pictures.table()
            change(&other)
            let (source, target) = (Pictures.keyspace(["t": Pictures.table()]), Pictures.keyspace(["t": other]))
            return Pictures.findings(source, target).words
        }
        #expect(findings { $0.columns["c"]?.isReversed = true } == ["blocks key_differs shop.t"])
        #expect(findings { $0.columns["c"]?.kind = .regular } == ["blocks key_differs shop.t"])
        #expect(findings { $0.columns["v"]?.type = "blob" } == ["blocks type_of_column shop.t"])
        #expect(findings { $0.columns["v"]?.kind = .static } == ["blocks static_differs shop.t"])
        #expect(findings { $0.columns["x"] = .init(.regular, "int") } == ["care extra_column shop.t"])
        #expect(findings { $0.defaultTimeToLive = 60 } == ["care default_ttl_differs shop.t"])
        // Of options that do not matter for what is moved there is a note at most.
        #expect(findings { ($0.compaction, $0.graceSeconds) = ("LeveledCompactionStrategy", 60) } == [])
    }

    @Test func `an index of another name on the same target is no missing one`() {
        func findings(_ name: String, _ target: String) -> [String] {
            var (own, other) = (Pictures.table(), Pictures.table())
            own.indexes["by_v"] = .init(kind: "COMPOSITES", options: ["target": "v"])
            other.indexes[name] = .init(kind: "COMPOSITES", options: ["target": target])
            return Pictures.findings(Pictures.keyspace(["t": own]), Pictures.keyspace(["t": other])).words
        }
        #expect(findings("another", "v") == [])
        #expect(findings("another", "c") == ["care missing_index shop.t"])
    }

    @Test func `what needs care is told of each table`() {
        var table = Pictures.table([
            "l": .init(.regular, "list<text>"), "f": .init(.regular, "frozen<list<text>>"),
            "s": .init(.static, "text"),
        ])
        table.defaultTimeToLive = 60
        table.triggers = ["audit"]
        let counter = Pictures.table(["v": .init(.regular, "counter")])
        var compact = Pictures.table()
        compact.flags = ["dense"]
        let keyspace = Pictures.keyspace(["a": table, "b": counter, "c": compact])
        let findings = Pictures.findings(keyspace, keyspace)
        #expect(
            findings.words == [
                "care list shop.a", "care default_ttl shop.a", "care trigger shop.a", "care counter shop.b",
                "care compact_storage shop.c",
            ]
        )
        #expect(findings.first { $0.kind == "list" }?.what == "lists that are not frozen: l")
        #expect(findings.contains { $0.kind == "static" && $0.severity == .note })
    }

    @Test(arguments: [
        (["dc1": "3"], 3, []), (["dc1": "3"], 2, ["care replication shop"]),
        (["dc1": "3"], 1, ["blocks consistency shop"]),
        (["dc1": "1"], 1, ["care no_spare_replica shop"]),
        (["dc2": "3"], 3, ["blocks no_local_replica shop", "care unknown_datacenter shop"]),
    ])
    func `a replication that cannot meet the consistency is told`(
        replicas: [String: String],
        nodes: Int,
        expected: [String]
    ) {
        var source = Pictures.cluster(.source, ["shop": Pictures.keyspace(["t": Pictures.table()], replicas: replicas)])
        let target = Pictures.cluster(.target, ["shop": Pictures.keyspace(["t": Pictures.table()])])
        source.nodes = ["dc1": nodes]
        #expect(Pictures.rules(source, target).findings().words == expected)
    }

    @Test func `tables that are not wanted are not looked at`() {
        let source = Pictures.keyspace(["t": Pictures.table(), "u": Pictures.table()])
        let target = Pictures.keyspace(["u": Pictures.table()])
        var intent = PreflightRules.Intent { $1 == "u" }
        let clusters = (Pictures.cluster(.source, ["shop": source]), Pictures.cluster(.target, ["shop": target]))
        #expect(PreflightRules(source: clusters.0, target: clusters.1, intent: intent).findings().words == [])
        intent.wants = { _, _ in false }
        #expect(
            PreflightRules(source: clusters.0, target: clusters.1, intent: intent).findings().words
                == ["blocks nothing_wanted -"]
        )
    }

    @Test func `one cluster for both, another partitioner, and nodes that disagree block`() {
        let keyspace = Pictures.keyspace(["t": Pictures.table()])
        let source = Pictures.cluster(.source, ["shop": keyspace])
        var target = Pictures.cluster(.target, ["shop": keyspace])
        target.hosts = source.hosts
        target.partitioner = "org.apache.cassandra.dht.RandomPartitioner"
        target.schemaVersions = ["a", "b"]
        target.releases = ["4.1.8", "5.0.1"]
        target.isScylla = true
        #expect(
            Pictures.rules(source, target).findings().words == [
                "blocks same_cluster -", "blocks partitioner -", "blocks schema_disagreement -",
                "care mixed_releases -",
                "care driver -",
            ]
        )
    }

    @Test func `a role is asked for what the migration needs of it`() {
        let keyspace = Pictures.keyspace(["t": Pictures.table(), "u": Pictures.table()])
        let source = Pictures.cluster(.source, ["shop": keyspace])
        func findings(_ permissions: [String: Set<String>]?, isSuperuser: Bool = false) -> [String] {
            var target = Pictures.cluster(.target, ["shop": keyspace])
            target.access = AccessPicture()
            target.access.role = "mover"
            target.access.isSuperuser = isSuperuser
            target.access.permissions = permissions
            return Pictures.rules(source, target).findings().words
        }
        #expect(findings(["data": ["SELECT", "MODIFY", "CREATE"]]) == [])
        #expect(findings(["data/shop": ["SELECT", "MODIFY"]]) == ["care own_keyspace -"])
        #expect(
            findings(["data": ["SELECT", "CREATE"], "data/shop/t": ["MODIFY"]]) == ["blocks permission shop.u"]
        )
        #expect(findings(nil) == ["care permissions_unknown -"])
        #expect(findings(nil, isSuperuser: true) == ["care superuser -"])
    }

    @Test func `clocks count as apart only where the answers' time cannot explain it`() {
        func findings(server: Int64, answered: Int64) -> [String] {
            let keyspace = Pictures.keyspace(["t": Pictures.table()])
            var source = Pictures.cluster(.source, ["shop": keyspace])
            let target = Pictures.cluster(.target, ["shop": keyspace])
            source.clock = ClockReading(asked: 0, server: server, answered: answered)
            return Pictures.rules(source, target).findings().filter { $0.kind == "clock_skew" }.words
        }
        #expect(findings(server: 3_000, answered: 5_000) == [])
        #expect(findings(server: 5_000, answered: 10) == ["care clock_skew -", "care clock_skew -"])
        #expect(findings(server: 20_000, answered: 10) == ["blocks clock_skew -", "blocks clock_skew -"])
        #expect(findings(server: -20_000, answered: 10) == ["blocks clock_skew -", "blocks clock_skew -"])
    }
}
