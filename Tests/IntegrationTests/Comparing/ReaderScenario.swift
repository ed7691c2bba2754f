import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import TestSupport
import Testing

/// Two nodes with the same rows, differences of every class that are known, and a sidecar through which applications write on.
final class ReaderScenario: Sendable {
    /// What of a report the tests look at.
    struct Report: Decodable {
        struct Counts: Decodable {
            var rows: Int
            var rowsDifferent: Int
            var rowsRepaired: Int
            var rowsUndecided: Int
        }
        struct Sample: Decodable, Hashable {
            var `class`: String
            var key: [String]
        }
        struct Table: Decodable {
            var table: String
            var coverage: Double
            var differences: [String: Int]
            var samples: [Sample]
        }
        var verdict: String
        var counts: Counts
        var tables: [Table]

        init(_ text: String) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Report.self, from: Data(text.utf8))
        }

        /// The classes and keys of all differences.
        var found: Set<Found> {
            Set(
                self.tables.flatMap { table in
                    table.samples.map { Found(table: table.table, kind: $0.class, key: $0.key.first ?? "") }
                }
            )
        }
    }

    /// A difference: its table, its class, and the key of its partition.
    struct Found: Hashable {
        let table: String
        let kind: String
        let key: String
    }

    static let tables = ["t", "n"]
    static let rowsPerPartition = 8
    /// Rows that applications write to: nothing is injected into them.
    static let written = [1, 2, 4, 5, 6, 7]
    private static let group = MultiThreadedEventLoopGroup.singleton

    let partitions: Int
    let from = EmbeddedStore()
    let to = EmbeddedStore()
    let source: EmbeddedNode
    /// A node in this process; nil where it is one of its own.
    private let near: EmbeddedNode?
    /// A node as a process of its own, which can be stopped in the middle of a word.
    let far: ChildProcess?
    let targetPort: Int
    let atSource: TestClient
    let atTarget: TestClient
    let folder: TemporaryFolder

    /// - Parameters:
    ///   - ranges: into how many the source's tokens are cut, a power of 2; each is a part of a comparison.
    ///   - isTargetApart: whether the target is a process of its own.
    init(partitions: Int, release: String = "5.0.3", ranges: Int = 8, isTargetApart: Bool = false) async throws {
        self.partitions = partitions
        self.folder = try TemporaryFolder()
        var configuration = EmbeddedNodeConfiguration()
        configuration.releaseVersion = release
        let width = UInt64.max / UInt64(ranges) + 1
        configuration.tokens = (1...UInt64(ranges)).map { Int64(bitPattern: (1 << 63) &+ $0 &* width &- 1) }
        self.source = try await EmbeddedNode.start(on: Self.group, store: self.from, configuration: configuration)
        if isTargetApart {
            let process = try ChildProcess(["node", "--listen", "127.0.0.1:0"])
            let listening = #/accepts connections on 127\.0\.0\.1:(\d+)/#
            try await eventually { (process.output + process.errors).contains(listening) }
            let port = (process.output + process.errors).firstMatch(of: listening)?.output.1
            self.targetPort = try #require(port.flatMap { Int($0) })
            (self.near, self.far) = (nil, process)
        } else {
            let node = try await EmbeddedNode.start(on: Self.group, store: self.to, configuration: configuration)
            (self.near, self.far, self.targetPort) = (node, nil, node.port)
        }
        self.atSource = try await Self.client(self.source.port)
        self.atTarget = try await Self.client(self.targetPort)
        try await self.fill()
    }

    static func client(_ port: Int) async throws -> TestClient {
        try await TestClient.start(on: try SocketAddress(ipAddress: "127.0.0.1", port: port), group: Self.group)
    }

    func stop() async {
        await self.atSource.close()
        await self.atTarget.close()
        await self.source.stop()
        await self.near?.stop()
    }

    // MARK: Rows

    private struct Refused: Error { let answer: Response }

    private static func run(_ text: String, _ client: TestClient) async throws {
        let answer = try await client.ask(query(text))
        guard case .result = answer else { throw Refused(answer: answer) }
    }

    static func time(_ p: Int) -> Int64 { 1_700_000_000_000_000 + Int64(p) * 1_000 }

    /// Each statement goes to both at once: lives count from the moment of the write, however slow the machine is.
    private func runOnBoth(_ text: String) async throws {
        async let there: Void = Self.run(text, self.atSource)
        try await Self.run(text, self.atTarget)
        try await there
    }

    private func fill() async throws {
        try await self.runOnBoth(
            "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        try await self.runOnBoth(
            "CREATE TABLE shop.t (p int, c int, v text, w int, m map<text, int>, st set<int>, s text static, PRIMARY KEY (p, c))"
        )
        try await self.runOnBoth("CREATE TABLE shop.n (p int PRIMARY KEY, n counter)")
        for p in 0..<self.partitions {
            let time = Self.time(p)
            try await self.runOnBoth("INSERT INTO shop.t (p, s) VALUES (\(p), 's\(p)') USING TIMESTAMP \(time)")
            for c in 0..<Self.rowsPerPartition {
                let life = c == 0 ? " AND TTL 500000" : ""
                try await self.runOnBoth(
                    "INSERT INTO shop.t (p, c, v, w, m, st) VALUES (\(p), \(c), 'v\(c)', \(c), {'a': 1, 'b': 2}, {1, 2}) "
                        + "USING TIMESTAMP \(time + Int64(c))\(life)"
                )
            }
            if p % 4 == 0 { try await self.runOnBoth("UPDATE shop.n SET n = n + \(p + 1) WHERE p = \(p)") }
        }
    }

    /// Makes as many differences of each class, each in a partition of its own, and returns what must be found.
    func inject(each: Int, seed: UInt64) async throws -> Set<Found> {
        var random = SeededRandom(seed: seed)
        var expected: Set<Found> = []
        let classes = [
            "missing_on_target", "missing_on_source", "value", "ttl", "writetime", "static", "element", "counter",
        ]
        var counters = (0..<self.partitions / 4).map { $0 * 4 }.shuffled(using: &random)
        var others = Array(0..<self.partitions).shuffled(using: &random)
        for (kind, turn) in classes.flatMap({ kind in (0..<each).map { (kind, $0) } }) {
            let p = try #require(kind == "counter" ? counters.popLast() : others.popLast())
            let (time, row) = (Self.time(p) + 3, "WHERE p = \(p) AND c = 3")
            var client = self.atTarget
            let text: String
            switch kind {
            case "missing_on_target":
                client = self.atSource
                text =
                    "INSERT INTO shop.t (p, c, v, m) VALUES (\(p), 98, 'lost', {'a': 1}) USING TIMESTAMP \(time) AND TTL 600000"
            case "missing_on_source":
                text = "INSERT INTO shop.t (p, c, v, st) VALUES (\(p), 99, 'extra', {1}) USING TIMESTAMP \(time)"
            case "value" where turn % 2 == 0:
                text = "UPDATE shop.t USING TIMESTAMP \(time + 1) SET v = 'other' \(row)"
            case "value":
                client = self.atSource
                text = "UPDATE shop.t USING TIMESTAMP \(time + 1) SET v = 'other' \(row)"
            case "ttl":
                text = "INSERT INTO shop.t (p, c, v) VALUES (\(p), 0, 'v0') USING TIMESTAMP \(time - 3) AND TTL 700000"
            case "writetime": text = "UPDATE shop.t USING TIMESTAMP \(time + 7) SET w = 3 \(row)"
            case "static": text = "UPDATE shop.t USING TIMESTAMP \(time + 9) SET s = 'other' WHERE p = \(p)"
            case "element" where turn % 2 == 0: text = "UPDATE shop.t USING TIMESTAMP \(time) SET m['x'] = 1 \(row)"
            case "element": text = "UPDATE shop.t USING TIMESTAMP \(time) SET st = st + {9} \(row)"
            default: text = "UPDATE shop.n SET n = n + 1 WHERE p = \(p)"
            }
            try await Self.run(text, client)
            expected.insert(Found(table: kind == "counter" ? "shop.n" : "shop.t", kind: kind, key: "\(p)"))
        }
        return expected
    }

    // MARK: Processes

    /// A sidecar in DualWriteAsync between the two.
    func sidecar() async throws -> SidecarProcess {
        try await SidecarProcess(files: [:]) { folder in
            """
            source: {hosts: ["127.0.0.1:\(self.source.port)"]}
            target: {hosts: ["127.0.0.1:\(self.targetPort)"]}
            listen: 127.0.0.1:0
            admin: {listen: 127.0.0.1:0, token: secret}
            state_dir: \(folder)/state
            write_mode: DualWriteAsync
            """
        }
    }

    /// A reader that asks the sidecar, if any, what is owed.
    func reader(_ words: [String], _ sidecar: SidecarProcess?, settings: [String] = []) throws -> ChildProcess {
        var all = [
            "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.targetPort)",
            "settle.wait_ms=20", "settle.pause_max_ms=100", "state_dir=\(self.folder.path)/state",
            "findings.samples=1000", "admin.listen=127.0.0.1:0",
            // What a target had in its sockets when it was stopped begins its life when it goes on: that is a true difference, and as
            // large as the stop is long.
            "tolerances.ttl_seconds=3600",
        ]
        if let sidecar { all += ["dual_writer.admin=\(sidecar.admin)", "dual_writer.token=secret"] }
        let arguments = ["dual-reader"] + words + ["--json", "--keyspace", "shop"]
        return try ChildProcess(arguments + (all + settings).flatMap { ["--set", $0] })
    }

    /// A comparison that ends with a report.
    func report(
        _ words: [String] = ["compare"],
        asking sidecar: SidecarProcess,
        settings: [String] = [],
        code: Int32,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Report {
        let result = await (try self.reader(words, sidecar, settings: settings)).result()
        #expect(
            result.code == code,
            "\(result.output.prefix(4_000)) \(result.errors.suffix(4_000))",
            sourceLocation: sourceLocation
        )
        return try Report(result.output)
    }

    /// Lets nothing be owed any more.
    func settled(_ sidecar: SidecarProcess) async throws {
        try await eventually { try await sidecar.status().legs.allSatisfy { $0.shadowQueued == 0 } }
    }

    // MARK: What is stored

    /// Where values or times that are alive differ between what both nodes store; ends of lives may be some seconds apart.
    func unequal() -> [String] {
        struct Place: Hashable {
            let table: String
            let partition: [UInt8]
            let clustering: [[UInt8]]
            let column: String
            let path: [UInt8]
        }
        func cells(_ store: EmbeddedStore) -> [Place: StoredCell] {
            var cells: [Place: StoredCell] = [:]
            for table in Self.tables {
                for cell in store.cells(keyspace: "shop", table: table) {
                    guard case .cell(let column) = cell.kind, cell.value != nil else { continue }
                    let place = Place(
                        table: table,
                        partition: cell.partition,
                        clustering: cell.clustering,
                        column: column,
                        path: cell.path
                    )
                    cells[place] = cell
                }
            }
            return cells
        }
        let (there, here) = (cells(self.from), cells(self.to))
        return Set(there.keys).union(here.keys).filter { place in
            guard let one = there[place], let other = here[place], one.value == other.value else { return true }
            // Counters have no times of their own.
            guard place.table != "n" else { return false }
            return one.timestamp != other.timestamp || abs(one.expiresAt - other.expiresAt) > 10
        }.map { "\($0): \(there[$0].map { "\($0)" } ?? "nothing"), \(here[$0].map { "\($0)" } ?? "nothing")" }
    }
}
