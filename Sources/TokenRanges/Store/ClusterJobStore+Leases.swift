import CQLClient
import CQLProtocol
import Synchronization

/// Leases, and what their holders say.
extension ClusterJobStore {
    /// Gives a worker a part that is pending.
    public func lease(_ job: String, worker: String, for duration: Duration) async throws -> LeaseAnswer {
        try await Self.translating {
            let plan = try await self.plan(of: job)
            var isOpen = false
            // Workers begin at different places, so that they seldom want the same part.
            let first = Int32.random(in: 0..<plan.buckets)
            for offset in 0..<plan.buckets {
                let place = JobLease.Place(plan: plan.id, bucket: (first + offset) % plan.buckets)
                if self.finished.withLock({ $0.contains(place) }) { continue }
                let rows = try await self.rows(place)
                let open = rows.filter { !$0.part.isEnded }
                isOpen = isOpen || !open.isEmpty
                // A failed part may be made pending again: only what is done stays so.
                if rows.allSatisfy({ $0.part.state == .done }) {
                    self.finished.withLock { _ = $0.insert(place) }
                    continue
                }
                for row in open.shuffled() where row.lease == nil {
                    let lease = try await self.take(row, place, job: job, worker: worker, for: duration)
                    if let lease { return .leased(lease) }
                }
            }
            return isOpen ? .nothingNow : .allEnded
        }
    }

    /// Takes a part; nil where somebody else was faster.
    private func take(
        _ row: ClusterPartRow,
        _ place: JobLease.Place,
        job: String,
        worker: String,
        for duration: Duration
    ) async throws -> JobLease? {
        let (id, key) = (CQLUUID.random(), Self.key(place, row.part))
        var part = row.part
        part.attempts += 1
        part.beginnings += 1
        part.state = .leased(worker: worker)
        let lease = JobLease(id: id, job: job, worker: worker, part: part, place: place)
        func counts(_ part: JobPart) -> [CQLValue] {
            [.int(Int32(clamping: part.attempts)), .int(Int32(clamping: part.beginnings))]
        }
        let conditions = counts(row.part) + [.bigint(row.part.range.end)]
        let isTaken = try await self.settling(lease) {
            try await self.session.batch(
                [
                    (self.statements.take, [Self.seconds(duration), .uuid(id), .text(worker)] + key + conditions),
                    (self.statements.countAttempt, counts(part) + key),
                ],
                kind: .unlogged,
                consistency: .quorum
            )
        } isDone: {
            $0.lease == id
        }
        guard isTaken, let now = try await self.row(lease), now.lease == id else { return nil }
        // The row that the choice was made by may be older than its checkpoint.
        part.checkpoint = now.part.checkpoint
        (part.rowsDone, part.bytesDone) = (now.part.rowsDone, now.part.bytesDone)
        return JobLease(id: id, job: job, worker: worker, part: part, place: place)
    }

    /// Lets a lease last for some time from now on.
    public func renew(_ lease: JobLease, for duration: Duration) async throws {
        let values: [CQLValue] = [Self.seconds(duration), .uuid(lease.id), .text(lease.worker)]
        try await self.change(lease, self.statements.renew, values) { _ in false }
    }

    /// Moves a part's checkpoint.
    public func checkpoint(_ lease: JobLease, at token: Int64, rows: Int64, bytes: Int64) async throws {
        try await self.change(lease, self.statements.checkpoint, [.bigint(token), .bigint(rows), .bigint(bytes)]) {
            _ in false
        }
    }

    /// Ends a part as done.
    public func finish(_ lease: JobLease, rows: Int64, bytes: Int64) async throws {
        let values: [CQLValue] = [.bigint(lease.part.range.end), .bigint(rows), .bigint(bytes), .uuid(lease.id)]
        try await self.change(lease, self.statements.finish, values) { $0.endedBy == lease.id }
    }

    /// Ends a part as failed.
    public func fail(_ lease: JobLease, reason: String) async throws {
        try await self.change(lease, self.statements.fail, [.text(reason), .uuid(lease.id)]) { $0.endedBy == lease.id }
    }

