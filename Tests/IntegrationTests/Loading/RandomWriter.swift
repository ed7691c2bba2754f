import CQLProtocol
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// Applications that write and delete at random through a sidecar until they are told to stop.
final class RandomWriter: Sendable {
    private let tables: [WrittenTable]
    private let seed: UInt64
    private let isEnded = Atomic(false)
    private let count = Atomic(0)
    private let refused = Mutex<[String]>([])

    init(_ tables: [WrittenTable], seed: UInt64) {
        self.tables = tables
        self.seed = seed
    }

    /// Writes that were acknowledged so far.
    var acknowledged: Int { self.count.load(ordering: .relaxed) }
    /// What was not acknowledged; the first few.
    var failures: [String] { self.refused.withLock { $0 } }

    func stop() { self.isEnded.store(true, ordering: .relaxed) }

    /// Waits until so many more writes are acknowledged.
    func advanced(by writes: Int) async throws {
        let goal = self.acknowledged + writes
        try await eventually { self.acknowledged >= goal || !self.failures.isEmpty }
    }

    /// Some applications at once, each with a connection of its own.
    func run(_ applications: Int, through address: SocketAddress) async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<applications {
                group.addTask {
                    let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
                    var random = SeededRandom(seed: self.seed &* 1_000 &+ UInt64(number))
                    while !self.isEnded.load(ordering: .relaxed) {
                        let change = random.pick(self.tables).change(&random)
                        let answer = try await client.ask(change.request())
                        if answer == .result(.void) {
                            self.count.add(1, ordering: .relaxed)
                        } else {
                            self.refused.withLock { if $0.count < 5 { $0.append("\(change): \(answer)") } }
                        }
                    }
                    await client.close()
                }
            }
            try await group.waitForAll()
        }
    }
}
