import CQLProtocol
import DualWriteCore
import Logging
import NIOCore
import ShadowJournal

/// What an earlier process has left in a lane's journal (``RecoveredFate``).
struct RecoveredRecords: Sendable {
    /// Writes that the cluster is owed.
    var owed = 0
    /// Of these the ones that both clusters get, because nobody knows whether the primary has them.
    var owedToBoth = 0
    /// Writes that nobody gets, because they might be there twice.
    var doubtful = 0
    /// Records that cannot be read.
    var damaged = 0
}

extension ShadowLane {
    /// Takes over what an earlier process has left, before the first client comes.
    ///
    /// - Parameter statesAreCurrent: the machine has not stopped in between.
    func recover(statesAreCurrent: Bool) -> RecoveredRecords {
        var found = RecoveredRecords()
        guard let log = self.log else { return found }
        if !log.recovery.isComplete {
            // Nobody knows what stood there.
            found.damaged += max(1, log.recovery.damagedCount)
            self.loop.doubtEverything(on: self.cluster)
        }
        var last: JournalPosition?
        while let record = log.next(after: last) {
            last = record.position
            guard let entry = JournalEntry(record.payload) else {
                found.damaged += 1
                self.loop.buryDamaged(record, in: log, owedTo: self.cluster, "an entry of an unknown form")
                log.setState(.finished, at: record.position)
                continue
            }
            switch self.fate(of: record, entry, statesAreCurrent) {
            case .deliver:
                found.owed += 1
            case .deliverToBoth:
                let other = self.loop.lane(self.cluster.other)
                guard other.adopt(PortableEntry(record.payload, of: record, in: log)) else {
                    // No room for a second copy: the shadow alone would have what the primary may lack.
                    self.loop.doubt(record, in: log, on: self.cluster, .restart)
                    found.doubtful += 1
                    log.setState(.finished, at: record.position)
                    continue
                }
                found.owed += 1
                found.owedToBoth += 1
            case .doubt(let reason):
                found.doubtful += 1
                self.loop.doubt(record, in: log, on: self.cluster, reason)
                log.setState(.finished, at: record.position)
                continue
            }
            log.setState(JournalState(.owed), at: record.position)
            self.loop.order[self.cluster].took(entry.kind)
            // What the other lane had for both clusters may stand behind this already.
            self.cursor = min(self.cursor ?? record.position, record.position)
        }
        return found
    }

    private func fate(of record: JournalRecordView, _ entry: JournalEntry, _ statesAreCurrent: Bool) -> RecoveredFate {
        guard let state = RecordState(rawValue: record.state.rawValue) else {
            // The one byte that cannot be read: what may be repeated is, everywhere.
            return entry.isRepeatable ? .deliverToBoth : .doubt(.damaged)
        }
        return RecoveredFate(
            state: state,
            kind: entry.kind,
            isRepeatable: entry.isRepeatable,
            statesAreCurrent: statesAreCurrent
        )
    }

    /// Takes on a write from elsewhere: behind everything that is owed already.
    ///
    /// - Returns: false where the journal has no room.
    func adopt(_ entry: PortableEntry) -> Bool {
        guard let log = self.log,
            let position = entry.append(to: log, state: JournalState(.owed), now: self.loop.wallMilliseconds)
        else { return false }
        entry.bytes.withUnsafeBytes { bytes in
            guard let entry = JournalEntry(bytes) else { return }
            self.loop.order[self.cluster].took(entry.kind)
        }
        self.cursor = self.cursor ?? position
        return true
    }
}
