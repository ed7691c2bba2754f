/// How the last process that had the journal open came to its end.
public enum PreviousEnd: Sendable, Hashable {
    /// There was none: the journal is new.
    case none
    /// It closed the journal: everything is as it left it.
    case clean
    /// It died, and the machine went on: everything it appended, and every state, is there.
    case killed
    /// The machine stopped, or may have: what was not synced may be lost, and a state may be older than it was. It stays so
    /// until the journal was closed with all of its logs recovered.
    case machineStopped
}
