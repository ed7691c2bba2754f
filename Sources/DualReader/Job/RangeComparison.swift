import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import TokenRanges

/// Compares ranges of one table: scans both clusters, lets what differs settle, and repairs what remains.
struct RangeComparison: Sendable {
    /// What was decided since the last claim.
    struct Decided: Sendable {
        var tally = CompareTally()
        var samples: DifferenceSamples
        /// Partitions of which rows were repaired, and nothing is left to be done about them.
        var repaired: Set<[ByteBuffer]> = []
        /// Partitions about which something is left.
        var open: Set<[ByteBuffer]> = []
        /// Rows that were read from the source, and bytes of both, for the progress.
        var rows: Int64 = 0
        var bytes: Int64 = 0

        static func += (left: inout Self, right: Self) {
            left.tally += right.tally
            left.samples.add(right.samples)
            left.repaired.formUnion(right.repaired)
            left.open.formUnion(right.open)
            left.rows += right.rows
            left.bytes += right.bytes
        }
    }

    /// What was decided, apart from what was in the partition that the scan is in: only what is behind may be claimed.
    private struct Progress {
        var behind: Decided
        var atHand: Decided
        /// The token of the partition at hand, when something was decided in it.
        var token: Int64?
        let nothing: Decided

        init(_ nothing: Decided) { (self.behind, self.atHand, self.nothing) = (nothing, nothing, nothing) }

        /// The scan is at a token; nil behind its end.
        mutating func move(to token: Int64?) {
            guard self.token != token || token == nil else { return }
            self.behind += self.atHand
            self.atHand = self.nothing
            self.token = token
        }

        /// Adds something about a row.
        mutating func note(_ place: RowPlace, _ change: (inout Decided) -> Void) {
            if place.token == self.token { change(&self.atHand) } else { change(&self.behind) }
        }
    }

    let pair: TablePair
    let comparison: RowComparison
    let settings: CompareSettings
    let settler: Settler
    /// Nil where nothing is to be repaired.
    let repairer: Repairer?
    /// How fast each cluster is read.
    let pace: (source: RateLimiter<ContinuousClock>, target: RateLimiter<ContinuousClock>)

    /// Compares a range.
    ///
    /// - Parameter claim: told that everything up to a token is decided, with what was decided since the last time.
    ///   Called for the end of the range at last.
    /// - Throws: ``LiveReadError`` where a cluster cannot be read, ``CompareError``, `CancellationError`, and what `claim`
    ///   throws. What was not claimed is to be compared anew.
    func run(_ range: TokenRange, claim: (Int64, Decided) async throws -> Void) async throws {
        var merge = TableMerge(
            self.comparison,
            source: self.pair.source.layout,
            target: self.pair.target.layout,
            tenants: self.pair.tenants,
            suspectsMax: self.settings.settling.pendingMax
        )
        var progress = Progress(self.nothing)
        var claimed = range.start
        var source = self.reader(.source, range).makeAsyncIterator()
        var target = self.reader(.target, range).makeAsyncIterator()
        while true {
            switch merge.run() {
            case .pages(let needsSource, let needsTarget):
                let (one, other) = try await self.pages(
                    needsSource ? source : nil,
                    needsTarget ? target : nil
                )
                if let one {
                    source = one.iterator
                    progress.behind.rows += Int64(one.page.rows.rowCount)
                    progress.behind.bytes += Int64(one.page.rows.cells.readableBytes)
                    try merge.supply(one.page, of: .source)
                }
                if let other {
                    target = other.iterator
                    progress.behind.bytes += Int64(other.page.rows.cells.readableBytes)
                    try merge.supply(other.page, of: .target)
                }
                guard merge.suspects.isEmpty, progress.behind.rows >= Int64(self.settings.checkpointRows) else {
                    continue
                }
                try await self.claim(&merge, &progress, after: &claimed, claim)
            case .room:
                try await self.decide(&merge, &progress, isEnd: false)
                try await self.claim(&merge, &progress, after: &claimed, claim)
            case .nothing:
                try await self.decide(&merge, &progress, isEnd: true)
                return try await claim(range.end, progress.behind)
            }
        }
    }

    /// Nothing was decided yet.
    var nothing: Decided {
        Decided(samples: DifferenceSamples(perClassMax: self.settings.samplesPerClassMax))
    }

