import DualWriteCore
import FoundationEssentials
import Operations

/// The write mode as the state folder keeps it, with its epoch and the trail of its changes.
struct PhaseState: Sendable, Equatable {
    /// Changes that are kept; older ones leave the trail, the log has them.
    static let historyMax = 1_000

    var mode: WriteMode
    /// How often the mode has been changed.
    var epoch: Int
    /// The changes, oldest first.
    var history: [PhaseRecord]
    /// Tables with modes of their own.
    var overrides: [KeptOverride] = []
    /// What became of the modes of tables, oldest first.
    var tableHistory: [TableModeRecord] = []

    /// The modes in force.
    var modes: TableModes {
        TableModes(ModeStage(self.mode), (try? ModeOverrides(self.overrides.map(\.override))) ?? .none)
    }
}

extension PhaseState {
    /// When tables with modes of their own began to be written to both clusters, the latest of them.
    var tablesCopiedSince: String? {
        func isDual(_ name: String) -> Bool { ModeStage(name: name)?.mode.shadow != nil }
        return self.tableHistory.last { $0.tenants == nil && !isDual($0.from) && isDual($0.to) }?.at
    }
}

/// Keeps the write mode in `phase.json`, and the same once more in `phase.copy.json`, so that one damaged file loses
/// nothing. The copy is written first: after a crash between the two, the higher epoch counts.
struct PhaseStore: Sendable {
    static let name = "phase.json"
    static let copyName = "phase.copy.json"

    private struct Document: Codable {
        var format: Int
        var mode: String
        var epoch: Int
        var history: [PhaseRecord]
        var overrides: [OverrideEntry]?
        var tableHistory: [TableModeRecord]?
    }

    let folder: StateFolder

    /// What the folder says, with a remark for the log where one of the files had to be passed over; nil for a new folder.
    func load() throws(StateError) -> (state: PhaseState, remark: String?)? {
        var states: [PhaseState] = []
        var remarks: [String] = []
        var found = 0
        for name in [Self.name, Self.copyName] {
            guard let bytes = try self.folder.content(of: name) else { continue }
            found += 1
            do {
                states.append(try Self.decode(bytes))
            } catch {
                remarks.append("\(name) is damaged (\(error))")
            }
        }
        guard found > 0 else { return nil }
        guard let state = states.max(by: { $0.epoch < $1.epoch }) else {
            throw StateError(
                code: .damaged,
                description:
                    "the write mode in '\(self.folder.path)' cannot be read: \(remarks.joined(separator: ", ")). "
                    + "Guessing it could send reads to the wrong cluster. Write \(Self.name) anew, for example "
                    + #"{"format":1,"mode":"DualWriteAsync","epoch":1,"history":[]}, and remove \#(Self.copyName)."#
            )
        }
        return (state, remarks.isEmpty ? nil : remarks.joined(separator: ", ") + "; the other copy was used")
    }

    /// Returns when the disk has `state`.
    func save(_ state: PhaseState) throws(StateError) {
        let document = Document(
            format: OverrideEntry.Format.of(state.overrides.map(\.override)),
            mode: state.mode.name,
            epoch: state.epoch,
            history: state.history.suffix(PhaseState.historyMax),
            overrides: state.overrides.isEmpty
                ? nil
                : state.overrides.map { OverrideEntry($0.override, since: $0.since) },
            tableHistory: state.tableHistory.isEmpty ? nil : state.tableHistory.suffix(PhaseState.historyMax)
        )
        guard let bytes = try? DocumentCoding.encode(document) else {
            preconditionFailure("the phase state could not be written as JSON")
        }
        try self.folder.replace(Self.copyName, with: Array(bytes))
        try self.folder.replace(Self.name, with: Array(bytes))
    }

    private struct Unreadable: Error, CustomStringConvertible { let description: String }

    private static func decode(_ bytes: [UInt8]) throws -> PhaseState {
        guard let document = try? DocumentCoding.decode(Document.self, from: Data(bytes)) else {
            throw Unreadable(description: "\(bytes.count) bytes that are not the expected JSON")
        }
        guard OverrideEntry.Format.isKnown(document.format) else {
            throw Unreadable(description: "format \(document.format)")
        }
        guard document.epoch >= 0 else { throw Unreadable(description: "epoch \(document.epoch)") }
        let overrides = try (document.overrides ?? []).map { entry in
            guard let since = entry.since else {
                throw Unreadable(description: "the override of \(entry.tables) has no epoch")
            }
            return KeptOverride(override: try entry.override(), since: since)
        }
        _ = try ModeOverrides(document.overrides)
        return PhaseState(
            mode: try WriteMode(parsing: document.mode),
            epoch: document.epoch,
            history: document.history,
            overrides: overrides,
            tableHistory: document.tableHistory ?? []
        )
    }
}
