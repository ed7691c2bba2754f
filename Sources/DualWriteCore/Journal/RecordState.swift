/// How far a journalled request is; one byte of its record, changed in place.
///
/// A record begins as an intent, before the primary gets the request. Whatever ends the process at whatever moment, the next
/// one finds in these states what every write needs (``RecoveredFate``).
public enum RecordState: UInt8, Sendable, Hashable, CaseIterable {
    /// On its way to the primary, whose answer is not known.
    case intent = 1
    /// The shadow is owed it; it stands in the journal only.
    case owed = 2
    /// The shadow is owed it; the lane holds it in memory.
    case held = 3
    /// Sent to the shadow, and must not be sent again: its answer is not known.
    case sentOnce = 4
}
