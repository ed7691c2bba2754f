/// The calls of ``ServerFunction``s in a write that someone must evaluate before several clusters get it, or each has its own
/// values. Immutable; made once per text.
///
/// Calls in the `IF` clause are none of them: one cluster decides about conditions.
public final class ServerValues: Sendable {
    /// One call.
    public struct Call: Sendable, Hashable {
        /// What is called.
        public let function: ServerFunction
        /// The call's bytes, name to closing parenthesis.
        public let range: SourceRange
        /// Whether it stands in the literal of a list, set or map, where servers allow no marker.
        public let isInCollection: Bool
        /// Markers of the text in front of it.
        public internal(set) var markersBefore = 0
        /// The same where every occurrence of a `:name` is one marker, as newer versions of ScyllaDB have it.
        public internal(set) var distinctMarkersBefore = 0
    }

    /// The calls in order of the text.
    public let calls: [Call]
    /// The statement with a constant in the place of each call. Ranges are those of the text as it is.
    public let analysis: StatementAnalysis
    /// Markers of the text.
    public let markerCount: Int
    /// Markers of the text where every occurrence of a `:name` is the same one.
    public let distinctMarkerCount: Int

    init(_ calls: [Call], analysis: StatementAnalysis, markerStarts: [Int]) {
        var repeated: [Int] = []
        var names: Set<String> = []
        for marker in analysis.markers {
            if let name = marker.name, !names.insert(name).inserted { repeated.append(marker.range.start) }
        }
        var calls = calls.sorted { $0.range.start < $1.range.start }
        var (marker, repetition) = (0, 0)
        for index in calls.indices {
            let start = calls[index].range.start
            while marker < markerStarts.count, markerStarts[marker] < start { marker += 1 }
            while repetition < repeated.count, repeated[repetition] < start { repetition += 1 }
            calls[index].markersBefore = marker
            calls[index].distinctMarkersBefore = marker - repetition
        }
        self.calls = calls
        self.analysis = analysis
        self.markerCount = markerStarts.count
        self.distinctMarkerCount = markerStarts.count - repeated.count
    }
}
