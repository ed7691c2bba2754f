/// What an answer says about whether a write happened (DESIGN §5, "Outcome of the primary").
public enum AnswerClass: UInt8, Sendable, Hashable {
    /// It happened.
    case success
    /// It did not happen and will not: the cluster refused it before it did anything.
    case definiteRefusal
    /// Nobody knows.
    case unknown

    /// Opcode ERROR of the native protocol v4 §2.4.
    public static var errorOpcode: UInt8 { 0x00 }

    /// The class of an answer.
    ///
    /// - Parameters:
    ///   - opcode: of the answer's header.
    ///   - errorCode: the first four bytes of an ERROR's body (behind tracing id, warnings and payload), nil where the body
    ///     is too short to hold them.
    public init(opcode: UInt8, errorCode: Int32?) {
        guard opcode == Self.errorOpcode else {
            self = .success
            return
        }
        switch errorCode {
        // Refused before execution (native protocol v4 §9): protocol, credentials, unavailable (too few replicas alive, so
        // the coordinator sent nothing), overloaded and bootstrapping (not taken on), syntax, unauthorized, invalid,
        // config, already exists, unprepared.
        case 0x000A, 0x0100, 0x1000, 0x1001, 0x1002, 0x2000, 0x2100, 0x2200, 0x2300, 0x2400, 0x2500:
            self = .definiteRefusal
        // A user function failed while the coordinator evaluated the statement: nothing was sent to replicas.
        case 0x1400:
            self = .definiteRefusal
        // Server error, truncate error, write timeout, write failure, CAS write unknown, and every code that is not known
        // here: some replica may have it. Read errors (0x1200, 0x1300) come up in conditional writes, whose paxos round
        // may still be completed by a later one.
        default:
            self = .unknown
        }
    }
}
