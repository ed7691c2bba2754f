/// The mode by which one request goes.
public enum RequestMode: Sendable, Hashable {
    /// All of its tables have this one.
    case one(ModeStage)
    /// The strictest one of its tables. Some of them have no shadow: of what they are written nothing is copied.
    case several(ModeStage)
    /// Its tables have different primaries: no one cluster can answer for all of it.
    case refused(String)

    /// One write of a batch.
    public struct Part: Sendable, Hashable {
        /// What is written to.
        public let table: TableName
        /// Its mode.
        public let stage: ModeStage

        /// A write to a table.
        public init(table: TableName, stage: ModeStage) {
            self.table = table
            self.stage = stage
        }
    }

    /// The mode of a batch.
    ///
    /// - Parameter sidecar: the mode of one that writes nothing.
    public init(of parts: [Part], in sidecar: ModeStage) {
        guard let first = parts.first else {
            self = .one(sidecar)
            return
        }
        var stage = first.stage
        var isMixed = false
        for part in parts.dropFirst() {
            guard part.stage.mode.primary == stage.mode.primary else {
                self = .refused(Self.refusal(first, part))
                return
            }
            if (part.stage.mode.shadow == nil) != (stage.mode.shadow == nil) { isMixed = true }
            // Before the change of the primary every step asks for more of a write, after it for less.
            let isStricter =
                stage.mode.primary == .source
                ? part.stage.rawValue > stage.rawValue : part.stage.rawValue < stage.rawValue
            if isStricter { stage = part.stage }
        }
        self = isMixed ? .several(stage) : .one(stage)
    }

    private static func refusal(_ first: Part, _ other: Part) -> String {
        func words(_ part: Part) -> String {
            "\(part.table) is in \(part.stage), where the \(part.stage.mode.primary) answers"
        }
        return
            "cluster-sync: a batch cannot be written to tables with different primaries: \(words(first)), \(words(other))"
    }

    /// The mode; nil where the request is refused.
    public var stage: ModeStage? {
        switch self {
        case .one(let stage), .several(let stage): stage
        case .refused: nil
        }
    }
}
