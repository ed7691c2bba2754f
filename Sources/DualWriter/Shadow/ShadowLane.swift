import CQLProtocol
import DualWriteCore
import Logging
import NIOCore

/// The writes that one loop still owes one cluster, in order.
///
/// In memory and bounded by ``DualWriterLimits/shadowQueueWritesMax`` and ``DualWriterLimits/shadowQueueBytesMax``: what
/// comes above is dropped, counted and said. Bound to its loop.
final class ShadowLane {
    private let cluster: Cluster
    private unowned let loop: DualWriterLoop
    private var queue = CircularBuffer<ProxiedRequest>()
    private var fenceIsOut = false
    private var fences = 0
    /// Whether one of the writes is on its way that keep their order among themselves; the others of them wait here.
    private var ordered = 0
    private var orderedIsOut = false
    private var orderedWaiting = CircularBuffer<ProxiedRequest>()
    private var isPumping = false
    private var lastComplaint: Int64 = .min
    private var complaintsHeld = 0
    private var random = SystemRandomNumberGenerator()

    /// Bytes of the requests that are queued or on their way.
    private(set) var bytes = 0
    /// Writes that were taken from the queue and are not confirmed: on their way, or waiting for another try.
    private(set) var outstanding = 0
    private var oldest: Int64?

    init(cluster: Cluster, loop: DualWriterLoop) {
        self.cluster = cluster
        self.loop = loop
    }

    /// Writes that are owed.
    var count: Int { self.queue.count + self.outstanding }

    /// The age of the oldest queued write, in milliseconds.
    func oldestMilliseconds(now: Int64) -> Int {
        guard self.count > 0 else { return 0 }
        let since = self.queue.first?.queuedAt ?? self.oldest ?? now
        return Int((now - min(since, self.oldest ?? since)) / 1_000_000)
    }

    /// Whether writes are owed that must keep their order: list appends and their like.
    var holdsOrdered: Bool { self.ordered > 0 }

    /// Whether a statement is owed that must not be overtaken.
    var holdsFence: Bool { self.fences > 0 }

    /// Takes on a write. The request belongs to the lane from here on.
    ///
    /// - Parameter clientWaits: the client has no answer yet. The write waits for its turn all the same; what the cluster says
    ///   then is for the loop, which gives the request back with ``confirmed(_:)`` or ``answered(_:_:errorCode:wasSent:)``.
    func enqueue(_ request: ProxiedRequest, clientWaits: Bool = false) {
        let limits = self.loop.limits
        // A single write is always taken where nothing waits, however long it is.
        let fits = self.bytes + request.body.count <= limits.shadowQueueBytesMax
        guard self.count == 0 || fits && self.count < limits.shadowQueueWritesMax else {
            self.loop.counters[self.cluster].shadowOverflowed &+= 1
            self.loop.counters.doubtful &+= 1
            self.complain("shadow queue is full: the write is dropped")
            if clientWaits { self.loop.replyWithKept(request, self.cluster.other) }
            self.loop.finish(request)
            return
        }
        if !clientWaits {
            request.stage = .shadow
            request.deadline = .max
        }
        request.isInLane = true
        if request.isFence { self.fences += 1 }
        if request.kind.isOrdered { self.ordered += 1 }
        request.queuedAt = self.loop.now
        request[self.cluster] = ProxiedRequest.Leg()
        self.bytes += request.body.count
        self.loop.counters[self.cluster].shadowQueued &+= 1
        self.queue.append(request)
        self.pump()
    }

    /// Sends what may be sent. A fence goes alone: after all before it and before all behind it.
    func pump() {
        guard !self.isPumping else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while !self.fenceIsOut, self.outstanding < self.loop.limits.shadowInFlightMax, let next = self.queue.first {
            if next.isFence {
                guard self.outstanding == 0 else { return }
                self.fenceIsOut = true
            }
            self.queue.removeFirst()
            self.outstanding += 1
            self.oldest = next.queuedAt
            self.sendInOrder(next)
        }
    }

    /// Sends a write at once, unless it must come after another one that has no answer yet.
    private func sendInOrder(_ request: ProxiedRequest) {
        guard request.kind.isOrdered else {
            self.loop.send(request, to: self.cluster)
            return
        }
        guard !self.orderedIsOut else {
            self.orderedWaiting.append(request)
            return
        }
        self.orderedIsOut = true
        self.loop.send(request, to: self.cluster)
    }

