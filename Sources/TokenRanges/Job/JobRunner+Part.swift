import Logging

/// One part from its lease to its end.
extension JobRunner {
    /// What is told to the store of a part.
    private enum Ending: Sendable {
        case finish(rows: Int64, bytes: Int64)
        case fail(String)
        case giveBack(after: Duration, attempts: Int)
    }

    /// How the work on a part went.
    private enum Course: Sendable {
        case done(PartOutcome)
        case failed(PartFailure)
        case leaseLost
        case cancelled
    }

    /// Works on a part, and tells the store how it ended.
    func perform(_ lease: JobLease, _ work: @escaping Work) async throws {
        var lease = lease
        if lease.part.attempts > self.settings.attemptsMax {
            // Whoever fails says so: the last one who had it has ended without a word.
            let reason = "given up after \(self.settings.attemptsMax) attempts, the last worker on it has died"
            return try await self.settle(lease, .fail(reason))
        }
        while true {
            let context = PartContext(store: self.store, lease: lease)
            let course = try await self.course(of: lease, context, work)
            let done = context.done
            switch course {
            case .leaseLost:
                self.logger.info("a lease was lost", metadata: self.metadata(lease))
                return
            case .cancelled:
                let attempts = done.hasMoved ? 0 : max(0, lease.part.attempts - 1)
                try await self.settle(lease, .giveBack(after: .zero, attempts: attempts))
                throw CancellationError()
            case .done(let outcome):
                let (rows, bytes) = (done.rows + outcome.rows, done.bytes + outcome.bytes)
                return try await self.settle(lease, .finish(rows: rows, bytes: bytes))
            case .failed(.split(let count, let reason)):
                if done.hasMoved { lease.part.attempts = 1 }
                guard lease.part.attempts < self.settings.attemptsMax,
                    let smaller = try await self.split(lease, into: count)
                else { return try await self.settle(lease, self.ending(lease, hasMoved: done.hasMoved, reason)) }
                let attempts = lease.part.attempts + 1
                lease = smaller
                lease.part.attempts = attempts
            case .failed(.retry(let reason)):
                return try await self.settle(lease, self.ending(lease, hasMoved: done.hasMoved, reason))
            case .failed(.fatal(let reason)): return try await self.settle(lease, .fail(reason))
            }
        }
    }

    /// What becomes of a part that has failed: with progress since it was begun, this was its first failure.
    private func ending(_ lease: JobLease, hasMoved: Bool, _ reason: String) -> Ending {
        let attempts = hasMoved ? 1 : lease.part.attempts
        guard attempts < self.settings.attemptsMax else { return .fail(reason) }
        self.logger.info("a part will be begun again", metadata: self.metadata(lease, reason))
        let pause = self.settings.pause(afterFailures: attempts, random: self.random())
        return .giveBack(after: pause, attempts: attempts)
    }

    /// Lets the work run while its lease is renewed; whichever ends first ends the other.
    private func course(of lease: JobLease, _ context: PartContext, _ work: @escaping Work) async throws -> Course {
        do {
            let outcome = try await withThrowingTaskGroup(of: PartOutcome.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await work(lease.part, context) }
                group.addTask { try await self.keep(lease) }
                guard let outcome = try await group.next() else { throw CancellationError() }
                return outcome
            }
            return .done(outcome)
        } catch let error as PartFailure {
            return Task.isCancelled ? .cancelled : .failed(error)
        } catch let error as TokenRangesError where error.code == .leaseLost {
            return .leaseLost
        } catch {
            return Task.isCancelled ? .cancelled : .failed(.retry("\(error)"))
        }
    }

    /// Renews a lease until it is lost or the task is cancelled. One that could not be renewed for as long as it lasts is lost.
    private func keep(_ lease: JobLease) async throws -> Never {
        var renewed = self.clock.now
        while true {
            try await self.clock.sleep(for: self.settings.leaseDuration / 3)
            let asked = self.clock.now
            do {
                try await self.store.renew(lease, for: self.settings.leaseDuration)
                renewed = asked
            } catch let error as TokenRangesError where error.isSafeToRetry {
                guard renewed.duration(to: self.clock.now) < self.settings.leaseDuration else {
                    throw TokenRangesError.leaseLost(lease)
                }
                self.logger.info("a lease cannot be renewed", metadata: self.metadata(lease, "\(error)"))
            }
        }
    }

    /// Cuts what is left of a part; nil where it is too little for that.
    private func split(_ lease: JobLease, into count: Int) async throws -> JobLease? {
        do {
            return try await Self.shielded { try await self.store.split(lease, into: count) }
        } catch let error as TokenRangesError where error.isSafeToRetry || error.code == .leaseLost {
            // The part is given back as it is, if it still is ours.
            return nil
        }
    }

    /// Tells the store how a part ended, even where the task is cancelled.
    private func settle(_ lease: JobLease, _ ending: Ending) async throws {
        try await Self.shielded { try await self.tell(lease, ending) }
    }

    private func tell(_ lease: JobLease, _ ending: Ending) async throws {
        for attempt in 1...Self.settlingTriesMax {
            do {
                switch ending {
                case .finish(let rows, let bytes): try await self.store.finish(lease, rows: rows, bytes: bytes)
                case .fail(let reason):
                    try await self.store.fail(lease, reason: reason)
                    self.logger.error("a part has failed", metadata: self.metadata(lease, reason))
                case .giveBack(let delay, let attempts):
                    try await self.store.giveBack(lease, after: delay, attempts: attempts)
                }
                return
            } catch let error as TokenRangesError where error.code == .leaseLost {
                self.logger.info("a lease was lost", metadata: self.metadata(lease))
                return
            } catch let error as TokenRangesError where error.isSafeToRetry {
                self.logger.info("the end of a part cannot be told", metadata: self.metadata(lease, "\(error)"))
                guard attempt < Self.settlingTriesMax else { return }
                try await self.clock.sleep(
                    for: self.settings.pause(afterFailures: attempt, random: self.random())
                )
            }
        }
    }

    private func metadata(_ lease: JobLease, _ reason: String? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "job": "\(self.job)", "table": "\(lease.part.table)", "range": "\(lease.part.range)",
        ]
        if let reason { metadata["reason"] = "\(reason)" }
        return metadata
    }
}
