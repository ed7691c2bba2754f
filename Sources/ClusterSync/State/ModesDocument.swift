import DualWriteCore
import FoundationEssentials
import Operations
import SharedState

/// The modes of all tables in one line of JSON, as the clusters keep them where tables have modes of their own.
struct ModesDocument: ModesCoding {
    private struct Document: Codable {
        var format: Int
        var mode: String
        var overrides: [OverrideEntry]?
    }

    private struct Unreadable: Error, CustomStringConvertible { let description: String }

    func text(of modes: TableModes) -> String {
        let document = Document(
            format: OverrideEntry.Format.of(modes.overrides.list),
            mode: modes.stage.name,
            overrides: modes.overrides.entries
        )
        guard let bytes = try? DocumentCoding.encodeLine(document) else {
            preconditionFailure("modes could not be written as JSON")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func modes(in text: String) throws -> TableModes {
        guard let document = try? DocumentCoding.decode(Document.self, from: Data(text.utf8)) else {
            throw Unreadable(description: "it is no document of modes")
        }
        guard OverrideEntry.Format.isKnown(document.format) else {
            throw Unreadable(description: "format \(document.format)")
        }
        guard let stage = ModeStage(name: document.mode) else {
            throw Unreadable(description: "mode '\(document.mode.prefix(64))'")
        }
        return TableModes(stage, try ModeOverrides(document.overrides))
    }
}
