import DualWriteCore

/// All that a seed decides: the sidecar's settings, what its clients ask for, and what happens meanwhile.
struct SimulationScript: Sendable, CustomStringConvertible {
    struct Settings: Sendable {
        var mode = WriteMode.dualWriteAsync
        var syncFailure = StatementPolicy.SyncFailure.fail
        var journalFull = StatementPolicy.JournalFull.markDirty
        var loops = 1
        /// So little room in each journal that it is reached.
        var hasSmallJournal = false
        /// Files so short that many are needed, each of which a full disk can deny.
        var hasShortSegments = false
        /// So few writes in memory that the lane reads from its journal.
        var hasSmallMemory = false
        /// What is done with dead letters in the end: sent again, or discarded.
        var discardsDeadLetters = false
    }

    /// How a sidecar ends.
    enum End: Sendable, CustomStringConvertible {
        /// Killed when so many requests were answered; the tail of a journal may be damaged then.
        case kill(after: Int, damage: Damage?)
        /// Stopped in an orderly way, whatever it still owes.
        case stop
        /// The last one: all is well again, and it delivers what it owes.
        case settle

        var description: String {
            switch self {
            case .kill(let after, let damage):
                "killed after \(after) answers" + (damage.map { ", \($0)" } ?? "")
            case .stop: "stopped"
            case .settle: "settles"
            }
        }
    }

    /// Bytes at the end of what a journal holds that are not what was written.
    struct Damage: Sendable, CustomStringConvertible {
        var cluster: Cluster
        var journal: JournalDamage

        var description: String { "the last \(self.journal.bytes) bytes for the \(self.cluster) damaged" }
    }

    /// The life of one sidecar.
    struct Life: Sendable {
        var clients: [[SimulatedOperation]] = []
        /// In order, each after so many answers.
        var events: [(after: Int, event: SimulatedEvent)] = []
        var end = End.settle
    }

    let seed: UInt64
    var settings = Settings()
    var lives: [Life] = []

    var hasDamage: Bool {
        self.lives.contains {
            if case .kill(_, _?) = $0.end { true } else { false }
        }
    }

    var hasTruncate: Bool {
        self.lives.contains { life in
            life.clients.joined().contains { $0.changes.contains { if case .truncate = $0 { true } else { false } } }
        }
    }

    var hasFullDisk: Bool {
        self.lives.contains { life in
            life.events.contains { if case .disk(isFull: true) = $0.event { true } else { false } }
        }
    }

    var hasKill: Bool {
        self.lives.contains {
            if case .kill = $0.end { true } else { false }
        }
    }

    var description: String {
        var lines = ["seed \(self.seed): \(self.settings)"]
        for (index, life) in self.lives.enumerated() {
            lines.append("life \(index): \(life.end)")
            for (after, event) in life.events { lines.append("  after \(after): \(event)") }
            for (client, operations) in life.clients.enumerated() {
                for operation in operations { lines.append("  client \(client): \(operation)") }
            }
        }
        return lines.joined(separator: "\n")
    }
}
