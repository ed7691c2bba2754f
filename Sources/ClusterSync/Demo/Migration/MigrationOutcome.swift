/// What a step of the demonstrated migration has come to: the figure that shows it, and what had to hold.
struct MigrationOutcome: Sendable {
    /// Something that had to be so.
    struct Claim: Sendable, Encodable {
        /// What, with the figure that was found, and where it does not hold, the one that was expected.
        let what: String
        let holds: Bool
    }

    /// One line for people.
    var figure = ""
    /// The figures for scripts.
    var numbers: [String: Int] = [:]
    private(set) var claims: [Claim] = []

    var holds: Bool { self.claims.allSatisfy(\.holds) }

    mutating func claim(_ holds: Bool, _ what: String) { self.claims.append(Claim(what: what, holds: holds)) }

    mutating func claim(_ what: String, _ number: Int, is expected: Int) {
        let holds = number == expected
        self.claim(holds, "\(what): \(Human.count(number))" + (holds ? "" : " instead of \(Human.count(expected))"))
    }

    mutating func claim(_ what: String, _ number: Int, atLeast least: Int) {
        let holds = number >= least
        self.claim(
            holds,
            "\(what): \(Human.count(number))" + (holds ? "" : " instead of at least \(Human.count(least))")
        )
    }
}

/// A step as scripts get it.
struct MigrationStep: Encodable, Sendable {
    var number: Int
    /// A short name that does not change.
    var step: String
    var title: String
    var ok: Bool
    var figure: String
    var numbers: [String: Int]
    var claims: [MigrationOutcome.Claim]
    /// Why it could not be done; absent where it could.
    var error: String?
    var seconds: Double
}

/// The whole story as scripts get it.
struct MigrationDocument: Encodable, Sendable {
    /// Whether every step was done and every claim of each held.
    var ok: Bool
    var seconds: Double
    var steps: [MigrationStep]
}
