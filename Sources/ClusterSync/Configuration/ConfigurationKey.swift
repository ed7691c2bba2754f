/// One key of a service's configuration: its place in the YAML file, and what a value must look like.
///
/// The same key is `CLUSTER_SYNC_` and its path in capitals in the environment, and `--set path=value` on the command line.
struct ConfigurationKey: Sendable {
    /// What a value must look like.
    enum Kind: Sendable, Equatable {
        case text
        case secret
        case path
        case hosts
        case tables
        /// Several of what the help says.
        case texts
        case address
        case integer(ClosedRange<Int>)
        case percentage
        case mode
        case ceiling
        case choice([String])

        /// Whether it is several values: a sequence in the file, with commas elsewhere.
        var isList: Bool { self == .hosts || self == .tables || self == .texts }
    }

    /// The path in the YAML file, with dots.
    let path: String
    /// What a value must look like.
    let kind: Kind
    /// The value where none is given; nil where the key may be absent.
    let fallback: String?
    /// One sentence for `--help` and error messages.
    let help: String
    /// Flat names from older files and scripts that mean the same.
    var aliases: [String] = []
    /// Environment variables besides the one that is made from the path.
    var variables: [String] = []

    /// The variable that is made from the path.
    var variable: String {
        "CLUSTER_SYNC_" + self.path.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }
}
