import CQLClient
import CQLProtocol
import EmbeddedNode
import NIOCore
import Testing

@testable import LiveTables
@testable import SSTableLoader

/// Pages of a token range: complete, once each, bounded, and smaller where the source is slow.
struct LiveReaderTests {
    private static let timeout = ErrorMessage(
        .readTimeout,
        "Operation timed out",
        details: .readTimeout(consistency: .localQuorum, received: 0, blockFor: 1, dataPresent: false)
    )
    private static let failure = ErrorMessage(
        .readFailure,
        "Scanned over too many tombstones",
        details: .readFailure(consistency: .localQuorum, received: 0, blockFor: 1, failures: 1, dataPresent: false)
    )
    private static let reads = FaultRule.Condition.all([.opcode(.execute), .textContains("WRITETIME")])

    /// A table of 39 partitions with three rows, and one with 600.
    private static func fill(_ clusters: LiveClusters) async throws -> LiveSelect.Prepared {
        try await clusters.both("CREATE TABLE k.t (p int, c int, v text, s text static, PRIMARY KEY (p, c))")
        let session = clusters.sourceSession
        let insert = try await session.prepare("INSERT INTO k.t (p, c, v) VALUES (?, ?, ?) USING TIMESTAMP 1")
        for p in 0..<40 {
            for c in 0..<(p == 7 ? 600 : 3) {
                let text = String(repeating: "v", count: 100)
                try await session.execute(insert, [.int(Int32(p)), .int(Int32(c)), .text(text)])
            }
            try await session.query("UPDATE k.t USING TIMESTAMP 2 SET s = 's' WHERE p = \(p)")
        }
        let table = try await LiveTable.read(keyspace: "k", name: "t", from: session)
        return try await LiveSelect.prepare(table, on: session)
    }

    private static func options(_ change: (inout LiveReader.Options) -> Void = { _ in }) -> LiveReader.Options {
        var options = LiveReader.Options()
        options.pageBytes = 4_000
        options.firstPageRows = 8
        options.pauseMilliseconds = 1
        change(&options)
        return options
    }

    private static func number(_ bytes: ByteBuffer) -> Int32 { bytes.getInteger(at: bytes.readerIndex) ?? -1 }

    @Test func `large partitions come in bounded pages with their statics once`() async throws {
        try await LiveClusters.with { clusters in
            let prepared = try await Self.fill(clusters)
            let reader = LiveReader(
                prepared,
                on: clusters.sourceSession,
                after: .min,
                through: .max,
                options: Self.options()
            )
            var (seen, statics): (Set<[Int32]>, [Int32]) = ([], [])
            var complete: [Int64] = []
            for try await page in reader {
                #expect(
                    page.byteCount <= 8_000 && page.rowCount <= 100,
                    "rows are alike here, so that pages are what was asked for"
                )
                // What is called complete has all been delivered, and nothing of it comes later.
                if let before = complete.last { #expect(page.parts.allSatisfy { $0.token > before }) }
                if let token = page.completeThrough { complete.append(token) }
                for part in page.parts {
                    let p = Self.number(part.key[0])
                    if part.statics != nil { statics.append(p) }
                    for row in part.rows { #expect(seen.insert([p, Self.number(row.clustering[0])]).inserted) }
                }
            }
            #expect(seen.count == 717)
            #expect(statics.count == 40 && Set(statics).count == 40)
            #expect(complete.last == .max && complete == complete.sorted())
            let large = Murmur3Partitioner.token(of: ByteBuffer(integer: Int32(7)))
            #expect(
                complete.count { $0 == large - 1 } > 5,
                "while the large partition is read it is not called complete"
            )
        }
    }

    @Test func `neighbouring ranges have every partition once`() async throws {
        try await LiveClusters.with { clusters in
            let prepared = try await Self.fill(clusters)
            // A token that is a partition's own belongs to the range that ends with it.
            let own = Murmur3Partitioner.token(of: ByteBuffer(integer: Int32(3)))
            var counts: [Int32: Int] = [:]
            for (start, end) in [(Int64.min, own), (own, Int64.max), (own, own)] {
                let reader = LiveReader(prepared, on: clusters.sourceSession, after: start, through: end)
                for try await page in reader {
                    for part in page.parts where part.statics != nil {
                        counts[Self.number(part.key[0]), default: 0] += 1
                        #expect((Self.number(part.key[0]) == 3 ? part.token <= end : true))
                    }
                }
            }
            #expect(counts.count == 40 && counts.values.allSatisfy { $0 == 1 })
        }
    }

