import DualWriteCore
import Logging
import NIOCore
import ShadowJournal

/// Writes that the journal holds and memory does not: read in order when there is room.
extension ShadowLane {
    /// Requests that are read from the journal at a time.
    private static var loadedAtOnce: Int { 256 }

    /// Reads the next part of the backlog.
    func load() {
        guard let log = self.log else { return }
        var room = Self.loadedAtOnce
        while room > 0, let record = self.cursor.flatMap({ Self.record(at: $0, orNextIn: log) }) {
            self.cursor = log.next(after: record.position)?.position
            // What memory holds, what is still on its way to the primary: not the backlog's.
            guard record.state == JournalState(.owed) else { continue }
            switch self.loop.restore(record, in: log, for: self.cluster) {
            case .request(let request):
                log.setState(JournalState(.held), at: record.position)
                self.hold(request)
                room -= 1
            case .unknownUser(let user):
                self.wait(from: record.position, forLoginOf: user)
            case .noRoom:
                self.cursor = record.position
                return
            case .damaged(let reason):
                self.complain("a write in the journal cannot be read: \(reason)")
                self.loop.buryDamaged(record, in: log, owedTo: self.cluster, reason)
                log.setState(.finished, at: record.position)
            }
        }
        if room > 0 { self.cursor = nil }
        if self.cursor == nil {
            self.loop.logger.info("the shadow has caught up", metadata: ["cluster": "\(self.cluster)"])
        }
    }

    private static func record(at position: JournalPosition, orNextIn log: JournalLog) -> JournalRecordView? {
        if let record = log.record(at: position), record.state != .finished { return record }
        return log.next(after: position)
    }
}
