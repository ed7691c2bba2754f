/// A change of the write mode, and what it asks for.
public struct ModeStep: Sendable, Hashable {
    /// The mode before.
    public let from: WriteMode
    /// The mode after.
    public let to: WriteMode

    /// Creates a step.
    public init(from: WriteMode, to: WriteMode) {
        self.from = from
        self.to = to
    }

    /// The next step of a migration; nil from its last mode.
    public static func forward(from mode: WriteMode) -> ModeStep? {
        WriteMode(rawValue: mode.rawValue + 1).map { ModeStep(from: mode, to: $0) }
    }

    /// The step that undoes the last one; nil from the first mode.
    public static func back(from mode: WriteMode) -> ModeStep? {
        mode == .primaryOnly ? nil : WriteMode(rawValue: mode.rawValue - 1).map { ModeStep(from: mode, to: $0) }
    }

    /// Whether it leads back.
    public var isBack: Bool { self.to.rawValue < self.from.rawValue }

    /// Whether another cluster answers afterwards.
    public var changesPrimary: Bool { self.from.primary != self.to.primary }

    /// The cluster that the gates look at: the one that clients will come to depend on more, or that is about to be left.
    var subject: Cluster {
        if self.changesPrimary { return self.to.primary }
        if self.to == .targetOnly { return .source }
        return self.to.shadow ?? self.from.shadow ?? self.to.primary
    }

    /// The cluster that must answer; nil where the step asks for none.
    public var needed: Cluster? {
        guard self.gates.contains(.connected) else { return nil }
        // The cluster that is about to be left need not be there, the one that stays must.
        return self.to == .targetOnly ? .target : self.subject
    }

    /// The gates that count, in the order in which they are shown.
    var gates: [Gate.Name] {
        switch (self.from, self.to) {
        // Only copies begin, and the way back costs nothing.
        case (.primaryOnly, .dualWriteAsync), (.targetOnly, .shadowPrimary): [.connected]
        // Clients begin to wait for the target: it must keep up, and take what it is sent.
        case (.dualWriteAsync, .dualWriteSync): [.connected, .backlog, .errorRate, .deadLetters, .clockSkew]
        // The rollback after cut-over. The source has had every write since it was left for the last time.
        case (.shadowPrimary, .dualWriteSync): [.connected, .backlog, .deadLetters, .losses, .comparison]
        // What the source has is what a way back would need: it ends here.
        case (.shadowPrimary, .targetOnly): [.connected, .backlog, .mismatches, .overrides]
        default:
            if self.changesPrimary, !self.isBack {
                Gate.Name.allCases
            } else if self.changesPrimary {
                [.connected, .backlog, .deadLetters, .losses, .comparison]
            } else {
                self.isBack ? [] : [.connected]
            }
        }
    }

    /// What the step costs that a later step does not give back; nil where it costs nothing.
    public func cost(_ figures: GateFigures) -> String? {
        switch (self.from, self.to) {
        case (_, .targetOnly):
            return "The way back ends here: the source gets no write of applications any more."
        case (.targetOnly, _):
            return "Writes that were acknowledged in TargetOnly are not on the source. Compare and repair it before it "
                + "answers reads."
        case (_, .primaryOnly) where self.from != .primaryOnly:
            return
                "The target gets no write of applications any more. Before it can be used the load must be done anew "
                + "after DualWriteAsync was entered again."
        case (.shadowPrimary, .dualWriteSync):
            let source = figures.legs[.source]
            var words: [String] = []
            if source.records > 0, source.oldestMilliseconds > GateSettings.Limits.momentMilliseconds {
                words.append("The source answers, and lacks \(source.records) writes until they are delivered.")
            }
            if !figures.legs[.target].isConnected {
                words.append(
                    "The target cannot be reached: writes fail in DualWriteSync (sync_failure: fail) until it is back, or "
                        + "until you step back once more, to DualWriteAsync."
                )
            }
            return words.isEmpty ? nil : words.joined(separator: " ")
        default: return nil
        }
    }
}
