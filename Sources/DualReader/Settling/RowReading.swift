import CQLClient
import CQLProtocol
import LiveTables
import NIOCore

/// Reads single rows of both clusters at the same time.
struct RowReading: Sendable {
    /// What both have.
    struct Answer: Sendable {
        var source: RowComparison.Cells?
        var target: RowComparison.Cells?
        var sourceBytes = 0
        var targetBytes = 0
    }

    let pair: TablePair
    let consistency: LiveReader.Consistency
    let retries: RetryPolicy
    let clock: any Clock<Duration>
    /// Seconds since 1970.
    let now: @Sendable () -> Int64

    /// What both clusters have of a row or of a partition's statics.
    ///
    /// - Throws: `CQLSessionError` where one of them cannot be read, however often that was tried; `CancellationError`.
    func read(_ place: RowPlace) async throws -> Answer {
        async let source = self.read(place, self.pair.source)
        async let target = self.read(place, self.pair.target)
        let (one, other) = (try await source, try await target)
        return Answer(source: one.cells, target: other.cells, sourceBytes: one.bytes, targetBytes: other.bytes)
    }

    private func read(_ place: RowPlace, _ side: TableSide) async throws -> (cells: RowComparison.Cells?, bytes: Int) {
        let isStatic = place.clustering == nil
        let values = (place.key + (place.clustering ?? [])).map { BoundValue.value($0) }
        let rows = try await self.rows(isStatic ? side.statics : side.row, values, side.session)
        let readAt = self.now()
        let layout = side.layout
        guard let row = rows.first else { return (nil, 0) }
        guard row.cells.count == layout.cells.count else {
            throw CompareError(.malformed, "a row of \(self.pair.table.name) does not have the columns asked for")
        }
        // A partition that has statics alone is one row without clustering.
        let isRow = !row.cells[layout.keyCount..<layout.clusteringEnd].contains(nil)
        guard isStatic || isRow else { return (nil, rows.cells.readableBytes) }
        let cells = layout.select.cells(row.cells, from: layout.clusteringEnd, statics: isStatic)
        return (RowComparison.Cells(cells: cells, readAt: readAt), rows.cells.readableBytes)
    }

    private func rows(_ statement: CQLStatement, _ values: [BoundValue], _ session: CQLSession) async throws -> Rows {
        var attempt = 1
        while true {
            do {
                let level = self.consistency.level
                guard let rows = try await session.execute(statement, bound: values, consistency: level).rows else {
                    throw CompareError(.malformed, "a SELECT was answered without rows")
                }
                return rows
            } catch let error as CQLSessionError {
                let verdict = self.retries.verdict(
                    on: error,
                    isIdempotent: true,
                    attempt: attempt,
                    random: Double.random(in: 0..<1)
                )
                guard case .again(let pause) = verdict else { throw error }
                try await self.clock.sleep(for: pause)
                attempt += 1
            }
        }
    }
}
