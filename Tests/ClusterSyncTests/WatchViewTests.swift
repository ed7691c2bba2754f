import Testing

@testable import ClusterSync
@testable import Operations

/// The live view as text: what is shown for which size and state.
struct WatchViewTests {
    private static let plain = Style(isColored: false)

    private static func traffic(_ writes: UInt64, after seconds: Int) -> TrafficReading {
        let origin = ContinuousClock.now
        let latency = HistogramSnapshot(bounds: [0.001, 0.01], counts: [writes, 0, 0], sum: 0)
        let none = HistogramSnapshot(bounds: [0.001, 0.01], counts: [0, 0, 0], sum: 0)
        return TrafficReading(
            at: origin + .seconds(seconds),
            legs: ["source", "target"].map {
                .init(
                    cluster: $0,
                    writes: writes,
                    writeErrors: 0,
                    reads: 0,
                    readErrors: 0,
                    writeLatency: latency,
                    readLatency: none
                )
            },
            tables: [.init(table: "shop.orders", compared: 10, mismatches: 1)],
            skipped: 0
        )
    }

    static func live(mode: String = "DualWriteAsync", epoch: Int = 3, owed: Int = 0, ready: Bool = true) -> LiveDocument
    {
        var target = StatusDocument.Leg(cluster: "target", role: "shadow", hosts: ["10.0.0.2"])
        target.connected = ready
        target.shadowQueued = owed
        target.shadowOldestMs = 90_000
        target.heldBack = owed > 0
        var source = StatusDocument.Leg(cluster: "source", role: "primary", hosts: ["10.0.0.1"])
        source.connected = true
        let status = StatusDocument(
            service: "dual-writer",
            version: "1",
            uptimeSeconds: 75,
            listen: "127.0.0.1:9042",
            mode: mode,
            epoch: epoch,
            readiness: ready ? .ready : .notReady(reason: "the target is away"),
            draining: false,
            clients: 12,
            journalled: true,
            legs: [source, target]
        )
        let phase = PhaseDocument(
            mode: mode,
            number: 1,
            epoch: epoch,
            primary: "source",
            shadow: "target",
            next: [],
            history: []
        )
        var window = TrafficWindow()
        window.add(Self.traffic(0, after: 0))
        window.add(Self.traffic(5_000, after: 4))
        let reading = LiveReading(
            at: "2026-01-01T00:00:00.000Z",
            status: status,
            phase: phase,
            journal: nil,
            dirty: [],
            validationPercentage: 1,
            traffic: Self.traffic(5_000, after: 4)
        )
        return LiveDocument(reading, journal: nil, traffic: window.document)
    }

    private static func replica(_ name: String, _ live: LiveDocument?) -> WatchModel.Replica {
        var replica = WatchModel.Replica(name: name)
        replica.live = live
        return replica
    }

    private static func lines(
        _ replicas: [WatchModel.Replica],
        width: Int = 160,
        height: Int = 40,
        _ style: Style = Self.plain
    ) -> [String] {
        let model = WatchModel(replicas: replicas, at: "2026-01-01T00:00:01.000Z")
        return WatchView(model: model, width: width, height: height, style: style).lines()
    }

