import CQLClient
import DualReader
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import Logging
import NIOPosix
import Operations

/// A whole migration between two embedded nodes, told step by step: each does what an operator does, with the services that he
/// would use, and is checked by what the nodes hold.
struct MigrationStory: Sendable {
    let stage: DemoStage
    let style: Style
    /// Where the jobs keep their progress and reports; it exists.
    let folder: String
    let isDocument: Bool
    /// Where the story is told.
    var write: @Sendable (String) -> Void = { Output.text($0) }

    /// What the steps share.
    struct Scene: Sendable {
        let sessions: DemoSessions
        let admin: AdminClient
        let ledger = ShopLedger()
        let traffic: ShopTraffic
        let statements: ShopStatements

        init(_ sessions: DemoSessions, _ admin: AdminClient) async throws {
            self.sessions = sessions
            self.admin = admin
            self.statements = try await ShopStatements(sessions.application)
            self.traffic = ShopTraffic(self.statements, self.ledger)
        }

        func session(_ cluster: Cluster) -> CQLSession {
            cluster == .source ? self.sessions.source : self.sessions.target
        }
    }

    /// Nobody looks at what the jobs say by the way.
    static let quiet = Logger(label: "demo") { _ in SwiftLogNoOpLogHandler() }

    /// Whether everything was as it must be.
    func run() async throws -> Bool {
        let (proxy, admin) = try await self.stage.ready()
        return try await self.stage.withSessions(proxy) { sessions in
            let narrator = MigrationNarrator(self.style, isDocument: self.isDocument, write: self.write)
            narrator.line(
                self.style.bold("cluster-sync demo --migration: from one embedded node to another, without a stop")
            )
            narrator.line()
            narrator.line("  source    127.0.0.1:\(self.stage.source.port)")
            narrator.line("  target    127.0.0.1:\(self.stage.target.port)")
            narrator.line("  sidecar   \(proxy.contactPoints[0]), admin port \(admin)")
            narrator.line()
            return try await self.tell(sessions, AdminClient(base: admin, token: nil), narrator)
        }
    }

    private func tell(
        _ sessions: DemoSessions,
        _ admin: AdminClient,
        _ narrator: MigrationNarrator
    ) async throws -> Bool {
        for session in [sessions.source, sessions.target] { try await Shop.makeSchema(session) }
        let scene = try await Scene(sessions, admin)
        var isWhole = false
        do {
            try await narrator.step("old_data", "Old data on the source") { try await self.fill(scene) }
            // Cancelled where a step ends the story.
            async let application: Void = scene.traffic.run()
            try await self.migrate(scene, narrator)
            scene.traffic.stop()
            await application
            try await narrator.step("end", "Compared a last time") { try await self.end(scene) }
            isWhole = true
        } catch is MigrationNarrator.Ended {}
        let count = scene.traffic.count
        let words =
            "Meanwhile the application went on: \(Human.count(count.writes)) writes and \(Human.many(count.reads, "read")), "
            + "\(count.failed) failed."
        return try narrator.conclude(isWhole: isWhole, words)
    }

