import Logging

extension IndexKeeper {
    /// Drops the indexes of tables, runs a load, and brings them back whatever became of it.
    ///
    /// They come back when the task is cancelled, too. It does not wait until they are built. Where the records are in the
    /// cluster, first what loads of dead workers have left of other tables comes back; what they have left of these tables
    /// comes back with this load's end.
    ///
    /// - Parameter leavesToOthers: whether other workers go on with the load and will bring back what this one has dropped,
    ///   asked when the load has ended; not asked where the records are files of this worker alone.
    /// - Throws: what `load` throws; ``IndexError/Code/notRestored`` where indexes are not there again, with the error of the
    ///   load as its cause.
    public func around<Output: Sendable>(
        _ tables: Set<IndexedTable>,
        leavesToOthers: @Sendable @escaping (Result<Output, any Error>) async -> Bool = { _ in false },
        _ load: @Sendable (IndexPlan) async throws -> Output
    ) async throws -> Output {
        let outcome: Result<Output, any Error>
        var dropped: [TableIndex] = []
        do {
            await self.restoreOrphans(except: tables)
            // It ends with the load: leaving the scope cancels it.
            async let _ = self.keepHolding(tables)
            let (plan, own) = try await self.drop(tables, for: .load)
            dropped = own
            outcome = .success(try await load(plan))
        } catch let error as IndexError where error.code == .inUse {
            throw error
        } catch {
            outcome = .failure(error)
        }
        var cause: (any Error)?
        if case .failure(let error) = outcome { cause = error }
        do {
            // Not in this task, which may have been cancelled and then could ask the cluster for nothing any more.
            let known = dropped
            try await Task {
                // Somebody may have removed the records meanwhile; what this process has dropped it knows without them.
                try await self.record(known)
                if self.store.holdInterval != nil, await leavesToOthers(outcome) {
                    return try await self.leave(tables)
                }
                try await self.restore(ifHeld: .waits) { tables.contains($0.index.table) }
            }.value
        } catch let failure as IndexError where failure.code == .notRestored {
            throw IndexError.notRestored(failure.failures, during: cause)
        } catch {
            throw IndexError.notRestored([.init(index: nil, reason: "\(error)")], during: cause)
        }
        return try outcome.get()
    }

    /// Drops nothing, runs a load, and brings back what nobody is working with: before it what loads of dead workers have left
    /// of other tables, after it what is left of these.
    ///
    /// - Throws: what `load` throws, and as ``restore(_:)``.
    public func restoring<Output: Sendable>(
        _ tables: Set<IndexedTable>,
        after load: @Sendable () async throws -> Output
    ) async throws -> Output {
        await self.restoreOrphans(except: tables)
        let output = try await load()
        try await self.restore(ifHeld: .leaves) { record in
            record.holder == nil && (record.purpose == .load || tables.contains(record.index.table))
        }
        return output
    }

    /// Brings back what loads of dead workers have left of other tables; what cannot be brought back stays recorded.
    private func restoreOrphans(except tables: Set<IndexedTable>) async {
        guard self.store.holdInterval != nil else { return }
        do {
            try await self.restore(ifHeld: .leaves) { record in
                record.holder == nil && record.purpose == .load && !tables.contains(record.index.table)
            }
        } catch {
            // It is not this load's affair: it goes on, and the next one tries again.
            self.logger.warning("what another load has left is not there again", metadata: ["reason": "\(error)"])
        }
    }

    /// Holds what is dropped of these tables until it is cancelled, so that nobody takes the load for dead.
    private func keepHolding(_ tables: Set<IndexedTable>) async {
        guard let interval = self.store.holdInterval else { return }
        while true {
            do {
                try await self.clock.sleep(for: interval)
                try await self.store.hold(tables)
            } catch {
                if Task.isCancelled { return }
                self.logger.info("the records of indexes cannot be held", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Lets the other workers of the load have what this one answers for.
    private func leave(_ tables: Set<IndexedTable>) async throws {
        let ledger = try await self.store.open()
        for index in try await ledger.read().owed where tables.contains(index.table) {
            try await ledger.release(index)
            self.logger.notice("the other workers bring an index back", metadata: Self.metadata(index))
        }
    }
}
