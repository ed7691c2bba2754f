import CQLSyntax

/// Analyses of statement texts that one loop keeps, so that a text that comes again is not parsed again.
///
/// Bounded: when it is full, the older half goes (two generations, so that what is in use survives without any
/// book-keeping per look-up).
struct AnalysisCache: ~Copyable {
    private var young: [String: StatementAnalysis] = [:]
    private var old: [String: StatementAnalysis] = [:]
    private let generationMax: Int
    private let textBytesMax: Int

    /// Texts above this size are analysed each time: keeping them would cost more memory than it saves time.
    private static var keptTextBytesMax: Int { 8_192 }

    init(entriesMax: Int, textBytesMax: Int) {
        self.generationMax = max(1, entriesMax / 2)
        self.textBytesMax = textBytesMax
    }

    var count: Int { self.young.count + self.old.count }

    /// The analysis of a text; nil where the text is longer than the limit.
    mutating func analysis(of text: String) -> StatementAnalysis? {
        if let known = self.young[text] { return known }
        guard text.utf8.count <= self.textBytesMax else { return nil }
        let analysis = self.old.removeValue(forKey: text) ?? StatementAnalysis.analyze(text)
        guard text.utf8.count <= Self.keptTextBytesMax else { return analysis }
        if self.young.count >= self.generationMax {
            self.old = self.young
            self.young = [:]
        }
        self.young[text] = analysis
        return analysis
    }
}
