import Synchronization

/// What the owner of a log and the thread that syncs it share: the files, the turns, and whether the disk is needed.
///
/// The owner writes through the mapping of a file, then tells its debt; the thread reads the debt, then syncs. What the owner
/// had written when it noticed a turn is therefore on the disk once that turn is told to have arrived.
package final class LogSync: Sendable {
    /// After so many turns what the disk has is brought up to date even if nothing is owed, so that what was confirmed long ago
    /// is known to be, after a stop of the machine, too.
    package static var idleTurnsMax: UInt32 { 100 }

    private let folder: SyncedDescriptor
    private let files = Mutex<[SyncedDescriptor]>([])
    /// By the thread: turns that have begun.
    private let turn = Atomic<UInt32>(0)
    /// By the thread: the last turn in which it synced, and the last one of the owner's that has arrived on the disk.
    private let syncedIn = Atomic<UInt32>(0)
    private let arrived = Atomic<UInt32>(.max)
    /// By the owner.
    private let debt = Atomic<UInt64>(0)

    package init(folder: SyncedDescriptor) { self.folder = folder }

    // MARK: The owner's

    @inline(__always)
    var currentTurn: UInt32 { self.turn.load(ordering: .relaxed) }

    /// The last turn for which what was there when the owner noticed it is on the disk.
    var arrivedTurn: UInt32 { self.arrived.load(ordering: .acquiring) }

    @inline(__always)
    package func tell(_ word: SyncDebt.Word) { self.debt.store(word.rawValue, ordering: .releasing) }

    func add(_ file: SyncedDescriptor) { self.files.withLock { $0.append(file) } }

    func remove(_ file: SyncedDescriptor) { self.files.withLock { $0.removeAll { $0 === file } } }

    // MARK: The thread's

    /// Ends a turn. Returns the one of the owner's that should be brought to the disk now; nil where the disk is not needed.
    package func endTurn() -> UInt32? {
        let turn = self.turn.load(ordering: .relaxed)
        let word = SyncDebt.Word(rawValue: self.debt.load(ordering: .acquiring))
        self.turn.store(turn &+ 1, ordering: .relaxed)
        let isDue = turn &- self.syncedIn.load(ordering: .relaxed) >= Self.idleTurnsMax
        guard isDue || word.needsDisk(atEndOf: turn) else { return nil }
        self.syncedIn.store(turn, ordering: .relaxed)
        return word.turn
    }

    /// What was there when the owner noticed `turn` is on the disk.
    package func arrived(_ turn: UInt32) { self.arrived.store(turn, ordering: .releasing) }

    /// The folder first: a file that is found under an old name is taken for what it was.
    package var descriptors: [SyncedDescriptor] { [self.folder] + self.files.withLock { $0 } }

    var isDirty: Bool { self.folder.isDirty || self.files.withLock { $0.contains { $0.isDirty } } }
}