    /// All that happens while the application is running.
    private func migrate(_ scene: Scene, _ narrator: MigrationNarrator) async throws {
        try await narrator.step("primary_only", "The application goes on") {
            var outcome = MigrationOutcome()
            try await scene.traffic.passed()
            try await self.probe(.primaryOnly, 0, scene, &outcome)
            return outcome
        }
        var ceiling: Int64 = 0
        try await narrator.step("dual_write_async", "Dual writes on") {
            let outcome = try await self.enter(.dualWriteAsync, 1, scene)
            ceiling = Self.microseconds()
            // What began before the switch has been answered, and all clocks here are one: what the loader's wait for the
            // ceiling is there for has been seen to be over.
            try await scene.traffic.passed()
            return outcome
        }
        try await narrator.step("load", "Bulk load under traffic") { try await self.load(scene, ceiling: ceiling) }
        try await narrator.step("load_counters", "Counters, writers waiting") {
            try await self.loadCounters(scene, ceiling: ceiling)
        }
        try await narrator.step("compare", "Comparison") { try await self.compareInSync("after-load", scene) }
        var found: CompareReport?
        try await narrator.step("drift", "Drift, past the sidecar") { try await MigrationDrift.inject(scene) }
        try await narrator.step("compare_drift", "Comparison finds the drift") {
            let (report, outcome) = try await self.compareDrift()
            found = report
            return outcome
        }
        guard let found else { return }
        try await narrator.step("repair_dry_run", "Repair, dry run") { try await self.listRepairs(found, scene) }
        try await narrator.step("repair", "Repair") { try await self.repair(found, scene) }
        try await narrator.step("compare_repaired", "Comparison") { try await self.compareInSync("repaired", scene) }
        try await narrator.step("dual_write_sync", "Both must have it") {
            try await self.enter(.dualWriteSync, 2, scene)
        }
        try await narrator.step("shadow_primary", "The target answers") {
            try await self.enter(.shadowPrimary, 3, scene)
        }
        try await narrator.step("rollback", "Rollback, one command") { try await self.rollBack(scene) }
        try await narrator.step("shadow_primary_again", "The target answers again") {
            try await self.enter(.shadowPrimary, 5, scene)
        }
        try await narrator.step("compare_before_end", "Comparison before the end") {
            try await self.compareInSync("before-end", scene)
        }
        try await narrator.step("target_only", "The target alone") {
            scene.ledger.mark()
            return try await self.enter(.targetOnly, 6, scene)
        }
    }

    /// The time in microseconds since 1970, of the same clock by which the sidecar stamps writes.
    static func microseconds() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    // MARK: Steps

    private func fill(_ scene: Scene) async throws -> MigrationOutcome {
        try await Shop.fill(scene.sessions.application, scene.ledger)
        var outcome = MigrationOutcome()
        var rows: [Cluster: Int] = [:]
        for cluster in Cluster.allCases {
            let contents = try await Shop.contents(scene.session(cluster))
            rows[cluster] = contents.count + (try await Shop.visits(scene.session(cluster)).count)
        }
        outcome.claim("rows on the source", rows[.source] ?? 0, is: Shop.rows)
        outcome.claim("rows on the target", rows[.target] ?? 0, is: 0)
        outcome.numbers = ["rows": rows[.source] ?? 0, "tables": Shop.tables.count]
        outcome.figure =
            "\(Human.count(rows[.source] ?? 0)) rows in \(Shop.tables.count) tables: texts, collections, lives, statics, a "
            + "counter; the target has none"
        return outcome
    }

    /// The application has stopped: what it was told is written must be on the target, and what differs must be younger than
    /// the last step.
    private func end(_ scene: Scene) async throws -> MigrationOutcome {
        var outcome = MigrationOutcome()
        let count = scene.traffic.count
        outcome.claim("failed requests of the application", count.failed, is: 0)
        let lost = scene.ledger.disagreeing(with: try await Shop.contents(scene.sessions.target))
        outcome.claim("rows of the target that are not what was acknowledged last", lost.count, is: 0)
        let visits = try await Shop.visits(scene.sessions.target)
        outcome.claim(visits == scene.ledger.visits, "each counter of the target is what was counted")
        let report = try await self.comparison("end")
        let since = Set(scene.ledger.writtenSinceMark.map(\.text))
        let places = Set(report.tables.flatMap(\.samples).map(Self.place))
        let strange = places.subtracting(since).sorted()
        outcome.claim("rows that differ", report.tally.rowsDifferent, is: places.count)
        outcome.claim("rows that differ", report.tally.rowsDifferent, atLeast: 1)
        outcome.claim(
            strange.isEmpty,
            "what differs was written since TargetOnly" + (strange.first.map { ", but \($0)" } ?? "")
        )
        outcome.claim("undecided rows", report.tally.rowsUndecided, is: 0)
        outcome.numbers = [
            "acknowledged": scene.ledger.acknowledged, "rows": report.tally.rows,
            "differs_since_last_step": report.tally.rowsDifferent, "lost": lost.count, "failed": count.failed,
        ]
        outcome.figure =
            "\(Human.count(scene.ledger.acknowledged)) acknowledged writes, \(lost.count) lost on the target; "
            + "\(Human.many(report.tally.rowsDifferent, "row")) differ, all of them written since TargetOnly"
        return outcome
    }

    static func place(_ difference: DescribedDifference) -> String {
        let words = difference.key + (difference.clustering ?? [])
        return "\(difference.difference.table) \(words.joined(separator: " "))"
    }
}
