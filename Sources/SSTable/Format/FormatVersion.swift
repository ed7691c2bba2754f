/// The version of a format, which decides how its components are laid out.
public struct FormatVersion: Hashable, Sendable, CustomStringConvertible {
    /// How partitions are found.
    public enum Family: String, Sendable, Hashable {
        /// `Index.db` and `Summary.db`.
        case big
        /// The tries of `Partitions.db` and `Rows.db` (Cassandra's `BtiFormat.md`).
        case bti
    }

    /// The two letters, such as `nb`.
    public let letters: String
    /// How partitions are found.
    public let family: Family

    /// The versions that are read here: Cassandra 3.0 and 3.11 write `mc`, `md` and `me`, 4.0 `na` and `nb`, 5.0 `oa`
    /// and `da`.
    public static let supported: [Self] =
        ["mc", "md", "me", "na", "nb", "oa"].map { Self(letters: $0, family: .big) } + [
            Self(letters: "da", family: .bti)
        ]

    private init(letters: String, family: Family) {
        self.letters = letters
        self.family = family
    }

    /// The version of these names; nil for one that is not read here.
    public init?(letters: some StringProtocol, family: some StringProtocol) {
        guard let known = Self.supported.first(where: { $0.letters == letters && $0.family.rawValue == family }) else {
            return nil
        }
        self = known
    }

    /// As a file's name has it.
    public var description: String { "\(self.letters)-\(self.family.rawValue)" }

    private func isAtLeast(_ big: String) -> Bool { self.family == .bti || self.letters >= big }

    /// Whether `Statistics.db` has checksums, and `CompressionInfo.db` the length from which chunks are kept plain.
    var hasMetadataChecksums: Bool { self.isAtLeast("na") }
    /// Whether times of deletion are unsigned, and a live deletion takes one byte.
    var hasUnsignedDeletionTimes: Bool { self.isAtLeast("oa") }
    /// Whether the statistics hold the clusterings that are covered as a slice instead of lists of values.
    var hasCoveredClustering: Bool { self.isAtLeast("oa") }
    /// Whether `sstabledump` of that server shows the kind of the table.
    var showsTableKind: Bool { self.isAtLeast("oa") }
}
