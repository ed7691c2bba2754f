import DualWriteCore
import DualWriter

/// The reasons for doubt that a script explains: a dirty set that is larger than it must be hides what it should show.
struct ExpectedReasons {
    private let script: SimulationScript

    init(_ script: SimulationScript) { self.script = script }

    private var mayLackRoom: Bool { self.script.settings.hasSmallJournal || self.script.hasFullDisk }

    func findings(_ dirty: [DirtyPartition]) -> [String] {
        dirty.filter { !self.isExplained($0) }.map { "a doubt that nothing explains: \($0.reason) of \($0.place)" }
    }

    private func isExplained(_ partition: DirtyPartition) -> Bool {
        let table = SimulatedTable(rawValue: partition.place.table)
        switch partition.reason {
        case .damaged: return self.script.hasDamage
        case .restart:
            // Without room for a second copy a plain write cannot be repeated either.
            return self.script.hasKill && (table?.isRepeatable != true || self.mayLackRoom)
        case .shadowUnknown: return table?.isRepeatable == false
        case .journalFull: return self.mayLackRoom
        case .conditional: return table == .conditional
        case .discarded: return self.script.settings.discardsDeadLetters
        case .primaryUnknown, .primaryRefused, .shadowRefused: return true
        case .overtaken: return table == .lists || self.script.hasTruncate
        case .lifeUnclear, .surplus, .comparison: return false
        }
    }
}
