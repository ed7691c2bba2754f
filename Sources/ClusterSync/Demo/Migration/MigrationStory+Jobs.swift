import CQLClient
import DualReader
import DualWriteCore
import NIOPosix
import SSTableLoader
import TokenRanges

/// The loader's and the reader's part.
extension MigrationStory {
    private static let counters = "shop.visits"
    /// A load that is not over before the application has noticed it.
    private static let statementsPerSecond = 1_500.0

    private func cluster(_ cluster: Cluster) throws -> ClusterConfiguration {
        guard let configuration = self.stage.clusters[cluster] else {
            throw DemoStage.Failure(description: "there is no \(cluster)")
        }
        return configuration
    }

    // MARK: Loading

    /// Carries what was there before dual writing began, while the application writes the same tables.
    func load(_ scene: Scene, ceiling: Int64) async throws -> MigrationOutcome {
        let before = scene.traffic.count
        let began = ContinuousClock.now
        var settings = try self.loading("load", ceiling: ceiling)
        settings.tables = TableSelection(include: [Shop.keyspace], exclude: [Self.counters])
        settings.rates.rowsPerSecond = Self.statementsPerSecond
        let status = try await self.run(settings)
        let took = (ContinuousClock.now - began) / .seconds(1)
        let after = scene.traffic.count
        let writes = after.writes - before.writes
        var outcome = MigrationOutcome()
        outcome.claim(status.state == .complete, "the load is \(status.state.rawValue)")
        outcome.claim(status.total.covered == 1, "tokens covered: \(Human.percent(status.total.covered))")
        outcome.claim("dead letters", status.deadLetters, is: 0)
        outcome.claim("writes of the application meanwhile", writes, atLeast: 1)
        outcome.claim("requests of the application that failed", after.failed, is: 0)
        let (_, lost) = try await self.lost(on: .target, scene)
        outcome.claim("rows of the target that are not what was acknowledged last", lost, is: 0)
        outcome.numbers = [
            "rows": Int(status.total.rows), "statements": status.tally.statements,
            "above_ceiling": status.tally.aboveCeiling,
            "dead_letters": status.deadLetters, "writes_meanwhile": writes, "lost": lost,
        ]
        outcome.figure =
            "\(Human.count(status.total.rows)) rows in \(Human.duration(seconds: took)), "
            + "\(Human.many(status.deadLetters, "dead letter")); the application made \(Human.many(writes, "write")) meanwhile"
        return outcome
    }

    /// Counters are added up while nobody counts: a sum has no timestamp by which the newer one would win.
    func loadCounters(_ scene: Scene, ceiling: Int64) async throws -> MigrationOutcome {
        let before = scene.traffic.count
        try await scene.traffic.pauseVisits()
        defer { scene.traffic.resumeVisits() }
        let began = ContinuousClock.now
        try await self.delivered(Self.counters, scene)
        let there = try await Shop.visits(scene.sessions.target).values.reduce(0, +)
        var settings = try self.loading("counters", ceiling: ceiling)
        settings.tables = TableSelection(include: [Self.counters])
        settings.copiesCounters = true
        let status = try await self.run(settings)
        let (source, target) = (
            try await Shop.visits(scene.sessions.source), try await Shop.visits(scene.sessions.target)
        )
        let waited = Int((ContinuousClock.now - began) / .milliseconds(1))
        var outcome = MigrationOutcome()
        outcome.claim(status.state == .complete, "the load is \(status.state.rawValue)")
        outcome.claim(source == scene.ledger.visits, "each counter of the source is what was counted")
        outcome.claim(target == scene.ledger.visits, "each counter of the target is what was counted")
        let total = Int(target.values.reduce(0, +))
        let others = scene.traffic.count.writes - before.writes
        outcome.claim("other writes of the application meanwhile", others, atLeast: 1)
        outcome.numbers = [
            "counters": target.count, "added": total - Int(there), "waited_milliseconds": waited,
            "writes_meanwhile": others,
        ]
        outcome.figure =
            "\(target.count) counters, \(Human.count(total - Int(there))) added to \(Human.count(there)): equal; they waited "
            + "\(waited) ms, other writes did not"
        return outcome
    }