    /// One attempt has ended.
    ///
    /// - Parameter wasSent: false where no node could be reached; such an attempt does not count.
    func answered(_ request: ProxiedRequest, _ answer: AnswerClass, errorCode: Int32?, wasSent: Bool) {
        request.deadline = .max
        if answer == .success || self.isDoneAlready(request, errorCode) {
            self.loop.counters[self.cluster].shadowDelivered &+= 1
            self.end(request)
            return
        }
        if !wasSent, errorCode == ErrorCode.badCredentials.rawValue {
            if let successor = request.identity.flatMap({ self.loop.successor(of: $0) }) {
                request.identity = successor
                request[self.cluster].attempts = 0
                self.retry(request, after: .milliseconds(1))
                return
            }
            self.complain("the cluster refuses the credentials of shadow writes; they wait")
        }
        if !wasSent, ShadowRetry.mayReach(errorCode: errorCode) {
            request[self.cluster].attempts = 0
            self.retry(request, after: .milliseconds(250))
            return
        }
        let decision = ShadowRetry.decide(
            answer: answer,
            errorCode: errorCode,
            isRepeatable: request.isIdempotent,
            attempt: Int(request[self.cluster].attempts),
            attemptsMax: self.loop.limits.shadowAttemptsMax,
            random: Double.random(in: 0..<1, using: &self.random)
        )
        switch decision {
        case .after(let milliseconds):
            self.loop.counters[self.cluster].shadowRetried &+= 1
            self.retry(request, after: .milliseconds(Int64(milliseconds)))
        case .giveUp, .doubt:
            self.loop.counters[self.cluster].shadowDead &+= 1
            if decision == .doubt { self.loop.counters.doubtful &+= 1 }
            let code = errorCode.map { ErrorCode(rawValue: $0).description } ?? "no answer"
            self.complain("shadow write given up: \(decision == .doubt ? "outcome unknown" : "refused"), \(code)")
            self.end(request)
        }
    }

    /// A schema change that is repeated after an unknown outcome may find its own work.
    private func isDoneAlready(_ request: ProxiedRequest, _ errorCode: Int32?) -> Bool {
        request.kind == .schemaChange && errorCode == ErrorCode.alreadyExists.rawValue
    }

    /// A write whose client has waited is given up; the client was told.
    func refused(_ request: ProxiedRequest) {
        self.loop.counters[self.cluster].shadowDead &+= 1
        self.end(request)
    }

    /// A write whose client has waited is on the cluster.
    func confirmed(_ request: ProxiedRequest) {
        self.loop.counters[self.cluster].shadowDelivered &+= 1
        self.end(request)
    }

    private func retry(_ request: ProxiedRequest, after pause: TimeAmount) {
        let generation = request.generation
        request[self.cluster].state = .idle
        self.loop.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            guard self.loop.isCurrent(request, generation) else { return }
            self.loop.send(request, to: self.cluster)
        }
    }

    private func end(_ request: ProxiedRequest) {
        if request.isFence {
            self.fenceIsOut = false
            self.fences -= 1
        }
        let wasOrdered = request.kind.isOrdered
        self.outstanding -= 1
        self.bytes -= request.body.count
        if self.outstanding == 0 { self.oldest = nil }
        self.loop.finish(request)
        if wasOrdered {
            self.ordered -= 1
            self.orderedIsOut = false
            if let next = self.orderedWaiting.popFirst() { self.sendInOrder(next) }
        }
        self.pump()
    }

    /// Says what was lost, at most once a second, with the number of times it has happened since.
    private func complain(_ what: String) {
        let now = self.loop.now
        self.complaintsHeld += 1
        guard self.lastComplaint == .min || now - self.lastComplaint > 1_000_000_000 else { return }
        self.lastComplaint = now
        self.loop.logger.warning(
            "\(what)",
            metadata: [
                "cluster": "\(self.cluster)", "times": "\(self.complaintsHeld)", "queued": "\(self.count)",
                "queued-bytes": "\(self.bytes)",
            ]
        )
        self.complaintsHeld = 0
    }
}
