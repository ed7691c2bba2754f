import CQLClient
import CQLProtocol
import DualWriteCore
import Operations

/// Steps through the write modes, over the admin port.
extension MigrationStory {
    private static let probes = 50
    /// Reads of the application that are looked at in each mode.
    private static let readsMin = 20
    /// How long a copy that nobody waits for may take, and what else is waited for.
    private static let patience = Duration.seconds(10)

    private struct Change: Encodable {
        let mode: String
        let reason: String
    }

    struct TookTooLong: Error, CustomStringConvertible {
        let what: String
        var description: String { "\(self.what) did not happen within \(MigrationStory.patience)" }
    }

    /// Changes the mode, and shows by writes and reads what it means.
    func enter(_ mode: WriteMode, _ step: Int32, _ scene: Scene) async throws -> MigrationOutcome {
        var outcome = MigrationOutcome()
        try await self.change(mode, scene, &outcome)
        try await self.probe(mode, step, scene, &outcome)
        return outcome
    }

    /// One step back: nothing that was acknowledged is missing on the source.
    func rollBack(_ scene: Scene) async throws -> MigrationOutcome {
        var outcome = MigrationOutcome()
        let milliseconds = try await self.change(.dualWriteSync, scene, &outcome)
        try await self.probe(.dualWriteSync, 4, scene, &outcome)
        let (rows, lost) = try await self.lost(on: .source, scene)
        outcome.claim("rows of the source that are not what was acknowledged last", lost, is: 0)
        outcome.claim("failed requests of the application", scene.traffic.count.failed, is: 0)
        outcome.numbers["rows"] = rows
        outcome.numbers["lost"] = lost
        outcome.numbers["milliseconds"] = milliseconds
        outcome.figure =
            "DualWriteSync in \(milliseconds) ms; the source has all \(Human.count(rows)) rows as acknowledged, \(lost) lost, "
            + "\(scene.traffic.count.failed) requests failed"
        return outcome
    }

    /// - Returns: How long the change took, in milliseconds.
    @discardableResult
    private func change(_ mode: WriteMode, _ scene: Scene, _ outcome: inout MigrationOutcome) async throws -> Int {
        let (before, _) = try await scene.admin.get("/v1/phase", as: PhaseDocument.self)
        let began = ContinuousClock.now
        let body = Change(mode: mode.name, reason: "demonstration of a migration")
        let (after, _) = try await scene.admin.put("/v1/phase", body, as: PhaseDocument.self)
        let milliseconds = Int((ContinuousClock.now - began) / .milliseconds(1))
        outcome.claim(after.mode == mode.name, "the mode is \(after.mode)")
        outcome.claim("epoch", after.epoch, is: before.epoch + 1)
        outcome.numbers["epoch"] = after.epoch
        try await scene.traffic.passed()
        return milliseconds
    }

    /// Writes some rows and looks on both nodes; looks who answers the application's reads meanwhile.
    func probe(_ mode: WriteMode, _ step: Int32, _ scene: Scene, _ outcome: inout MigrationOutcome) async throws {
        let before = try await self.reads(scene)
        let customer = 5_000 + step
        for id in 0..<Int32(Self.probes) {
            try await scene.statements.addOrder(customer, id, "probe \(id) in \(mode)", scene.ledger)
        }
        let answered = ContinuousClock.now
        let (primary, unused) = (mode.primary, mode.primary == .source ? Cluster.target : .source)
        var words = ["\(Self.probes) writes on the \(primary) at once"]
        outcome.claim(
            "of \(Self.probes) writes on the \(primary)",
            try await self.probes(customer, primary, scene),
            is: Self.probes
        )
        if let shadow = mode.shadow {
            var there = try await self.probes(customer, shadow, scene)
            if mode == .dualWriteSync {
                words = ["\(Self.probes) writes on both at once"]
            } else {
                while there < Self.probes, ContinuousClock.now - answered < Self.patience {
                    try await Task.sleep(for: .milliseconds(2))
                    there = try await self.probes(customer, shadow, scene)
                }
                let milliseconds = Int((ContinuousClock.now - answered) / .milliseconds(1))
                words.append("on the \(shadow) \(milliseconds) ms later")
                outcome.numbers["shadow_milliseconds"] = milliseconds
            }
            outcome.claim("of \(Self.probes) writes on the \(shadow)", there, is: Self.probes)
        } else {
            outcome.claim(
                "of \(Self.probes) writes on the \(unused)",
                try await self.probes(customer, unused, scene),
                is: 0
            )
            words.append("none on the \(unused)")
        }
        let after = try await self.enoughReads(since: before, of: primary, scene)
        let others = after[unused, default: 0] - before[unused, default: 0]
        outcome.claim("reads that the \(unused) answered", others, is: 0)
        outcome.numbers["writes"] = Self.probes
        outcome.numbers["reads"] = after[primary, default: 0] - before[primary, default: 0]
        outcome.figure = "\(mode): \(words.joined(separator: ", ")); the \(primary) answers all reads"
    }

    private func probes(_ customer: Int32, _ cluster: Cluster, _ scene: Scene) async throws -> Int {
        let text = "SELECT id FROM shop.orders WHERE customer = \(customer)"
        return try await scene.session(cluster).query(text, isIdempotent: true).rows.map { Array($0).count } ?? 0
    }

    /// Reads of clients that each cluster has answered.
    private func reads(_ scene: Scene) async throws -> [Cluster: Int] {
        let (status, _) = try await scene.admin.get("/v1/status", as: StatusDocument.self)
        return Dictionary(
            uniqueKeysWithValues: Cluster.allCases.map { cluster in
                let leg = status.legs.first { $0.cluster == cluster.description }
                return (cluster, Int(leg?.readsSucceeded ?? 0))
            }
        )
    }

    private func enoughReads(
        since before: [Cluster: Int],
        of primary: Cluster,
        _ scene: Scene
    ) async throws -> [Cluster: Int] {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            let now = try await self.reads(scene)
            if now[primary, default: 0] - before[primary, default: 0] >= Self.readsMin { return now }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TookTooLong(what: "\(Self.readsMin) reads of the application from the \(primary)")
    }

    /// Rows of a cluster that are not what the application was told last. It goes on writing: what disagreed once and agrees
    /// when it is read again was being written.
    func lost(on cluster: Cluster, _ scene: Scene) async throws -> (rows: Int, lost: Int) {
        let session = scene.session(cluster)
        let deadline = ContinuousClock.now + Self.patience
        var contents = try await Shop.contents(session)
        var suspects = scene.ledger.disagreeing(with: contents)
        while !suspects.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
            contents = try await Shop.contents(session)
            suspects.formIntersection(scene.ledger.disagreeing(with: contents))
        }
        return (contents.count, suspects.count)
    }

    /// Waits until a table's copies have all arrived.
    func delivered(_ table: String, _ scene: Scene) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            let (journal, _) = try await scene.admin.get("/v1/journal", as: JournalDocument.self)
            if !journal.clusters.contains(where: { $0.tables.contains { $0.table == table } }) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw TookTooLong(what: "the delivery of \(table)'s copies")
    }
}
