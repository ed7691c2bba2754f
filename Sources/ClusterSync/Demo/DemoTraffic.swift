import CQLClient
import CQLProtocol
import Synchronization

/// The application of the demonstration: inserts, deletions, counters and conditional writes through the sidecar.
struct DemoTraffic: Sendable {
    static let tables = [
        "demo.events (step int, id int, note text, PRIMARY KEY (step, id))",
        "demo.hits (step int PRIMARY KEY, n counter)",
        "demo.seats (step int, id int, guest text, PRIMARY KEY (step, id))",
        "demo.steady (id int PRIMARY KEY, note text)",
    ]

    /// Requests of one step.
    struct Count: Sendable {
        var done = 0
        var failed = 0
        var firstError: String?
    }

    static let inserts = 500
    static let deletions = 50
    static let counts = 50
    static let guests = 25
    private static let workers = 16

    private let session: CQLSession
    private let insert: CQLStatement
    private let delete: CQLStatement
    private let count: CQLStatement
    private let seat: CQLStatement
    private let steady: CQLStatement

    init(_ session: CQLSession) async throws {
        self.session = session
        self.insert = try await session.prepare("INSERT INTO demo.events (step, id, note) VALUES (?, ?, ?)")
        self.delete = try await session.prepare("DELETE FROM demo.events WHERE step = ? AND id = ?")
        self.count = try await session.prepare("UPDATE demo.hits SET n = n + 1 WHERE step = ?")
        self.seat = try await session.prepare("INSERT INTO demo.seats (step, id, guest) VALUES (?, ?, ?) IF NOT EXISTS")
        self.steady = try await session.prepare("INSERT INTO demo.steady (id, note) VALUES (?, ?)")
    }

    /// The writes of one step, many at a time.
    func step(_ step: Int) async -> Count {
        let number = CQLValue.int(Int32(step))
        var count = await self.each(Self.inserts) { id in
            _ = try await self.session.execute(self.insert, [number, .int(id), .text("note \(id) of step \(step)")])
        }
        for part in [
            await self.each(Self.deletions) {
                _ = try await self.session.execute(self.delete, [number, .int($0 * 10)])
            },
            await self.each(Self.counts) { _ in _ = try await self.session.execute(self.count, [number]) },
            // Two guests ask for each seat: one must be refused.
            await self.each(Self.guests * 2) {
                _ = try await self.session.execute(self.seat, [number, .int($0 / 2), .text("guest \($0)")])
            },
        ] {
            count.done += part.done
            count.failed += part.failed
            count.firstError = count.firstError ?? part.firstError
        }
        return count
    }

    /// One write after the other until the task is cancelled; it never stops for a change of mode.
    func keepWriting() async -> Count {
        var count = Count()
        var id: Int32 = 0
        while !Task.isCancelled {
            id += 1
            do {
                _ = try await self.session.execute(self.steady, [.int(id % 1_000), .text("write \(id)")])
                count.done += 1
            } catch is CancellationError {
                break
            } catch {
                count.failed += 1
                count.firstError = count.firstError ?? "\(error)"
            }
        }
        return count
    }

    private func each(_ total: Int, _ body: @Sendable @escaping (Int32) async throws -> Void) async -> Count {
        await withTaskGroup(of: Count.self) { group in
            for worker in 0..<Self.workers {
                group.addTask {
                    var count = Count()
                    for id in stride(from: worker, to: total, by: Self.workers) {
                        do {
                            try await body(Int32(id))
                            count.done += 1
                        } catch {
                            count.failed += 1
                            count.firstError = count.firstError ?? "\(error)"
                        }
                    }
                    return count
                }
            }
            return await group.reduce(into: Count()) { sum, part in
                sum.done += part.done
                sum.failed += part.failed
                sum.firstError = sum.firstError ?? part.firstError
            }
        }
    }
}