    /// Claims what lies below the partition at hand, where that is more than was claimed.
    private func claim(
        _ merge: inout TableMerge,
        _ progress: inout Progress,
        after claimed: inout Int64,
        _ claim: (Int64, Decided) async throws -> Void
    ) async throws {
        guard let before = merge.completeBefore, before > .min, before - 1 > claimed else { return }
        progress.move(to: before)
        progress.behind.tally += merge.take().tally
        try await claim(before - 1, progress.behind)
        claimed = before - 1
        progress.behind = self.nothing
    }

    // MARK: Reading

    typealias Page = (iterator: LiveReader.AsyncIterator, page: LiveRows)

    func reader(_ side: Side, _ range: TokenRange) -> LiveReader {
        let table = self.pair.side(side)
        return LiveReader(
            table.prepared,
            on: table.session,
            after: range.start,
            through: range.end,
            options: self.settings.reading
        )
    }

    /// The next pages of both sides at the same time.
    func pages(
        _ source: LiveReader.AsyncIterator?,
        _ target: LiveReader.AsyncIterator?
    ) async throws -> (Page?, Page?) {
        async let one = self.page(source, self.pace.source)
        async let other = self.page(target, self.pace.target)
        return (try await one, try await other)
    }

    private func page(
        _ iterator: LiveReader.AsyncIterator?,
        _ pace: RateLimiter<ContinuousClock>
    ) async throws -> Page? {
        guard var iterator else { return nil }
        guard let page = try await iterator.nextRows() else {
            throw CompareError(.malformed, "a range of \(self.pair.table.name) ended before its last page")
        }
        // What was read is paid for before the next page is asked for.
        try await pace.take(rows: page.rows.rowCount, bytes: page.rows.cells.readableBytes)
        return (iterator, page)
    }

    // MARK: Deciding

    /// Lets all suspects settle, and repairs what remains.
    private func decide(_ merge: inout TableMerge, _ progress: inout Progress, isEnd: Bool) async throws {
        progress.move(to: isEnd ? nil : merge.completeBefore)
        let (suspects, tally) = merge.take()
        progress.behind.tally += tally
        guard !suspects.isEmpty else { return }
        try await self.decide(suspects) { place, change in progress.note(place, change) }
    }

    /// Lets suspects settle, and repairs what remains.
    ///
    /// - Parameter note: takes what was decided about a row; bytes are noted with the first one.
    func decide(_ suspects: [Suspect], _ note: (RowPlace, (inout Decided) -> Void) -> Void) async throws {
        let result = try await self.settler.settle(suspects)
        if let first = suspects.first {
            note(first.place) { decided in
                decided.tally.sourceBytes += result.sourceBytes
                decided.tally.targetBytes += result.targetBytes
            }
        }
        for place in result.settled { note(place) { $0.tally.rowsSettled += 1 } }
        for (place, _) in result.undecided {
            note(place) { decided in
                decided.tally.rowsUndecided += 1
                decided.open.insert(place.key)
            }
        }
        for suspect in result.remaining {
            let outcome = try await self.repair(suspect)
            note(suspect.place) { Self.remains(suspect, outcome, &$0) }
        }
    }

    /// What a repair came to; nil where nothing is to be repaired.
    private func repair(_ suspect: Suspect) async throws -> RepairOutcome? {
        do {
            return try await self.repairer?.repair(suspect.place)
        } catch let error as CQLSessionError {
            try Task.checkCancellation()
            return .unrepaired(reason: error.description)
        } catch let error as CompareError where error.code == .refused {
            // One row that a cluster does not take says nothing of the others.
            return .unrepaired(reason: error.description)
        }
    }

    private static func remains(_ suspect: Suspect, _ outcome: RepairOutcome?, _ decided: inout Decided) {
        if outcome == .agrees {
            decided.tally.rowsSettled += 1
            return
        }
        decided.tally.rowsDifferent += 1
        for difference in suspect.differences {
            decided.tally.differences[difference.kind] += 1
            decided.samples.add(difference)
        }
        if case .repaired? = outcome {
            decided.tally.rowsRepaired += 1
            decided.repaired.insert(suspect.place.key)
        } else {
            if outcome != nil { decided.tally.rowsUnrepaired += 1 }
            decided.open.insert(suspect.place.key)
        }
    }
}
