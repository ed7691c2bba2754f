import CQLProtocol
import EmbeddedNode
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import SSTableLoader

extension Loads {
    /// A target that fails ends complete, or with exactly the dead letters.
    @Suite(.enabled(if: Recorded.areThere, "the recorded fixtures are not here"))
    struct FaultyTargetTests {
        /// Counts what a writer tells, and says when it begins.
        private final class Watch: WritePace {
            private let state = Mutex<[WriteAttempt.Result: Int]>([:])
            let begins: AsyncStream<Void>
            private let input: AsyncStream<Void>.Continuation

            init() { (self.begins, self.input) = AsyncStream.makeStream(of: Void.self) }

            var inFlightMax: Int { 16 }
            var results: [WriteAttempt.Result: Int] { self.state.withLock { $0 } }
            func admit(statements: Int, bytes: Int) { self.input.yield() }
            func ended(_ attempt: WriteAttempt) { self.state.withLock { $0[attempt.result, default: 0] += 1 } }
        }

        private static var quick: TargetWriter.Limits {
            var limits = TargetWriter.Limits()
            limits.attemptsMax = 30
            limits.pauseMillisecondsMin = 1
            limits.pauseMillisecondsMax = 50
            return limits
        }

        private static func error(_ code: ErrorCode, _ details: ErrorMessage.Details = .none) -> FaultRule.Reaction {
            .error(ErrorMessage(code, "a fault of the test", details: details))
        }

        private static let unavailable = Self.error(
            .unavailable,
            .unavailable(consistency: .localQuorum, required: 2, alive: 1)
        )
        private static let writeTimeout = Self.error(
            .writeTimeout,
            .writeTimeout(consistency: .localQuorum, received: 0, blockFor: 1, writeType: .simple)
        )

        /// What a load without faults leaves.
        private static func whole(_ recorded: Recorded) async throws -> Captured {
            let captured = Captured()
            try await LoadScene.run(recorded) { scene in
                let result = try await scene.load()
                captured.set(try scene.entries(), result.part.partitions)
            }
            return captured
        }

