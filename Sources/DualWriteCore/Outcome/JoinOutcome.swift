/// What follows from the two answers of a joined write (DualWriteSync).
public struct JoinOutcome: Sendable, Hashable {
    /// Whose answer the client gets.
    public enum Reply: Sendable, Hashable {
        /// The primary's answer, success or error.
        case primary
        /// The shadow's error.
        case shadow
    }

    /// Whose answer the client gets.
    public let reply: Reply
    /// The cluster to which the write is delivered later, because the other one has it.
    public let shipTo: Role?
    /// Why the two clusters may now differ in a way that shipping cannot mend; nil where they do not.
    public let doubt: DoubtReason?

    /// The part that a cluster plays.
    public enum Role: Sendable, Hashable {
        /// The deciding cluster.
        case primary
        /// The other one.
        case shadow
    }

    /// Decides from both answers.
    ///
    /// - Parameters:
    ///   - primary: the primary's answer.
    ///   - shadow: the shadow's answer.
    ///   - isRepeatable: the write may be sent again (a plain write under one timestamp).
    ///   - policy: what to tell the client when only the shadow failed.
    public init(primary: AnswerClass, shadow: AnswerClass, isRepeatable: Bool, policy: StatementPolicy.SyncFailure) {
        switch (primary, shadow) {
        case (.success, .success):
            self.init(reply: .primary)
        case (.success, .definiteRefusal), (.success, .unknown):
            let reply: Reply = policy == .degrade ? .primary : .shadow
            if isRepeatable || shadow == .definiteRefusal {
                self.init(reply: reply, shipTo: .shadow)
            } else {
                self.init(reply: reply, doubt: shadow == .unknown ? .shadowUnknown : .shadowRefused)
            }
        case (.definiteRefusal, .success):
            // Nothing is undone: what the shadow applied and the primary refused is left to the reader.
            self.init(reply: .primary, doubt: .primaryRefused)
        case (.definiteRefusal, .definiteRefusal):
            self.init(reply: .primary)
        case (.definiteRefusal, .unknown):
            self.init(reply: .primary, doubt: .primaryRefused)
        case (.unknown, .success):
            if isRepeatable {
                self.init(reply: .primary, shipTo: .primary)
            } else {
                self.init(reply: .primary, doubt: .primaryUnknown)
            }
        case (.unknown, .definiteRefusal), (.unknown, .unknown):
            // The primary may have it, so the shadow gets it as if it had (DESIGN §5).
            if isRepeatable || shadow == .definiteRefusal {
                self.init(reply: .primary, shipTo: .shadow, doubt: .primaryUnknown)
            } else {
                self.init(reply: .primary, doubt: .primaryUnknown)
            }
        }
    }

    private init(reply: Reply, shipTo: Role? = nil, doubt: DoubtReason? = nil) {
        self.reply = reply
        self.shipTo = shipTo
        self.doubt = doubt
    }
}
