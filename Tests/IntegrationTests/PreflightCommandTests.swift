import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// `cluster-sync preflight` as a process between two nodes.
struct PreflightCommandTests {
    private struct Report: Decodable {
        struct Finding: Decodable {
            var severity: String
            var kind: String
            var place: String?
        }
        struct Creation: Decodable {
            struct Item: Decodable {
                var kind: String
                var name: String
                var outcome: String
            }
            var items: [Item]
        }
        var ok: Bool
        var findings: [Finding]
        var creation: Creation?

        init(_ text: String) throws { self = try JSONDecoder().decode(Report.self, from: Data(text.utf8)) }

        var blocking: [String] { self.findings.filter { $0.severity == "blocks" }.map(\.kind) }
        func has(_ kind: String) -> Bool { self.findings.contains { $0.kind == kind } }
    }

    private static func withNodes(
        _ texts: [String],
        _ body: ([String]) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let source = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
        let target = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: source.port)
        let client = try await TestClient.start(on: address, group: group)
        for text in texts { _ = try await client.ask(query(text)) }
        await client.close()
        let hosts = ["source.hosts=127.0.0.1:\(source.port)", "target.hosts=127.0.0.1:\(target.port)"]
        try await body(["preflight"] + hosts.flatMap { ["--set", $0] })
        await source.stop()
        await target.stop()
    }

    private static let schema = [
        "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TYPE shop.address (street text)",
        "CREATE TABLE shop.users (id int, at int, home frozen<address>, notes list<text>, PRIMARY KEY (id, at)) "
            + "WITH CLUSTERING ORDER BY (at DESC)",
        "CREATE TABLE shop.hits (id int PRIMARY KEY, n counter)",
    ]

    @Test func `what the target lacks blocks, is shown, is created when asked for, and blocks no more`() async throws {
        try await Self.withNodes(Self.schema) { words in
            let before = try await ChildProcess(words + ["--json"]).result()
            #expect(before.code == 1, "\(before.errors)")
            let found = try Report(before.output)
            #expect(found.blocking == ["missing_keyspace"])
            #expect(found.has("counter") && found.has("list") && found.has("clock"))
            #expect(found.creation == nil)

            let shown = try await ChildProcess(words + ["--create-missing", "--json"]).result()
            #expect(shown.code == 1)
            let names = ["shop", "shop.address", "shop.hits", "shop.users"]
            let items = try #require(try Report(shown.output).creation).items
            #expect(items.map(\.name) == names)
            #expect(items.allSatisfy { $0.outcome == "shown" })

            // Had the one before written something, there would be less to be created.
            let applied = try await ChildProcess(words + ["--create-missing", "--apply", "--json"]).result()
            #expect(applied.code == 0, "\(applied.output)\(applied.errors)")
            let created = try Report(applied.output)
            #expect(created.creation?.items.map(\.name) == names)
            #expect(created.creation?.items.allSatisfy { $0.outcome == "created" } == true)
            #expect(created.ok && created.blocking == [])

            let after = try await ChildProcess(words).result()
            #expect(after.code == 0, "\(after.output)")
            #expect(after.output.hasSuffix("Nothing blocks the migration.\n"))
        }
    }

    @Test func `tables that are not to be shadowed are not looked at`() async throws {
        try await Self.withNodes(Self.schema) { words in
            let result = try await ChildProcess(words + ["--set", "tables.exclude=shop", "--json"]).result()
            #expect(result.code == 1)
            #expect(try Report(result.output).blocking == ["nothing_wanted"])
        }
    }

    @Test func `a wrong command line ends with 64, and a cluster that does not answer with 69`() async throws {
        for words in [
            ["--apply"], ["--replication", "shop=dc1:3"], ["--create-missing", "--replication", "shop"],
            ["--consistency", "MOST"],
        ] { #expect(try await ChildProcess(["preflight"] + words).result().code == 64, "\(words)") }
        try await Self.withNodes([]) { words in
            let away = ["--set", "target.hosts=127.0.0.1:1", "--set", "timeouts.connect_ms=200"]
            let result = try await ChildProcess(Array(words.prefix(3)) + away).result()
            #expect(result.code == 69, "\(result.output)\(result.errors)")
        }
    }
}
