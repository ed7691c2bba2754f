public import CQLProtocol

/// Makes a node misbehave: what some requests meet instead of their answer, or before it.
public struct FaultRule: Sendable {
    /// Which requests.
    public indirect enum Condition: Sendable {
        case any
        case opcode(Opcode)
        /// The statement's text, prepared or not, contains this.
        case textContains(String)
        case all([Condition])
        case not(Condition)
        /// This share of the requests, from 0 to 1.
        case probability(Double)
    }

    /// What happens to them.
    public enum Reaction: Sendable {
        /// The answer comes later.
        case delay(Duration)
        /// The request is never answered and not executed.
        case drop
        /// The request is executed and never answered.
        case dropAnswer
        /// The request is refused and not executed.
        case error(ErrorMessage)
        /// The connection is closed.
        case close
    }

    /// Which requests.
    public var condition: Condition
    /// What happens to them.
    public var reaction: Reaction
    /// Requests that may still meet the rule; `nil` for all.
    public var timesLeft: Int?

    /// A rule.
    public init(_ condition: Condition, _ reaction: Reaction, times: Int? = nil) {
        self.condition = condition
        self.reaction = reaction
        self.timesLeft = times
    }
}

/// The rules of a node with their random numbers.
struct FaultRules {
    private var rules: [FaultRule]
    private var random: SeededGenerator

    /// The rules are asked in their order; the first that matches counts.
    init(_ rules: [FaultRule] = [], seed: UInt64 = 1) {
        self.rules = rules
        self.random = SeededGenerator(state: seed)
    }

    /// What a request meets; `nil` for its usual answer.
    mutating func reaction(to opcode: Opcode, text: String?) -> FaultRule.Reaction? {
        for index in self.rules.indices where self.rules[index].timesLeft != 0 {
            guard self.matches(self.rules[index].condition, opcode, text) else { continue }
            if let left = self.rules[index].timesLeft { self.rules[index].timesLeft = left - 1 }
            return self.rules[index].reaction
        }
        return nil
    }

    private mutating func matches(_ condition: FaultRule.Condition, _ opcode: Opcode, _ text: String?) -> Bool {
        switch condition {
        case .any: return true
        case .opcode(let wanted): return opcode == wanted
        case .textContains(let part): return text?.contains(part) ?? false
        case .all(let conditions):
            for condition in conditions where !self.matches(condition, opcode, text) { return false }
            return true
        case .not(let condition): return !self.matches(condition, opcode, text)
        case .probability(let share): return Double.random(in: 0..<1, using: &self.random) < share
        }
    }
}

/// Random numbers that come the same way again from the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
