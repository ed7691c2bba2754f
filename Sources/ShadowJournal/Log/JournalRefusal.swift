/// Why a log takes no more bytes now. The owner has a policy for it.
public enum JournalRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The segments have reached ``JournalConfiguration/bytesMax``.
    case full(bytesMax: Int)
    /// The disk, or a quota, has no room for another segment. It is asked again once in ``JournalLimits/retryMilliseconds``.
    case diskFull(errno: Int32)
    /// A segment could not be made for another reason. It is tried again once in ``JournalLimits/retryMilliseconds``.
    case failed(errno: Int32)
    /// The record is longer than any may be.
    case tooLong(bytesMax: Int)
    /// The log was closed.
    case closed

    /// What to tell the operator.
    public var description: String {
        switch self {
        case .full(let bytesMax): "the journal has reached its limit of \(bytesMax) bytes"
        case .diskFull(let errno): "the journal's disk is full: \(SystemCalls.reason(errno))"
        case .failed(let errno): "the journal cannot make a segment: \(SystemCalls.reason(errno))"
        case .tooLong(let bytesMax): "the record is longer than \(bytesMax) bytes"
        case .closed: "the journal is closed"
        }
    }
}
