/// One thing that is wrong with the configuration.
struct ConfigurationFault: Sendable, Equatable, CustomStringConvertible {
    /// Where: a file with its line, a variable, an option.
    let origin: String
    /// What.
    let message: String

    var description: String { "\(self.origin): \(self.message)" }
}

/// Everything that is wrong with the configuration, not only the first thing.
struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    let faults: [ConfigurationFault]

    var description: String {
        let noun = self.faults.count == 1 ? "is 1 fault" : "are \(self.faults.count) faults"
        return "there \(noun) in the configuration:\n" + self.faults.map { "  \($0)" }.joined(separator: "\n")
    }
}
