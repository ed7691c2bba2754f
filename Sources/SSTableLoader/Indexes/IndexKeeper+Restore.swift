import CQLClient
import CQLProtocol
import Logging

extension IndexKeeper {
    /// Brings back what is recorded as dropped. Run again, it changes nothing.
    ///
    /// Goes on with the others where one fails. An index that is there already is compared with what was recorded. Does not
    /// wait until the indexes are built; ``rebuild(_:within:)`` does.
    ///
    /// - Parameter tables: only the indexes of these; nil for all that are recorded.
    /// - Throws: ``IndexError/Code/notRestored`` with all that is not there again; other ``IndexError``s where the file is no
    ///   use; what the session throws where the cluster cannot even be asked.
    @discardableResult
    public func restore(_ tables: Set<IndexedTable>? = nil) async throws -> IndexRestoration {
        try await self.restore(ifHeld: .refuses) { tables?.contains($0.index.table) ?? true }
    }

    /// What to do with an index that somebody else works with.
    enum Held: Sendable {
        /// Wait for its holder, and bring it back where that one dies.
        case waits
        /// Leave it.
        case leaves
        /// Leave it, and throw ``IndexError/Code/inUse`` when the others are there again.
        case refuses
    }

    @discardableResult
    func restore(
        ifHeld: Held,
        _ isMeant: (IndexRecords.Record) -> Bool
    ) async throws -> IndexRestoration {
        let ledger = try await self.store.open()
        let records = try await ledger.read()
        var restoration = IndexRestoration()
        var holders: [IndexHolder] = []
        var failures = records.damagedLines.map { line in
            IndexError.Failure(index: nil, reason: "a record in \(self.store.place) is damaged: \(line)")
        }
        let owed = records.owedRecords.filter(isMeant).map(\.index)
        if !owed.isEmpty {
            let catalog = try await IndexCatalog(self.session)
            // Who has not brought the first one back in all the time that it gets is not waited for again.
            var waits = ifHeld == .waits
            for index in owed {
                do {
                    switch try await self.take(index, ledger, waits: waits) {
                    case .taken where try await self.restore(index, catalog): restoration.made.append(index)
                    case .taken: restoration.found.append(index)
                    case .settled:
                        restoration.found.append(index)
                        continue
                    case .held(let holder) where ifHeld == .waits:
                        waits = false
                        throw IndexError(.inUse, "\(holder) is to bring it back and has not done so")
                    case .held(let holder):
                        holders.append(holder)
                        continue
                    }
                    try await ledger.settle(index)
                } catch {
                    // Others may have more luck; where this fails, too, the lease runs out.
                    try? await ledger.release(index)
                    failures.append(.init(index: index, reason: "\(error)"))
                }
            }
        }
        guard failures.isEmpty else {
            let error = IndexError.notRestored(failures)
            self.logger.error("indexes are not there again", metadata: ["reason": "\(error)"])
            throw error
        }
        if ifHeld == .refuses, let holder = holders.first {
            throw IndexError(
                .inUse,
                "\(holder) has dropped \(holders.count) of them for its load and brings them back with its end: wait for that, "
                    + "or stop it"
            )
        }
        return restoration
    }

    private func take(_ index: TableIndex, _ ledger: any IndexLedger, waits: Bool) async throws -> IndexTaking {
        var taking = IndexTaking.settled
        var isTold = false
        _ = try await self.poll(waits ? self.limits.handover : .zero) {
            taking = try await ledger.take(index)
            guard case .held(let holder) = taking else { return true }
            if waits, !isTold {
                self.logger.notice(
                    "waiting until another worker has brought an index back, or its lease has run out",
                    metadata: [
                        "index": "\(index)", "holder": "\(holder)", "at_most": "\(self.limits.handover)",
                    ]
                )
                isTold = true
            }
            return false
        }
        return taking
    }

    /// Brings back what is recorded as dropped, and waits until the server says that all recorded indexes are built.
    ///
    /// - Parameters:
    ///   - tables: only the indexes of these; nil for all that are recorded.
    ///   - limit: how long to wait for the building. What takes longer goes on by itself, and is told as it then is.
    /// - Throws: as ``restore(_:)``.
    public func rebuild(_ tables: Set<IndexedTable>? = nil, within limit: Duration) async throws -> [IndexStatus] {
        try await self.restore(tables)
        var states: [IndexStatus] = []
        var failure: (any Error)?
        _ = try await self.poll(limit) {
            do {
                states = try await self.status(tables)
                failure = nil
            } catch {
                guard !Task.isCancelled else { throw error }
                failure = error
                return false
            }
            return states.allSatisfy { status in
                switch status.state {
                case .there(.building), .there(.notAnswered): false
                case .there, .dropped, .different, .tableMissing: true
                }
            }
        }
        if let failure { throw failure }
        return states
    }

