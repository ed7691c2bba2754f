import CQLProtocol
import DualWriteCore

/// Why the tables do not hold what they should.
struct ColumnFault: Error, CustomStringConvertible {
    let description: String
}

extension StageChange {
    fileprivate var values: [CQLValue] {
        [.text(self.by), self.reason.map { .text($0) } ?? .null, .boolean(self.forced), .timestamp(self.at)]
    }
}

extension SharedRecord {
    var values: [CQLValue] {
        [.bigint(self.epoch), .text(self.stage.name), .uuid(self.change.id)] + self.change.values
    }
}

extension RegisterRow {
    /// In the order of the statements' columns.
    var values: [CQLValue] {
        let proposed: [CQLValue]
        if let proposal = self.proposal {
            proposed =
                [
                    .uuid(proposal.change.id), .bigint(proposal.epoch), .text(proposal.to.name),
                    .text(proposal.decider.description),
                ] + proposal.change.values
        } else {
            proposed = Array(repeating: .null, count: 8)
        }
        return [.uuid(self.revision)] + self.record.values + proposed
    }

    init(_ row: Row) throws {
        guard let revision = try row.uuid("revision"), let id = try row.uuid("change"),
            let epoch = try row.bigint("epoch"), let stage = try row.stage("stage")
        else {
            throw ColumnFault(
                description: "cluster_sync.control has a row without its revision, epoch, stage or change"
            )
        }
        let record = SharedRecord(epoch: epoch, stage: stage, change: try row.change(id, "changed", "reason", "forced"))
        var proposal: Proposal?
        if let id = try row.uuid("proposed"), let epoch = try row.bigint("proposed_epoch"),
            let stage = try row.stage("proposed_stage"), let name = try row.text("decider"),
            let decider = Cluster.allCases.first(where: { $0.description == name })
        {
            let change = try row.change(id, "proposed", "proposed_reason", "proposed_forced")
            proposal = Proposal(epoch: epoch, to: stage, decider: decider, change: change)
        }
        self.init(revision: revision, record: record, proposal: proposal)
    }
}

extension ReplicaEntry {
    /// In the order of the statement's columns, without the time to live.
    func values(of control: String) -> [CQLValue] {
        var (answer, refusal): (CQLValue, CQLValue) = (.null, .null)
        switch self.answer {
        case .prepared(let id): answer = .uuid(id)
        case .refused(let id, let reason): (answer, refusal) = (.uuid(id), .text(String(reason.prefix(1_000))))
        case nil: break
        }
        return [
            .text(control), .text(self.id), .text(self.address), self.applied.map { .bigint($0) } ?? .null, answer,
            refusal,
            .bigint(self.owed[.source]), .bigint(self.owed[.target]),
            self.fault.map { .text(String($0.prefix(1_000))) } ?? .null,
            .timestamp(self.at),
        ]
    }

    /// Nil for a row of which only the sign of life is left.
    init?(_ row: Row) throws {
        guard let id = try row.text("id"), case .timestamp(let at) = try row.value("said_at") else { return nil }
        var answer: Answer?
        if let proposal = try row.uuid("answer") {
            answer = try row.text("refusal").map { .refused(proposal, $0) } ?? .prepared(proposal)
        }
        let owed = PerCluster(source: try row.bigint("owed_source") ?? 0, target: try row.bigint("owed_target") ?? 0)
        self.init(
            id: id,
            address: try row.text("address") ?? "",
            applied: try row.bigint("applied"),
            answer: answer,
            owed: owed,
            fault: try row.text("fault"),
            at: at,
            isSeen: try row.value("seen") == .boolean(true)
        )
    }
}

extension Row {
    fileprivate func text(_ name: String) throws -> String? {
        if case .text(let text) = try self.value(name) { return text }
        return nil
    }

    fileprivate func bigint(_ name: String) throws -> Int64? {
        if case .bigint(let number) = try self.value(name) { return number }
        return nil
    }

    fileprivate func uuid(_ name: String) throws -> CQLUUID? {
        if case .uuid(let id) = try self.value(name) { return id }
        return nil
    }

    /// - Throws: where a newer version has written a stage that this one does not know.
    fileprivate func stage(_ name: String) throws -> ModeStage? {
        guard let text = try self.text(name) else { return nil }
        guard let stage = ModeStage(name: text) else {
            throw ColumnFault(
                description: "cluster_sync.control has the stage '\(text.prefix(64))', which this version does not know"
            )
        }
        return stage
    }

    fileprivate func change(_ id: CQLUUID, _ prefix: String, _ reason: String, _ forced: String) throws -> StageChange {
        var at: Int64 = 0
        if case .timestamp(let milliseconds) = try self.value("\(prefix)_at") { at = milliseconds }
        return StageChange(
            id: id,
            by: try self.text("\(prefix)_by") ?? "",
            reason: try self.text(reason),
            forced: try self.value(forced) == .boolean(true),
            at: at
        )
    }
}
