import FoundationEssentials
import NIOCore
import Testing

@testable import Operations

/// What a status becomes: the document and the page of metrics.
struct LoaderStatusTests: LoaderPortTests {
    @Test(arguments: Setup.allCases, ["/status", "/v1/status"])
    func `the status has exactly the familiar keys, and a job beside them`(setup: Setup, path: String) async throws {
        try await self.withLoader(setup) { client, _ in
            let object = Self.object(try await self.get(path, on: client))
            #expect(Set(object.keys) == ["status", "migration", "job"])
            #expect(object["status"] == .string("ok"))
            #expect(
                object["migration"]
                    == .object([
                        "total_rows": .integer(2_000), "migrated_rows": .integer(1_000), "failed_rows": .integer(3),
                        "filtered_rows": .integer(7), "tables_completed": .integer(1), "tables_total": .integer(2),
                        "tables_skipped": .integer(1), "skipped_corrupted_ranges": .integer(1),
                        "progress_percent": .double(62.5), "throughput_rows_per_sec": .double(95.25),
                        "elapsed_secs": .double(10.5), "is_running": .bool(false), "is_paused": .bool(false),
                    ])
            )
        }
    }

    @Test func `the job says what the familiar keys have no words for`() throws {
        var status = LoaderStatus.example
        try status.run.start(.keyspaces(["shop"]))
        status.run.ended(.failed(reason: "1 range was given up"))
        let job = LoaderJobDocument(status)
        #expect(job.state == "failed" && job.reason == "1 range was given up" && job.subject == "shop")
        #expect(job.tokensCovered == 0.62508)
        #expect(job.ranges == .init(status.progress.ranges) && job.ranges.leased == 2)
        #expect(job.ceiling == .init(origin: "dual_writer", microseconds: 1_700_000_000_000_000))
        #expect(job.source.connected && !job.target.connected && job.target.error == "connection refused")
        #expect(job.retries == 10 && job.deadLetters == 3 && job.statements == 410)
        #expect(job.guesses.columns == 21 && job.guesses.markers == 22 && job.guesses.lists == 23)
        #expect(job.etaSeconds == 80 && job.bytesPerSecondLimit == nil && job.rowsPerSecondLimit == 5_000)
        #expect(job.inFlight == 31 && job.inFlightLimit == 64 && job.inFlightMin == 4 && job.inFlightMax == 128)
        #expect(job.elapsedSeconds == 10.5)
        #expect(job.tables.map(\.state) == ["done", "running", "skipped"])
        #expect(job.tables[1].untoldColumns == ["tags"])
        // The least token is beyond what a reader with floating point numbers can hold.
        #expect(job.failures.map(\.start) == ["-9223372036854775808"] && job.failures.map(\.end) == ["-5"])
    }

    @Test func `what is not known is left out of the job and 0 in the familiar keys`() throws {
        let status = LoaderStatus(
            version: "1",
            job: "load",
            worker: "w",
            source: .init(kind: "files", names: []),
            target: .init(kind: "cluster", names: []),
            ceiling: .init(microseconds: nil, origin: .none)
        )
        let document = LoaderStatusDocument(status)
        #expect(document.migration.progressPercent == 0 && document.migration.totalRows == 0)
        let text = String(decoding: try DocumentCoding.encode(document), as: UTF8.self)
        for key in ["eta_seconds", "tokens_covered", "expected_rows", "microseconds", "rows_per_second"] {
            #expect(!text.contains("\"\(key)\""), "\(key)")
        }
    }

    @Test(arguments: [(0.99999999, 99.99), (1.0, 100.0), (-1.0, 0.0), (7.0, 100.0), (0.12349, 12.34)])
    func `progress is 100 only where everything is done`(share: Double, percent: Double) {
        var status = LoaderStatus.example
        status.progress.tokensCovered = share
        #expect(LoaderStatusDocument(status).migration.progressPercent == percent)
    }

    @Test func `lists have limits and say what they leave out`() {
        var status = LoaderStatus.example
        status.tables = (0..<1_003).map { .init(name: "shop.t\($0)") }
        status.failures = (0..<107).map { .init(table: "shop.t", start: $0, end: $0 + 1, reason: "no") }
        let job = LoaderJobDocument(status)
        #expect(job.tables.count == 1_000 && job.tablesLeftOut == 3)
        #expect(job.failures.count == 100 && job.failuresLeftOut == 7)
        #expect(LoaderStatusDocument(status).migration.tablesTotal == 1_003)
    }

    private static func page(_ status: LoaderStatus) async -> String {
        let registry = MetricsRegistry()
        registry.register { LoaderMetrics.collect(status, into: &$0) }
        return await registry.render()
    }

    @Test func `every figure of a status is on the page of metrics`() async {
        let lines = Set(await Self.page(.example).split(separator: "\n").map(String.init))
        for line in [
            "cluster_sync_loader_rows_total 400", "cluster_sync_loader_bytes_total 25600",
            "cluster_sync_loader_statements_total 410", "cluster_sync_loader_filtered_rows_total 7",
            "cluster_sync_loader_dead_letters_total 2", "cluster_sync_loader_dead_letters 3",
            "cluster_sync_loader_retries_total{reason=\"timeout\"} 4",
            "cluster_sync_loader_retries_total{reason=\"overloaded\"} 6",
            "cluster_sync_loader_guesses_total{kind=\"column\"} 21",
            "cluster_sync_loader_guesses_total{kind=\"marker\"} 22",
            "cluster_sync_loader_guesses_total{kind=\"list\"} 23",
            "cluster_sync_loader_write_latency_seconds_bucket{le=\"0.01\"} 8",
            "cluster_sync_loader_write_latency_seconds_count 9",
            "cluster_sync_loader_state{state=\"idle\"} 1", "cluster_sync_loader_state{state=\"running\"} 0",
            "cluster_sync_loader_ranges{state=\"pending\"} 5", "cluster_sync_loader_ranges{state=\"leased\"} 2",
            "cluster_sync_loader_ranges{state=\"done\"} 9", "cluster_sync_loader_ranges{state=\"failed\"} 1",
            "cluster_sync_loader_tables{state=\"skipped\"} 1", "cluster_sync_loader_tables{state=\"waiting\"} 0",
            "cluster_sync_loader_tokens_covered_ratio 0.62508", "cluster_sync_loader_job_rows 1000",
            "cluster_sync_loader_job_bytes 64000", "cluster_sync_loader_elapsed_seconds 10.5",
            "cluster_sync_loader_connected{cluster=\"source\"} 1",
            "cluster_sync_loader_connected{cluster=\"target\"} 0",
            "cluster_sync_loader_in_flight 31", "cluster_sync_loader_in_flight_limit 64",
            "cluster_sync_loader_rows_per_second 95.25", "cluster_sync_loader_bytes_per_second 6096",
            "cluster_sync_loader_rows_per_second_limit 5000", "cluster_sync_loader_eta_seconds 80",
            "cluster_sync_loader_ceiling_timestamp_seconds 1700000000",
            "cluster_sync_loader_table_tokens_covered_ratio{table=\"shop.orders\"} 0.25",
            "cluster_sync_loader_table_rows{table=\"shop.orders\"} 900",
            "cluster_sync_loader_table_ranges_failed{table=\"shop.orders\"} 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func `every family has a help text, its kind and one of the two kinds of names`() async {
        let lines = await Self.page(.example).split(separator: "\n")
        let types = lines.filter { $0.hasPrefix("# TYPE cluster_sync_loader_") }
        #expect(types.count > 20)
        for type in types {
            let words = type.split(separator: " ")
            #expect(lines.contains { $0.hasPrefix("# HELP \(words[2]) ") }, "\(words[2])")
            #expect((words[3] == "counter") == words[2].hasSuffix("_total"), "\(words[2])")
        }
    }

    @Test func `a figure that is not known is not on the page`() async {
        var status = LoaderStatus.example
        status.secondsLeft = nil
        status.rowsPerSecond = nil
        status.ceiling = .init(microseconds: nil, origin: .none)
        status.counters.latency = nil
        let page = await Self.page(status)
        for name in ["eta_seconds", "rows_per_second ", "ceiling", "latency", "bytes_per_second_limit"] {
            #expect(!page.contains("cluster_sync_loader_\(name)"), "\(name)")
        }
    }
}
