import CQLClient
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOPosix
import Testing

/// How far the clusters' clocks are from that of the sidecar.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ClockTests {
    @Test func `the clock of each cluster is known, and one that goes fast is noticed`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync) { harness in
            let clocks = await harness.proxy.status().legs.map(\.clock)
            for clock in clocks {
                let known = try #require(clock)
                #expect(known.apartMin == 0, "they are one machine's")
            }
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let source = try await EmbeddedNode.start(on: group)
        let target = try await EmbeddedNode.start(on: group)
        target.store.moveClock(by: .seconds(30))
        try await RunningProxy.run(
            between: (host: "127.0.0.1", port: source.port),
            and: (host: "127.0.0.1", port: target.port),
            mode: .dualWriteAsync
        ) { proxy in
            let status = await proxy.status()
            let (slow, fast) = (try #require(status.leg(.source)?.clock), try #require(status.leg(.target)?.clock))
            #expect(slow.apartMin == 0)
            #expect((25_000...30_001).contains(fast.apartMin))
            #expect((25_000...30_001).contains(fast.apartMin(from: slow)))
        }
        await source.stop()
        await target.stop()
    }
}
