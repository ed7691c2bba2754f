public import CQLClient
import CQLProtocol
public import Logging
public import NIOCore

/// The shared row and the list of replicas in keyspace `cluster_sync` of a cluster.
///
/// The row changes by lightweight transactions alone, decided at the serial consistency. The list is written as any other
/// table; a sign of life is a cell with a TTL, so that no clock of a replica counts. Connections stand between ``start()`` and
/// ``stop()``; what fails meanwhile is tried again with the next call.
public actor ClusterRegister: SharedRegister {
    private let name: String
    private let configuration: ClusterConfiguration
    private let isLocal: Bool
    private let replication: String?
    private let coding: any ModesCoding
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var connection: Task<Void, Never>?
    private var session: CQLSession?
    private var statements: ControlStatements?
    private var closure: RegisterFault?

    /// A register that does nothing until ``start()``.
    ///
    /// - Parameters:
    ///   - name: of what is shared; another one is another migration.
    ///   - isLocal: whether the data centre of the contact points decides alone (LOCAL_SERIAL, LOCAL_QUORUM).
    ///   - replication: of the keyspace, if it has to be made, as a CQL map; nil: three replicas in the local data centre.
    ///   - coding: of modes where tables have their own.
    public init(
        name: String,
        in configuration: ClusterConfiguration,
        isLocal: Bool = false,
        replication: String? = nil,
        coding: any ModesCoding,
        on eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.name = name
        self.configuration = configuration
        self.isLocal = isLocal
        self.replication = replication
        self.coding = coding
        self.eventLoop = eventLoop
        self.logger = logger
    }

    private var consistency: Consistency { self.isLocal ? .localQuorum : .quorum }
    private var serialConsistency: Consistency { self.isLocal ? .localSerial : .serial }

    /// Opens connections, now and whenever they are lost.
    public func start() {
        guard self.connection == nil else { return }
        var limits = CQLSession.Limits()
        limits.requestMilliseconds = 5_000
        let (configuration, eventLoop, logger) = (self.configuration, self.eventLoop, self.logger)
        self.connection = Task {
            do {
                try await CQLSession.withSession(configuration, limits: limits, on: eventLoop, logger: logger) {
                    session in
                    await self.opened(session)
                    // Until stop() cancels it.
                    while true {
                        await self.setUp(session)
                        try await Task.sleep(for: Self.setUpPause)
                    }
                }
            } catch {
                self.closed(RegisterFault(.silent, "\(error)"))
            }
        }
    }

    /// Closes them; calls fail from then on.
    public func stop() async {
        self.connection?.cancel()
        await self.connection?.value
        self.connection = nil
    }

    /// From one look at whether the tables are there to the next.
    private static var setUpPause: Duration { .milliseconds(250) }

    private func opened(_ session: CQLSession) { self.session = session }

    private func closed(_ reason: RegisterFault) {
        self.session = nil
        self.statements = nil
        self.closure = reason
    }

    /// Makes the tables and knows the statements, where that was not done yet. No call waits for it: it takes longer than one.
    private func setUp(_ session: CQLSession) async {
        guard self.statements == nil else { return }
        do {
            try await ControlTables.create(session, replication: self.replication)
            self.statements = try await ControlStatements(session)
            self.closure = nil
        } catch let error as CQLSessionError {
            self.closure = RegisterFault(error)
        } catch {
            self.closure = RegisterFault(.refused, "\(error)")
        }
    }

    // MARK: Calls

    /// The row and the list of replicas.
    public func read(isSerial: Bool) async throws -> (row: RegisterRow?, entries: [ReplicaEntry]) {
        try await self.translating { session, statements in
            let row = try await session.execute(
                statements.row,
                [.text(self.name)],
                consistency: isSerial ? self.serialConsistency : self.consistency
            )
            let entries = try await session.execute(
                statements.entries,
                [.text(self.name)],
                consistency: self.consistency
            )
            return (
                try row.rows?.first.map { try RegisterRow($0, self.coding) },
                try entries.rows?.rows.compactMap { try ReplicaEntry($0) } ?? []
            )
        }
    }

    /// Writes the row on its revision.
    public func write(expected: RegisterRow?, _ row: RegisterRow) async throws {
        try await self.translating { session, statements in
            let values = row.values(self.coding) + [.text(self.name)]
            _ = try await session.execute(
                expected == nil ? statements.insert : statements.update,
                expected.map { values + [.uuid($0.revision)] } ?? values,
                consistency: self.consistency,
                serialConsistency: self.serialConsistency
            )
        }
    }

    /// Says that a replica lives; its entry stays for the time of the memory, its sign of life for its own.
    public func announce(_ entry: ReplicaEntry, times: Replica.Times) async throws {
        func seconds(_ milliseconds: Int64) -> CQLValue { .int(Int32(clamping: max(1, (milliseconds + 999) / 1_000))) }
        try await self.translating { session, statements in
            let described = entry.values(of: self.name) + [seconds(times.memoryMilliseconds)]
            // A cell's life is counted in whole seconds of the cluster's clock, so it may end up to a second early; the replica
            // relies on all of it (``Lease``).
            let lives: [CQLValue] = [seconds(times.lifeMilliseconds + 1_000), .text(self.name), .text(entry.id)]
            _ = try await session.batch(
                [(statements.describe, described), (statements.live, lives)],
                kind: .unlogged,
                consistency: self.consistency
            )
        }
    }

    /// Takes a replica from the list.
    public func leave(_ id: String) async throws {
        try await self.translating { session, statements in
            _ = try await session.execute(
                statements.leave,
                [.text(self.name), .text(id)],
                consistency: self.consistency
            )
        }
    }

    /// Notes a change in `cluster_sync.changes`.
    public func note(_ record: SharedRecord) async throws {
        try await self.translating { session, statements in
            let values = record.values(self.coding)
            let row: [CQLValue] = [.text(self.name), values[0], values[2], values[1]] + values[3...]
            _ = try await session.execute(statements.note, row, consistency: self.consistency)
        }
    }

    private func translating<Result>(
        _ body: (CQLSession, ControlStatements) async throws -> Result
    ) async throws -> Result {
        guard let session = self.session, let statements = self.statements else {
            throw self.closure ?? RegisterFault(.silent, "not connected yet")
        }
        do {
            return try await body(session, statements)
        } catch let error as CQLSessionError {
            // The tables may be gone: they are looked for with the next call.
            if error.code == .refused, !error.isTransient { self.statements = nil }
            throw RegisterFault(error)
        } catch let error as CQLProtocolError {
            throw RegisterFault(.refused, "cluster_sync has other columns than expected: \(error)")
        } catch let error as ColumnFault {
            throw RegisterFault(.newer, error.description)
        }
    }
}

extension RegisterFault {
    /// That of a session. Silence of the nodes behind the one that has answered says nothing about what others hear.
    init(_ error: CQLSessionError) {
        let kind: Kind
        switch error.serverError?.code {
        case .unauthorized: kind = .rights
        case nil, .readTimeout, .writeTimeout, .casWriteUnknown: kind = .silent
        default: kind = .refused
        }
        self.init(kind, error.description)
    }
}
