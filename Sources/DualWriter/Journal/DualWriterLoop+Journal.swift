import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import ShadowJournal

/// From a request to its record in the journal of the cluster that will be owed it, and back.
extension DualWriterLoop {
    /// Journals a request before the primary gets it.
    ///
    /// - Returns: false where there is no room and the operator prefers the refusal of writes; the client has its answer then.
    func journal(_ request: ProxiedRequest, for shadow: Cluster) -> Bool {
        guard self.logs[shadow] != nil else { return true }
        request.writtenAt = self.wallMilliseconds
        if self.append(request, for: shadow, state: .intent) { return true }
        guard self.settings.policy.journalFull == .refuse else {
            self.counters[shadow].shadowOverflowed &+= 1
            self.doubt(request, on: shadow, .journalFull)
            return true
        }
        self.counters.overloaded &+= 1
        let text = "the journal of what the \(shadow) cluster is owed has no room (journal.full: refuse)"
        self.fail(request, ProxyError.overloaded(text))
        return false
    }

    /// Appends a record. The definitions that it refers to are in its segment, too, so that each segment can be read by itself.
    func append(_ request: ProxiedRequest, for cluster: Cluster, state: RecordState) -> Bool {
        guard let log = Uncounted(self.logs[cluster]) else { return false }
        return log { self.append(request, for: cluster, state: state, to: $0) }
    }

    private func append(_ request: ProxiedRequest, for cluster: Cluster, state: RecordState, to log: JournalLog) -> Bool
    {
        // All writes come this way; the request keeps both alive.
        let (identity, statement) = (Uncounted(request.identity), Uncounted(request.statement))
        let hasChildren = !request.children.isEmpty
        let payloadBytes = request.payload?.readableBytes ?? 0
        var bytes = JournalLog.byteCount(ofRecord: JournalEntry.headerBytes + payloadBytes + request.body.count)
        bytes += (identity?({ $0.journalBytes }) ?? 0) + (statement?({ $0.journalBytes }) ?? 0)
        if hasChildren { bytes += request.children.reduce(0) { $0 + $1.journalBytes } }
        guard case .success(let segment) = log.reserve(bytes, now: request.writtenAt) else { return false }
        if let identity, !identity({ $0.isDefined(in: segment, of: cluster) }) {
            self.defineIdentity(of: request, in: log, cluster, segment)
        }
        if hasChildren || !(statement?({ $0.definedIn[cluster] == segment }) ?? true) {
            self.defineStatements(of: request, in: log, cluster, segment)
        }
        let key = identity.flatMap { $0 { $0.journalKey } }
        let version = identity.map { $0 { $0.key.version } } ?? .v4
        self.entryHeader.storeBytes(
            of: JournalEntry.header(of: request, by: key, version),
            as: JournalEntry.Header.self
        )
        let header = UnsafeRawBufferPointer(start: self.entryHeader, count: JournalEntry.headerBytes)
        let (state, time, body) = (JournalState(state), request.writtenAt, request.body.bytes)
        guard payloadBytes > 0, let payload = request.payload else {
            request[cluster].record = log.append(kind: 0, state: state, time: time, header, body)
            return true
        }
        request[cluster].record = payload.withUnsafeReadableBytes {
            log.append(kind: 0, state: state, time: time, header, $0, body)
        }
        return true
    }

    private func defineIdentity(
        of request: ProxiedRequest,
        in log: JournalLog,
        _ cluster: Cluster,
        _ segment: UInt64
    ) {
        guard let identity = request.identity, let key = identity.journalKey else { return }
        identity.definedIn[cluster] = segment
        Self.define(identity.journalDefinition, by: key, in: log, request)
    }

    private func defineStatements(
        of request: ProxiedRequest,
        in log: JournalLog,
        _ cluster: Cluster,
        _ segment: UInt64
    ) {
        if let statement = request.statement { Self.define(statement, request, in: log, cluster, segment) }
        for child in request.children { Self.define(child, request, in: log, cluster, segment) }
    }

    private static func define(
        _ statement: PreparedStatement,
        _ request: ProxiedRequest,
        in log: JournalLog,
        _ cluster: Cluster,
        _ segment: UInt64
    ) {
        guard statement.definedIn[cluster] != segment else { return }
        statement.definedIn[cluster] = segment
        self.define(statement.journalDefinition, by: statement.id, in: log, request)
    }

    private static func define(
        _ definition: JournalDefinition?,
        by key: StatementID,
        in log: JournalLog,
        _ request: ProxiedRequest
    ) {
        definition?.encoded.withUnsafeReadableBytes { log.define(JournalKey(key), $0, time: request.writtenAt) }
    }

    /// Journals a request that has become another one, or that another cluster is owed, in the place of what is journalled of it.
    func journalAnew(_ request: ProxiedRequest, for cluster: Cluster) {
        let former = PerCluster(source: request[.source].record, target: request[.target].record)
        request[cluster].record = nil
        if self.logs[cluster] != nil, !self.append(request, for: cluster, state: .held) {
            self.counters[cluster].shadowOverflowed &+= 1
            self.doubt(request, on: cluster, .journalFull)
        }
        for other in Cluster.allCases {
            guard let record = former[other] else { continue }
            self.logs[other]?.setState(.finished, at: record)
            if other != cluster { request[other].record = nil }
        }
    }

    /// A cluster is owed nothing for a request any more.
    @inline(__always)
    func finishRecord(of request: ProxiedRequest, on cluster: Cluster) {
        guard let record = request[cluster].record, let log = Uncounted(self.logs[cluster]) else { return }
        log { _ = $0.setState(.finished, at: record) }
        // What was before it must not come again, after a stop of the machine, either.
        if request.isFence { log { $0.syncSoon() } }
    }

    /// Notes how far a request has come.
    func setRecord(of request: ProxiedRequest, on cluster: Cluster, to state: RecordState) {
        guard let record = request[cluster].record else { return }
        self.logs[cluster]?.setState(JournalState(state), at: record)
    }
}
