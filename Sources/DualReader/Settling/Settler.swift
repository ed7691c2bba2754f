import Logging
import TokenRanges

/// Reads rows that differed again until it is known of each whether it agrees, differs, or cannot be decided.
struct Settler: Sendable {
    /// What came of some rows.
    struct Result: Sendable {
        var remaining: [Suspect] = []
        /// Rows that cannot be decided, and why.
        var undecided: [(place: RowPlace, reason: String)] = []
        /// Rows that agree by now.
        var settled: [RowPlace] = []
        /// Bytes that were read.
        var sourceBytes = 0
        var targetBytes = 0
    }

    private enum Answer: Sendable {
        case read([Difference], isOwed: Bool, sourceBytes: Int, targetBytes: Int)
        case failed(String)
    }

    let reading: RowReading
    let comparison: RowComparison
    let debt: any PartitionDebt
    let limits: SettleLimits

    /// Decides about rows. Each round waits once for all of them.
    ///
    /// - Throws: `CancellationError`. What fails otherwise leaves its row undecided.
    func settle(_ suspects: [Suspect]) async throws -> Result {
        var result = Result()
        var rows = suspects.map { SettlingRow($0) }
        var pause = self.limits.settle
        var elapsed = Duration.zero
        while !rows.isEmpty {
            try await self.reading.clock.sleep(for: pause)
            elapsed += pause
            pause = min(pause * 2, max(self.limits.settle, self.limits.pauseMax))
            let answers = try await self.read(rows)
            var left: [SettlingRow] = []
            for (var row, answer) in zip(rows, answers) {
                switch answer {
                case .failed(let reason): result.undecided.append((row.place, reason))
                case .read(let differences, let isOwed, let sourceBytes, let targetBytes):
                    result.sourceBytes += sourceBytes
                    result.targetBytes += targetBytes
                    switch row.read(differences, isOwed: isOwed, elapsed: elapsed, self.limits) {
                    case .agrees: result.settled.append(row.place)
                    case .again: left.append(row)
                    case .remains(let found): result.remaining.append(Suspect(place: row.place, differences: found))
                    case .undecided(let reason): result.undecided.append((row.place, reason))
                    }
                }
            }
            rows = left
        }
        return result
    }

    private func read(_ rows: [SettlingRow]) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            var answers = [Answer](repeating: .failed("it was not read"), count: rows.count)
            for (index, row) in rows.enumerated() {
                if index >= max(1, self.limits.inFlightMax), let (place, answer) = try await group.next() {
                    answers[place] = answer
                }
                group.addTask { (index, try await self.answer(row.place)) }
            }
            for try await (place, answer) in group { answers[place] = answer }
            return answers
        }
    }

    private func answer(_ place: RowPlace) async throws -> Answer {
        do {
            // Asked before the row is read: what was owed then may have arrived between.
            let isOwed = try await self.debt.owes(self.comparison.table.name, key: place.key, token: place.token)
            let answer = try await self.reading.read(place)
            let differences = self.comparison.differences(at: place, source: answer.source, target: answer.target)
            return .read(
                differences,
                isOwed: isOwed,
                sourceBytes: answer.sourceBytes,
                targetBytes: answer.targetBytes
            )
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            return .failed("\(error)")
        }
    }
}
