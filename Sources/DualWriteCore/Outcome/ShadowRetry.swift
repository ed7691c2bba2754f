/// Whether a shadow write that failed is sent again, and when.
public enum ShadowRetry: Sendable, Hashable {
    /// Send it again after so many milliseconds.
    case after(milliseconds: Int)
    /// Give up: the write is a dead letter.
    case giveUp
    /// Give up: it may or may not have been applied, so its partition is in doubt.
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

    /// Whether a write that no node could be given may be given to one later: what is wrong with the way (no node, a full one,
    /// a password that was changed on one side first) says nothing of the write.
    public static func mayReach(errorCode: Int32?) -> Bool { errorCode == 0x0100 || Self.mayPass(errorCode: errorCode) }

    /// Decides.
    ///
    /// - Parameters:
    ///   - answer: what the shadow said; `.unknown` also for a lost connection and for silence.
    ///   - errorCode: of an ERROR.
    ///   - isRepeatable: the write may be sent again after an unknown outcome.
    ///   - attempt: how often it has been sent, from 1.
    ///   - attemptsMax: the limit.
    ///   - random: a number in 0..<1 that spreads the pauses.
    public static func decide(
        answer: AnswerClass,
        errorCode: Int32?,
        isRepeatable: Bool,
        attempt: Int,
        attemptsMax: Int,
        random: Double
    ) -> ShadowRetry {
        switch answer {
        case .success: return .giveUp
        case .definiteRefusal where !Self.mayPass(errorCode: errorCode): return .giveUp
        case .definiteRefusal: if attempt >= attemptsMax { return .giveUp }
        case .unknown:
            if !isRepeatable { return .doubt }
            if attempt >= attemptsMax { return .doubt }
        }
        let exponent = min(max(attempt - 1, 0), 16)
        let pause = min(Self.pauseMillisecondsMax, Self.pauseMillisecondsMin << exponent)
        return .after(milliseconds: pause / 2 + Int(Double(pause / 2) * min(max(random, 0), 1)))
    }
}
