package import CQLClient
import CQLProtocol

/// What is done about a request that failed. Pure: how often it was sent and a random number are passed in.
package struct RetryPolicy: Sendable, Hashable {
    package enum Verdict: Sendable, Hashable {
        /// It is sent again after a pause.
        case again(after: Duration)
        /// It is refused for good, or nobody may send it again: it goes to the dead letters.
        case bury(String)
        /// The target is not usable; nothing is said about the statement.
        case giveUp(String)
    }

    /// How often a request is sent.
    package var attemptsMax: Int
    /// The first pause; it doubles …
    package var pauseMin: Duration
    /// … up to this.
    package var pauseMax: Duration

    /// The policy of these limits.
    package init(
        attemptsMax: Int = 8,
        pauseMin: Duration = .milliseconds(50),
        pauseMax: Duration = .seconds(10)
    ) {
        self.attemptsMax = attemptsMax
        self.pauseMin = pauseMin
        self.pauseMax = pauseMax
    }

    /// - Parameters:
    ///   - attempt: How often it was sent; one after the first time.
    ///   - random: From 0 up to 1, so that many writers do not come back at the same moment.
    package func verdict(on error: CQLSessionError, isIdempotent: Bool, attempt: Int, random: Double) -> Verdict {
        switch Self.kind(of: error) {
        case .forGood: return .bury(error.description)
        case .unusable: return .giveUp(error.description)
        case .harmless: break
        case .unknown: if !isIdempotent { return .bury("its outcome is not known: \(error.description)") }
        }
        guard attempt < self.attemptsMax else { return .giveUp("\(error.description), \(attempt) times") }
        let pause = min(self.pauseMax, self.pauseMin * (1 << min(attempt - 1, 20)))
        return .again(after: pause * (0.5 + random / 2))
    }

    private enum Kind {
        /// Nothing was executed.
        case harmless
        /// It was executed, or not.
        case unknown
        /// It will never be executed.
        case forGood
        /// Nothing will be, with this session.
        case unusable
    }

    private static func kind(of error: CQLSessionError) -> Kind {
        switch error.code {
        case .overloaded: return .harmless
        // Set where it was not sent, and for idempotent ones, for which it makes no difference.
        case .timeout, .connectionLost: return error.isSafeToRetry ? .harmless : .unknown
        case .closed: return error.isSafeToRetry && error.serverError == nil ? .harmless : .unusable
        case .protocolViolation: return .forGood
        default: break
        }
        switch error.serverError?.code {
        case .overloaded?, .unavailable?, .isBootstrapping?, .unprepared?: return .harmless
        case .unauthorized?, .badCredentials?: return .unusable
        case .invalid?, .syntaxError?, .configError?, .protocolError?, .alreadyExists?, .functionFailure?:
            return .forGood
        default: return .unknown
        }
    }
}