    /// Ends a lease; the part is pending again.
    public func giveBack(_ lease: JobLease, after delay: Duration, attempts: Int) async throws {
        let key = Self.key(lease.place, lease.part)
        let values: [CQLValue] = [.int(Int32(clamping: attempts)), .uuid(lease.id)]
        guard delay > .zero else {
            return try await self.change(lease, self.statements.giveBack, values) { $0.endedBy == lease.id }
        }
        // One write may not set and delete a cell: of two values with one timestamp the deletion would win.
        try await self.change(lease) {
            try await self.session.batch(
                [
                    (self.statements.endToRest, values + key + [.uuid(lease.id)]),
                    (self.statements.rest, [Self.seconds(delay), .uuid(.random()), .null] + key),
                ],
                kind: .unlogged,
                consistency: .quorum
            )
        } isDone: {
            $0.endedBy == lease.id
        }
    }

    /// Cuts what is left of a part in pieces.
    public func split(_ lease: JobLease, into count: Int) async throws -> JobLease? {
        try await Self.translating {
            guard let row = try await self.row(lease), row.lease == lease.id else {
                throw TokenRangesError.leaseLost(lease)
            }
            guard let (kept, others) = row.part.split(into: count, attempts: lease.part.attempts) else { return nil }
            let key = Self.key(lease.place, kept)
            let bytes = kept.expectedBytes.map { CQLValue.bigint($0) } ?? .null
            let beginnings = CQLValue.int(Int32(clamping: kept.beginnings))
            let shrink = [.bigint(kept.range.end), bytes, beginnings] + key + [.uuid(lease.id)]
            try await self.change(lease) {
                try await self.session.batch(
                    [(self.statements.shrink, shrink)]
                        + others.map { (self.statements.addPiece, Self.values(lease.place, $0)) },
                    kind: .unlogged,
                    consistency: .quorum
                )
            } isDone: {
                $0.lease == lease.id && $0.part.range.end == kept.range.end
            }
            var lease = lease
            lease.part = kept
            return lease
        }
    }

    // MARK: Conditional writes

    private func change(
        _ lease: JobLease,
        _ statement: CQLStatement,
        _ values: [CQLValue],
        isDone: (ClusterPartRow) -> Bool
    ) async throws {
        let all = values + Self.key(lease.place, lease.part) + [.uuid(lease.id)]
        try await self.change(lease) {
            try await self.session.execute(statement, all, consistency: .quorum)
        } isDone: {
            isDone($0)
        }
    }

    private func change(
        _ lease: JobLease,
        _ write: () async throws -> CQLResult,
        isDone: (ClusterPartRow) -> Bool
    ) async throws {
        try await Self.translating {
            if try await self.settling(lease, write, isDone: isDone) { return }
            // An earlier call of the same may have done it, and its answer may not have come.
            if let row = try await self.row(lease), isDone(row) { return }
            throw TokenRangesError.leaseLost(lease)
        }
    }

    /// Runs a conditional write until it is known what it did: whether it was applied.
    ///
    /// Where an answer does not come, a serial read ends what is on its way in Paxos, for good or ill; only then the write may be
    /// sent again without being done twice.
    private func settling(
        _ lease: JobLease,
        _ write: () async throws -> CQLResult,
        isDone: (ClusterPartRow) -> Bool
    ) async throws -> Bool {
        var tries = 1
        while true {
            do {
                return Self.isApplied(try await write())
            } catch let error as CQLSessionError where error.isTransient && tries < Self.triesMax {
                tries += 1
                if let row = try await self.row(lease), isDone(row) { return true }
            }
        }
    }

    private func row(_ lease: JobLease) async throws -> ClusterPartRow? {
        let key = Self.key(lease.place, lease.part)
        let result = try await self.session.execute(self.statements.row, key, consistency: .serial)
        return try result.rows?.first.map { try ClusterPartRow($0) }
    }

    private static func seconds(_ duration: Duration) -> CQLValue {
        .int(Int32(clamping: max(1, duration.secondsRoundedUp)))
    }
}
