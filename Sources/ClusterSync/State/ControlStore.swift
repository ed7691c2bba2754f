import CQLProtocol
import DualWriteCore
import FoundationEssentials
import Operations
import SharedState

/// Keeps in `control.json` what a replica must not forget: its name, what is decided, and what it has promised.
struct ControlStore: ReplicaMemory {
    static let name = "control.json"

    private struct Change: Codable {
        var id: String
        var by: String
        var reason: String?
        var forced: Bool
        var at: Int64

        init(_ change: StageChange) {
            self.id = change.id.description
            (self.by, self.reason, self.forced, self.at) = (change.by, change.reason, change.forced, change.at)
        }

        var change: StageChange? {
            guard let uuid = UUID(uuidString: self.id)?.uuid else { return nil }
            let bytes = withUnsafeBytes(of: uuid) { Array($0) }
            func half(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
            let id = CQLUUID(high: half(bytes[..<8]), low: half(bytes[8...]))
            return StageChange(id: id, by: self.by, reason: self.reason, forced: self.forced, at: self.at)
        }
    }

    private struct Record: Codable {
        var epoch: Int64
        var stage: String
        var overrides: [OverrideEntry]?
        var change: Change
    }

    private struct Promise: Codable {
        var epoch: Int64
        var to: String
        var overrides: [OverrideEntry]?
        var decider: String
        var change: Change
    }

    private struct Document: Codable {
        var format: Int
        var replica: String
        var record: Record?
        var promise: Promise?
    }

    let folder: StateFolder
    let id: String

    /// What the folder says; a new name for a new folder.
    ///
    /// - Parameter id: the configured name; nil: the one that is kept.
    /// - Throws: where the file is there and cannot be used: what was promised must not be forgotten.
    static func open(_ folder: StateFolder, id: String?) throws(StateError) -> (store: ControlStore, kept: Replica.Kept)
    {
        guard let bytes = try folder.content(of: Self.name) else {
            let name = id ?? "replica-" + String(UInt32.random(in: .min ... .max), radix: 16)
            let store = ControlStore(folder: folder, id: name)
            try store.save(Replica.Kept())
            return (store, Replica.Kept())
        }
        guard let document = try? DocumentCoding.decode(Document.self, from: Data(bytes)),
            OverrideEntry.Format.isKnown(document.format),
            let kept = Self.kept(document)
        else {
            throw StateError(
                code: .damaged,
                description:
                    "'\(folder.path)/\(Self.name)' is damaged or of a newer version. Start this replica on a new state "
                    + "folder if nothing is owed (cluster-sync journal list); it takes the write mode from the clusters"
            )
        }
        return (ControlStore(folder: folder, id: id ?? document.replica), kept)
    }

    private static func kept(_ document: Document) -> Replica.Kept? {
        var kept = Replica.Kept()
        if let record = document.record {
            guard let modes = Self.modes(record.stage, record.overrides), let change = record.change.change else {
                return nil
            }
            kept.record = SharedRecord(epoch: record.epoch, modes: modes, change: change)
        }
        if let promise = document.promise {
            guard let modes = Self.modes(promise.to, promise.overrides), let change = promise.change.change,
                let decider = Cluster.allCases.first(where: { $0.description == promise.decider })
            else { return nil }
            kept.promise = Proposal(epoch: promise.epoch, to: modes, decider: decider, change: change)
        }
        return kept
    }

    private static func modes(_ stage: String, _ overrides: [OverrideEntry]?) -> TableModes? {
        guard let stage = ModeStage(name: stage), let overrides = try? ModeOverrides(overrides) else { return nil }
        return TableModes(stage, overrides)
    }

    func keep(_ kept: Replica.Kept) throws { try self.save(kept) }

    private func save(_ kept: Replica.Kept) throws(StateError) {
        let modes = [kept.record?.modes, kept.promise?.to].compactMap(\.self)
        let document = Document(
            format: OverrideEntry.Format.of(modes.flatMap(\.overrides.list)),
            replica: self.id,
            record: kept.record.map {
                Record(
                    epoch: $0.epoch,
                    stage: $0.stage.name,
                    overrides: $0.modes.overrides.entries,
                    change: Change($0.change)
                )
            },
            promise: kept.promise.map {
                Promise(
                    epoch: $0.epoch,
                    to: $0.to.stage.name,
                    overrides: $0.to.overrides.entries,
                    decider: "\($0.decider)",
                    change: Change($0.change)
                )
            }
        )
        guard let bytes = try? DocumentCoding.encode(document) else {
            preconditionFailure("the control state could not be written as JSON")
        }
        try self.folder.replace(Self.name, with: Array(bytes))
    }
}
