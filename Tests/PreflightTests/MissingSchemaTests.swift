import Testing

@testable import Preflight

struct MissingSchemaTests {
    private func missing(
        _ source: KeyspacePicture,
        _ target: KeyspacePicture? = nil,
        datacenters: [String: Int] = ["dc1": 3],
        replication: [String: [String: Int]] = [:]
    ) -> MissingSchema {
        var there = Pictures.cluster(.target, target.map { ["shop": $0] } ?? [:])
        there.nodes = datacenters
        return MissingSchema(
            Pictures.rules(Pictures.cluster(.source, ["shop": source]), there),
            replication: replication
        )
    }

    @Test func `a missing keyspace is made with all that is in it, types in the order in which they need each other`() {
        var table = Pictures.table([
            "C": .init(.clustering, "timestamp", position: 1, isReversed: true), "s": .init(.static, "int"),
            "a": .init(.regular, "frozen<address>"),
        ])
        table.defaultTimeToLive = 60
        table.comment = "it's ours"
        table.indexes["by_v"] = .init(kind: "COMPOSITES", options: ["target": "v"])
        var keyspace = Pictures.keyspace(["t": table])
        keyspace.types["address"] = .init(fields: ["lines"], types: ["list<frozen<line>>"])
        keyspace.types["line"] = .init(fields: ["text"], types: ["text"])
        let missing = self.missing(keyspace)
        #expect(missing.refusals == [])
        #expect(
            missing.items.map(\.statement) == [
                #"CREATE KEYSPACE IF NOT EXISTS "shop" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}"#,
                #"CREATE TYPE IF NOT EXISTS "shop"."line" ("text" text)"#,
                #"CREATE TYPE IF NOT EXISTS "shop"."address" ("lines" list<frozen<line>>)"#,
                #"CREATE TABLE IF NOT EXISTS "shop"."t" ("p" int, "c" int, "C" timestamp, "s" int static, "#
                    + #""a" frozen<address>, "v" text, PRIMARY KEY (("p"), "c", "C")) "#
                    + #"WITH CLUSTERING ORDER BY ("c" ASC, "C" DESC) AND default_time_to_live = 60 "#
                    + #"AND gc_grace_seconds = 864000 AND comment = 'it''s ours'"#,
                #"CREATE INDEX IF NOT EXISTS "by_v" ON "shop"."t" ("v")"#,
            ]
        )
    }

    @Test func `what is there is not made again`() {
        let keyspace = Pictures.keyspace(["t": Pictures.table(), "u": Pictures.table()])
        #expect(self.missing(keyspace, keyspace).items == [])
        let half = Pictures.keyspace(["t": Pictures.table()])
        #expect(self.missing(keyspace, half).items.map(\.name) == ["shop.u"])
    }

    @Test func `a replication that would have to be guessed is refused until somebody says it`() {
        let keyspace = Pictures.keyspace(["t": Pictures.table()], replicas: ["old": "3"])
        let refused = self.missing(keyspace)
        #expect(refused.items == [])
        #expect(refused.refusals.map(\.name) == ["shop"])
        #expect(refused.refusals[0].reason.contains("no data center old"))
        let said = self.missing(keyspace, replication: ["shop": ["dc1": 2]])
        #expect(said.items.first?.statement.hasSuffix("{'class': 'NetworkTopologyStrategy', 'dc1': '2'}") == true)
        // More replicas than nodes are a mistake, whoever says so.
        #expect(self.missing(keyspace, replication: ["shop": ["dc1": 4]]).refusals.map(\.name) == ["shop"])
    }

    @Test func `a simple strategy is kept in one data center, and refused where there are several`() {
        var keyspace = Pictures.keyspace(["t": Pictures.table()])
        keyspace.replication = ["class": "SimpleStrategy", "replication_factor": "2"]
        #expect(
            self.missing(keyspace).items.first?.statement
                .hasSuffix("{'class': 'SimpleStrategy', 'replication_factor': '2'}") == true
        )
        #expect(self.missing(keyspace, datacenters: ["dc1": 3, "dc2": 3]).refusals.map(\.name) == ["shop"])
    }

    @Test func `a compact table is not made by itself`() {
        var table = Pictures.table()
        table.flags = ["dense"]
        let missing = self.missing(Pictures.keyspace(["t": table]), Pictures.keyspace([:]))
        #expect(missing.items == [])
        #expect(missing.refusals.map(\.name) == ["shop.t"])
    }

    @Test func `a type is one word of another, not a part of a word`() {
        #expect(MissingSchema.mentions("map<text, frozen<line>>", "line"))
        #expect(!MissingSchema.mentions("frozen<lines>", "line"))
        #expect(MissingSchema.mentions(#"frozen<"Line">"#, "Line"))
    }
}
