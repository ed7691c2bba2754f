import CQLProtocol
import CQLSyntax
import DualWriteCore
import Logging
import NIOCore
import ShadowJournal

/// Writes that do not reach the shadow, and partitions that may differ.
extension DualWriterLoop {
    /// Puts what a request writes into doubt.
    func doubt(_ request: ProxiedRequest, on cluster: Cluster, _ reason: DoubtReason) {
        self.doubt(self.written(request), on: cluster, reason)
    }

    /// Puts what a record writes into doubt.
    func doubt(_ record: JournalRecordView, in log: JournalLog, on cluster: Cluster, _ reason: DoubtReason) {
        self.doubt(PortableEntry(record.payload, of: record, in: log), on: cluster, reason)
    }

    /// Puts what an entry writes into doubt.
    func doubt(_ portable: PortableEntry, on cluster: Cluster, _ reason: DoubtReason) {
        self.doubt(Self.written(portable), on: cluster, reason)
    }

    /// An entry as the rules of `DualWriteCore` want to see it; nil where what it writes cannot be told.
    static func written(_ portable: PortableEntry) -> WrittenRequest? {
        let definitions = portable.definitions
        return portable.bytes.withUnsafeBytes { bytes in
            JournalEntry(bytes).flatMap { entry in
                WrittenRequest(
                    entry.opcode,
                    entry.body,
                    keyspace: entry.identity.flatMap { definitions[JournalKey($0)]?.text }
                ) { id in definitions[JournalKey(id)].flatMap(KnownStatement.init) }
            }
        }
    }

    private func doubt(_ written: WrittenRequest?, on cluster: Cluster, _ reason: DoubtReason) {
        if reason.severity > .precaution { self.counters.doubtful &+= 1 }
        guard let store = self.store else { return }
        guard let written else {
            self.doubtEverything(on: cluster)
            return
        }
        let wall = self.wallMilliseconds
        for partition in PartitionPlan.partitions(of: written.message, written.statements, schema: self.schema) {
            let place = DirtyPartition.Place(
                keyspace: partition.keyspace ?? "",
                table: partition.table ?? "",
                key: partition.key
            )
            store.dirty.mark(place, on: cluster, reason, at: wall)
        }
    }

    /// Puts a whole cluster into doubt: what it lacks cannot be told any more.
    func doubtEverything(on cluster: Cluster) {
        let place = DirtyPartition.Place(keyspace: "", table: "", key: nil)
        self.store?.dirty.mark(place, on: cluster, .damaged, at: self.wallMilliseconds)
    }

    /// Keeps a write that a cluster has refused for good, for an operator to look at.
    func bury(_ request: ProxiedRequest, refusedBy cluster: Cluster, _ error: ErrorMessage?) {
        let isKept = self.store?.deadLetters.bury(
            PortableEntry(request),
            refusedBy: cluster,
            errorCode: error?.code.rawValue,
            reason: error?.message ?? "no answer",
            now: self.wallMilliseconds
        )
        // A dead letter says itself what is lacking, until there is no room for one.
        if isKept != true { self.doubt(request, on: cluster, .shadowRefused) }
    }

    /// Puts everything into doubt that a record which cannot be read may have written.
    func buryDamaged(_ record: JournalRecordView, in log: JournalLog, owedTo cluster: Cluster, _ reason: String) {
        self.counters.doubtful &+= 1
        self.logger.error(
            "a write in the journal cannot be read",
            metadata: ["cluster": "\(cluster)", "reason": "\(reason)", "record": "\(record.position)"]
        )
        self.doubtEverything(on: cluster)
    }
}

extension KnownStatement {
    /// A statement that a journal defines.
    convenience init?(_ definition: JournalDefinition) {
        guard let text = definition.text else { return nil }
        self.init(text: text, keyspace: definition.qualifier, analysis: StatementAnalysis.analyze(text))
    }
}