    private func loading(_ job: String, ceiling: Int64) throws -> LoadSettings {
        var settings = LoadSettings(
            job: job,
            source: .cluster(try self.cluster(.source)),
            target: try self.cluster(.target),
            store: .sqlite(path: "\(self.folder)/loader.sqlite"),
            deadLetterFolder: "\(self.folder)/dead-letters"
        )
        settings.ceiling = ceiling
        settings.runner.pollInterval = .milliseconds(100)
        return settings
    }

    private func run(_ settings: LoadSettings) async throws -> LoadStatus {
        let group = MultiThreadedEventLoopGroup.singleton
        return try await LoadJob.withJob(settings, worker: "demo", on: group, logger: Self.quiet) { job in
            try await job.run().status
        }
    }

    // MARK: Comparing

    private func comparing(_ job: String) throws -> CompareSettings {
        var settings = CompareSettings(
            job: job,
            source: try self.cluster(.source),
            target: try self.cluster(.target),
            store: .sqlite(path: "\(self.folder)/reader.sqlite"),
            folder: "\(self.folder)/findings"
        )
        settings.tables = TableSelection(include: [Shop.keyspace])
        settings.runner.pollInterval = .milliseconds(100)
        // Copies take milliseconds here, so that rows need not be given seconds to settle.
        settings.settling.settle = .milliseconds(50)
        settings.settling.pauseMax = .milliseconds(400)
        settings.samplesPerClassMax = 5_000
        return settings
    }

    private func withComparison<Result: Sendable>(
        _ job: String,
        _ body: @Sendable @escaping (CompareJob) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup.singleton
        let settings = try self.comparing(job)
        return try await CompareJob.withJob(settings, worker: "demo", on: group, logger: Self.quiet, body)
    }

    /// Compares everything, cell by cell with writetimes and lives.
    func comparison(_ job: String) async throws -> CompareReport {
        try await self.withComparison(job) { try await $0.run() }
    }

    func compareInSync(_ job: String, _ scene: Scene) async throws -> MigrationOutcome {
        let before = scene.traffic.count.writes
        let report = try await self.comparison(job)
        let writes = scene.traffic.count.writes - before
        var outcome = Self.outcome(of: report)
        outcome.claim(report.verdict == .inSync, "the verdict is \(CompareText.words(report.verdict))")
        outcome.claim("rows that differ", report.tally.rowsDifferent, is: 0)
        outcome.claim("tables that were compared", report.tables.count { $0.verdict == .inSync }, is: Shop.tables.count)
        outcome.numbers["writes_meanwhile"] = writes
        outcome.figure =
            "in sync: \(report.tables.count) tables, \(Human.count(report.tally.rows)) rows, \(Human.count(report.tally.cells)) "
            + "cells with their times; \(Human.many(writes, "write")) meanwhile"
        return outcome
    }

    private static func outcome(of report: CompareReport) -> MigrationOutcome {
        var outcome = MigrationOutcome()
        outcome.claim("undecided rows", report.tally.rowsUndecided, is: 0)
        outcome.claim(report.coverage == 1, "tokens compared: \(Human.percent(report.coverage))")
        outcome.numbers = [
            "rows": report.tally.rows, "cells": report.tally.cells, "rows_different": report.tally.rowsDifferent,
            "rows_settled": report.tally.rowsSettled, "rows_undecided": report.tally.rowsUndecided,
        ]
        return outcome
    }

