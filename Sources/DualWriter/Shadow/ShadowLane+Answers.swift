import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOCore

/// What follows from the cluster's answers to copies.
extension ShadowLane {
    /// One attempt has ended.
    ///
    /// - Parameter wasSent: false where no node could be reached; such an attempt does not count.
    func answered(_ request: ProxiedRequest, _ answer: AnswerClass, _ error: ErrorMessage?, wasSent: Bool) {
        let errorCode = error?.code.rawValue
        request.deadline = .max
        self.attemptEnded(request, answer, errorCode: errorCode, wasSent: wasSent)
        if answer == .success || Self.isDoneAlready(request, errorCode) {
            self.loop.counters[self.cluster].shadowDelivered &+= 1
            self.end(request)
            return
        }
        if !wasSent {
            self.notSent(request, error)
            return
        }
        let decision = ShadowRetry.decide(
            answer: answer,
            errorCode: errorCode,
            isRepeatable: request.isIdempotent || request.isFence,
            attempt: Int(request[self.cluster].attempts),
            attemptsMax: self.loop.limits.shadowAttemptsMax,
            pauseMilliseconds: self.loop.limits.shadowRetryMilliseconds,
            random: self.nextRandom()
        )
        switch decision {
        case .after(let milliseconds):
            // The attempt that was silent may still run, and take away what comes after the next one.
            if answer == .unknown, request.kind == .truncate { self.loop.doubt(request, on: self.cluster, .overtaken) }
            self.loop.counters[self.cluster].shadowRetried &+= 1
            self.retry(request, after: .milliseconds(Int64(milliseconds)))
        case .giveUp:
            self.giveUp(request, error)
        case .doubt:
            self.loop.counters[self.cluster].shadowDead &+= 1
            self.loop.doubt(request, on: self.cluster, .shadowUnknown)
            self.complain("shadow write given up: outcome unknown, \(Self.name(errorCode))")
            self.end(request)
        }
    }

    /// No node has got it, which says nothing of the write itself.
    private func notSent(_ request: ProxiedRequest, _ error: ErrorMessage?) {
        let errorCode = error?.code.rawValue
        request[self.cluster].attempts = 0
        guard errorCode == ErrorCode.badCredentials.rawValue,
            !self.loop.settings.actingAsConfigured.contains(self.cluster),
            let user = request.identity?.key.credentials?.username
        else {
            guard !ShadowRetry.isForGood(errorCode: errorCode) else {
                self.giveUp(request, error)
                return
            }
            self.retry(request, after: self.loop.limits.unreachablePause)
            return
        }
        if let successor = request.identity.flatMap({ self.loop.successor(of: $0) }) {
            request.identity = successor
            self.retry(request, after: .milliseconds(1))
            return
        }
        self.complain("the cluster refuses the credentials of shadow writes; they wait for a login")
        self.waitForLogin(request, of: user)
    }

    /// A refusal for good: the write is a dead letter, and nothing behind it waits for it.
    private func giveUp(_ request: ProxiedRequest, _ error: ErrorMessage?) {
        self.loop.counters[self.cluster].shadowDead &+= 1
        self.loop.bury(request, refusedBy: self.cluster, error)
        self.complain("shadow write given up: refused, \(Self.name(error?.code.rawValue))")
        self.end(request)
    }

    /// A schema change that is repeated after an unknown outcome may find its own work.
    private static func isDoneAlready(_ request: ProxiedRequest, _ errorCode: Int32?) -> Bool {
        request.kind == .schemaChange && errorCode == ErrorCode.alreadyExists.rawValue
    }

    static func name(_ errorCode: Int32?) -> String {
        errorCode.map { ErrorCode(rawValue: $0).description } ?? "no answer"
    }

    /// A write whose client has waited is given up; the client was told.
    func refused(_ request: ProxiedRequest) {
        self.attemptEnded(request, .definiteRefusal, errorCode: nil, wasSent: true)
        self.loop.counters[self.cluster].shadowDead &+= 1
        self.end(request)
    }

    /// A write whose client has waited is on the cluster.
    func confirmed(_ request: ProxiedRequest) {
        self.attemptEnded(request, .success, errorCode: nil, wasSent: true)
        self.loop.counters[self.cluster].shadowDelivered &+= 1
        self.end(request)
    }

    func retry(_ request: ProxiedRequest, after pause: TimeAmount) {
        let generation = request.generation
        request[self.cluster].state = .idle
        self.loop.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            guard self.loop.isCurrent(request, generation) else { return }
            self.takeBack(request)
        }
    }

    /// Says what has become of the breaker.
    func log(_ change: ShadowBreaker.Change, _ answer: AnswerClass, _ errorCode: Int32?) {
        switch change {
        case .none: break
        case .opened:
            self.loop.counters[self.cluster].breakerOpened &+= 1
            self.loop.logger.warning(
                "the shadow fails: its writes stay in the journal",
                metadata: ["cluster": "\(self.cluster)", "last": "\(Self.name(errorCode))", "owed": "\(self.count)"]
            )
        case .closed:
            self.loop.logger.notice(
                "the shadow takes writes again",
                metadata: ["cluster": "\(self.cluster)", "owed": "\(self.count)"]
            )
        }
    }
}

extension DualWriterLimits {
    /// The pauses between the attempts of a shadow write.
    var shadowRetryMilliseconds: ClosedRange<Int> {
        let first = max(1, self.shadowRetryMillisecondsMin)
        return first...max(first, self.shadowRetryMillisecondsMax)
    }

    /// The pause where no node can be reached.
    var unreachablePause: TimeAmount { .milliseconds(Int64(max(1, self.shadowUnreachableMilliseconds))) }
}
