import CQLProtocol
public import DualWriteCore
public import Logging
import NIOCore
import Synchronization

/// Runs the rounds of a ``Replica``: says that it lives, reads both clusters, does what follows.
///
/// One round at a time. While a change is on its way they follow each other quickly, else every `poll`, give or take a quarter.
public actor SharedControl {
    /// How long things take.
    public struct Pace: Sendable {
        /// From one round to the next while nothing happens.
        public var poll = Duration.seconds(2)
        /// The same while a change is on its way.
        public var busy = Duration.milliseconds(150)
        /// How long one call to a cluster may take.
        public var call = Duration.seconds(2)
        /// The same for a cluster that has not answered the last one.
        public var probe = Duration.milliseconds(300)

        /// The defaults.
        public init() {}
    }

    private var replica: Replica
    private let times: Replica.Times
    private let address: String
    private let registers: [Cluster: any SharedRegister]
    private let memory: any ReplicaMemory
    private let pace: Pace
    private let logger: Logger
    private let began = ContinuousClock.now

    private var taker: (any StageTaker)?
    private var waiting: CheckedContinuation<ChangeOutcome, Never>?
    private var pause: Task<Void, Never>?
    private var current: SharedStatus {
        didSet { self.published.withLock { $0 = self.current } }
    }
    private let published: Mutex<SharedStatus>
    private var lastWall: Int64 = 0
    private var lastEntry: ReplicaEntry?
    private var noted: SharedRecord?
    private var lease: Lease
    /// Clusters that do not let this replica in.
    private var lacking: Set<Cluster> = []
    /// What a newer version has written there, while this replica joins.
    private var newer: NewerRecord?
    private var question: Question?

    /// What the proxy was asked about a proposal. It may take longer than a round, and signs of life must not wait for it.
    private struct Question {
        let id: CQLUUID
        let task: Task<Void, Never>
        /// Nil while it has not answered; then why it could not go there, where it could not.
        var answer: String??
    }

    /// A control of a replica that takes no stage yet.
    ///
    /// - Parameters:
    ///   - address: of the replica's admin port, for people.
    ///   - registers: of the clusters that are configured.
    public init(
        _ replica: Replica,
        times: Replica.Times,
        address: String,
        registers: [Cluster: any SharedRegister],
        memory: any ReplicaMemory,
        pace: Pace = Pace(),
        logger: Logger
    ) {
        self.replica = replica
        self.times = times
        self.address = address
        self.registers = registers
        self.memory = memory
        self.pace = pace
        self.logger = logger
        let status = SharedStatus(id: replica.id, clusters: Cluster.allCases.filter { registers[$0] != nil })
        self.current = status
        self.published = Mutex(status)
        self.lease = Lease(id: replica.id, times: times)
    }

    /// What is known of the others, as of the last round.
    public nonisolated var latest: SharedStatus { self.published.withLock { $0 } }

    // MARK: Joining

    /// Joins the others: returns the record to act in, with nothing done about it yet.
    ///
    /// It waits for ``Replica/Times/joinMilliseconds`` until it has read all clusters, and goes on with those that it can read.
    /// Where it can read none, it goes on with what was kept.
    ///
    /// - Parameter isPatient: whether to wait on where nothing can be read and nothing was kept; else nil is returned then.
    /// - Throws: ``LacksRights`` where nothing was kept and a cluster does not let this replica in; ``NewerRecord``;
    ///   `CancellationError`.
    public func join(isPatient: Bool) async throws -> SharedRecord? {
        var complained = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            self.newer = nil
            await self.round()
            // What was kept may be out of date, and nobody can tell.
            if let newer { throw newer }
            if self.replica.kept.record == nil, let cluster = self.lacking.first {
                throw LacksRights(cluster: cluster, reason: self.current.faults[cluster] ?? "")
            }
            if let record = self.replica.kept.record, self.replica.applied == record.epoch { return record }
            let now = ContinuousClock.now
            // With something kept it is a matter of one more round, however slow this machine is.
            let isOver = now - self.began > .milliseconds(self.times.joinMilliseconds + 1_000)
            if !isPatient, isOver, self.replica.kept.record == nil { return nil }
            if now - complained > .seconds(10) {
                complained = now
                self.logger.warning(
                    "this replica has not joined yet: it waits for the control state of the clusters",
                    metadata: ["reason": "\(self.reasons)"]
                )
            }
            try await Task.sleep(for: self.pace.busy)
        }
    }

    private var reasons: String {
        self.current.faults.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key): \($0.value)" }.joined(
            separator: "; "
        )
    }

    // MARK: Running

    /// Follows the others until its task is cancelled; then leaves them.
    public func run(_ taker: any StageTaker) async {
        self.taker = taker
        while !Task.isCancelled {
            await self.round()
            await self.rest()
        }
        self.taker = nil
        self.question?.task.cancel()
        self.waiting?.resume(returning: .unknown("this replica stops"))
        self.waiting = nil
        // The task is cancelled, and what it would wait for with it.
        let (registers, id, pace) = (self.registers, self.replica.id, self.pace)
        await Task {
            await withTaskGroup(of: Void.self) { group in
                for register in registers.values {
                    group.addTask { try? await Self.within(pace.probe) { try await register.leave(id) } }
                }
            }
        }.value
    }

    /// Changes modes of all replicas.
    public func change(to goal: ChangeOrder.Goal, by: String, reason: String?, force: Bool) async -> ChangeOutcome {
        guard self.taker != nil else { return .refused("this replica has not joined yet") }
        guard self.waiting == nil else { return .refused("another change is under way; ask again when it has ended") }
        let change = StageChange(id: .random(), by: by, reason: reason, forced: force, at: Self.wallMilliseconds)
        self.replica.ask(
            for: ChangeOrder(to: goal, change: change, deadline: self.now + self.times.deadlineMilliseconds)
        )
        return await withCheckedContinuation { continuation in
            self.waiting = continuation
            self.pause?.cancel()
        }
    }

    private var now: Int64 { Int64((ContinuousClock.now - self.began) / .milliseconds(1)) }

    private func rest() async {
        let isBusy = self.replica.isBusy(at: self.now)
        let length = isBusy ? self.pace.busy : self.pace.poll * Double.random(in: 0.75...1.25)
        let pause = Task { _ = try? await Task.sleep(for: length) }
        self.pause = pause
        await withTaskCancellationHandler {
            await pause.value
        } onCancel: {
            pause.cancel()
        }
        self.pause = nil
    }

    // MARK: A round

    private func round() async {
        let began = NIODeadline.now()
        let isHeard = await self.announce(evenIfSame: true)
        let isSerial =
            self.replica.isBusy(at: self.now) || self.replica.kept.promise != nil || self.replica.applied == nil
        let view = await self.read(isSerial: isSerial)
        let actions = self.replica.round(view, now: self.now, wall: Self.wallMilliseconds) { .random() }
        self.current.replicas = self.replica.replicas
        self.current.proposal =
            Cluster.allCases.compactMap { cluster in
                if case .read(let row?, _) = view.clusters[cluster] { return row.proposal }
                return nil
            }.first
        for action in actions { guard await self.carryOut(action) else { break } }
        self.current.record = self.replica.kept.record
        self.current.applied = self.replica.applied
        self.current.replicas.note(self.replica.applied, of: self.replica.id)
        await self.vouch(began, isHeard, view)
        await self.announce(evenIfSame: false)
    }

    /// Says until when the proxy may act.
    private func vouch(_ began: NIODeadline, _ isHeard: Bool, _ view: RoundView) async {
        let round = Lease.Round(
            began: began,
            heard: isHeard ? began : nil,
            view: view,
            refusing: self.current.refusing,
            record: self.replica.kept.record,
            applied: self.replica.applied,
            fault: self.replica.fault
        )
        switch self.lease.judge(round, now: .now()) {
        case .holds(let moment):
            if self.current.lapse != nil { self.logger.notice("this replica takes requests again") }
            self.current.lapse = nil
            await self.taker?.mayAct(until: moment, inPart: false)
        case .holdsInPart(let moment, let reason):
            self.note(lapse: reason)
            await self.taker?.mayAct(until: moment, inPart: true)
        case .lapsed(let reason):
            self.note(lapse: reason)
        }
    }

    private func note(lapse reason: String) {
        if self.current.lapse == nil, self.taker != nil {
            self.logger.error("this replica refuses requests", metadata: ["reason": "\(reason)"])
        }
        self.current.lapse = reason
    }

    /// Does one thing; false where what follows must wait for another round.
    private func carryOut(_ action: RoundAction) async -> Bool {
        switch action {
        case .keep(let kept):
            return self.keep(kept)
        case .apply(let record):
            await self.apply(record)
        case .prepare(let proposal):
            guard let refusal = self.answer(to: proposal) else { return true }
            guard let kept = self.replica.answered(proposal, refusal: refusal) else { return true }
            guard self.keep(kept) else {
                _ = self.replica.answered(proposal, refusal: "its state folder cannot be written")
                return false
            }
        case .write(let cluster, let expected, let row):
            _ = await self.call(cluster) { try await $0.write(expected: expected, row) }
        case .end(let outcome):
            self.waiting?.resume(returning: outcome)
            self.waiting = nil
        }
        return true
    }

    /// What the proxy says to a proposal; nil while it has not. It is asked once.
    private func answer(to proposal: Proposal) -> String?? {
        guard let taker = self.taker else { return nil }
        let id = proposal.change.id
        if let question = self.question, question.id == id { return question.answer }
        self.question?.task.cancel()
        let task = Task {
            let refusal = await taker.refusal(of: proposal)
            guard self.question?.id == id else { return }
            self.question?.answer = .some(refusal)
            self.pause?.cancel()
        }
        self.question = Question(id: id, task: task, answer: nil)
        return nil
    }

    private func keep(_ kept: Replica.Kept) -> Bool {
        do {
            try self.memory.keep(kept)
            return true
        } catch {
            self.logger.error("the shared write mode cannot be kept", metadata: ["reason": "\(error)"])
            if let record = kept.record { self.replica.notApplied(record, reason: "\(error)") }
            return false
        }
    }

    private func apply(_ record: SharedRecord) async {
        do {
            try await self.taker?.apply(record)
            self.replica.applied(record)
        } catch {
            self.logger.error(
                "what is decided cannot be entered; it is tried again",
                metadata: ["modes": "\(record.modes)", "epoch": "\(record.epoch)", "reason": "\(error)"]
            )
            self.replica.notApplied(record, reason: "\(error)")
            return
        }
        guard self.taker != nil, self.noted != record else { return }
        self.noted = record
        for cluster in self.registers.keys { _ = await self.call(cluster) { try await $0.note(record) } }
    }

    /// Says in all clusters that this replica lives; whether any has taken it.
    @discardableResult
    private func announce(evenIfSame: Bool) async -> Bool {
        self.lastWall = max(self.lastWall + 1, Self.wallMilliseconds)
        let owed = await self.taker?.owed() ?? PerCluster(both: 0)
        let entry = self.replica.entry(address: self.address, owed: owed, wall: self.lastWall)
        if !evenIfSame, let last = self.lastEntry, last.isSame(as: entry) { return false }
        self.lastEntry = entry
        let (moment, times) = (self.now, self.times)
        let heard = await self.callAll { try await $0.announce(entry, times: times) }
        for cluster in heard.keys { self.replica.announced(in: cluster, at: moment) }
        return !heard.isEmpty
    }

    private func read(isSerial: Bool) async -> RoundView {
        let found = await self.callAll { try await $0.read(isSerial: isSerial) }
        func view(_ cluster: Cluster) -> ClusterView {
            guard self.registers[cluster] != nil else { return .notConfigured }
            guard let (row, entries) = found[cluster] else {
                return .unreadable(self.current.faults[cluster] ?? "no answer")
            }
            return .read(row, entries)
        }
        return RoundView(source: view(.source), target: view(.target))
    }

    // MARK: Calls

    private func callAll<Result: Sendable>(
        _ body: @Sendable @escaping (any SharedRegister) async throws -> Result
    ) async -> [Cluster: Result] {
        async let source = self.call(.source, body)
        async let target = self.call(.target, body)
        var results: [Cluster: Result] = [:]
        results[.source] = await source
        results[.target] = await target
        return results
    }

    private func call<Result: Sendable>(
        _ cluster: Cluster,
        _ body: @Sendable @escaping (any SharedRegister) async throws -> Result
    ) async -> Result? {
        guard let register = self.registers[cluster] else { return nil }
        do {
            let time = self.current.faults[cluster] == nil ? self.pace.call : self.pace.probe
            let result = try await Self.within(time) { try await body(register) }
            self.current.refusing.remove(cluster)
            self.lacking.remove(cluster)
            if self.current.faults.removeValue(forKey: cluster) != nil {
                self.logger.notice("control state can be read again", metadata: ["cluster": "\(cluster)"])
            }
            return result
        } catch {
            let reason = error is CancellationError ? "no answer in time" : "\(error)"
            let kind = (error as? RegisterFault)?.kind ?? .silent
            self.current.failures[cluster] += 1
            self.note(kind, of: cluster, reason)
            if self.current.faults.updateValue(reason, forKey: cluster) == nil, self.replica.applied != nil {
                self.logger.warning(
                    "control state cannot be read; this replica stays in its write mode",
                    metadata: ["cluster": "\(cluster)", "reason": "\(reason)"]
                )
            }
            return nil
        }
    }

    /// Notes what a fault says of the other replicas: where a cluster refuses, it does so for them as well.
    private func note(_ kind: RegisterFault.Kind, of cluster: Cluster, _ reason: String) {
        switch kind {
        case .silent: self.current.refusing.remove(cluster)
        case .refused: self.current.refusing.insert(cluster)
        case .rights:
            self.current.refusing.insert(cluster)
            self.lacking.insert(cluster)
        case .newer:
            self.current.refusing.remove(cluster)
            self.newer = NewerRecord(cluster: cluster, reason: reason)
        }
    }

    /// Milliseconds since 1970, for people.
    private static var wallMilliseconds: Int64 { WallClock.milliseconds }
}
