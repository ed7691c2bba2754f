import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOCore
import ShadowJournal

/// The writes that one loop owes one cluster, in order.
///
/// Each stands in the journal from before its client was answered until the cluster has confirmed it. The first of them are also
/// in memory, as requests, up to ``DualWriterLimits/shadowQueueWritesMax`` and ``DualWriterLimits/shadowQueueBytesMax``: the lane
/// *keeps up*. What comes above stays in the journal alone, and everything behind it, too: the lane is *behind*, and
/// ``ShadowLane+Backlog`` reads the journal in order until it has caught up. Without a journal it is dropped, counted and said.
///
/// A cluster that fails or is silent opens the lane's breaker: one write at a time finds out if it is back. Bound to its loop.
final class ShadowLane {
    let cluster: Cluster
    /// Its owner, which lets go of it in ``DualWriterLoop/shutdown()``. Held, as each use of a reference that is not is counted.
    let loop: DualWriterLoop
    /// Nil where the operator wants none.
    let log: JournalLog?

    /// Requests that wait for their turn, in order.
    var queue = CircularBuffer<ProxiedRequest>()
    /// From where on the journal holds writes that are not in memory; nil while the lane keeps up.
    var cursor: JournalPosition?
    /// Names without a password that the cluster accepts, and the first write that each of them owes.
    var waitingForLogin: [String: JournalPosition] = [:]

    /// Requests whose turn has come and that failed in a way that may pass: they go first.
    private var returned = CircularBuffer<ProxiedRequest>()
    private var breaker: ShadowBreaker
    private var pace: ReplayPace
    private var fenceIsOut = false
    private var isPumping = false
    private var wakeUp: Int64 = .max
    private var complaints = Complaints()
    private var random = SystemRandomNumberGenerator()

    /// Whether one of the writes is on its way that keep their order among themselves; the others of them wait here.
    private var orderedIsOut = false
    private var orderedWaiting = CircularBuffer<ProxiedRequest>()

    /// When an attempt ended last of which nobody knows what became.
    private var lastUnknown: Int64?

    /// How long an attempt that was silent may still run on its cluster, in nanoseconds: Cassandra lets go of a mutation after
    /// its own `write_request_timeout`, of two seconds by default.
    private static var lateNanosecondsMax: Int64 { 10_000_000_000 }

    /// How long a refused password rests.
    private static var loginPause: TimeAmount { .milliseconds(500) }

    /// Bytes of the requests in memory.
    private(set) var bytes = 0
    /// Writes whose turn has come and that are not confirmed: on their way, or waiting for another try.
    private(set) var outstanding = 0
    /// Of these the ones on their way.
    private var inFlight = 0
    private var oldestOutstanding: Int64?

    init(cluster: Cluster, loop: DualWriterLoop, log: JournalLog?) {
        self.cluster = cluster
        self.loop = loop
        self.log = log
        self.breaker = ShadowBreaker(limits: loop.limits.shadowBreaker)
        self.pace = ReplayPace(limits: .init(writesMax: loop.limits.shadowInFlightMax))
    }

    /// Writes that are in memory.
    var countInMemory: Int { self.queue.count + self.outstanding }

    /// Writes that are owed, wherever they are.
    var count: Int { self.log.map(\.openRecords) ?? self.countInMemory }

    /// Bytes of the writes that are owed, wherever they are.
    var bytesOwed: Int { self.log.map(\.bytes) ?? self.bytes }

    var isBehind: Bool { self.cursor != nil }

    /// Whether the cluster gets nothing but a probe now and then, because it fails or is silent.
    var isBreakerOpen: Bool { self.breaker.state != .closed }

    /// Whether the cluster does not take what it is owed.
    var isHeldBack: Bool {
        !self.loop.isKnown(self.cluster) || self.isBreakerOpen || !self.waitingForLogin.isEmpty
    }

