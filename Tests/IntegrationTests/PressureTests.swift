import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Testing

/// What happens when applications ask for more than a loop should hold at once.
struct PressureTests {
    @Test func `a client that asks for too much at once is read from later, and refused nothing`() async throws {
        try await JournalHarness.run { harness in
            harness.source.setFaults([FaultRule(.textContains("INSERT"), .delay(.milliseconds(300)))])
            let count = 64
            try await harness.sidecar(.dualWriteAsync) {
                $0.limits.clientBytesInFlightMax = 64 << 10
                $0.timeouts.primaryWriteMilliseconds = 60_000
            } _: { proxy, client in
                // Together far more than the limit, and than what one read brings.
                let value = String(repeating: "v", count: 32 << 10)
                let answers = try await withThrowingTaskGroup(of: Response.self) { group in
                    for key in 0..<count {
                        group.addTask {
                            try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('\(key)', '\(value)')"))
                        }
                    }
                    var answers: [Response] = []
                    for try await answer in group { answers.append(answer) }
                    return answers
                }
                #expect(answers.allSatisfy { if case .result = $0 { true } else { false } })
                let counters = await proxy.status().counters
                #expect(counters.readPauses > 0)
                #expect(counters.overloaded == 0)
                try await harness.settled(proxy)
                #expect(try await harness.rows(.target).count == count)
            }
        }
    }
}