        @Test func `timeouts, overload and lost connections leave nothing out`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded, requestMilliseconds: 400, retries: 0) { scene in
                func share(_ share: Double) -> FaultRule.Condition { .all([.opcode(.execute), .probability(share)]) }
                scene.node.setFaults([
                    FaultRule(share(0.05), Self.error(.overloaded)), FaultRule(share(0.05), Self.unavailable),
                    FaultRule(share(0.05), Self.writeTimeout), FaultRule(share(0.005), .dropAnswer, times: 5),
                    FaultRule(share(0.005), .close, times: 3),
                ])
                let watch = Watch()
                let result = try await scene.load(limits: Self.quick, pace: watch)
                #expect(result.writer.deadLetters == 0 && result.writer.retries > 0)
                #expect(watch.results[.acknowledged] == result.writer.requests)
                #expect((watch.results[.overloaded] ?? 0) > 0 && (watch.results[.timedOut] ?? 0) > 0)
                let entries = Set(try scene.entries())
                #expect(entries == whole.entries)
            }
        }

        @Test func `what is refused for good is in the dead letters, and everything else in the table`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded) { scene in
                scene.node.setFaults([FaultRule(.opcode(.execute), Self.error(.invalid), times: 3)])
                let result = try await scene.load()
                #expect(result.writer.deadLetters == 3)
                let lines = try scene.deadLines
                let dead = Set(lines.compactMap { $0["readable_key"]?.elements.compactMap(\.string) })
                #expect(dead.count == 3 && lines.allSatisfy { $0["reason"]?.string == "INVALID: a fault of the test" })
                let missing = Set(whole.entries.subtracting(try scene.entries()).map(\.place.key))
                #expect(missing == dead)
            }
        }

        @Test func `of a batch that is refused each statement has its own end`() async throws {
            let recorded = try Recorded.named("4.1/wide")
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded) { scene in
                scene.node.setFaults([
                    FaultRule(.opcode(.batch), Self.error(.invalid)),
                    FaultRule(.all([.opcode(.execute), .textContains("INSERT")]), Self.error(.invalid), times: 1),
                ])
                let watch = Watch()
                let result = try await scene.load(pace: watch)
                #expect(result.writer.deadLetters == 1 && (watch.results[.refused] ?? 0) > 1)
                let missing = Set(whole.entries.subtracting(try scene.entries()).map(\.place.clustering))
                #expect(missing.count == 1)
            }
        }

        @Test func `what must not be written twice is not sent again when its outcome is not known`() async throws {
            let recorded = try Recorded.named("4.1/every_type")
            try await LoadScene.run(recorded, requestMilliseconds: 1_000) { scene in
                scene.node.setFaults([
                    FaultRule(.all([.opcode(.execute), .textContains("\"l\" = ?")]), .dropAnswer, times: 1)
                ])
                let result = try await scene.load(limits: Self.quick)
                #expect(result.writer.deadLetters == 1)
                let line = try #require(try scene.deadLines.first)
                #expect(line["reason"]?.string?.hasPrefix("its outcome is not known") == true)
                #expect(line["statement"]?.string?.contains("\"l\" = ?") == true)
                let elements = try scene.entries().filter {
                    if case .cell("l", _) = $0.place.kind { true } else { false }
                }
                #expect(elements.count == 4, "the list stands there once")
            }
        }

        @Test func `a target that takes nothing stops the part, and blames no row`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            try await LoadScene.run(recorded) { scene in
                scene.node.setFaults([FaultRule(.opcode(.execute), Self.error(.overloaded))])
                var limits = Self.quick
                limits.attemptsMax = 3
                var tokens: [Int64] = []
                let error = await #expect(throws: TargetWriterError.self) {
                    try await scene.load(limits: limits) { tokens.append($0) }
                }
                #expect(error?.code == .unavailable && error?.description.contains("OVERLOADED") == true)
                #expect(tokens.isEmpty && scene.letters.count == 0)
            }
        }

        @Test func `a target that refuses everything stops the part before the disk is full of letters`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            try await LoadScene.run(recorded) { scene in
                scene.node.setFaults([FaultRule(.opcode(.execute), Self.error(.invalid))])
                var limits = Self.quick
                limits.deadLettersMax = 10
                limits.inFlightMax = 4
                let error = await #expect(throws: TargetWriterError.self) { try await scene.load(limits: limits) }
                #expect(error?.code == .tooManyLetters)
                #expect(scene.letters.count <= 10 + 4)
            }
        }

        @Test func `a node that is killed and comes back has everything`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded) { scene in
                var partLimits = FilePart.Limits()
                partLimits.checkpointPartitions = 50
                var revived: EmbeddedNode?
                try await scene.load(limits: Self.quick, partLimits: partLimits) { _ in
                    guard revived == nil else { return }
                    await scene.node.kill()
                    revived = try await EmbeddedNode.start(
                        on: MultiThreadedEventLoopGroup.singleton,
                        port: scene.node.port,
                        store: scene.node.store
                    )
                }
                let entries = Set(try scene.entries())
                #expect(entries == whole.entries)
                await revived?.stop()
            }
        }

        @Test func `a part that is cancelled ends at once, whatever the target does`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            try await LoadScene.run(recorded) { scene in
                scene.node.setFaults([FaultRule(.opcode(.execute), .drop)])
                let watch = Watch()
                let task = Task { try await scene.load(pace: watch) }
                // The sixteenth waits for room.
                var begins = watch.begins.makeAsyncIterator()
                for _ in 0..<17 { _ = await begins.next() }
                let begin = ContinuousClock.now
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(ContinuousClock.now - begin < .seconds(5))
            }
        }
    }
}
