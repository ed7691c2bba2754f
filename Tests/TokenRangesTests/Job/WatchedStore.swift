import TokenRanges

/// A store that tells a clock of its work, so that no time passes while it works.
struct WatchedStore: JobStore {
    let store: any JobStore
    let clock: ManualClock

    func create(_ job: JobDefinition, parts: @Sendable () async throws -> [JobPart]) async throws -> Bool {
        try await self.clock.busy { try await self.store.create(job, parts: parts) }
    }
    func lease(_ job: String, worker: String, for duration: Duration) async throws -> LeaseAnswer {
        try await self.clock.busy { try await self.store.lease(job, worker: worker, for: duration) }
    }
    func renew(_ lease: JobLease, for duration: Duration) async throws {
        try await self.clock.busy { try await self.store.renew(lease, for: duration) }
    }
    func checkpoint(_ lease: JobLease, at token: Int64, rows: Int64, bytes: Int64) async throws {
        try await self.clock.busy { try await self.store.checkpoint(lease, at: token, rows: rows, bytes: bytes) }
    }
    func finish(_ lease: JobLease, rows: Int64, bytes: Int64) async throws {
        try await self.clock.busy { try await self.store.finish(lease, rows: rows, bytes: bytes) }
    }
    func fail(_ lease: JobLease, reason: String) async throws {
        try await self.clock.busy { try await self.store.fail(lease, reason: reason) }
    }
    func giveBack(_ lease: JobLease, after delay: Duration, attempts: Int) async throws {
        try await self.clock.busy { try await self.store.giveBack(lease, after: delay, attempts: attempts) }
    }
    func split(_ lease: JobLease, into count: Int) async throws -> JobLease? {
        try await self.clock.busy { try await self.store.split(lease, into: count) }
    }
    func parts(of job: String) async throws -> [JobPart] {
        try await self.clock.busy { try await self.store.parts(of: job) }
    }
    func leases(of job: String) async throws -> [JobPart.ID: LeaseLeft] {
        try await self.clock.busy { try await self.store.leases(of: job) }
    }
    func find(_ job: String) async throws -> JobDefinition? {
        try await self.clock.busy { try await self.store.find(job) }
    }
    func jobs() async throws -> [JobDefinition] { try await self.clock.busy { try await self.store.jobs() } }
    func command(of job: String) async throws -> JobCommand {
        try await self.clock.busy { try await self.store.command(of: job) }
    }
    func setCommand(_ command: JobCommand, of job: String) async throws {
        try await self.clock.busy { try await self.store.setCommand(command, of: job) }
    }
    func retryFailed(_ job: String) async throws -> Int {
        try await self.clock.busy { try await self.store.retryFailed(job) }
    }
    func remove(_ job: String) async throws { try await self.clock.busy { try await self.store.remove(job) } }
}
