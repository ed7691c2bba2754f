import DualWriteCore
import FoundationEssentials
import Logging
import Operations
import Synchronization
import Testing

@testable import ClusterSync
@testable import DualWriter

struct SidecarControlTests: ControlTests {
    @Test func `a step is made by the proxy and kept in the state folder`() async throws {
        try await self.withControl { bench in
            let phase = try await bench.control.change(.init(mode: "1", reason: "go", by: "test"))
            #expect(phase.mode == "DualWriteAsync")
            #expect(phase.epoch == 1)
            #expect(phase.next == ["PrimaryOnly", "DualWriteSync"])
            #expect(bench.proxy.with { $0.calls } == ["mode DualWriteAsync 1"])
            let kept = try #require(try bench.store.load()?.state)
            #expect(kept.mode == .dualWriteAsync)
            #expect(kept.history.map(\.reason) == ["go"])
            #expect(kept.history.map(\.by) == ["test"])
        }
    }

    @Test func `going where one is already changes nothing and is no error`() async throws {
        try await self.withControl { bench in
            let phase = try await bench.control.change(.init(mode: "PrimaryOnly", by: "test"))
            #expect(phase.epoch == 0)
            #expect(bench.proxy.with { $0.calls } == [])
        }
    }

    @Test func `two steps need force and a reason`() async throws {
        try await self.withControl { bench in
            let tooFar = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "TargetOnly", by: "test"))
            }
            #expect(tooFar?.code == .transitionRefused)
            let noReason = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "TargetOnly", force: true, by: "test"))
            }
            #expect(noReason?.code == .transitionRefused)
            let phase = try await bench.control.change(
                .init(mode: "TargetOnly", reason: "drill", force: true, by: "test")
            )
            #expect(phase.mode == "TargetOnly")
            #expect(phase.history.first?.forced == true)
        }
    }

    @Test func `force with a reason reaches the gates of a single step too`() async throws {
        try await self.withControl { bench in
            _ = try await bench.control.change(.init(mode: "1", force: true, by: "test"))
            _ = try await bench.control.change(.init(mode: "2", reason: "drill", force: true, by: "test"))
            #expect(bench.proxy.with { $0.calls } == ["mode DualWriteAsync 1", "mode DualWriteSync 2 forced"])
        }
    }

    @Test func `a name that is no mode is refused with the valid ones`() async throws {
        try await self.withControl { bench in
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "sideways", by: "test"))
            }
            #expect(refusal?.code == .invalidMode)
            #expect(refusal?.message.contains("ShadowPrimary (3)") == true)
        }
    }

    @Test func `a mode whose cluster is not configured is refused`() async throws {
        try await self.withControl(hosts: ("a", "")) { bench in
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "1", by: "test"))
            }
            #expect(refusal?.code == .clusterUnreachable)
            #expect(refusal?.message == "DualWriteAsync needs the target cluster, and no host of it is configured")
        }
    }

    @Test func `what the proxy refuses is neither kept nor shown`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.refusesModes = true }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "1", by: "test"))
            }
            #expect(refusal?.message == "DualWriteAsync cannot be entered: connection refused")
            #expect(await bench.control.phase().epoch == 0)
            let kept = try bench.store.load()
            #expect(kept == nil)
        }
    }

    @Test func `a state folder that cannot be written takes the proxy back`() async throws {
        try await self.withControl { bench in
            try FileManager.default.removeItem(atPath: bench.path)
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "1", by: "test"))
            }
            #expect(refusal?.code == .changeFailed)
            #expect(bench.proxy.with { $0.calls } == ["mode DualWriteAsync 1", "mode PrimaryOnly 0 forced"])
            #expect(await bench.control.phase().mode == "PrimaryOnly")
        }
    }

    @Test func `a configuration document changes hosts, times and mode together`() async throws {
        try await self.withControl { bench in
            var change = ConfigurationChange(by: "test")
            change.scyllaHosts = ["c:1", "d"]
            change.writeMode = "DualWriteAsync"
            change.shadowWriteTimeoutMs = 77
            let document = try await bench.control.apply(change)
            #expect(document.scyllaHosts == ["c:1", "d"])
            #expect(document.writeMode == "DualWriteAsync")
            #expect(document.shadowWriteTimeoutMs == 77)
            #expect(bench.proxy.with { $0.calls } == ["hosts - [\"c:1\", \"d\"]", "mode DualWriteAsync 1"])
            #expect(bench.proxy.with { $0.timeouts?.shadowWriteMilliseconds } == 77)
        }
    }

    @Test func `the share of compared reads changes while reads go on, and health tells what is compared now`()
        async throws
    {
        try await self.withControl { bench in
            var change = ConfigurationChange(by: "test")
            change.validationPercentage = 12.5
            #expect(try await bench.control.apply(change).validationPercentage == 12.5)
            #expect(bench.proxy.with { $0.percentage } == 12.5)
            // PrimaryOnly has nothing to compare with.
            #expect(await bench.control.health().validationRate == 0)
            _ = try await bench.control.change(PhaseChange(mode: "DualWriteAsync", by: "test"))
            #expect(await bench.control.health().validationRate == 0.125)
            bench.proxy.with { $0.isBehind = true }
            #expect(await bench.control.health().validationRate == 0)
            bench.proxy.with {
                $0.isBehind = false
                $0.connected = [.source]
            }
            #expect(await bench.control.health().validationRate == 0)
        }
    }

    @Test func `a share that the proxy refuses is not shown as the one in force`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.refusesPercentages = true }
            var change = ConfigurationChange(by: "test")
            change.validationPercentage = 50
            let given = change
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.apply(given)
            }
            #expect(refusal?.code == .changeFailed)
            #expect(await bench.control.configuration().validationPercentage == 0)
        }
    }

    @Test func `a document of which one part is impossible changes nothing`() async throws {
        try await self.withControl { bench in
            let before = await bench.control.configuration()
            var change = ConfigurationChange(by: "test")
            change.shadowWriteTimeoutMs = 77
            for (mode, hosts) in [("sideways", nil), ("TargetOnly", nil), (nil, ["x y"]), (nil, ["a:0"])] {
                change.writeMode = mode
                change.scyllaHosts = hosts
                let given = change
                let refusal = await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.apply(given)
                }
                #expect(refusal != nil)
            }
            change.writeMode = nil
            change.scyllaHosts = ["gone"]
            bench.proxy.with { $0.refusesHosts = true }
            let given = change
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.apply(given)
            }
            #expect(refusal?.code == .clusterUnreachable)
            #expect(await bench.control.configuration() == before)
            #expect(bench.proxy.with { $0.timeouts } == nil)
        }
    }

    @Test func `hosts go back when the mode of the same document is refused`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.refusesModes = true }
            var change = ConfigurationChange(by: "test")
            change.scyllaHosts = ["c"]
            change.writeMode = "1"
            let given = change
            _ = await self.refusal { () async throws(AdminError) in _ = try await bench.control.apply(given) }
            #expect(
                bench.proxy.with { $0.calls } == ["hosts - [\"c\"]", "mode DualWriteAsync 1", "hosts - [\"b\"]"]
            )
            #expect(await bench.control.configuration().scyllaHosts == ["b"])
        }
    }

    @Test func `a cluster that the mode needs cannot be taken away`() async throws {
        try await self.withControl { bench in
            var change = ConfigurationChange(by: "test")
            change.cassandraHosts = []
            let given = change
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.apply(given)
            }
            #expect(refusal?.message == "PrimaryOnly needs the source cluster, and no host of it is configured")
        }
    }

    @Test(arguments: WriteMode.allCases)
    func `readiness depends on the shadow in DualWriteSync only`(mode: WriteMode) async throws {
        try await self.withControl { bench in
            bench.proxy.with {
                $0.mode = mode
                $0.connected = [mode.primary]
            }
            let readiness = await bench.control.readiness()
            #expect((readiness == .ready) == (mode != .dualWriteSync))
            bench.proxy.with { $0.connected = [mode.primary.other] }
            #expect(await bench.control.readiness() != .ready)
            bench.proxy.with {
                $0.connected = [.source, .target]
                $0.isDraining = true
            }
            #expect(await bench.control.readiness() == .notReady(reason: "the sidecar is stopping"))
        }
    }

    @Test func `health says degraded while only the shadow is away`() async throws {
        try await self.withControl { bench in
            _ = try await bench.control.change(.init(mode: "1", by: "test"))
            #expect(await bench.control.health().status == "ok")
            bench.proxy.with { $0.connected = [.source] }
            let health = await bench.control.health()
            #expect(health.status == "degraded")
            #expect(health.cassandraConnected && !health.scyllaConnected)
            #expect(health.target.error == "connection refused")
            bench.proxy.with { $0.connected = [] }
            #expect(await bench.control.health().status == "unavailable")
        }
    }

    @Test func `the page of metrics keeps the three names that dashboards know`() async throws {
        try await self.withControl { bench in
            let registry = MetricsRegistry()
            let proxy = bench.proxy
            registry.register { page in SidecarMetrics.collect(proxy.status(), into: &page) }
            let text = await registry.render()
            for line in [
                "# TYPE proxy_write_latency_seconds histogram", "# TYPE proxy_writes_total counter",
                "# TYPE proxy_consistency_mismatches untyped",
                #"proxy_writes_total{database="source",status="success"} 0"#,
                #"cluster_sync_phase{phase="PrimaryOnly"} 1"#, #"cluster_sync_connected{cluster="target"} 1"#,
            ] { #expect(text.contains(line + "\n")) }
            #expect(text.contains("cluster_sync_metrics_dropped_samples 0\n"))
        }
    }

    @Test func `the page of metrics tells what comparing reads has come to, by table`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { state in
                state.counters.comparison.count(.equal, "ks.a")
                state.counters.comparison.count(.settled, "ks.a")
                state.counters.comparison.count(.unreadable, "ks.a")
                state.counters.comparison.count(.mismatch, "ks.b", RowComparison([.missing: 3]))
                state.counters.comparison.skipped[.laterPage] = 4
            }
            let registry = MetricsRegistry()
            let proxy = bench.proxy
            registry.register { page in SidecarMetrics.collect(proxy.status(), into: &page) }
            let text = await registry.render()
            for line in [
                #"proxy_consistency_mismatches{operation="read"} 1"#,
                #"cluster_sync_divergence_reads_compared_total{table="ks.a"} 2"#,
                #"cluster_sync_divergence_reads_compared_total{table="ks.b"} 1"#,
                #"cluster_sync_comparison_reads_total{table="ks.a",result="unreadable"} 1"#,
                #"cluster_sync_divergence_mismatches_total{table="ks.b",class="missing"} 1"#,
                #"cluster_sync_comparison_skipped_total{reason="later_page"} 4"#,
                #"cluster_sync_comparison_skipped_total{reason="busy"} 0"#,
            ] { #expect(text.contains(line + "\n"), "\(line)") }
        }
    }
}
