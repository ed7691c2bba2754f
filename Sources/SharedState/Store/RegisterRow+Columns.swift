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
    func values(_ coding: any ModesCoding) -> [CQLValue] {
        [.bigint(self.epoch), .text(coding.cell(of: self.modes)), .uuid(self.change.id)] + self.change.values
    }
}

extension RegisterRow {
    /// In the order of the statements' columns.
    func values(_ coding: any ModesCoding) -> [CQLValue] {
        let proposed: [CQLValue]
        if let proposal = self.proposal {
            proposed =
                [
                    .uuid(proposal.change.id), .bigint(proposal.epoch), .text(coding.cell(of: proposal.to)),
                    .text(proposal.decider.description),
                ] + proposal.change.values
        } else {
            proposed = Array(repeating: .null, count: 8)
        }
        return [.uuid(self.revision)] + self.record.values(coding) + proposed
    }

    init(_ row: Row, _ coding: any ModesCoding) throws {
        guard let revision = try row.uuid("revision"), let id = try row.uuid("change"),
            let epoch = try row.bigint("epoch"), let modes = try row.modes("stage", coding)
        else {
            throw ColumnFault(
                description: "cluster_sync.control has a row without its revision, epoch, stage or change"
            )
        }
        let record = SharedRecord(epoch: epoch, modes: modes, change: try row.change(id, "changed", "reason", "forced"))
        var proposal: Proposal?
        if let id = try row.uuid("proposed"), let epoch = try row.bigint("proposed_epoch"),
            let to = try row.modes("proposed_stage", coding), let name = try row.text("decider"),
            let decider = Cluster.allCases.first(where: { $0.description == name })
        {
            let change = try row.change(id, "proposed", "proposed_reason", "proposed_forced")
            proposal = Proposal(epoch: epoch, to: to, decider: decider, change: change)
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

    /// - Throws: where a newer version has written a stage, or modes of tables, that this one does not know.
    fileprivate func modes(_ name: String, _ coding: any ModesCoding) throws -> TableModes? {
        try self.text(name).map { try coding.modes(ofCell: $0) }
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
