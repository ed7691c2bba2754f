import CQLClient
import CQLProtocol
import LiveTables
import NIOCore

/// Repairs single rows of one table: reads them again, writes what the policy says, and looks whether that has helped.
struct Repairer: Sendable {
    let reading: RowReading
    let comparison: RowComparison
    let settings: RepairSettings
    let consistency: Consistency
    let report: RepairReport
    /// The statements of each side, prepared once.
    let prepared: (source: PreparedTexts, target: PreparedTexts)

    private var pair: TablePair { self.reading.pair }

    /// Repairs a row, or the statics of a partition.
    ///
    /// - Throws: `CQLSessionError` where a cluster can be neither read nor written; ``CompareError`` where the report cannot be
    ///   written, or a cluster refuses a statement; `CancellationError`.
    func repair(_ place: RowPlace) async throws -> RepairOutcome {
        var answer = try await self.reading.read(place)
        var differences = self.differences(place, answer)
        guard !differences.isEmpty else {
            try self.tell("dropped", place, [], [], reason: "both clusters agree by now")
            return .agrees
        }
        guard self.settings.policy != .manual else {
            try self.tell("left", place, [], differences, reason: "the policy is manual")
            return .unrepaired(reason: "the policy is manual")
        }
        var notes: [String] = []
        var reasons: [String] = []
        var guessesTimes = false
        for isSecond in [false, true] {
            let plan = self.plan(place, answer, differences, isSecond: isSecond)
            reasons = plan.unrepaired
            guessesTimes = plan.guessesTimes
            if self.settings.isDryRun {
                try self.tell("listed", place, plan.steps, differences, notes: plan.notes, reason: Self.text(reasons))
                return plan.steps.isEmpty
                    ? .unrepaired(reason: Self.text(reasons) ?? "nothing can be written")
                    : .listed(statements: plan.steps.count)
            }
            guard !plan.steps.isEmpty else { break }
            // Told before it is done: whatever happens then, an operator can see what was written.
            try self.tell("written", place, plan.steps, differences, notes: plan.notes, reason: Self.text(reasons))
            try self.report.sync()
            for step in plan.steps { try await self.execute(step) }
            notes += plan.notes
            answer = try await self.reading.read(place)
            differences = self.differences(place, answer)
            let left = differences.filter { !Self.isExpected($0, plan) }
            if left.isEmpty, reasons.isEmpty {
                return .repaired(notes: notes)
            }
            // What cannot be added to twice is not tried again, nor what no second step could help.
            guard !self.comparison.table.isCounter, left.contains(where: { $0.aspect == .missingOnSource }) else {
                break
            }
        }
        let left = differences.map(\.aspect.rawValue).sorted().joined(separator: ", ")
        let cause =
            guessesTimes
            ? "times that no cluster tells may be newer than its row: say with --untold-timestamp which ones they are to have"
            : "a deletion may be newer"
        let reason = Self.text(reasons) ?? "it was written and differs all the same (\(left)); \(cause)"
        try self.tell("failed", place, [], differences, reason: reason)
        return .unrepaired(reason: reason)
    }

    private func differences(_ place: RowPlace, _ answer: RowReading.Answer) -> [Difference] {
        self.comparison.differences(at: place, source: answer.source, target: answer.target)
    }

    private func plan(
        _ place: RowPlace,
        _ answer: RowReading.Answer,
        _ differences: [Difference],
        isSecond: Bool
    ) -> RepairPlan {
        var planner = RepairPlanner(
            comparison: self.comparison,
            live: self.pair.source.prepared.select.table,
            settings: self.settings,
            now: self.reading.now()
        )
        planner.isSecond = isSecond
        return planner.plan(place, source: answer.source, target: answer.target, differences)
    }

    /// A column whose timestamp was raised on the target alone has another one there, as was said.
    private static func isExpected(_ difference: Difference, _ plan: RepairPlan) -> Bool {
        difference.aspect == .writetime && difference.column.map { plan.raised.contains($0) } ?? false
    }

    private static func text(_ reasons: [String]) -> String? {
        reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    // MARK: Writing

    private func execute(_ step: RepairPlan.Step) async throws {
        let side = self.pair.side(step.side)
        let known = step.side == .source ? self.prepared.source : self.prepared.target
        let values: [BoundValue] = step.statement.values.map { $0.map { .value($0) } ?? .null }
        var attempt = 1
        while true {
            do {
                var statement: CQLStatement
                if let prepared = known.statement(step.statement.text) {
                    statement = prepared
                } else {
                    statement = try await side.session.prepare(step.statement.text)
                    known.keep(statement)
                }
                statement.isIdempotent = step.statement.isIdempotent
                try await side.session.execute(statement, bound: values, consistency: self.consistency)
                return
            } catch let error as CQLSessionError {
                let verdict = self.reading.retries.verdict(
                    on: error,
                    isIdempotent: step.statement.isIdempotent,
                    attempt: attempt,
                    random: Double.random(in: 0..<1)
                )
                switch verdict {
                case .again(let pause): try await self.reading.clock.sleep(for: pause)
                case .bury(let reason):
                    throw CompareError(.refused, "the \(step.side.rawValue) does not take a repair: \(reason)")
                case .giveUp: throw error
                }
                attempt += 1
            }
        }
    }

    // MARK: Telling

    private func tell(
        _ action: String,
        _ place: RowPlace,
        _ steps: [RepairPlan.Step],
        _ differences: [Difference],
        notes: [String] = [],
        reason: String? = nil
    ) throws {
        let table = self.comparison.table
        var fields: [String: JSONLine.Value] = [
            "action": .text(action), "at": .text("\(self.reading.now())"), "table": .text("\(table.name)"),
            "policy": .text(self.settings.policy.rawValue),
            "key": .array(zip(place.key, table.partitionKey).map { CQLLiteral.text($0, as: $1.type) }),
            "statements": .array(steps.map(Self.text)), "notes": .array(notes),
            "differences": .array(differences.prefix(Self.differencesMax).map { DifferenceLine.text($0) }),
        ]
        if let clustering = place.clustering {
            fields["clustering"] = .array(zip(clustering, table.clustering).map { CQLLiteral.text($0, as: $1.type) })
        }
        if let reason { fields["reason"] = .text(reason) }
        try self.report.append(JSONLine(fields))
    }

    /// Differences in one line of the report at most.
    private static var differencesMax: Int { 100 }

    private static func text(_ step: RepairPlan.Step) -> String {
        let values = step.statement.values.map { $0.map { CQLLiteral.blob($0) } ?? "null" }
        return "\(step.side.rawValue): \(step.statement.text) [\(values.joined(separator: ", "))]"
    }
}
