import CQLProtocol
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Applications that write through all replicas at once and read what somebody has just written, each key once.
final class ReplicaTraffic: Sendable {
    /// A write that was acknowledged.
    struct Write: Sendable {
        var key: String
        var sent: ContinuousClock.Instant
        var answered: ContinuousClock.Instant
    }

    /// What an application did not get.
    struct Failure: Sendable, CustomStringConvertible {
        var replica: String
        var at: ContinuousClock.Instant
        var description: String
    }

    private struct State {
        var writes: [Write] = []
        var failures: [Failure] = []
        var reads = 0
        var requests = 0
    }

    /// How long ago a write that is read may have been acknowledged.
    private static let recent = Duration.milliseconds(300)
    private static let tick = Duration.milliseconds(20)
    private static let connections = 4
    private static let failuresMax = 10_000

    private let stage: ReplicaStage
    private let rate: Int
    private let isEnded = Atomic(false)
    private let state = Mutex(State())

    /// - Parameter rate: requests per second, over all replicas.
    init(_ stage: ReplicaStage, rate: Int) {
        self.stage = stage
        self.rate = rate
    }

    var writes: [Write] { self.state.withLock { $0.writes } }
    var reads: Int { self.state.withLock { $0.reads } }
    var failures: [Failure] { self.state.withLock { $0.failures } }
    var requests: Int { self.state.withLock { $0.requests } }

    func stop() { self.isEnded.store(true, ordering: .relaxed) }

    /// Waits until so many more writes are acknowledged.
    func advanced(by writes: Int) async throws {
        let goal = self.writes.count + writes
        try await eventually { self.writes.count >= goal }
    }

    /// Goes on until ``stop()``.
    func run() async {
        await withDiscardingTaskGroup { group in
            for replica in self.stage.replicas {
                for connection in 0..<Self.connections {
                    group.addTask { await self.run(replica, "\(replica.id)-\(connection)") }
                }
            }
        }
    }

    private func run(_ replica: ReplicaStage.Replica, _ name: String) async {
        let lanes = Double(self.stage.replicas.count * Self.connections)
        let perTick = Double(self.rate) / lanes * (Self.tick / .seconds(1))
        var client: TestClient?
        var (number, due) = (0, 0.0)
        var next = ContinuousClock.now
        while !self.isEnded.load(ordering: .relaxed) {
            guard let open = client, !open.isClosed else {
                client = try? await TestClient.start(on: replica.address, group: MultiThreadedEventLoopGroup.singleton)
                if client == nil { try? await Task.sleep(for: .milliseconds(50)) }
                continue
            }
            due += perTick
            await withDiscardingTaskGroup { group in
                while due >= 1 {
                    due -= 1
                    number += 1
                    let key = "\(name)-\(number)"
                    // One in three reads what was just written, through whichever replica.
                    let isRead = number.isMultiple(of: 3)
                    group.addTask { isRead ? await self.read(replica, open) : await self.write(key, replica, open) }
                }
            }
            next = max(next + Self.tick, .now)
            try? await Task.sleep(until: next, clock: .continuous)
        }
        await client?.close()
    }

    private func write(_ key: String, _ replica: ReplicaStage.Replica, _ client: TestClient) async {
        let sent = ContinuousClock.now
        let answer = await self.ask(query("INSERT INTO shop.t (p, v) VALUES (?, ?)", [key, "v"]), replica, client)
        guard answer == .result(.void) else { return }
        self.state.withLock { $0.writes.append(Write(key: key, sent: sent, answered: .now)) }
    }

    private func read(_ replica: ReplicaStage.Replica, _ client: TestClient) async {
        guard let write = self.state.withLock({ $0.writes.last }), ContinuousClock.now - write.answered < Self.recent
        else { return }
        let answer = await self.ask(query("SELECT v FROM shop.t WHERE p = ?", [write.key]), replica, client)
        guard case .result(.rows(let rows)) = answer else { return }
        self.state.withLock { $0.reads += 1 }
        let age = (ContinuousClock.now - write.answered) / .milliseconds(1)
        if rows.isEmpty { self.note("\(write.key), acknowledged \(age) ms ago, is not there", replica) }
    }

    private func ask(_ request: Request, _ replica: ReplicaStage.Replica, _ client: TestClient) async -> Response? {
        self.state.withLock { $0.requests += 1 }
        do {
            let answer = try await client.ask(request)
            if case .error(let error) = answer { self.note("\(error)", replica) }
            return answer
        } catch {
            self.note("\(error)", replica)
            return nil
        }
    }

    private func note(_ text: String, _ replica: ReplicaStage.Replica) {
        self.state.withLock { state in
            guard state.failures.count < Self.failuresMax else { return }
            state.failures.append(Failure(replica: replica.id, at: .now, description: text))
        }
    }
}
