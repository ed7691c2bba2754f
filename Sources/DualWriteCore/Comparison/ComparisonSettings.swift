/// What an operator can set about the comparison of live reads.
public struct ComparisonSettings: Sendable, Equatable {
    /// The share of the suitable reads that are compared, 0 to 100 per cent; fractions allowed.
    public var percentage = 0.0
    /// How long a difference may take to go away by itself before both clusters are read again, in milliseconds.
    public var settleMilliseconds = 2_000
    /// Makes the choice of reads repeatable; nil: another one in each loop and each process.
    public var seed: UInt64?

    /// The settings documented on each property: nothing is compared.
    public init() {}
}
