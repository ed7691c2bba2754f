import CQLProtocol
import NIOCore
import Synchronization
import TestSupport

/// Applications that write and delete rows of a ``ReaderScenario`` through a sidecar until they are told to stop.
final class Applications: Sendable {
    private let partitions: Int
    private let isEnded = Atomic(false)
    private let count = Atomic(0)
    private let refused = Mutex<[String]>([])

    init(_ scenario: ReaderScenario) { self.partitions = scenario.partitions }

    /// Writes that were acknowledged.
    var acknowledged: Int { self.count.load(ordering: .relaxed) }
    /// What was not; the first few.
    var failures: [String] { self.refused.withLock { $0 } }

    func stop() { self.isEnded.store(true, ordering: .relaxed) }

    /// Writes through a port of this machine, one write after the other.
    func run(through port: Int, seed: UInt64) async throws {
        let client = try await ReaderScenario.client(port)
        var random = SeededRandom(seed: seed)
        var turn = 0
        while !self.isEnded.load(ordering: .relaxed) {
            turn += 1
            let p = random.number(0...self.partitions - 1)
            let row = "WHERE p = \(p) AND c = \(random.pick(ReaderScenario.written))"
            let texts = [
                "UPDATE shop.t SET v = 'live \(turn)', w = \(turn) \(row)", "DELETE FROM shop.t \(row)",
                "UPDATE shop.t SET m['l'] = \(turn), st = st + {\(turn % 50)} \(row)",
                "DELETE w, m['l'] FROM shop.t \(row)",
                "UPDATE shop.t USING TTL 800000 SET v = 'for a while' \(row)",
                "UPDATE shop.t SET m = {'k': \(turn)} \(row)",
            ]
            let text = random.pick(texts)
            let answer = try await client.ask(query(text))
            if answer == .result(.void) {
                self.count.add(1, ordering: .relaxed)
            } else {
                self.refused.withLock { if $0.count < 5 { $0.append("\(text): \(answer)") } }
            }
        }
        await client.close()
    }
}