    /// The age of the oldest write that is owed, in milliseconds.
    func oldestMilliseconds(now: Int64) -> Int {
        if let log = self.log { return log.oldestOpen().map { max(0, Int(self.loop.wallMilliseconds - $0.time)) } ?? 0 }
        let oldest = (self.queue.first.map { [$0.queuedAt] } ?? []) + (self.oldestOutstanding.map { [$0] } ?? [])
        return oldest.min().map { Int((now - $0) / 1_000_000) } ?? 0
    }

    /// Whether a write may still arrive that was sent and not answered.
    var mayStillGetSomething: Bool {
        self.lastUnknown.map { self.loop.now - $0 < Self.lateNanosecondsMax } ?? false
    }

    // MARK: In

    /// Takes on a write. The request belongs to the lane from here on.
    ///
    /// - Parameter clientWaits: the client has no answer yet. The write waits for its turn all the same; what the cluster says
    ///   then is for the loop, which gives the request back with ``confirmed(_:)`` or ``answered(_:_:_:wasSent:)``.
    func enqueue(_ request: ProxiedRequest, clientWaits: Bool = false) {
        guard self.log == nil || request[self.cluster].record != nil else {
            // There was no room in the journal; its partition is in doubt since then.
            self.drop(request, clientWaits, "the journal is full: the write is dropped")
            return
        }
        if request[self.cluster].state == .unknown { self.lastUnknown = self.loop.now }
        self.loop.order[self.cluster].took(request.kind)
        self.loop.counters[self.cluster].shadowQueued &+= 1
        if let log = Uncounted(self.log), let record = request[self.cluster].record {
            if self.cursor == nil, !self.hasRoom(for: request) { self.cursor = record }
            if let cursor = self.cursor, record >= cursor {
                if clientWaits { self.loop.waitedLongEnough(request, self.cluster) }
                log { self.leaveInJournal(request, $0, record) }
                self.pump()
                return
            }
            log { _ = $0.setState(JournalState(.held), at: record) }
        } else if !self.hasRoom(for: request) {
            self.loop.order[self.cluster].letGo(of: request.kind)
            self.loop.counters[self.cluster].shadowOverflowed &+= 1
            self.loop.doubt(request, on: self.cluster, .journalFull)
            self.drop(request, clientWaits, "the shadow queue is full and there is no journal: the write is dropped")
            return
        }
        self.admit(request, clientWaits)
        if self.mayGoAtOnce(request) {
            self.isPumping = true
            self.outstanding += 1
            self.oldestOutstanding = request.queuedAt
            self.send(request)
            self.isPumping = false
            // What came up while it was sent.
            if self.returned.isEmpty, self.queue.isEmpty { return }
        } else {
            self.queue.append(request)
        }
        self.pump()
    }

    /// Whether a request that was just admitted need not wait in the queue, as hardly any must.
    private func mayGoAtOnce(_ request: ProxiedRequest) -> Bool {
        self.queue.isEmpty && self.returned.isEmpty && !self.isBehind && !self.fenceIsOut && !self.isPumping
            && !self.loop.isStopped && self.breaker.state == .closed
            && self.inFlight < self.loop.limits.shadowInFlightMax
            && !request.isFence && !request.kind.isOrdered && self.loop.isKnown(self.cluster)
    }

    /// A single write is always taken where nothing waits, however long it is.
    private func hasRoom(for request: ProxiedRequest) -> Bool {
        guard self.countInMemory > 0 else { return true }
        let limits = self.loop.limits
        return self.countInMemory < limits.shadowQueueWritesMax
            && self.bytes + request.body.count <= limits.shadowQueueBytesMax
    }

    /// Takes a request into memory, behind all others.
    func hold(_ request: ProxiedRequest) {
        self.admit(request, false)
        self.queue.append(request)
    }

    private func admit(_ request: ProxiedRequest, _ clientWaits: Bool) {
        if !clientWaits {
            request.stage = .shadow
            request.deadline = .max
        }
        request.isInLane = true
        request.queuedAt = self.loop.now
        request[self.cluster].begin()
        request.bytesInLane = request.body.count
        self.bytes += request.bytesInLane
    }