    @Test func `a read that times out is asked for again in smaller pages`() async throws {
        try await LiveClusters.with { clusters in
            let prepared = try await Self.fill(clusters)
            clusters.source.setFaults([FaultRule(Self.reads, .error(Self.timeout), times: 1)])
            let reader = LiveReader(
                prepared,
                on: clusters.sourceSession,
                after: .min,
                through: .max,
                options: Self.options()
            )
            var sizes: [Int] = []
            for try await page in reader {
                sizes.append(page.rowCount)
                // Once more, in the middle of the range.
                guard sizes.count == 6 else { continue }
                clusters.source.setFaults([FaultRule(Self.reads, .error(Self.timeout), times: 1)])
            }
            #expect(sizes.first == 2, "a quarter of eight")
            let count: Int = sizes.reduce(0, +)
            #expect(count == 717, "nothing is missing and nothing comes twice")
        }
    }

    @Test func `what cannot be read in the smallest pages asks for a split behind what was delivered`() async throws {
        try await LiveClusters.with { clusters in
            let prepared = try await Self.fill(clusters)
            let reader = LiveReader(
                prepared,
                on: clusters.sourceSession,
                after: .min,
                through: 9_000_000_000_000_000_000,
                options: Self.options()
            )
            var pages = reader.makeAsyncIterator()
            var complete: Int64?
            for _ in 0..<4 { complete = try await pages.next()?.completeThrough }
            clusters.source.setFaults([FaultRule(Self.reads, .error(Self.timeout))])
            let error: LiveReadError?
            do {
                _ = try await pages.next()
                error = nil
            } catch let thrown as LiveReadError { error = thrown }
            #expect(error?.code == .needsSplit)
            #expect(error?.remaining?.start == complete && complete != nil)
            #expect(error?.remaining?.end == 9_000_000_000_000_000_000)
            clusters.source.setFaults([])
            // The remaining range has the rest.
            var tokens: Set<Int64> = []
            if let remaining = error?.remaining {
                let rest = LiveReader(
                    prepared,
                    on: clusters.sourceSession,
                    after: remaining.start,
                    through: remaining.end
                )
                for try await page in rest { tokens.formUnion(page.parts.map(\.token)) }
            }
            let all = (0..<40).map { Murmur3Partitioner.token(of: ByteBuffer(integer: Int32($0))) }
            #expect(tokens == Set(all.filter { $0 > complete ?? .max && $0 <= 9_000_000_000_000_000_000 }))
        }
    }

    @Test func `a silent source is a timeout and another error is not for splitting`() async throws {
        var limits = CQLSession.Limits()
        limits.requestMilliseconds = 4_000
        try await LiveClusters.with(limits: limits) { clusters in
            try await clusters.both("CREATE TABLE k.e (p int PRIMARY KEY, v int)")
            let table = try await LiveTable.read(keyspace: "k", name: "e", from: clusters.sourceSession)
            let prepared = try await LiveSelect.prepare(table, on: clusters.sourceSession)
            func code(_ reaction: FaultRule.Reaction) async -> LiveReadError.Code? {
                clusters.source.setFaults([FaultRule(Self.reads, reaction)])
                var options = Self.options()
                options.failuresMax = 0
                let reader = LiveReader(
                    prepared,
                    on: clusters.sourceSession,
                    after: 0,
                    through: .max,
                    options: options
                )
                do {
                    for try await _ in reader {}
                    return nil
                } catch { return (error as? LiveReadError)?.code }
            }
            #expect(await code(.drop) == .needsSplit)
            #expect(await code(.error(ErrorMessage(.unauthorized, "no SELECT permission"))) == .refused)
            #expect(await code(.error(Self.failure)) == .needsSplit)
            let missing = await #expect(throws: LiveReadError.self) {
                _ = try await LiveTable.read(keyspace: "k", name: "absent", from: clusters.sourceSession)
            }
            clusters.source.setFaults([])
            #expect(missing?.code == .noTable)
        }
    }
}