    @Test func `one sidecar is shown with its way, both clusters and what is owed`() throws {
        var replica = Self.replica("http://a:8080", Self.live(owed: 1_234))
        let gate = GateDocument(
            gate: "backlog",
            holds: false,
            action: "veto",
            figure: "90 s",
            threshold: "5 s",
            words: "w"
        )
        replica.verdict = VerdictDocument(
            from: "DualWriteAsync",
            to: "DualWriteSync",
            allowed: false,
            gates: [gate],
            cost: nil,
            wayBack: nil,
            wayBackCost: nil
        )
        let lines = Self.lines([replica])
        #expect(lines[0] == "cluster-sync http://a:8080, 2026-01-01T00:00:01.000Z  q leaves")
        #expect(
            lines.contains("PrimaryOnly → [DualWriteAsync] → DualWriteSync → ShadowPrimary → TargetOnly  epoch 3")
        )
        #expect(lines.contains("next: DualWriteSync not allowed"))
        #expect(lines.contains("  backlog: 90 s, asked for is 5 s"))
        let target = try #require(lines.first { $0.hasPrefix("  target") })
        // 5,000 writes in 4 seconds, all of them below a millisecond.
        #expect(target.contains(" 1,250 ") && target.contains(" 1.0 ms") && target.contains(" 1,234 "))
        #expect(target.contains("1 min 30 s"))
        #expect(lines.contains { $0.contains("1 mismatches in 10 compared reads") })
        #expect(!lines.contains { $0.contains("REPLICA") })
    }

    @Test func `several are added up, and what differs or is silent is told before what is well`() throws {
        var silent = Self.replica("http://c:8080", Self.live())
        silent.age = 42
        let lines = Self.lines([
            Self.replica("http://a:8080", Self.live(owed: 1)),
            Self.replica("http://b:8080", Self.live(mode: "DualWriteSync", owed: 2)),
            silent, Self.replica("http://d:8080", nil),
        ])
        #expect(lines[0].contains("2 of 4 replicas"))
        #expect(lines.contains { $0.contains("[DualWriteAsync ×2] → [DualWriteSync ×1]") })
        #expect(lines.contains("The replicas are not in one write mode."))
        #expect(lines.contains("http://c:8080: silent for 42.0 s") && lines.contains("http://d:8080: not heard of yet"))
        let target = try #require(lines.first { $0.hasPrefix("  target") })
        #expect(target.contains(" 3,750 ") && target.contains("   3 "))
        let table = lines.drop { !$0.contains("REPLICA") }.dropFirst().prefix(4).map {
            String($0.split(separator: " ")[0])
        }
        #expect(table == ["http://c:8080", "http://d:8080", "http://a:8080", "http://b:8080"])
    }

    @Test func `what loader and reader have reported is shown once, the newest of each`() {
        func load(_ share: Double, at: String) -> LoadReport {
            LoadReport(
                job: "orders",
                source: "w1",
                state: "running",
                beganAt: at,
                at: at,
                tokensCoveredRatio: share,
                deadLetters: 3,
                tables: []
            )
        }
        var first = Self.replica("http://a", Self.live())
        first.reports = ReportsDocument(loads: [load(0.25, at: "2026-01-01T01:00:00Z")])
        var second = Self.replica("http://b", Self.live())
        second.reports = ReportsDocument(loads: [load(0.5, at: "2026-01-01T02:00:00Z")])
        var table = TablesDocument.Table(table: "shop.orders")
        table.loadedRatio = 0.5
        second.tables = TablesDocument(tables: [table], owedComplete: true)
        let lines = Self.lines([first, second])
        #expect(lines.filter { $0.hasPrefix("load ") }.count == 1)
        #expect(lines.contains { $0.contains("██████████░░░░░░░░░░ 50 % running, 3 dead letters") })
        #expect(lines.contains { $0.contains("shop.orders") && $0.contains("50 %") })
    }

    @Test(arguments: [(200, 60), (120, 24), (80, 24), (60, 15), (40, 10), (20, 4), (8, 4)])
    func `no line is wider and no view higher than the terminal`(width: Int, height: Int) {
        var replicas = (0..<30).map { Self.replica("http://replica-\($0).shop.svc:8080", Self.live(owed: $0)) }
        replicas[7].problem = "connection refused"
        replicas[0].tables = TablesDocument(
            tables: (0..<100).map { .init(table: "shop.table\($0)") },
            owedComplete: true
        )
        let lines = Self.lines(replicas, width: width, height: height)
        #expect(lines.count <= height)
        #expect(lines.allSatisfy { $0.count <= width })
        // What is wrong is there as long as there is any room at all.
        if height >= 10, width >= 40 { #expect(lines.contains { $0.contains("replica-7") }) }
        let colored = Self.lines(replicas, width: width, height: height, Style(isColored: true))
        #expect(colored.allSatisfy { $0.replacing(#/\u{1B}\[\d+m/#, with: "").count <= width })
        #expect(colored.count == lines.count)
    }

    @Test func `a name from outside cannot move the cursor`() {
        let replica = Self.replica("http://a\u{1B}[2J", Self.live(mode: "Primary\u{1B}[2JOnly"))
        for width in [40, 160] {
            let lines = Self.lines([replica, replica], width: width)
            #expect(!lines.contains { $0.contains("\u{1B}") })
        }
    }

    @Test func `a cut line keeps its colours to itself`() {
        #expect(TerminalLine.cut("\u{1B}[31mred and more\u{1B}[0m", to: 3) == "\u{1B}[31mred\u{1B}[0m")
        #expect(TerminalLine.cut("plain", to: 5) == "plain")
        #expect(TerminalLine.cut("plain", to: 0) == "")
    }

    @Test func `a narrow table leaves out what is expendable first and keeps what is not`() {
        var table = NarrowTable([.init("A"), .init("BB", expendable: 2), .init("CC", expendable: 1), .init("D")])
        table.add(["1", "2", "3", "4"])
        #expect(table.lines(width: 15, Self.plain) == ["  A  BB  CC  D", "  1  2   3   4"])
        #expect(table.lines(width: 13, Self.plain) == ["  A  CC  D", "  1  3   4"])
        #expect(table.lines(width: 2, Self.plain) == ["  A  D", "  1  4"])
        for number in 5..<10 { table.add([.init("\(number)"), "2", "3", "4"]) }
        #expect(table.lines(width: 80, rowsMax: 3, Self.plain).last == "  and 4 more")
    }

    @Test func `without a terminal a sidecar is a line`() {
        let line = WatchLines.line(Self.replica("http://a", Self.live(owed: 7)), at: "T")
        #expect(
            line.hasPrefix(
                "T http://a ready DualWriteAsync epoch 3 clients 12, source connected 1,250 writes/s p99 1.0 ms"
            )
        )
        #expect(line.contains("target connected") && line.contains("owed 7") && line.hasSuffix("mismatches 1"))
        #expect(WatchLines.line(Self.replica("http://a", nil), at: "T") == "T http://a no answer: not heard of yet")
    }
}

/// Server-sent events as they come over a connection.
struct ServerSentEventsTests {
    private static func texts(_ pieces: [String]) throws -> [String] {
        var events = ServerSentEvents()
        return try pieces.flatMap { try events.feed($0.utf8).map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test func `an event is its data, however it is cut into pieces`() throws {
        let stream =
            "event: status\ndata: {\"a\":1}\n\n: comment\r\nid: 7\r\ndata:two\r\ndata: lines\r\n\r\nretry: 1\n\n"
        let expected = ["{\"a\":1}", "two\nlines"]
        #expect(try Self.texts([stream]) == expected)
        for cut in 0...stream.utf8.count {
            let bytes = Array(stream.utf8)
            let pieces = [bytes[..<cut], bytes[cut...]].map { String(decoding: $0, as: UTF8.self) }
            #expect(try Self.texts(pieces) == expected)
        }
        #expect(try Self.texts(["data: unfinished\n"]) == [])
    }

    @Test func `an event without an end is not kept for ever`() {
        var events = ServerSentEvents()
        let endless = repeatElement(UInt8(ascii: "x"), count: ServerSentEvents.eventBytesMax + 1)
        #expect(throws: ServerSentEvents.TooLong.self) { try events.feed(endless) }
    }
}
