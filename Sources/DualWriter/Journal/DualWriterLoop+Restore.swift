import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import ShadowJournal

/// From a record of the journal back to a request.
extension DualWriterLoop {
    enum Restored {
        case request(ProxiedRequest)
        /// The cluster asks for a password that only the user's next login tells.
        case unknownUser(String)
        /// The loop holds as many requests as it may.
        case noRoom
        case damaged(String)
    }

    /// Makes a copy for a shadow out of a record.
    func restore(_ record: JournalRecordView, in log: JournalLog, for cluster: Cluster) -> Restored {
        guard let entry = JournalEntry(record.payload) else { return .damaged("an entry of an unknown form") }
        let identity: ClientIdentity
        switch self.identity(of: entry, record, log, cluster) {
        case .success(let found): identity = found
        case .failure(.unknownUser(let user)): return .unknownUser(user)
        case .failure(.damaged): return .damaged("the user and the keyspace of a write are lost")
        }
        var statements: [PreparedStatement] = []
        for id in entry.statements {
            guard let statement = self.statement(id, in: log, record.position.segment) else {
                return .damaged("the text of a prepared statement is lost")
            }
            statements.append(statement)
        }
        if entry.opcode == .execute, statements.isEmpty { return .damaged("an EXECUTE without a statement") }
        guard let request = self.requests.take(bytes: record.payload.count) else { return .noRoom }
        request.opcode = entry.opcode
        request.flags = entry.flags
        request.kind = entry.kind
        request.isWrite = true
        request.isIdempotent = entry.isRepeatable
        request.identity = identity
        if entry.opcode == .execute { request.statement = statements.first } else { request.children = statements }
        if !entry.payload.isEmpty { request.payload = ByteBuffer(bytes: entry.payload) }
        request.body.assign(entry.body, reserving: 8)
        request.receivedAt = self.now
        request.writtenAt = record.time
        request.copy = entry.kind.isFence ? .fence : entry.isRepeatable ? .repeatable : .once
        request.plan = .ship(primary: cluster.other, copy: request.copy)
        request[cluster].record = record.position
        request.isMixed = self.hasOverrides && self.mayBeMixed(request)
        return .request(request)
    }

    private enum NoIdentity: Error {
        case unknownUser(String)
        case damaged
    }

    private func identity(
        of entry: JournalEntry,
        _ record: JournalRecordView,
        _ log: JournalLog,
        _ cluster: Cluster
    ) -> Result<ClientIdentity, NoIdentity> {
        var key = ClientIdentity.Key(credentials: nil, keyspace: nil, version: entry.version)
        guard let defined = entry.identity else { return .success(self.identity(key)) }
        guard let bytes = log.definition(JournalKey(defined), in: record.position.segment),
            let definition = JournalDefinition(bytes)
        else { return .failure(.damaged) }
        key.keyspace = definition.text
        let asksForPasswords =
            self.topology(cluster)?.authenticator != nil && !self.settings.actingAsConfigured.contains(cluster)
        if let user = definition.qualifier, asksForPasswords {
            guard let credentials = self.latestLogins[user] else { return .failure(.unknownUser(user)) }
            key.credentials = credentials
        }
        return .success(self.identity(key))
    }

    private func statement(_ id: StatementID, in log: JournalLog, _ segment: UInt64) -> PreparedStatement? {
        if let statement = self.statement(id, at: self.now) { return statement }
        guard let bytes = log.definition(JournalKey(id), in: segment),
            let known = JournalDefinition(bytes).flatMap(KnownStatement.init)
        else { return nil }
        let statement = self.remember(PreparedStatement(id: id, known: known))
        self.judge(statement)
        return statement
    }
}
