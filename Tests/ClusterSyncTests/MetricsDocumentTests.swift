import CQLClient
import DualWriteCore
import FoundationEssentials
import Operations
import SharedState
import Testing

@testable import ClusterSync
@testable import DualWriter

/// docs/metrics.md is made from pages of metrics on which everything is.
///
/// `CLUSTER_SYNC_TEST_WRITE_DOCUMENTS=1 swift test --filter MetricsDocumentTests` writes it anew.
struct MetricsDocumentTests {
    private static let path = "\(ConfigurationTests.root)/docs/metrics.md"

    /// One family of a page, as its lines tell it.
    private struct Family {
        var name: String
        var help = ""
        var kind = ""
        var labels: [String] = []

        /// By the endings that Prometheus recommends.
        var unit: String {
            for unit in ["seconds", "bytes", "ratio"]
            where self.name.hasSuffix("_\(unit)") || self.name.hasSuffix("_\(unit)_total") {
                return unit
            }
            return self.name.hasSuffix("_per_second") || self.name.hasSuffix("_per_second_limit") ? "per second" : ""
        }

        /// The first of its samples tells the labels, of which `le` is a histogram's own.
        mutating func read(_ sample: Substring) {
            guard self.labels.isEmpty, let open = sample.firstIndex(of: "{") else { return }
            let text = sample[open...].dropFirst()
            self.labels = text.split(separator: "\"").enumerated().filter { $0.offset.isMultiple(of: 2) }.compactMap {
                let name = $0.element.drop { $0 == "," }.prefix { $0 != "=" && $0 != "}" }
                return name.isEmpty || name == "le" ? nil : String(name)
            }
        }

        var row: String {
            let labels = self.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(self.name)` | \(self.kind) | \(self.unit) | \(labels) | \(self.help) |"
        }
    }

    private static func families(_ page: String) -> [Family] {
        var families: [Family] = []
        for line in page.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            switch words.prefix(2) {
            case ["#", "HELP"]: families.append(Family(name: String(words[2]), help: String(words[3])))
            case ["#", "TYPE"]: families[families.count - 1].kind = String(words[3])
            default: families[families.count - 1].read(line)
            }
        }
        return families
    }

    private static func families(_ collector: @escaping MetricsRegistry.Collector) async -> [Family] {
        let registry = MetricsRegistry()
        registry.register(collector: collector)
        return Self.families(await registry.render())
    }

    private static var sidecar: DualWriterStatus {
        var status = DualWriterStatus(mode: .dualWriteAsync, epoch: 1)
        status.hasJournal = true
        var leg = DualWriterStatus.Leg(cluster: .target)
        leg.tables["shop.orders"] = .init()
        leg.clock = ClockReading(asked: 0, server: 0, answered: 0)
        status.legs = [leg]
        status.counters.comparison.count(.mismatch, "shop.orders", RowComparison([.missing: 1]))
        return status
    }

    private static var verdict: GateVerdict {
        GateVerdict(ModeStep(from: .primaryOnly, to: .dualWriteAsync), GateFigures(now: 0), GateSettings())
    }

    /// Everything that a sidecar tells.
    private static func collect(_ page: inout MetricsPage) {
        SidecarMetrics.collect(self.sidecar, into: &page)
        SidecarMetrics.collect(self.verdict, into: &page)
        SidecarMetrics.collect(SharedStatus(id: "replica"), into: &page)
    }

    private static var loader: LoaderStatus {
        var status = LoaderStatus(
            version: "1",
            job: "load",
            worker: "w",
            source: .init(kind: "cluster", names: []),
            target: .init(kind: "cluster", names: []),
            ceiling: .init(microseconds: 1, origin: .dualWriter)
        )
        status.counters.retries = ["timeout": 1]
        status.counters.latency = HistogramSnapshot(bounds: [1], counts: [0, 0], sum: 0)
        status.limits.rowsPerSecond = 1
        status.limits.bytesPerSecond = 1
        status.rowsPerSecond = 1
        status.bytesPerSecond = 1
        status.secondsLeft = 1
        status.tables = [.init(name: "shop.orders")]
        return status
    }

    private static var reader: ReaderStatus {
        var status = ReaderStatus(version: "1")
        var counts = ReaderReportDocument.Counts()
        counts.differences = ["value": 1]
        let report = ReaderReportDocument(
            job: "compare",
            subject: "everything",
            verdict: "differs",
            reason: nil,
            beganAt: "",
            at: "2026-11-26T08:00:00.000Z",
            ended: true,
            tokensCoveredRatio: 1,
            sampledPercentage: 100,
            partial: false,
            counts: counts,
            tables: [
                .init(table: "shop.orders", verdict: "differs", reason: nil, tokensCoveredRatio: 1, counts: counts)
            ]
        )
        (status.current, status.lastWhole) = (report, report)
        (status.rowsPerSecond, status.secondsLeft) = (1, 1)
        return status
    }

    private static func table(_ families: [Family]) -> String {
        "| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n"
            + families.map(\.row).joined(separator: "\n")
    }

    private static func document() async -> String {
        let processes = await Self.families { ProcessMetrics.collect(into: &$0) }
        let loader = Self.loader
        let sidecars = await Self.families { Self.collect(&$0) }
        let loaders = await Self.families { LoaderMetrics.collect(loader, into: &$0) }
        let reader = Self.reader
        let readers = await Self.families { ReaderMetrics.collect(reader, into: &$0) }
        return """
            # Metrics

            What `GET /metrics` of each service tells, in Prometheus's text format. This page is made by a test from the program itself;
            do not change it by hand. Counters begin at 0 with the process. Labels are bounded: of tables a page names 100 at most,
            and a metric has 256 combinations of labels at most (`cluster_sync_metrics_dropped_samples`).

            `cluster` and `database` are `source` or `target`, whatever the write mode is; which of them answers applications is what
            the rule `cluster_sync:primary` says ([config/prometheus](../config/prometheus)). What to do when an alert fires:
            [runbook.md](runbook.md). A dashboard: [config/grafana/cluster-sync.json](../config/grafana/cluster-sync.json).

            ## Every service

            \(Self.table(processes))

            ## Sidecar

            \(Self.table(sidecars))

            ## Loader

            \(Self.table(loaders))

            ## Reader

            \(Self.table(readers))

            """
    }

    @Test func `the page of metrics in the documentation is what the program tells`() async throws {
        let document = await Self.document()
        if ProcessInfo.processInfo.environment["CLUSTER_SYNC_TEST_WRITE_DOCUMENTS"] == "1" {
            try document.write(toFile: Self.path, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOfFile: Self.path, encoding: .utf8)
        let missing = document.split(separator: "\n").filter { !written.contains($0) }
        #expect(missing == [])
        #expect(written == document)
    }

    @Test func `every metric says what it is, and its name says its kind`() async {
        let loader = Self.loader
        let reader = Self.reader
        let families =
            await Self.families { Self.collect(&$0) }
            + Self.families { ProcessMetrics.collect(into: &$0) }
            + Self.families { LoaderMetrics.collect(loader, into: &$0) }
            + Self.families { ReaderMetrics.collect(reader, into: &$0) }
        #expect(families.count > 60)
        for family in families {
            #expect(family.help.count > 10 && family.help.hasSuffix("."), "\(family.name)")
            #expect((family.kind == "counter") == family.name.hasSuffix("_total"), "\(family.name)")
        }
    }
}
