import CQLProtocol
import LiveTables
import NIOCore
import TokenRanges

/// A range of which digests tell what agrees: the rest is scanned, and everything that differs in it settles together, so that
/// many leaves wait no longer than one.
extension RangeComparison {
    /// What is carried from one claim to the next.
    private struct Carried {
        var decided: Decided
        /// Rows that differed when they were met.
        var suspects: [Suspect] = []
    }

    /// Takes what agrees as it is, and compares the rest row by row.
    ///
    /// - Parameters:
    ///   - outcome: what digests tell; its spans are in order.
    ///   - end: the last token of the range.
    ///   - claim: as for ``run(_:claim:)``.
    /// - Throws: as ``run(_:claim:)``.
    func run(
        _ outcome: DigestComparison.Outcome,
        through end: Int64,
        claim: (Int64, Decided) async throws -> Void
    ) async throws {
        var carried = Carried(decided: self.nothing)
        carried.decided.tally.peerBytes = outcome.peerBytes
        carried.decided.tally.digestedBytes = outcome.bytes
        carried.decided.bytes = Int64(outcome.peerBytes)
        for span in outcome.spans {
            if span.agrees {
                self.take(span, &carried.decided)
                continue
            }
            carried.decided.tally.rangesOpened += 1
            guard span.rows <= self.settings.checkpointRows else {
                // So many rows claim by themselves what is done.
                try await self.settle(&carried)
                var before = carried.decided
                carried = Carried(decided: self.nothing)
                try await self.run(span.range) { token, decided in
                    before += decided
                    before.tally.openedBytes += decided.tally.sourceBytes + decided.tally.targetBytes
                    try await claim(token, before)
                    before = self.nothing
                }
                continue
            }
            try await self.scan(span.range, &carried)
            guard carried.suspects.count >= self.settings.settling.pendingMax else { continue }
            try await self.settle(&carried)
            try await claim(span.range.end, carried.decided)
            carried = Carried(decided: self.nothing)
        }
        try await self.settle(&carried)
        try await claim(end, carried.decided)
    }

    private func take(_ span: DigestComparison.Span, _ decided: inout Decided) {
        decided.tally.rows += span.rows
        decided.tally.partitions += span.partitions
        decided.tally.rowsLeftOut += span.rowsLeftOut
        decided.tally.cells += span.rows * self.comparison.regularCount
        decided.rows += Int64(span.rows + span.rowsLeftOut)
    }

    /// Reads a range of both clusters to its end; what differs is put aside.
    private func scan(_ range: TokenRange, _ carried: inout Carried) async throws {
        var merge = TableMerge(
            self.comparison,
            source: self.pair.source.layout,
            target: self.pair.target.layout,
            tenants: self.pair.tenants,
            suspectsMax: self.settings.settling.pendingMax
        )
        var source = self.reader(.source, range).makeAsyncIterator()
        var target = self.reader(.target, range).makeAsyncIterator()
        var read = 0
        scan: while true {
            switch merge.run() {
            case .pages(let needsSource, let needsTarget):
                let (one, other) = try await self.pages(needsSource ? source : nil, needsTarget ? target : nil)
                if let one {
                    source = one.iterator
                    carried.decided.rows += Int64(one.page.rows.rowCount)
                    read += one.page.rows.cells.readableBytes
                    try merge.supply(one.page, of: .source)
                }
                if let other {
                    target = other.iterator
                    read += other.page.rows.cells.readableBytes
                    try merge.supply(other.page, of: .target)
                }
            case .room, .nothing:
                let (suspects, tally) = merge.take()
                carried.suspects += suspects
                carried.decided.tally += tally
                if !merge.source.hasRow, merge.source.isLast, !merge.target.hasRow, merge.target.isLast { break scan }
                try await self.settle(&carried)
            }
        }
        carried.decided.bytes += Int64(read)
        carried.decided.tally.openedBytes += read
    }

    /// Lets everything that was put aside settle, and repairs what remains.
    private func settle(_ carried: inout Carried) async throws {
        guard !carried.suspects.isEmpty else { return }
        try await self.decide(carried.suspects) { _, change in change(&carried.decided) }
        carried.suspects = []
    }
}
