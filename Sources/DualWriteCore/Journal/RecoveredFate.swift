/// What a start does with a record that the process before it has left open.
public enum RecoveredFate: Sendable, Hashable {
    /// The shadow gets it: the primary has it.
    case deliver
    /// Both clusters get it, under its own timestamp: nobody knows whether the primary has it, its client was told nothing, and
    /// both come to the same this way.
    case deliverToBoth
    /// Nobody gets it, because it may be there already and would be there twice; what it wrote is in doubt.
    case doubt(DoubtReason)

    /// Decides.
    ///
    /// - Parameters:
    ///   - state: of the record.
    ///   - kind: of the request.
    ///   - isRepeatable: it may be sent again under its timestamp.
    ///   - statesAreCurrent: the process ended, but the machine went on, so that no change of a state is lost.
    public init(state: RecordState, kind: RequestKind, isRepeatable: Bool, statesAreCurrent: Bool) {
        switch state {
        case .intent:
            switch kind {
            // It acts on what is there when it runs: doing it now, where the primary never did, would take away more.
            case .truncate, .schemaChange, .access: self = .doubt(.restart)
            default: self = isRepeatable ? .deliverToBoth : .doubt(.restart)
            }
        case .owed, .held:
            self = isRepeatable || kind.isFence || statesAreCurrent ? .deliver : .doubt(.restart)
        case .sentOnce:
            self = .doubt(.shadowUnknown)
        }
    }
}
