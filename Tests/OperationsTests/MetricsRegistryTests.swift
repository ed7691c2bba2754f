import CoreMetrics
import Operations
import Testing

struct MetricsRegistryTests {
    @Test func `a page shows every kind in the exposition format`() async {
        let registry = MetricsRegistry()
        registry.describe("requests", help: "Requests with a \\ and\na line feed.")
        registry.makeCounter(label: "requests", dimensions: [("code", "200")]).increment(by: 3)
        registry.makeCounter(label: "requests", dimensions: [("code", "500")]).increment(by: 1)
        registry.makeMeter(label: "queue.bytes", dimensions: []).set(12.5)
        registry.makeTimer(label: "wait_seconds", dimensions: []).recordNanoseconds(3_000_000)
        registry.register { page in
            page.gauge("phase", help: "The mode.", labels: [.init("phase", "say \"hi\"\\\n")], 1)
            page.histogram(
                "latency_seconds",
                help: "",
                labels: [.init("database", "source")],
                .init(bounds: [0.001, 1], counts: [2, 1, 1], sum: 2.75)
            )
        }
        let text = await registry.render()
        let expected = #"""
            # HELP cluster_sync_metrics_dropped_samples Samples that a limit or a conflict of kinds kept off this page.
            # TYPE cluster_sync_metrics_dropped_samples gauge
            cluster_sync_metrics_dropped_samples 0
            # TYPE latency_seconds histogram
            latency_seconds_bucket{database="source",le="0.001"} 2
            latency_seconds_bucket{database="source",le="1"} 3
            latency_seconds_bucket{database="source",le="+Inf"} 4
            latency_seconds_sum{database="source"} 2.75
            latency_seconds_count{database="source"} 4
            # HELP phase The mode.
            # TYPE phase gauge
            phase{phase="say \"hi\"\\\n"} 1
            # TYPE queue_bytes gauge
            queue_bytes 12.5
            # HELP requests Requests with a \\ and\na line feed.
            # TYPE requests counter
            requests{code="200"} 3
            requests{code="500"} 1
            # TYPE wait_seconds histogram
            wait_seconds_bucket{le="0.00025"} 0
            wait_seconds_bucket{le="0.0005"} 0
            wait_seconds_bucket{le="0.001"} 0
            wait_seconds_bucket{le="0.0025"} 0
            wait_seconds_bucket{le="0.005"} 1
            wait_seconds_bucket{le="0.01"} 1
            wait_seconds_bucket{le="0.025"} 1
            wait_seconds_bucket{le="0.05"} 1
            wait_seconds_bucket{le="0.1"} 1
            wait_seconds_bucket{le="0.25"} 1
            wait_seconds_bucket{le="0.5"} 1
            wait_seconds_bucket{le="1"} 1
            wait_seconds_bucket{le="2.5"} 1
            wait_seconds_bucket{le="10"} 1
            wait_seconds_bucket{le="+Inf"} 1
            wait_seconds_sum 0.003
            wait_seconds_count 1

            """#
        #expect(text == expected)
    }

    @Test func `label sets beyond the limit share one sample called other`() async {
        var limits = MetricsLimits()
        limits.labelSetsPerMetricMax = 3
        let registry = MetricsRegistry(limits: limits)
        for table in 0..<10 {
            registry.makeCounter(label: "writes", dimensions: [("table", "t\(table)")]).increment(by: 1)
        }
        let text = await registry.render()
        #expect(text.contains("writes{table=\"t0\"} 1\nwrites{table=\"t1\"} 1\nwrites{table=\"other\"} 8\n"))
        #expect(text.contains("cluster_sync_metrics_dropped_samples 0\n"))
    }

    @Test func `a collector that adds too many samples is cut off and counted`() async {
        var limits = MetricsLimits()
        limits.labelSetsPerMetricMax = 2
        let registry = MetricsRegistry(limits: limits)
        registry.register { page in
            for table in 0..<5 { page.counter("rows", help: "", labels: [.init("table", "\(table)")], 1) }
        }
        let text = await registry.render()
        #expect(text.contains("rows{table=\"1\"} 1\n"))
        #expect(!text.contains("rows{table=\"2\"}"))
        #expect(text.contains("cluster_sync_metrics_dropped_samples 3\n"))
    }

    @Test func `a name keeps its first kind and the second use does no harm`() async {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "mixed", dimensions: []).increment(by: 1)
        registry.makeMeter(label: "mixed", dimensions: []).set(9.0)
        let text = await registry.render()
        #expect(text.contains("# TYPE mixed counter\nmixed 1\n"))
    }

    @Test func `the same name and labels give the same handle until it is destroyed`() async {
        let registry = MetricsRegistry()
        let first = registry.makeCounter(label: "c", dimensions: [("a", "b")])
        first.increment(by: 1)
        #expect(registry.makeCounter(label: "c", dimensions: [("a", "b")]) === first)
        registry.destroyCounter(first)
        #expect(!(await registry.render()).contains("# TYPE c counter"))
    }

    @Test(arguments: [
        ("plain_name:x9", "plain_name:x9"), ("9lives", "_9lives"), ("a.b-c d", "a_b_c_d"), ("", "_"), ("é", "_"),
    ])
    func `a metric name keeps only what the format allows`(given: String, expected: String) async {
        let registry = MetricsRegistry()
        registry.makeMeter(label: given, dimensions: []).set(1.0)
        #expect((await registry.render()).contains("# TYPE \(expected) gauge\n\(expected) 1\n"))
    }
}
