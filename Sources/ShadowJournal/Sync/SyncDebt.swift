/// What of a log must reach the disk: a record that is still open when it is older than a turn, and what a record says by now
/// that the disk has as open.
///
/// A pure value of the log's owner. Turns are counted by whoever syncs (``LogSync``): the owner notices a new one with its next
/// call, so that a log at rest costs nothing, and a record that the shadow confirms within a turn is never waited for.
package struct SyncDebt {
    /// What the owner tells the one who syncs: the turn that it knows, and whether the disk is needed.
    package struct Word: Equatable {
        let rawValue: UInt64

        @inline(__always)
        init(rawValue: UInt64) { self.rawValue = rawValue }

        @inline(__always)
        init(turn: UInt32, needsDisk: Bool, needsDiskIfIdle: Bool) {
            self.rawValue = UInt64(turn) << 32 | (needsDisk ? 1 : 0) | (needsDiskIfIdle ? 2 : 0)
        }

        package var turn: UInt32 { UInt32(truncatingIfNeeded: self.rawValue >> 32) }

        /// Whether something has waited for a whole turn when `turn` ends. An owner that does not know of it has done nothing in
        /// it: all that it owes is older.
        package func needsDisk(atEndOf turn: UInt32) -> Bool {
            self.rawValue & (self.turn == turn ? 1 : 2) != 0
        }
    }

    /// The turn that the owner knows.
    package private(set) var turn: UInt32 = 0
    /// Records before it are on the disk, in whatever state.
    private var safe = JournalPosition(rawValue: 0)
    /// Records before it are older than the turn.
    private var boundary: JournalPosition
    /// Open records between the two.
    private var oldOpen: Int
    /// Open records behind ``boundary``.
    private var youngOpen = 0
    /// Whether the disk is behind on something else, since before this turn, and since it began.
    private var oldChanges = false
    private var youngChanges = false

    /// The debt of a log as it was recovered. Nobody knows what of it an earlier process has brought to the disk.
    ///
    /// - Parameter end: a position that no record has, behind all of them.
    package init(openRecords: Int, end: JournalPosition) {
        self.boundary = end
        self.oldOpen = openRecords
    }

    @inline(__always)
    package var word: Word {
        let needsDisk = self.oldOpen > 0 || self.oldChanges
        return Word(
            turn: self.turn,
            needsDisk: needsDisk,
            needsDiskIfIdle: needsDisk || self.youngOpen > 0 || self.youngChanges
        )
    }

    /// A turn has begun.
    ///
    /// - Parameters:
    ///   - isSynced: all that was there when ``turn`` began has arrived on the disk since.
    ///   - end: where the next record will be, or before.
    package mutating func began(_ turn: UInt32, isSynced: Bool, end: JournalPosition) {
        if isSynced {
            self.safe = self.boundary
            self.oldOpen = 0
            self.oldChanges = false
        }
        self.turn = turn
        self.oldOpen += self.youngOpen
        self.youngOpen = 0
        self.oldChanges = self.oldChanges || self.youngChanges
        self.youngChanges = false
        self.boundary = end
    }

    /// An open record was appended.
    @inline(__always)
    package mutating func appended() { self.youngOpen += 1 }

    /// An open record was finished.
    @inline(__always)
    package mutating func finished(at position: JournalPosition) {
        if position >= self.boundary {
            self.youngOpen -= 1
        } else if position >= self.safe {
            self.oldOpen -= 1
        } else {
            self.youngChanges = true
        }
    }

    /// An open record has another state.
    @inline(__always)
    package mutating func changed(at position: JournalPosition) {
        if position < self.safe { self.youngChanges = true }
    }

    /// What is there must reach the disk although nothing of it may be open.
    package mutating func require() { self.youngChanges = true }
}
