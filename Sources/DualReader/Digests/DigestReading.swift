import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import TokenRanges

/// Reads a range of one cluster once, and keeps digests of it.
struct DigestReading: Sendable {
    let side: TableSide
    let comparison: RowComparison
    let untold: Set<String>
    let tenants: (column: String, values: Set<ByteBuffer>)?
    let options: LiveReader.Options
    let pace: RateLimiter<ContinuousClock>

    /// The tree of a range.
    ///
    /// - Parameter note: called with the rows so far, behind each page; where it throws the reading ends.
    /// - Throws: ``LiveReadError``, ``CompareError``, `CancellationError`, and what `note` throws.
    func tree(
        _ shape: DigestShape,
        seed: UInt64,
        _ note: (_ rows: Int) throws -> Void = { _ in }
    ) async throws -> DigestTree {
        var digester = RowDigester(
            self.comparison,
            self.side.layout,
            untold: self.untold,
            tenants: self.tenants,
            shape: shape,
            seed: seed
        )
        let reader = LiveReader(
            self.side.prepared,
            on: self.side.session,
            after: shape.range.start,
            through: shape.range.end,
            options: self.options
        )
        var pages = reader.makeAsyncIterator()
        var rows = 0
        while let page = try await pages.nextRows() {
            try await self.pace.take(rows: page.rows.rowCount, bytes: page.rows.cells.readableBytes)
            rows += page.rows.rowCount
            try digester.add(page)
            try note(rows)
        }
        return digester.finished()
    }
}