    /// - Returns: whether it was missing.
    private func restore(_ index: TableIndex, _ catalog: IndexCatalog) async throws -> Bool {
        guard let statement = index.statement else {
            throw IndexError(.malformed, "no statement is recorded that makes it")
        }
        if try await self.isThere(index, catalog) { return false }
        self.logger.notice("making an index again", metadata: Self.metadata(index))
        var attempt = 1
        while true {
            do {
                try await self.change(statement, catalog)
                // The node that answers may have it a little later than the one that made it.
                if try await self.poll(self.limits.agreement, { try await self.isThere(index, catalog) }) {
                    return true
                }
                throw IndexError(.notRestored, "the server took the statement and does not show the index")
            } catch {
                guard attempt < self.limits.attemptsMax, !Task.isCancelled, !Self.isFinal(error) else { throw error }
                self.logger.warning("index not made", metadata: ["index": "\(index)", "reason": "\(error)"])
            }
            attempt += 1
            try await self.clock.sleep(for: self.limits.pause)
            // It may have been made all the same.
            if try await self.isThere(index, catalog) { return true }
        }
    }

    /// Whether another attempt would come to the same end.
    private static func isFinal(_ error: any Error) -> Bool {
        if let error = error as? IndexError { return error.code == .conflict || error.code == .noTable }
        guard let refusal = (error as? CQLSessionError)?.serverError else { return false }
        return [.syntaxError, .unauthorized, .invalid, .configError, .alreadyExists].contains(refusal.code)
    }

    /// - Throws: ``IndexError`` where something else stands in its way.
    private func isThere(_ index: TableIndex, _ catalog: IndexCatalog) async throws -> Bool {
        let keyspace = try await catalog.keyspace(index.table.keyspace, tables: [index.table])
        if let found = keyspace.indexes[index.name] {
            guard found.hasDefinition(of: index) else {
                throw IndexError(.conflict, "another index has its name: " + Self.conflict(index, found))
            }
            return true
        }
        // Servers take an index that differs in nothing but its name for the same, and make none.
        if let twin = keyspace.indexes.values.first(where: { $0.hasDefinition(of: index) }) {
            throw IndexError(.conflict, "the same index has another name: " + Self.conflict(index, twin))
        }
        guard keyspace.tables.contains(index.table) else {
            throw IndexError(.noTable, "its table \(index.table) is gone; forget the index if that was on purpose")
        }
        return false
    }

    // MARK: Looking

    /// What the cluster has of the recorded indexes. Changes nothing.
    ///
    /// - Parameter tables: only the indexes of these; nil for all that are recorded.
    public func status(_ tables: Set<IndexedTable>? = nil) async throws -> [IndexStatus] {
        try await self.states(self.store.read(), tables)
    }

    /// Whether every recorded index is there with the definition that was recorded. Changes nothing.
    ///
    /// - Parameter tables: only the indexes of these; nil for all that are recorded.
    public func verify(_ tables: Set<IndexedTable>? = nil) async throws -> IndexVerdict {
        let records = try await self.store.read()
        return IndexVerdict(
            indexes: try await self.states(records, tables),
            damagedLines: records.damagedLines.count
        )
    }

    private func states(_ records: IndexRecords, _ tables: Set<IndexedTable>?) async throws -> [IndexStatus] {
        let meant = records.records.filter { tables?.contains($0.index.table) ?? true }
        let recorded = meant.map(\.index)
        guard !recorded.isEmpty else { return [] }
        let catalog = try await IndexCatalog(self.session)
        var keyspaces: [String: IndexCatalog.Keyspace] = [:]
        for name in Set(recorded.map(\.table.keyspace)) {
            keyspaces[name] = try await catalog.keyspace(name, tables: Set(recorded.map(\.table)))
        }
        var states: [IndexStatus] = []
        for record in meant {
            let index = record.index
            guard let keyspace = keyspaces[index.table.keyspace] else { continue }
            let state = try await self.state(of: index, keyspace, catalog)
            states.append(IndexStatus(index: index, state: state, holder: record.isOwed ? record.holder : nil))
        }
        return states.sorted {
            ($0.index.table.description, $0.index.name) < ($1.index.table.description, $1.index.name)
        }
    }

    private func state(
        of index: TableIndex,
        _ keyspace: IndexCatalog.Keyspace,
        _ catalog: IndexCatalog
    ) async throws -> IndexStatus.State {
        guard let found = keyspace.indexes[index.name] else {
            return keyspace.tables.contains(index.table) ? .dropped : .tableMissing
        }
        guard found.hasDefinition(of: index) else { return .different(found.definition) }
        do {
            return .there(try await catalog.build(of: index))
        } catch {
            guard !Task.isCancelled else { throw error }
            return .there(.notAnswered("\(error)"))
        }
    }
}