    /// Lets go of a request whose record stays owed.
    func leaveInJournal(_ request: ProxiedRequest, _ log: JournalLog, _ record: JournalPosition) {
        log.setState(JournalState(.owed), at: record)
        request[self.cluster].record = nil
        self.loop.finish(request)
    }

    private func drop(_ request: ProxiedRequest, _ clientWaits: Bool, _ why: String) {
        self.complain(why)
        if clientWaits { self.loop.replyWithKept(request, self.cluster.other) }
        self.loop.finish(request)
    }

    // MARK: Out

    /// Sends what may be sent. A fence goes alone: after all before it and before all behind it.
    func pump() {
        guard !self.isPumping, !self.loop.isStopped else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while self.maySend {
            if let again = self.returned.popFirst() {
                self.send(again)
                continue
            }
            if self.queue.isEmpty { self.load() }
            guard !self.fenceIsOut, let next = self.queue.first else { return }
            if next.isFence {
                guard self.outstanding == 0, !self.waitsForLogin(before: next) else { return }
                self.fenceIsOut = true
            }
            self.queue.removeFirst()
            self.outstanding += 1
            self.oldestOutstanding = next.queuedAt
            self.sendInOrder(next)
        }
    }

    /// Whether something that a fence must come after waits for a login.
    private func waitsForLogin(before fence: ProxiedRequest) -> Bool {
        guard let record = fence[self.cluster].record else { return false }
        return self.waitingForLogin.values.contains { $0 < record }
    }

    /// Whether there is anything to send at all, and the cluster is in a state to get it.
    private var maySend: Bool {
        guard self.loop.isKnown(self.cluster) else { return false }
        guard !self.returned.isEmpty || !self.queue.isEmpty || self.isBehind else { return false }
        switch self.breaker.state {
        case .closed:
            return self.inFlight < self.window
        case .open, .halfOpen:
            guard self.breaker.mayProbe(now: self.loop.now) else {
                if let next = self.breaker.nextProbe { self.wake(at: next) }
                return false
            }
            return true
        }
    }

    /// A backlog goes as fast as the cluster takes it without getting slower; a lane that keeps up sends what comes.
    private var window: Int {
        guard self.isBehind else { return self.loop.limits.shadowInFlightMax }
        return self.pace.window(besides: self.loop.counters[self.cluster].shadowQueued, now: self.loop.now)
    }

    /// Sends a write at once, unless it must come after another one that has no answer yet.
    private func sendInOrder(_ request: ProxiedRequest) {
        guard request.kind.isOrdered else {
            self.send(request)
            return
        }
        guard !self.orderedIsOut else {
            self.orderedWaiting.append(request)
            return
        }
        self.orderedIsOut = true
        self.send(request)
    }

    private func send(_ request: ProxiedRequest) {
        self.inFlight += 1
        if request.kind == .truncate, self.mayStillGetSomething {
            // It takes away what is there; what comes late stays.
            self.loop.doubt(request, on: self.cluster, .overtaken)
        }
        let isProbe = self.breaker.state != .closed
        if isProbe { self.breaker.probeBegan(now: self.loop.now) }
        request[self.cluster].isProbe = isProbe
        // A backlog goes at the pace of its answers.
        request[self.cluster].mayWait = !isProbe && !self.isBehind && request.stage == .shadow
        if !request.isIdempotent, !request.isFence, let log = self.log, let record = request[self.cluster].record {
            log.setState(JournalState(.sentOnce), at: record)
        }
        self.loop.sendCopy(request, to: self.cluster)
    }
}

