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

    /// Open records and changes of one age.
    private struct Band {
        var open = 0
        var hasChanges = false

        var needsDisk: Bool { self.open > 0 || self.hasChanges }

        mutating func add(_ other: Band) {
            self.open += other.open
            self.hasChanges = self.hasChanges || other.hasChanges
        }
    }

    /// The turn that the owner knows.
    package private(set) var turn: UInt32 = 0
    /// The one that it knew before, whose sync may have been under way when it noticed ``turn``: a disk takes its time, and an
    /// owner with much to do notices a turn at once.
    private var turnBefore: UInt32 = .max
    /// Records before it are on the disk, in whatever state.
    private var safe = JournalPosition(rawValue: 0)
    /// Records before it are older than the turn before.
    private var boundaryBefore: JournalPosition
    /// Records before it are older than the turn.
    private var boundary: JournalPosition
    /// From ``safe`` to ``boundaryBefore``.
    private var oldest = Band()
    /// From there to ``boundary``.
    private var old: Band
    /// Behind it.
    private var young = Band()

    /// The debt of a log as it was recovered. Nobody knows what of it an earlier process has brought to the disk.
    ///
    /// - Parameter end: a position that no record has, behind all of them.
    package init(openRecords: Int, end: JournalPosition) {
        self.boundaryBefore = JournalPosition(rawValue: 0)
        self.boundary = end
        self.old = Band(open: openRecords)
    }

    @inline(__always)
    package var word: Word {
        let needsDisk = self.old.needsDisk || self.oldest.needsDisk
        return Word(turn: self.turn, needsDisk: needsDisk, needsDiskIfIdle: needsDisk || self.young.needsDisk)
    }

    /// A turn has begun.
    ///
    /// - Parameters:
    ///   - arrived: the last turn for which all that was there when the owner noticed it has arrived on the disk.
    ///   - end: where the next record will be, or before.
    package mutating func began(_ turn: UInt32, arrived: UInt32, end: JournalPosition) {
        if arrived == self.turn {
            self.safe = self.boundary
            self.oldest = Band()
            self.old = Band()
        } else if arrived == self.turnBefore {
            self.safe = self.boundaryBefore
            self.oldest = Band()
        }
        self.turnBefore = self.turn
        self.turn = turn
        self.boundaryBefore = self.boundary
        self.boundary = end
        self.oldest.add(self.old)
        self.old = self.young
        self.young = Band()
    }

    /// An open record was appended.
    @inline(__always)
    package mutating func appended() { self.young.open += 1 }

    /// An open record was finished.
    @inline(__always)
    package mutating func finished(at position: JournalPosition) {
        if position >= self.boundary {
            self.young.open -= 1
        } else if position >= self.boundaryBefore {
            self.old.open -= 1
        } else if position >= self.safe {
            self.oldest.open -= 1
        } else {
            self.young.hasChanges = true
        }
    }

    /// An open record has another state.
    @inline(__always)
    package mutating func changed(at position: JournalPosition) {
        if position < self.safe { self.young.hasChanges = true }
    }

    /// What is there must reach the disk although nothing of it may be open.
    package mutating func require() { self.young.hasChanges = true }
}
