/// Whether the write mode may change from one value to another, before any gate is asked.
public enum ModeTransition: Sendable, Hashable {
    /// The mode is the wanted one already.
    case none
    /// One step forward or back.
    case step
    /// Any other change, with `force` and a reason.
    case forced

    /// Checks a wanted change: one step in either direction is free, everything else needs `force` and a reason.
    public static func check(
        from: WriteMode,
        to: WriteMode,
        force: Bool,
        reason: String?
    ) throws(ModeTransitionError) -> ModeTransition {
        if from == to { return .none }
        if abs(Int(from.rawValue) - Int(to.rawValue)) == 1 { return .step }
        guard force else {
            let next = WriteMode(rawValue: to.rawValue > from.rawValue ? from.rawValue + 1 : from.rawValue - 1)
            throw ModeTransitionError(code: .tooFar, from: from, to: to, next: next)
        }
        guard let reason, reason.contains(where: { !$0.isWhitespace }) else {
            throw ModeTransitionError(code: .reasonMissing, from: from, to: to, next: nil)
        }
        return .forced
    }
}

/// A change of mode that is not allowed.
public struct ModeTransitionError: Error, Hashable, CustomStringConvertible {
    /// Why.
    public enum Code: Sendable, Hashable {
        /// More than one step without `force`.
        case tooFar
        /// `force` without a reason.
        case reasonMissing
    }

    /// Why.
    public let code: Code
    /// The mode in force.
    public let from: WriteMode
    /// The mode that was wanted.
    public let to: WriteMode
    /// The next allowed step in that direction.
    public let next: WriteMode?

    /// What was wanted and what to do instead.
    public var description: String {
        switch self.code {
        case .tooFar:
            "cannot go from \(self.from) to \(self.to) in one step; the next step is "
                + "\(self.next?.name ?? "none"), or use force with a reason"
        case .reasonMissing:
            "going from \(self.from) to \(self.to) by force needs a reason"
        }
    }
}