extension ShadowLane {
    /// What the cluster's state is by the outcome of one attempt.
    func attemptEnded(_ request: ProxiedRequest, _ answer: AnswerClass, errorCode: Int32?, wasSent: Bool) {
        let now = self.loop.now
        let outcome = ShadowBreaker.Outcome(answer, errorCode: errorCode)
        switch outcome {
        case .success, .refused:
            if wasSent {
                let latency = now - request[self.cluster].sentAt
                self.pace.answered(latency: latency, inFlight: self.inFlight, now: now)
            }
        case .failed, .silent:
            self.pace.failed(now: now)
        }
        if wasSent, answer == .unknown { self.lastUnknown = now }
        self.inFlight -= 1
        let isProbe = request[self.cluster].isProbe
        // A random number is a call of the system: only a failure needs one.
        let random = outcome == .success ? 0 : self.nextRandom()
        let change = self.breaker.ended(outcome, isProbe: isProbe, now: now, random: random)
        self.log(change, answer, errorCode)
        if !wasSent, let log = self.log, let record = request[self.cluster].record {
            log.setState(JournalState(.held), at: record)
        }
    }

    /// A request whose pause is over.
    func takeBack(_ request: ProxiedRequest) {
        self.returned.append(request)
        self.pump()
    }

    /// Leaves a request in the journal until its user has logged in with a password that is good.
    func waitForLogin(_ request: ProxiedRequest, of user: String) {
        guard let log = self.log, let record = request[self.cluster].record else {
            self.retry(request, after: self.loop.limits.unreachablePause)
            return
        }
        self.wait(from: record, forLoginOf: user)
        self.forget(request)
        self.leaveInJournal(request, log, record)
        self.pump()
    }

    /// Notes that a write cannot be sent before its user has logged in, or the cluster has changed its mind about the password.
    func wait(from record: JournalPosition, forLoginOf user: String) {
        let isFirst = self.waitingForLogin[user] == nil
        self.waitingForLogin[user] = min(self.waitingForLogin[user] ?? record, record)
        guard isFirst else { return }
        self.loop.eventLoop.assumeIsolated().scheduleTask(in: Self.loginPause) {
            guard !self.loop.isStopped, self.loop.latestLogins[user] != nil else { return }
            self.loggedIn(user)
        }
    }

    /// Somebody has logged in: what was written under the name can be sent.
    func loggedIn(_ user: String) {
        guard let first = self.waitingForLogin.removeValue(forKey: user) else { return }
        self.cursor = min(self.cursor ?? first, first)
        self.pump()
    }

    /// A write is over, one way or the other.
    func end(_ request: ProxiedRequest) {
        self.loop.order[self.cluster].letGo(of: request.kind)
        self.forget(request)
        self.loop.finish(request)
        self.pump()
    }

    /// Takes a request whose turn has come out of the lane's account.
    private func forget(_ request: ProxiedRequest) {
        if request.isFence { self.fenceIsOut = false }
        self.outstanding -= 1
        if self.outstanding == 0 { self.oldestOutstanding = nil }
        self.bytes -= request.bytesInLane
        guard request.kind.isOrdered else { return }
        self.orderedIsOut = false
        guard let next = self.orderedWaiting.popFirst() else { return }
        // Its turn has come among its like; whether the cluster gets anything now is for ``pump()`` to say.
        self.orderedIsOut = true
        self.returned.prepend(next)
    }

    func nextRandom() -> Double { Double.random(in: 0..<1, using: &self.random) }

    private func wake(at moment: Int64) {
        guard moment < self.wakeUp else { return }
        self.wakeUp = moment
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(clamping: moment))
        self.loop.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.wakeUp = .max
            self.pump()
        }
    }

    /// Says what was lost, at most once a second, with the number of times it has happened since.
    func complain(_ what: String) {
        guard let times = self.complaints.note(now: self.loop.now) else { return }
        self.loop.logger.warning(
            "\(what)",
            metadata: [
                "cluster": "\(self.cluster)", "times": "\(times)", "owed": "\(self.count)",
                "in-memory": "\(self.countInMemory)",
            ]
        )
    }
}
