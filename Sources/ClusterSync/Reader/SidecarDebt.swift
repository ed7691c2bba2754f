import AsyncHTTPClient
import CQLProtocol
import DualReader
import NIOCore
import Operations
import Synchronization
import TokenRanges

/// What the sidecars say of partitions: whether the journal of one of them still holds writes of it.
///
/// Questions that come at the same time go together, one request at a time to each sidecar: looking takes some of the time that
/// its clients have otherwise. Safe from any task.
actor SidecarDebt: PartitionDebt {
    /// Bytes of the keys of one question, in hexadecimal digits: well below what a sidecar reads.
    static let keyBytesMax = 48 << 10
    /// How often a sidecar that is busy is asked before a question fails.
    static let triesMax = 8

    private struct Body: Encodable {
        let keyspace: String
        let table: String
        let keys: [String]
    }

    private struct Waiting {
        let key: [UInt8]
        let answer: CheckedContinuation<Result<Bool, any Error>, Never>
    }

    private let sidecars: [SidecarLink]
    private var waiting: [TableName: [Waiting]] = [:]
    private var isAsking = false

    init(_ sidecars: [SidecarLink]) { self.sidecars = sidecars }

    func owes(_ table: TableName, key: [ByteBuffer], token: Int64) async throws -> Bool {
        guard let routed = try? Murmur3Partitioner.partitionKey(key) else {
            throw SidecarLink.Failure(isSafeToRetry: false, description: "a key of \(table) cannot be routed by")
        }
        let bytes = Array(routed.readableBytesView)
        guard bytes.count * 2 <= Self.keyBytesMax else {
            throw SidecarLink.Failure(
                isSafeToRetry: false,
                description: "a key of \(table) is too long to ask a sidecar for (\(bytes.count) bytes)"
            )
        }
        let answer = await withCheckedContinuation { continuation in
            self.waiting[table, default: []].append(Waiting(key: bytes, answer: continuation))
            if !self.isAsking {
                self.isAsking = true
                // Ends with the last question; whoever asks waits for its answer.
                Task { await self.ask() }
            }
        }
        return try answer.get()
    }

    /// Asks until nobody waits.
    private func ask() async {
        defer { self.isAsking = false }
        // Others of the same round come in the next moment.
        await Task.yield()
        while let table = self.waiting.keys.min() {
            let round = self.next(of: table)
            let result: Result<Set<[UInt8]>, any Error>
            do {
                result = .success(try await self.owed(table, round.map(\.key)))
            } catch {
                result = .failure(error)
            }
            for one in round { one.answer.resume(returning: result.map { $0.contains(one.key) }) }
        }
    }

    /// As many of those who wait as fit into one request.
    private func next(of table: TableName) -> [Waiting] {
        var all = self.waiting[table, default: []]
        var bytes = 0
        var count = 0
        while count < min(all.count, OwedQuestion.keysMax) {
            bytes += all[count].key.count * 2 + 4
            guard bytes <= Self.keyBytesMax || count == 0 else { break }
            count += 1
        }
        let round = Array(all.prefix(count))
        all.removeFirst(count)
        self.waiting[table] = all.isEmpty ? nil : all
        return round
    }

    /// The keys that any of the sidecars owes, or may owe.
    private func owed(_ table: TableName, _ keys: [[UInt8]]) async throws -> Set<[UInt8]> {
        let unique = Array(Set(keys))
        let body = Body(
            keyspace: table.keyspace,
            table: table.table,
            keys: unique.map { Human.hexadecimal($0) }
        )
        let sidecars = self.sidecars
        return try await withThrowingTaskGroup(of: Set<[UInt8]>.self) { group in
            for sidecar in sidecars {
                group.addTask {
                    let answer = try await Self.ask(sidecar, body)
                    // What was not looked at may be owed.
                    guard answer.complete else { return Set(unique) }
                    return Set(answer.owed.filter { unique.indices.contains($0) }.map { unique[$0] })
                }
            }
            var owed: Set<[UInt8]> = []
            for try await part in group { owed.formUnion(part) }
            return owed
        }
    }

    private static func ask(_ sidecar: SidecarLink, _ body: Body) async throws -> OwedDocument {
        var pause = Duration.milliseconds(50)
        for _ in 1..<Self.triesMax {
            do {
                return try await sidecar.post("/v1/journal/owed", body, as: OwedDocument.self)
            } catch let failure as SidecarLink.Failure where failure.isSafeToRetry {
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
        return try await sidecar.post("/v1/journal/owed", body, as: OwedDocument.self)
    }
}
