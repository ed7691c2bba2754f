public import DualWriteCore

/// How modes are written where some tables have modes of their own.
///
/// Without overrides they are the name of the stage, as ever. With them they are a text that is no stage's name, in the same
/// column: a program that knows nothing of overrides refuses to read it, rather than going on without them, and no table needs
/// another column.
public protocol ModesCoding: Sendable {
    /// A text that ``modes(in:)`` reads, and that is no name of a stage.
    func text(of modes: TableModes) -> String

    /// The modes of a text.
    ///
    /// - Throws: where it is none, or one of a newer version; the error's description says what is wrong.
    func modes(in text: String) throws -> TableModes
}

extension ModesCoding {
    /// What the column holds.
    func cell(of modes: TableModes) -> String {
        modes.overrides.isEmpty ? modes.stage.name : self.text(of: modes)
    }

    /// What it says.
    func modes(ofCell text: String) throws(ColumnFault) -> TableModes {
        if let stage = ModeStage(name: text) { return TableModes(stage, .none) }
        do {
            return try self.modes(in: text)
        } catch {
            throw ColumnFault(
                description:
                    "cluster_sync.control has the stage '\(text.prefix(64))', which this version does not know "
                    + "(\(error))"
            )
        }
    }
}
