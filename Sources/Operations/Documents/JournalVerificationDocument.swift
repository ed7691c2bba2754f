/// What came of verifying every checksum of a journal: `POST /v1/journal/verify`, and `cluster-sync journal verify --json`.
public struct JournalVerificationDocument: Codable, Sendable, Equatable {
    /// One log of it.
    public struct Log: Codable, Sendable, Equatable {
        /// Its name, such as `target-0`.
        public var name: String
        /// Whether everything that was written to it can be read.
        public var isWhole: Bool
        /// Records that were read, finished ones too.
        public var records: Int
        /// What records refer to.
        public var definitions: Int
        /// What is wrong and where, in words.
        public var damage: [String]

        /// Creates a log.
        public init(name: String, isWhole: Bool, records: Int, definitions: Int, damage: [String]) {
            self.name = name
            self.isWhole = isWhole
            self.records = records
            self.definitions = definitions
            self.damage = damage
        }
    }

    /// The folder that was read.
    public var folder: String
    /// Whether everything can be read.
    public var isWhole: Bool
    /// Its logs, sorted.
    public var logs: [Log]
    /// What is wrong with the folder itself, in words.
    public var damage: [String]

    /// Creates a document.
    public init(folder: String, isWhole: Bool, logs: [Log], damage: [String]) {
        self.folder = folder
        self.isWhole = isWhole
        self.logs = logs
        self.damage = damage
    }
}
