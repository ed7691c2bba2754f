import CQLProtocol
import CQLSyntax
import DualWriteCore
import DualWriter
import Logging
import Operations

/// What an operator sees of what the clusters are owed, and does with it.
extension SidecarControl: JournalControl {
    /// Statements of one dead letter that are shown, and the bytes of each.
    private static var statementsMax: Int { 5 }
    private static var statementBytesMax: Int { 500 }

    func journal() async -> JournalDocument {
        self.journal(await self.proxy.statusWithTables())
    }

    /// The journal document of a status of the proxy, with the tables that it has.
    func journal(_ status: DualWriterStatus) -> JournalDocument {
        JournalDocument(enabled: status.hasJournal, clusters: status.legs.map { JournalDocument.Cluster($0) })
    }

    func deadLetters(of cluster: String?, max: Int) -> DeadLettersDocument {
        let letters = self.proxy.deadLetters(of: cluster.flatMap(Self.cluster), max: max).map { letter in
            DeadLettersDocument.Letter(
                id: letter.id,
                cluster: letter.cluster.description,
                writtenAt: Timestamp.text(milliseconds: letter.writtenAt),
                error: letter.errorCode.map { ErrorCode(rawValue: $0).description },
                reason: letter.reason,
                keyspace: letter.keyspace,
                user: letter.user,
                statements: letter.statements.prefix(Self.statementsMax).map {
                    MaskedText.of($0, bytesMax: Self.statementBytesMax)
                },
                statementCount: letter.statements.count
            )
        }
        return DeadLettersDocument(
            source: self.proxy.deadLetterIDs(of: .source).count,
            target: self.proxy.deadLetterIDs(of: .target).count,
            letters: letters
        )
    }

    func change(_ change: DeadLettersChange) async throws(AdminError) -> DeadLettersChangeDocument {
        let cluster = try await self.journalled(change.cluster)
        try self.begin()
        defer { self.end() }
        let all = self.proxy.deadLetterIDs(of: cluster)
        let ids = change.ids.map { $0.intersection(all) } ?? all
        guard !ids.isEmpty else {
            throw AdminError(
                .nothingFound,
                change.ids == nil
                    ? "The \(cluster) cluster has no dead letters."
                    : "None of these numbers is that of a dead letter of the \(cluster) cluster.",
                hint: "GET /v1/dead-letters?cluster=\(cluster) lists them. Nothing was changed."
            )
        }
        let changed: Int
        do {
            switch change.action {
            case .retry: changed = try await self.proxy.retryDeadLetters(of: cluster, ids: ids)
            case .discard: changed = try await self.proxy.discardDeadLetters(of: cluster, ids: ids)
            }
        } catch {
            throw AdminError(.changeFailed, "\(error)", hint: "The dead letters are where they were.")
        }
        guard changed > 0 else {
            throw AdminError(
                .journalFull,
                "The journal of what the \(cluster) cluster is owed has no room for them.",
                hint: "Retry when the cluster has caught up, or free some of the disk. Nothing was changed."
            )
        }
        let document = DeadLettersChangeDocument(
            action: change.action.rawValue,
            cluster: cluster.description,
            changed: changed,
            unknown: change.ids.map { $0.subtracting(all).sorted() } ?? [],
            withoutRoom: change.action == .retry ? ids.count - changed : 0,
            left: self.proxy.deadLetterIDs(of: cluster).count
        )
        self.audit(
            change.action == .retry ? .deadLettersRetry : .deadLettersDiscard,
            "\(changed) of the \(cluster) cluster, \(document.left) left",
            by: change.by,
            reason: change.reason
        )
        self.logger.notice(
            change.action == .retry ? "dead letters are owed again" : "dead letters are discarded",
            metadata: [
                "cluster": "\(cluster)", "count": "\(changed)", "left": "\(document.left)", "by": "\(change.by)",
                "reason": "\(change.reason ?? "-")",
            ]
        )
        return document
    }

    static func cluster(_ name: String) -> Cluster? { Cluster.allCases.first { $0.description == name } }

    /// The cluster of a change, where there is a journal to change something in.
    func journalled(_ name: String) async throws(AdminError) -> Cluster {
        guard let cluster = Self.cluster(name) else {
            throw AdminError(.invalidDocument, "cluster: must be source or target", hint: "Nothing was changed.")
        }
        guard await self.proxy.currentStatus().hasJournal else {
            throw AdminError(
                .journalDisabled,
                "This sidecar has no journal, so it keeps no dead letters and no partitions in doubt.",
                hint: "journal.enabled in its configuration turns it on, with the next start."
            )
        }
        return cluster
    }
}

extension JournalDocument.Cluster {
    init(_ leg: DualWriterStatus.Leg) {
        self.init(cluster: leg.cluster.description)
        self.records = leg.shadowWritesQueued
        self.bytes = leg.shadowBytesQueued
        self.diskBytes = leg.journalDiskBytes
        self.oldestAgeMs = leg.shadowOldestMilliseconds
        self.behind = leg.isBehind
        self.heldBack = leg.isHeldBack
        self.breakerOpen = leg.isBreakerOpen
        self.waitsForLoginOf = Array(leg.waitsForLoginOf.sorted().prefix(Self.usersMax))
        self.waitsForLogins = leg.waitsForLoginOf.count
        self.deadLetters = leg.deadLetters
        self.dirtyPartitions = leg.dirtyPartitions
        self.dirtyWithLoss = leg.dirtyWithLoss
        self.recordsLookedAt = leg.recordsLookedAt
        self.tables = leg.tables.sorted { ($0.value.records, $1.key) > ($1.value.records, $0.key) }.map {
            .init(table: $0.key, records: $0.value.records, oldestAgeMs: $0.value.oldestMilliseconds)
        }
    }
}