    /// Finds what was injected: all of it, and nothing else.
    func compareDrift() async throws -> (CompareReport, MigrationOutcome) {
        let report = try await self.comparison(Self.driftJob)
        var outcome = Self.outcome(of: report)
        var words: [String] = []
        for kind in Difference.Class.allCases {
            let count = report.tally.differences[kind]
            let expected = MigrationDrift.expected[kind] ?? 0
            outcome.claim("differences of class \(kind.rawValue)", count, is: expected)
            outcome.numbers[kind.rawValue] = count
            if count > 0 { words.append("\(count) \(kind.rawValue)") }
        }
        let found = Set(report.tables.flatMap(\.samples).map(Self.place))
        outcome.claim(found == MigrationDrift.places, "the rows that differ are those that were changed")
        outcome.figure = "\(Human.many(found.count, "row")) differ: \(words.joined(separator: ", ")); none invented"
        return (report, outcome)
    }

    private static let driftJob = "drift"

    // MARK: Repairing

    private static func repairing(isDryRun: Bool) -> RepairSettings {
        var settings = RepairSettings()
        settings.policy = .sourceWins
        settings.isDryRun = isDryRun
        settings.deletesExtras = true
        settings.alignsSource = true
        return settings
    }

    /// Lists what a repair would write, and shows that nothing was written.
    func listRepairs(_ report: CompareReport, _ scene: Scene) async throws -> MigrationOutcome {
        let outcomes = try await self.repairs(report, Self.repairing(isDryRun: true))
        var (listed, statements) = (0, 0)
        var others: [String] = []
        for one in outcomes {
            switch one {
            case .listed(let count): (listed, statements) = (listed + 1, statements + count)
            case .agrees, .repaired, .unrepaired: others.append("\(one)")
            }
        }
        var outcome = MigrationOutcome()
        outcome.claim(others.isEmpty, others.first ?? "each row's repair can be written")
        outcome.claim("repairs that are listed", listed, is: MigrationDrift.places.count)
        let left = try await MigrationDrift.rowsLeft(scene)
        outcome.claim("drifted rows that are still there", left, is: MigrationDrift.places.count)
        outcome.numbers = ["listed": listed, "statements": statements, "still_there": left]
        outcome.figure =
            "\(Human.many(statements, "statement")) for \(Human.many(listed, "row")) listed in a file, nothing written: "
            + "all \(left) still there"
        return outcome
    }

    /// Repairs what was found: the source is right.
    func repair(_ report: CompareReport, _ scene: Scene) async throws -> MigrationOutcome {
        let outcomes = try await self.repairs(report, Self.repairing(isDryRun: false))
        var repaired = 0
        var reasons: [String] = []
        for one in outcomes {
            switch one {
            case .repaired: repaired += 1
            case .unrepaired(let reason): reasons.append(reason)
            case .agrees, .listed: reasons.append("\(one)")
            }
        }
        MigrationDrift.adopt(scene.ledger)
        let left = try await MigrationDrift.rowsLeft(scene)
        var outcome = MigrationOutcome()
        outcome.claim("repaired rows", repaired, is: MigrationDrift.places.count)
        outcome.claim(reasons.isEmpty, reasons.first ?? "nothing is left unrepaired")
        outcome.claim("drifted rows that are still there", left, is: 0)
        outcome.numbers = ["repaired": repaired, "unrepaired": reasons.count, "still_there": left]
        outcome.figure =
            "\(repaired) of \(MigrationDrift.places.count) rows repaired, source_wins, each read again afterwards; "
            + "extras deleted with their own times"
        return outcome
    }

    /// One repair for each row that differs.
    private func repairs(_ report: CompareReport, _ settings: RepairSettings) async throws -> [RepairOutcome] {
        var rows: [String: Difference] = [:]
        for sample in report.tables.flatMap(\.samples) { rows[Self.place(sample)] = sample.difference }
        let differences = Array(rows.values)
        return try await self.withComparison(Self.driftJob) { job in
            var outcomes: [RepairOutcome] = []
            for difference in differences { outcomes.append(try await job.repair(difference, with: settings)) }
            return outcomes
        }
    }
}
