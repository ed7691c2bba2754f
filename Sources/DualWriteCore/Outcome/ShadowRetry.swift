/// Whether a shadow write that failed is sent again, and when.
public enum ShadowRetry: Sendable, Hashable {
    /// Send it again after so many milliseconds.
    case after(milliseconds: Int)
    /// Give up: the write is a dead letter, which an operator may send again.
    case giveUp
    /// Give up: it may have been applied and must not be applied twice, so its partition is in doubt.
    case doubt

    /// The first pause, in milliseconds; each further one doubles up to ``pauseMillisecondsMax``.
    public static var pauseMillisecondsMin: Int { 50 }
    /// The longest pause, in milliseconds.
    public static var pauseMillisecondsMax: Int { 10_000 }

    /// Error codes that say "not now" although nothing was executed: unavailable, overloaded, bootstrapping.
    public static func mayPass(errorCode: Int32?) -> Bool {
        switch errorCode {
        case 0x1000, 0x1001, 0x1002: true
        default: false
        }
    }

    /// Whether an error says that the cluster will never take the write as it is: protocol, a failing function, syntax,
    /// unauthorized, invalid, config, already exists. All else may be well later.
    public static func isForGood(errorCode: Int32?) -> Bool {
        switch errorCode {
        case 0x000A, 0x1400, 0x2000, 0x2100, 0x2200, 0x2300, 0x2400: true
        default: false
        }
    }

    /// Whether an error may be about the write rather than the moment: a server error or a failure of replicas that comes again
    /// and again. Silence and timeouts are of the moment, however long it takes.
    private static func mayBeThePoison(errorCode: Int32?) -> Bool { errorCode != nil && errorCode != 0x1100 }

    /// Decides.
    ///
    /// What only has to wait waits for as long as it takes: the journal holds it.
    ///
    /// - Parameters:
    ///   - answer: what the shadow said; `.unknown` also for a lost connection and for silence.
    ///   - errorCode: of an ERROR.
    ///   - isRepeatable: the write may be sent again after an unknown outcome.
    ///   - attempt: how often it has been sent, from 1.
    ///   - attemptsMax: the limit for errors that may be about the write itself.
    ///   - pauseMilliseconds: the first pause, and the longest.
    ///   - random: a number in 0..<1 that spreads the pauses.
    public static func decide(
        answer: AnswerClass,
        errorCode: Int32?,
        isRepeatable: Bool,
        attempt: Int,
        attemptsMax: Int,
        pauseMilliseconds: ClosedRange<Int> = Self.pauseMillisecondsMin...Self.pauseMillisecondsMax,
        random: Double
    ) -> ShadowRetry {
        switch answer {
        case .success: return .giveUp
        case .definiteRefusal: if Self.isForGood(errorCode: errorCode) { return .giveUp }
        case .unknown:
            if !isRepeatable { return .doubt }
            if attempt >= attemptsMax, Self.mayBeThePoison(errorCode: errorCode) { return .giveUp }
        }
        let exponent = min(max(attempt - 1, 0), 16)
        let pause = min(pauseMilliseconds.upperBound, pauseMilliseconds.lowerBound << exponent)
        return .after(milliseconds: pause / 2 + Int(Double(pause / 2) * min(max(random, 0), 1)))
    }
}
